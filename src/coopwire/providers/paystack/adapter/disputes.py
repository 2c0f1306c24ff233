"""The verbs of Paystack's disputes: read them, answer one, find out whether it is answered."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime

from coopwire.domain.errors import ContractBroken
from coopwire.domain.gates import Traffic
from coopwire.ports.gateways import DisputeOrder, DisputeSnapshot, EvidencePlace, answer_found
from coopwire.ports.writes import Finding
from coopwire.providers.paystack.adapter.api import Api
from coopwire.providers.paystack.wire import disputes, pages


class PaystackDisputes:
    """Claims of customers' banks. A dispute takes one answer, so reading it tells what became of ours."""

    def __init__(self, api: Api) -> None:
        self._api = api

    async def list_window(self, start: datetime, end: datetime) -> AsyncIterator[DisputeSnapshot]:
        """Disputes made in [start, end), each once; as for charges, pages that shift are walked again."""
        walk = pages.between(pages.DISPUTES, start, end)
        async for dispute in self._api.walk("list_disputes", "/dispute", walk):
            yield dispute

    async def fetch(self, provider_ref: str) -> DisputeSnapshot:
        """The dispute of this id; ContractBroken when they do not know it."""
        answer = await self._api.read("fetch_dispute", f"/dispute/{_number(provider_ref)}")
        found = disputes.dispute_of(self._api.success(answer, Traffic.READ).data, answer.body)
        if found.provider_ref != provider_ref:
            raise ContractBroken("fetch answered for another dispute")
        return found

    async def of_charge(self, charge: str) -> tuple[DisputeSnapshot, ...]:
        """Every dispute of the charge, by the list: their read by transaction tells one, and not what none is."""
        walk = self._api.walk("list_disputes", "/dispute", pages.disputes_of(charge))
        return tuple([dispute async for dispute in walk])

    async def evidence_place(self, provider_ref: str) -> EvidencePlace:
        """Where to put a file of evidence."""
        answer = await self._api.read("dispute_upload", f"/dispute/{_number(provider_ref)}/upload_url")
        return disputes.evidence_place(self._api.success(answer, Traffic.READ))

    def say(self, order: DisputeOrder) -> bytes:
        """The body of PUT /dispute/{id}/resolve."""
        return disputes.answer_body(order)

    async def send(self, order: DisputeOrder, said: bytes) -> DisputeSnapshot:
        """Answer once."""
        path = f"/dispute/{_number(order.dispute)}/resolve"
        answer = await self._api.write("resolve_dispute", path, said, method="PUT")
        return disputes.answered(order, self._api.success(answer, Traffic.WRITE), answer.body)

    async def find(self, order: DisputeOrder, sent_at: datetime) -> Finding[DisputeSnapshot]:
        """What the dispute itself says."""
        return answer_found(await self.fetch(order.dispute))


def _number(provider_ref: str) -> str:
    if not (provider_ref.isascii() and provider_ref.isdecimal()):
        raise ContractBroken("this is no id of a dispute")
    return provider_ref
