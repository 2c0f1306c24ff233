"""The verbs of Stripe's refunds: count, give back, find, follow."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime

from coopwire.domain.errors import ContractBroken
from coopwire.domain.gates import Traffic
from coopwire.ports.gateways import RefundOrder, RefundSnapshot
from coopwire.ports.writes import Finding
from coopwire.providers.stripe.adapter.api import Api
from coopwire.providers.stripe.wire import pages, refunds
from coopwire.providers.stripe.wire.reading import is_id
from coopwire.transport.markers import found_since

_REFUNDS = "/v1/refunds"


class StripeRefunds:
    """Money back to the customer; ours are known by the reference in their metadata."""

    def __init__(self, api: Api) -> None:
        self._api = api

    async def count(self, order: RefundOrder) -> tuple[str, ...]:
        """Their ids of all refunds of the payment now."""
        return tuple([refund.provider_ref async for refund in self._of(order.charge)])

    def say(self, order: RefundOrder) -> bytes:
        """The form of POST /v1/refunds."""
        return refunds.refund_form(order)

    async def send(self, order: RefundOrder, said: bytes) -> RefundSnapshot:
        """Ask once; within its window the same key gives the same refund again."""
        answer = await self._api.write("refund", _REFUNDS, said, order.reference)
        return refunds.accepted(order, self._api.success(answer, Traffic.WRITE).data, answer.body)

    async def find(self, order: RefundOrder, sent_at: datetime) -> Finding[RefundSnapshot]:
        """What the list of the payment's refunds says, beside the order's census."""
        return found_since(order, [refund async for refund in self._of(order.charge)])

    async def fetch(self, provider_ref: str) -> RefundSnapshot:
        """The refund of this id; ContractBroken when they do not know it."""
        if not is_id(provider_ref, "re_", "pyr_"):
            raise ContractBroken("this is no id of a refund")
        there = await self._api.fetch("fetch_refund", _REFUNDS, provider_ref)
        if there is None:
            raise ContractBroken("the refund asked for is not known there")
        return refunds.refund_of(*there)

    async def list_window(self, start: datetime, end: datetime) -> AsyncIterator[RefundSnapshot]:
        """Refunds created in [start, end), each once; those of sources that are no payment intent, too."""
        walk = pages.between(refunds.REFUNDS, start, end)
        async for refund in self._api.walk("list_refunds", _REFUNDS, walk):
            yield refund

    def _of(self, charge: str) -> AsyncIterator[RefundSnapshot]:
        if not is_id(charge, "pi_"):
            raise ContractBroken("this is no id of a payment intent")
        walk = pages.Walk(refunds.REFUNDS, {"payment_intent": charge}, lambda refund: refund.charge == charge)
        return self._api.walk("list_refunds", _REFUNDS, walk)
