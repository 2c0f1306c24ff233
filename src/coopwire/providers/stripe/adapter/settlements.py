"""The verbs of Stripe's settlements: payouts to the lender's bank, and the balance transactions in each."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, time, timedelta

from coopwire.domain.errors import ContractBroken
from coopwire.ports.gateways import SettlementLine, SettlementSnapshot
from coopwire.providers.stripe.adapter.api import Api
from coopwire.providers.stripe.wire import pages, settlements
from coopwire.providers.stripe.wire.form import Field
from coopwire.providers.stripe.wire.reading import is_id, seconds
from coopwire.providers.stripe.wire.settlements import Payout

_PAYOUTS = "/v1/payouts"
_ROWS = "/v1/balance_transactions"
_A_DAY = timedelta(days=1)


class StripeSettlements:
    """What Stripe pays out. A payout tells its net alone: the rest is the sum of what is in it."""

    def __init__(self, api: Api) -> None:
        self._api = api

    async def list_window(self, first: date, last: date) -> AsyncIterator[SettlementSnapshot]:
        """Payouts that arrive on these days, each once, and each with the sums of its lines."""
        query: dict[str, Field] = {"arrival_date": {"gte": _begins(first), "lt": _begins(last + _A_DAY)}}
        walk = pages.Walk(settlements.PAYOUTS, query, lambda payout: first <= payout.arrives_on <= last)
        async for payout in self._api.walk("list_payouts", _PAYOUTS, walk):
            yield await self._whole(payout)

    async def fetch(self, provider_ref: str) -> SettlementSnapshot:
        """The payout of this id with the sums of its lines; ContractBroken when they do not know it."""
        return await self._whole(await self._read(provider_ref))

    async def lines(self, provider_ref: str) -> AsyncIterator[SettlementLine]:
        """Everything that was paid out with it, each once; nothing for a payout that somebody made by hand."""
        for line in await self._lines(await self._read(provider_ref)):
            yield line

    async def _read(self, provider_ref: str) -> Payout:
        if not is_id(provider_ref, "po_"):
            raise ContractBroken("this is no id of a payout")
        there = await self._api.fetch("fetch_payout", _PAYOUTS, provider_ref)
        if there is None:
            raise ContractBroken("the payout asked for is not known there")
        return settlements.payout_of(*there)

    async def _whole(self, payout: Payout) -> SettlementSnapshot:
        return settlements.settlement_of(payout, await self._lines(payout))

    async def _lines(self, payout: Payout) -> list[SettlementLine]:
        if not payout.is_itemized:
            return []
        query: dict[str, Field] = {"payout": payout.id, "expand": [f"data.{settlements.SOURCE}"]}
        rows = self._api.walk("list_payout_lines", _ROWS, pages.Walk(settlements.ROWS, query))
        return [row.line async for row in rows if not row.is_payout]


def _begins(day: date) -> int:
    return seconds(datetime.combine(day, time(), UTC))
