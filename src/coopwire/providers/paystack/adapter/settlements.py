"""The verbs of Paystack's settlements: list them, and the transactions in each."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import aclosing
from datetime import date

from coopwire.domain.errors import ContractBroken
from coopwire.ports.gateways import SettlementLine, SettlementSnapshot
from coopwire.providers.paystack.adapter.api import Api
from coopwire.providers.paystack.wire import pages

_LIST = "/settlement"


class PaystackSettlements:
    """What Paystack pays out; it has no read of a single settlement, so one is looked for in the list."""

    def __init__(self, api: Api) -> None:
        self._api = api

    async def list_window(self, first: date, last: date) -> AsyncIterator[SettlementSnapshot]:
        """Settlements of these days, each once; as for charges, pages that shift are walked again."""
        async for one in self._api.walk("list_settlements", _LIST, pages.settled_on(first, last)):
            yield one

    async def fetch(self, provider_ref: str) -> SettlementSnapshot:
        """The settlement of this id: the list is read from its newest end until it is there."""
        walk = self._api.walk("list_settlements", _LIST, pages.every_settlement(provider_ref))
        async with aclosing(walk) as found:
            async for one in found:
                return one
        raise ContractBroken("Paystack lists no settlement of this id")

    async def lines(self, provider_ref: str) -> AsyncIterator[SettlementLine]:
        """Every transaction in it, each once."""
        if not (provider_ref.isascii() and provider_ref.isdecimal()):
            raise ContractBroken("this is no id of a settlement")
        path = f"{_LIST}/{provider_ref}/transactions"
        async for line in self._api.walk("list_settlement_lines", path, pages.lines_of()):
            yield line
