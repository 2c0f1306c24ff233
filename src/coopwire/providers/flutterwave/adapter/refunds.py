"""Money back: count, ask, find, follow."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime

from coopwire.domain.errors import ContractBroken
from coopwire.domain.gates import Traffic
from coopwire.ports.gateways import RefundOrder, RefundSnapshot
from coopwire.ports.writes import Finding
from coopwire.providers.flutterwave.adapter.api import Api
from coopwire.providers.flutterwave.adapter.charges import FlutterwaveCharges
from coopwire.providers.flutterwave.wire import pages, refunds
from coopwire.providers.flutterwave.wire.reading import Bare
from coopwire.transport.markers import found_since
from coopwire.transport.reading import identifier


class FlutterwaveRefunds:
    """Money back to the customer; ours are known by the marker in the comment.

    Their list of refunds knows no filter by transaction: it is read from the day on which the charge was begun.
    """

    def __init__(self, api: Api, charges: FlutterwaveCharges) -> None:
        self._api = api
        self._charges = charges

    async def count(self, order: RefundOrder) -> tuple[str, ...]:
        """Their ids of all refunds of the charge now."""
        return tuple([refund.provider_ref async for refund in self._of(order)])

    def say(self, order: RefundOrder) -> bytes:
        """The body of POST /transactions/{id}/refund."""
        return refunds.refund_body(order)

    async def send(self, order: RefundOrder, said: bytes) -> RefundSnapshot:
        """Ask once; a refusal comes as HTTP 200 too."""
        answer = await self._api.write("refund", f"/transactions/{order.charge}/refund", said)
        data = self._api.success(answer, Traffic.WRITE).data
        return refunds.accepted(order, refunds.told(data, answer.body), self._api.account)

    async def find(self, order: RefundOrder, sent_at: datetime) -> Finding[RefundSnapshot]:
        """What the list says of the charge's refunds, beside the order's census."""
        return found_since(order, [refund async for refund in self._of(order)])

    async def fetch(self, provider_ref: str) -> RefundSnapshot:
        """The refund of this id; ContractBroken when they do not know it."""
        if identifier(provider_ref) != provider_ref:
            raise ContractBroken("this is no id of a refund")
        told = await (
            self._by_id(provider_ref) if self._api.account.refunds_by_id else self._listed(provider_ref)
        )
        if told is None or told.id != provider_ref:
            raise ContractBroken("the refund asked for was not told")
        return refunds.refund_of(told, await self._currency(told.charge), self._api.account)

    async def list_window(self, start: datetime, end: datetime) -> AsyncIterator[RefundSnapshot]:
        """Refunds created in [start, end), each once; as for charges, pages that shift are walked again."""
        currencies: dict[str, str] = {}
        async for told in self._walk(pages.between(pages.REFUNDS, start, end, dated=self._dated)):
            if told.charge not in currencies:
                currencies[told.charge] = await self._currency(told.charge)
            yield refunds.refund_of(told, currencies[told.charge], self._api.account)

    @property
    def _dated(self) -> bool:
        return self._api.account.refunds_by_date

    async def _of(self, order: RefundOrder) -> AsyncIterator[RefundSnapshot]:
        """The refunds of the order's charge; no refund is older than its charge."""
        charge = await self._charges.known(order.charge)
        begun, query = charge.created_at, {}
        if begun is not None and self._dated:
            query = pages.dates(begun, self._api.clock.now())
        walk = pages.Walk(pages.REFUNDS, query, lambda refund: refund.charge == order.charge)
        async for told in self._walk(walk):
            yield refunds.refund_of(told, charge.currency, self._api.account)

    async def _by_id(self, provider_ref: str) -> Bare:
        answer = await self._api.read("fetch_refund", f"/refunds/{provider_ref}")
        return refunds.told(self._api.success(answer, Traffic.READ).data, answer.body)

    async def _listed(self, provider_ref: str) -> Bare | None:
        walk = pages.Walk(pages.REFUNDS, {}, lambda refund: refund.id == provider_ref)
        rows = [told async for told in self._walk(walk)]
        return rows[0] if rows else None

    def _walk(self, walk: pages.Walk[Bare]) -> AsyncIterator[Bare]:
        return self._api.walk("list_refunds", "/refunds", walk)

    async def _currency(self, charge: str) -> str:
        return (await self._charges.known(charge)).currency
