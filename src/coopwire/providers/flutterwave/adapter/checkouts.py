"""Hosted pages: open one, find out whether a customer has begun to pay on it."""

from __future__ import annotations

from datetime import datetime

from coopwire.domain.gates import Traffic
from coopwire.ports.gateways import CheckoutOrder, CheckoutSnapshot
from coopwire.ports.writes import Finding
from coopwire.providers.flutterwave.adapter.api import Api
from coopwire.providers.flutterwave.wire import checkouts


class FlutterwaveCheckouts:
    """Hosted pages of Flutterwave. They take a reference again: see the trust in the data sheet."""

    def __init__(self, api: Api) -> None:
        self._api = api

    def say(self, order: CheckoutOrder) -> bytes:
        """The body of POST /payments."""
        return checkouts.checkout_body(order, self._api.account)

    async def send(self, order: CheckoutOrder, said: bytes) -> CheckoutSnapshot:
        """Open the page; `provider_ref` is None, for there is no transaction before the member begins to pay."""
        answer = await self._api.write("checkout", "/payments", said)
        return checkouts.opened(order, self._api.success(answer, Traffic.WRITE))

    async def find(self, order: CheckoutOrder, sent_at: datetime) -> Finding[CheckoutSnapshot]:
        """EXECUTED once a customer has opened a charge; before that ABSENT, which proves nothing here."""
        there = await self._api.verify(order.reference)
        return checkouts.found(order, None if there is None else there[0])
