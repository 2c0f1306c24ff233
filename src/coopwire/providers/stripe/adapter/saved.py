"""What members left at Stripe: charge it without them, find out what became of it, end it."""

from __future__ import annotations

from datetime import datetime

from coopwire.domain.errors import Refused
from coopwire.domain.gates import Traffic
from coopwire.ports.gateways import (
    DeactivationOrder,
    DeactivationSnapshot,
    SavedChargeOrder,
    SavedChargeSnapshot,
)
from coopwire.ports.writes import Finding
from coopwire.providers.stripe.adapter.api import Api
from coopwire.providers.stripe.wire import pages, saved

_INTENTS = "/v1/payment_intents"
_METHODS = "/v1/payment_methods"


class StripeSavedCharges:
    """Off-session payment intents; the reference is the idempotency key, and stands in the metadata."""

    def __init__(self, api: Api) -> None:
        self._api = api

    def say(self, order: SavedChargeOrder) -> bytes:
        """The form of POST /v1/payment_intents."""
        return saved.charge_form(order)

    async def send(self, order: SavedChargeOrder, said: bytes) -> SavedChargeSnapshot:
        """Charge once. A decline comes with HTTP 402, and leaves an intent behind that nobody pays."""
        answer = await self._api.write("charge_saved", _INTENTS, said, order.reference)
        intent = saved.intent_of(self._api.success(answer, Traffic.WRITE).data, answer.body)
        return saved.charged(order, intent)

    async def find(self, order: SavedChargeOrder, sent_at: datetime) -> Finding[SavedChargeSnapshot]:
        """The intents of our reference in their list, which is consistent where their search lags."""
        walk = pages.between(saved.INTENTS, *saved.window(sent_at))
        rows = self._api.walk("list_intents", _INTENTS, walk)
        return saved.found(order, [intent async for intent in rows if intent.reference == order.reference])


class StripeDeactivations:
    """Ends of what members left: the payment method is taken from its customer, for good."""

    def __init__(self, api: Api) -> None:
        self._api = api

    def say(self, order: DeactivationOrder) -> bytes:
        """A form of nothing: the path names the payment method."""
        saved.method_of(order)
        return b""

    async def send(self, order: DeactivationOrder, said: bytes) -> DeactivationSnapshot:
        """End it. When they refuse, it may have been ended before: what they tell of it then decides."""
        method = saved.method_of(order)
        answer = await self._api.write("detach", f"{_METHODS}/{method}/detach", said, order.reference)
        try:
            told = self._api.success(answer, Traffic.WRITE).data
        except Refused:
            if not await self._is_ended(method):
                raise
            return DeactivationSnapshot(order.reference)
        return saved.ended(order, told)

    async def _is_ended(self, method: str) -> bool:
        there = await self._api.fetch("fetch_method", _METHODS, method)
        return there is None or saved.is_nobodys(there[0])
