"""The verbs of Stripe's disputes: read them, contest or close one, find out whether it is answered."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime

from coopwire.domain.disputes import DisputeVerdict
from coopwire.domain.errors import ContractBroken, Unsupported
from coopwire.domain.gates import Traffic
from coopwire.ports.gateways import DisputeOrder, DisputeSnapshot, EvidencePlace, answer_found
from coopwire.ports.writes import Finding
from coopwire.providers.stripe.adapter.api import Api
from coopwire.providers.stripe.wire import disputes, pages
from coopwire.providers.stripe.wire.form import Field
from coopwire.providers.stripe.wire.reading import is_id

_DISPUTES = "/v1/disputes"
_OF_ROWS: dict[str, Field] = {"expand": [f"data.{disputes.EXPANDED}"]}


class StripeDisputes:
    """Claims of customers' banks. A dispute takes one answer, so it is read before one is sent and to find one."""

    def __init__(self, api: Api) -> None:
        self._api = api

    async def list_window(self, start: datetime, end: datetime) -> AsyncIterator[DisputeSnapshot]:
        """Disputes made in [start, end), each once."""
        walk = pages.between(disputes.DISPUTES, start, end, _OF_ROWS)
        async for dispute in self._api.walk("list_disputes", _DISPUTES, walk):
            yield dispute

    async def fetch(self, provider_ref: str) -> DisputeSnapshot:
        """The dispute of this id; ContractBroken when they do not know it."""
        return disputes.dispute_of(*await self._read(provider_ref))

    async def of_charge(self, charge: str) -> tuple[DisputeSnapshot, ...]:
        """Every dispute of the payment; rows of others, should the filter let them pass, are left out."""
        named = "payment_intent" if is_id(charge, "pi_") else "charge"
        if not is_id(charge, "pi_", "ch_", "py_"):
            raise ContractBroken("this is no id of a payment")
        query = {named: charge, **_OF_ROWS}
        walk = pages.Walk(disputes.DISPUTES, query, lambda dispute: dispute.charge == charge)
        return tuple([dispute async for dispute in self._api.walk("list_disputes", _DISPUTES, walk)])

    async def evidence_place(self, provider_ref: str) -> EvidencePlace:
        """They take files at another address of theirs, which the hub does not speak to: Unsupported."""
        raise Unsupported("put the file into Stripe's dashboard: the hub sends the words of an answer alone")

    def say(self, order: DisputeOrder) -> bytes:
        """The form of POST /v1/disputes/{id}, or of its /close."""
        return disputes.answer_form(order)

    async def send(self, order: DisputeOrder, said: bytes) -> DisputeSnapshot:
        """Answer once, if it can still be answered so: what they take is all that is claimed, or words alone."""
        dispute, raw = await self._read(order.dispute)
        disputes.check(order, disputes.dispute_of(dispute, raw), disputes.status_of(dispute))
        contests = order.verdict is DisputeVerdict.CONTEST
        verb, end = ("contest_dispute", "") if contests else ("close_dispute", "/close")
        answer = await self._api.write(verb, f"{_DISPUTES}/{order.dispute}{end}", said, order.reference)
        return disputes.answered(order, self._api.success(answer, Traffic.WRITE).data, answer.body)

    async def find(self, order: DisputeOrder, sent_at: datetime) -> Finding[DisputeSnapshot]:
        """What the dispute itself says."""
        return answer_found(await self.fetch(order.dispute))

    async def _read(self, provider_ref: str) -> tuple[object, bytes]:
        if not is_id(provider_ref, *disputes.PREFIXES):
            raise ContractBroken("this is no id of a dispute")
        query: dict[str, Field] = {"expand": [disputes.EXPANDED]}
        there = await self._api.fetch("fetch_dispute", _DISPUTES, provider_ref, query)
        if there is None:
            raise ContractBroken("the dispute asked for is not known there")
        return there
