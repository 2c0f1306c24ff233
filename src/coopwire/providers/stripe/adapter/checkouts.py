"""The verbs of Stripe's hosted pages: open one, find it again."""

from __future__ import annotations

from datetime import datetime

from coopwire.domain.gates import Traffic
from coopwire.ports.gateways import CheckoutOrder, CheckoutSnapshot
from coopwire.ports.writes import Finding
from coopwire.providers.stripe.adapter.api import Api
from coopwire.providers.stripe.wire import checkouts, pages
from coopwire.providers.stripe.wire.charges import page_reference

_SESSIONS = "/v1/checkout/sessions"


class StripeCheckouts:
    """Checkout Sessions. Within their window the same order under the same key gives the same page again."""

    def __init__(self, api: Api) -> None:
        self._api = api

    def say(self, order: CheckoutOrder) -> bytes:
        """The form of POST /v1/checkout/sessions."""
        return checkouts.checkout_form(order, self._api.account)

    async def send(self, order: CheckoutOrder, said: bytes) -> CheckoutSnapshot:
        """Open the page."""
        answer = await self._api.write("checkout", _SESSIONS, said, order.reference)
        session = self._api.success(answer, Traffic.WRITE).data
        return checkouts.opened(order, self._api.account, session)

    async def find(self, order: CheckoutOrder, sent_at: datetime) -> Finding[CheckoutSnapshot]:
        """What the list of sessions says, which is consistent; their search knows none of them."""
        walk = pages.Walk(
            pages.ROWS,
            pages.since(sent_at - checkouts.CLOCKS_APART),
            lambda row: page_reference(row.document) == order.reference,
        )
        sessions = [row.document async for row in self._api.walk("list_sessions", _SESSIONS, walk)]
        return checkouts.found(order, sessions)
