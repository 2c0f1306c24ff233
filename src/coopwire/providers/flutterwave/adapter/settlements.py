"""What is paid out to the lender, and what is in it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import date

from coopwire.domain.errors import ContractBroken
from coopwire.domain.gates import Traffic
from coopwire.ports.gateways import SettlementLine, SettlementSnapshot
from coopwire.providers.flutterwave.adapter.api import Api
from coopwire.providers.flutterwave.wire import pages, settlements
from coopwire.transport.reading import at, identifier


class FlutterwaveSettlements:
    """What Flutterwave pays out; one that is fetched tells its transactions too."""

    def __init__(self, api: Api) -> None:
        self._api = api
        self._kind = pages.settlements_read_by(api.account)

    async def list_window(self, first: date, last: date) -> AsyncIterator[SettlementSnapshot]:
        """Settlements of these days, each once; as for charges, pages that shift are walked again."""
        walk = pages.settled_on(self._kind, first, last)
        async for one in self._api.walk("list_settlements", "/settlements", walk):
            yield one

    async def fetch(self, provider_ref: str) -> SettlementSnapshot:
        """The settlement of this id; ContractBroken when they do not know it."""
        data, raw = await self._told(provider_ref)
        return settlements.settlement_of(data, self._api.account.mode, raw)

    async def lines(self, provider_ref: str) -> AsyncIterator[SettlementLine]:
        """Every transaction in it."""
        data, raw = await self._told(provider_ref)
        for line in settlements.lines_of(data, raw):
            yield line

    async def _told(self, provider_ref: str) -> tuple[object, bytes]:
        if identifier(provider_ref) != provider_ref:
            raise ContractBroken("this is no id of a settlement")
        answer = await self._api.read("fetch_settlement", f"/settlements/{provider_ref}")
        data = self._api.success(answer, Traffic.READ).data
        if identifier(at(data, "id")) != provider_ref:
            raise ContractBroken("the settlement asked for was not told")
        return data, answer.body
