"""Money back to the customer: ask, find out, and follow to the end."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime

from coopwire.domain.errors import ContractBroken
from coopwire.domain.gates import Traffic
from coopwire.ports.gateways import RefundOrder, RefundSnapshot
from coopwire.ports.writes import Finding
from coopwire.providers.paystack.adapter.api import Api
from coopwire.providers.paystack.wire import pages, refunds
from coopwire.transport.markers import found_since


class PaystackRefunds:
    """Money back to the customer; ours are known by the marker in the merchant's note."""

    def __init__(self, api: Api) -> None:
        self._api = api

    async def count(self, order: RefundOrder) -> tuple[str, ...]:
        """Their ids of all refunds of the charge now."""
        return tuple([refund.provider_ref async for refund in self._of(order.charge)])

    def say(self, order: RefundOrder) -> bytes:
        """The body of POST /refund."""
        return refunds.refund_body(order)

    async def send(self, order: RefundOrder, said: bytes) -> RefundSnapshot:
        """Ask once: they queue it, and tell by their own time whether it came through."""
        answer = await self._api.write("refund", "/refund", said)
        return refunds.accepted(order, self._api.success(answer, Traffic.WRITE), answer.body)

    async def find(self, order: RefundOrder, sent_at: datetime) -> Finding[RefundSnapshot]:
        """What the list of the charge's refunds says, beside the order's census."""
        return found_since(order, [refund async for refund in self._of(order.charge)])

    async def fetch(self, provider_ref: str) -> RefundSnapshot:
        """The refund of this id; ContractBroken when they do not know it."""
        if not (provider_ref.isascii() and provider_ref.isdecimal()):
            raise ContractBroken("this is no id of a refund")
        answer = await self._api.read("fetch_refund", f"/refund/{provider_ref}")
        found = refunds.refund_of(self._api.success(answer, Traffic.READ).data, answer.body)
        if found.provider_ref != provider_ref:
            raise ContractBroken("fetch answered for another refund")
        return found

    async def list_window(self, start: datetime, end: datetime) -> AsyncIterator[RefundSnapshot]:
        """Refunds created in [start, end), each once; as for charges, pages that shift are walked again."""
        walk = pages.between(pages.REFUNDS, start, end)
        async for refund in self._api.walk("list_refunds", "/refund", walk):
            yield refund

    def _of(self, charge: str) -> AsyncIterator[RefundSnapshot]:
        return self._api.walk("list_refunds", "/refund", pages.refunds_of(charge))
