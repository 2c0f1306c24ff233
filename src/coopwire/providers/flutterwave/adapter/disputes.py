"""Chargebacks: read them, answer one, find out whether it is answered."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime

from coopwire.domain.errors import ContractBroken, HubError, OutcomeUnknown, Unsupported
from coopwire.domain.gates import Traffic
from coopwire.ports.gateways import DisputeOrder, DisputeSnapshot, EvidencePlace, answer_found
from coopwire.ports.writes import Finding
from coopwire.providers.flutterwave.adapter.api import Api
from coopwire.providers.flutterwave.adapter.charges import FlutterwaveCharges
from coopwire.providers.flutterwave.wire import disputes, pages
from coopwire.providers.flutterwave.wire.reading import Bare
from coopwire.transport.reading import at, currency, identifier, label, needed


class FlutterwaveDisputes:
    """Claims of customers' banks. Each stage of a claim is a chargeback of its own, which takes one answer."""

    def __init__(self, api: Api, charges: FlutterwaveCharges) -> None:
        self._api = api
        self._charges = charges

    async def list_window(self, start: datetime, end: datetime) -> AsyncIterator[DisputeSnapshot]:
        """Chargebacks made in [start, end), each once; as for charges, pages that shift are walked again."""
        currencies: dict[str, str] = {}
        async for told in self._walk(pages.between(pages.CHARGEBACKS, start, end)):
            if told.charge not in currencies:
                currencies[told.charge] = (await self._charges.known(told.charge)).currency
            yield disputes.dispute_of(told, currencies[told.charge], self._api.account)

    async def fetch(self, provider_ref: str) -> DisputeSnapshot:
        """The chargeback of this id, out of the list; ContractBroken when they do not know it."""
        if identifier(provider_ref) != provider_ref:
            raise ContractBroken("this is no id of a chargeback")
        walk = pages.Walk(pages.CHARGEBACKS, {"id": provider_ref}, lambda one: one.id == provider_ref)
        rows = [told async for told in self._walk(walk)]
        if not rows:
            raise ContractBroken("the chargeback asked for was not told")
        charge = await self._charges.known(rows[0].charge)
        return disputes.dispute_of(rows[0], charge.currency, self._api.account)

    async def of_charge(self, charge: str) -> tuple[DisputeSnapshot, ...]:
        """Every chargeback of the charge: their list is asked by the reference that they gave to it."""
        there = await self._api.verify_id(charge)
        if there is None:
            raise ContractBroken("the transaction of a chargeback is not known there")
        flw_ref = needed(label(at(there[0].data, "flw_ref")), "flw_ref")
        code = needed(currency(at(there[0].data, "currency")), "currency")
        walk = pages.Walk(pages.CHARGEBACKS, {"flw_ref": flw_ref}, lambda one: one.charge == charge)
        account = self._api.account
        return tuple([disputes.dispute_of(told, code, account) async for told in self._walk(walk)])

    async def evidence_place(self, provider_ref: str) -> EvidencePlace:
        """Unsupported: files are uploaded with the secret key, and named by the address that answers."""
        raise Unsupported("a file of evidence is uploaded in Flutterwave's dashboard: give its address")

    def say(self, order: DisputeOrder) -> bytes:
        """The body of PUT /chargebacks/{id}."""
        return disputes.answer_body(order)

    async def send(self, order: DisputeOrder, said: bytes) -> DisputeSnapshot:
        """Answer once, and read the rest, which their answer leaves out."""
        path = f"/chargebacks/{order.dispute}"
        answer = await self._api.write("answer_chargeback", path, said, method="PUT")
        told = self._api.success(answer, Traffic.WRITE)
        try:
            stands = await self.fetch(order.dispute)
        except HubError as unread:
            raise OutcomeUnknown(f"it was answered, and cannot be read: {unread.message}") from None
        return disputes.answered(order, told.data, stands)

    async def find(self, order: DisputeOrder, sent_at: datetime) -> Finding[DisputeSnapshot]:
        """What the chargeback itself says."""
        return answer_found(await self.fetch(order.dispute))

    def _walk(self, walk: pages.Walk[Bare]) -> AsyncIterator[Bare]:
        return self._api.walk("list_chargebacks", "/chargebacks", walk)
