"""Transactions: every one of a reference, by id, by day."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime

from coopwire.domain.errors import ContractBroken
from coopwire.ports.gateways import ChargeSnapshot
from coopwire.providers.flutterwave.adapter.api import Api
from coopwire.providers.flutterwave.wire import pages
from coopwire.providers.flutterwave.wire.charges import charge_of
from coopwire.transport.reading import identifier


class FlutterwaveCharges:
    """Charges by reference, by id and by day."""

    def __init__(self, api: Api) -> None:
        self._api = api
        self._kind = pages.charges_read_by(api.account)

    async def find(self, reference: str, charges: tuple[str, ...] = ()) -> tuple[ChargeSnapshot, ...]:
        """Every transaction of the reference, the newest last, and those ids that carry it too.

        A reference is used by each try on a page and by each deposit on a static account (trap 6): what the
        look-up by reference tells is one of them, the list tells the others. Text that is no id is none.
        """
        known = {charge.charge: charge for charge in await self._under(reference)}
        for charge_id in dict.fromkeys(charges):
            if charge_id not in known and identifier(charge_id) == charge_id:
                other = await self.by_id(charge_id)
                if other is not None and other.reference == reference:
                    known[charge_id] = other
        return tuple(known[charge_id] for charge_id in sorted(known, key=int))

    async def _under(self, reference: str) -> list[ChargeSnapshot]:
        there = await self._api.verify(reference)
        if there is None:
            return []
        told, body = there
        one = charge_of(told.data, self._api.account, body)
        if one.reference != reference:
            raise ContractBroken("verify answered for another reference")
        walk = pages.Walk(self._kind, {"tx_ref": reference}, lambda charge: charge.reference == reference)
        return [
            one,
            *[c async for c in self._api.walk("list", "/transactions", walk) if c.charge != one.charge],
        ]

    async def by_id(self, charge_id: str) -> ChargeSnapshot | None:
        """The charge of an id; None when they have none."""
        there = await self._api.verify_id(charge_id)
        if there is None:
            return None
        told, body = there
        found = charge_of(told.data, self._api.account, body)
        if found.charge != charge_id:
            raise ContractBroken("verify answered for another id")
        return found

    async def known(self, charge_id: str) -> ChargeSnapshot:
        """The charge of an id that they have told; ContractBroken when they do not know it."""
        found = await self.by_id(charge_id) if identifier(charge_id) == charge_id else None
        if found is None:
            raise ContractBroken("a transaction that was told is not known there")
        return found

    async def list_window(self, start: datetime, end: datetime) -> AsyncIterator[ChargeSnapshot]:
        """Charges created in [start, end), each once.

        Pages shift when a charge comes in meanwhile: they are walked again until one walk has seen all,
        TryLater when the list never stands still. A row that cannot be read does not hide the others:
        ContractBroken comes after the last of them.
        """
        async for charge in self._api.walk("list", "/transactions", pages.between(self._kind, start, end)):
            yield charge
