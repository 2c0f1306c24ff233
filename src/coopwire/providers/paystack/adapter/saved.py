"""Saved authorizations: charge one, find out what became of it, end one."""

from __future__ import annotations

from datetime import datetime

from coopwire.domain.gates import Traffic
from coopwire.ports.gateways import (
    DeactivationOrder,
    DeactivationSnapshot,
    SavedChargeOrder,
    SavedChargeSnapshot,
)
from coopwire.ports.writes import Finding
from coopwire.providers.paystack.adapter.api import Api
from coopwire.providers.paystack.wire import saved
from coopwire.providers.paystack.wire.answers import denial


class PaystackSavedCharges:
    """Charges without the customer; the reference is the only key against a second one."""

    def __init__(self, api: Api) -> None:
        self._api = api

    def say(self, order: SavedChargeOrder) -> bytes:
        """The body of a charge, or of a partial debit."""
        return saved.charge_body(order)

    async def send(self, order: SavedChargeOrder, said: bytes) -> SavedChargeSnapshot:
        """Charge once. A partial debit has an operation of its own."""
        whole = order.at_least_minor is None
        verb = "charge_authorization" if whole else "partial_debit"
        answer = await self._api.write(verb, f"/transaction/{verb}", said)
        return saved.charged(order, self._api.success(answer, Traffic.WRITE), answer.body)

    async def find(self, order: SavedChargeOrder, sent_at: datetime) -> Finding[SavedChargeSnapshot]:
        """What stands under the reference, or ABSENT when they say so in the agreed words."""
        answer = await self._api.verify(order.reference)
        denied = denial(answer)
        if denied is not None and denied.reference_absent:
            return saved.NOT_THERE
        return saved.found(order, self._api.success(answer, Traffic.READ), answer.body)


class PaystackDeactivations:
    """Ends of authorizations, of cards and of mandates alike."""

    def __init__(self, api: Api) -> None:
        self._api = api

    def say(self, order: DeactivationOrder) -> bytes:
        """The body of /customer/authorization/deactivate."""
        return saved.deactivation_body(order)

    async def send(self, order: DeactivationOrder, said: bytes) -> DeactivationSnapshot:
        """End it: they answer yes and nothing else, or that there is none any more."""
        answer = await self._api.write("deactivate", "/customer/authorization/deactivate", said)
        denied = denial(answer)
        if denied is None or not denied.authorization_absent:
            self._api.success(answer, Traffic.WRITE)
        return DeactivationSnapshot(order.reference)
