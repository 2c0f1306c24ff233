"""Hosted pages: open one, and find it again."""

from __future__ import annotations

from datetime import datetime

from coopwire.domain.gates import Traffic
from coopwire.ports.gateways import CheckoutOrder, CheckoutSnapshot
from coopwire.ports.writes import Finding
from coopwire.providers.paystack.adapter.api import Api
from coopwire.providers.paystack.wire import checkouts
from coopwire.providers.paystack.wire.answers import denial


class PaystackCheckouts:
    """Hosted pages of Paystack; the reference is the only key against a second one."""

    def __init__(self, api: Api) -> None:
        self._api = api

    def say(self, order: CheckoutOrder) -> bytes:
        """The body of /transaction/initialize."""
        return checkouts.checkout_body(order, self._api.account.channels)

    async def send(self, order: CheckoutOrder, said: bytes) -> CheckoutSnapshot:
        """Open the page; `provider_ref` is None, for they give no id before the member pays."""
        answer = await self._api.write("initialize", "/transaction/initialize", said)
        return checkouts.opened(order, self._api.success(answer, Traffic.WRITE))

    async def find(self, order: CheckoutOrder, sent_at: datetime) -> Finding[CheckoutSnapshot]:
        """EXECUTED without the page's address, or ABSENT when they say so in the agreed words."""
        answer = await self._api.verify(order.reference)
        denied = denial(answer)
        if denied is not None and denied.reference_absent:
            return checkouts.NOT_THERE
        return checkouts.found(order, self._api.success(answer, Traffic.READ))
