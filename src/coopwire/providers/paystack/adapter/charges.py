"""What customers paid: by reference, by id and by day."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime

from coopwire.domain.errors import ContractBroken
from coopwire.domain.gates import Traffic
from coopwire.ports.gateways import ChargeSnapshot
from coopwire.providers.paystack.adapter.api import Api
from coopwire.providers.paystack.wire import pages
from coopwire.providers.paystack.wire.answers import denial
from coopwire.providers.paystack.wire.charges import charge_of


class PaystackCharges:
    """Charges by reference, by id and by day."""

    def __init__(self, api: Api) -> None:
        self._api = api

    async def find(self, reference: str, charges: tuple[str, ...] = ()) -> tuple[ChargeSnapshot, ...]:
        """The charge under the reference, and those ids that carry it too (text that is no id is none)."""
        first = await self._under(reference)
        known = {} if first is None else {first.charge: first}
        for charge_id in dict.fromkeys(charges):
            if charge_id not in known and charge_id.isascii() and charge_id.isdecimal():
                other = await self._by_id(charge_id)
                if other is not None and other.reference == reference:
                    known[charge_id] = other
        return tuple(known.values())

    async def _under(self, reference: str) -> ChargeSnapshot | None:
        answer = await self._api.verify(reference)
        denied = denial(answer)
        if denied is not None and denied.reference_absent:
            return None
        found = charge_of(self._api.success(answer, Traffic.READ).data, answer.body)
        if found.reference != reference:
            raise ContractBroken("verify answered for another reference")
        return found

    async def _by_id(self, charge_id: str) -> ChargeSnapshot | None:
        answer = await self._api.read("fetch", f"/transaction/{charge_id}")
        denied = denial(answer)
        if denied is not None and denied.id_absent:
            return None
        found = charge_of(self._api.success(answer, Traffic.READ).data, answer.body)
        if found.charge != charge_id:
            raise ContractBroken("fetch answered for another id")
        return found

    async def list_window(self, start: datetime, end: datetime) -> AsyncIterator[ChargeSnapshot]:
        """Charges created in [start, end), each once.

        Pages by number shift when a charge comes in meanwhile: they are walked again until one walk has seen
        all, TryLater when the list never stands still. A row that cannot be read does not hide the others:
        ContractBroken comes after the last of them.
        """
        async for charge in self._api.walk("list", "/transaction", pages.between(pages.CHARGES, start, end)):
            yield charge
