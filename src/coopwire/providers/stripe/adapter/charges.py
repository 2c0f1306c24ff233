"""The verbs of Stripe's payments: find them by reference and id, list a window."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from datetime import datetime, timedelta

from coopwire.domain.states import PaymentState
from coopwire.ports.gateways import ChargeSnapshot
from coopwire.providers.stripe.adapter.api import Api
from coopwire.providers.stripe.wire import charges, pages
from coopwire.providers.stripe.wire.form import Field
from coopwire.providers.stripe.wire.reading import is_id
from coopwire.providers.stripe.wire.search import query_of

SEARCH_LAGS = timedelta(hours=1)
"""What is younger is read from the list: their search tells it by and by, mostly within a minute (contract 3.1)."""
PAGES_LIVE = timedelta(hours=24)
"""The longest life of a page, which has no search: payments contract 3.1, `expires_at`."""
_DAILY_LOOKS = timedelta(hours=26)
"""So long a page that is over is still told by its own list: the look-ups come once a day by then."""
_INTENTS = "/v1/payment_intents"
_SESSIONS = "/v1/checkout/sessions"
_OF_ROWS: dict[str, Field] = {"expand": [f"data.{charges.INTENT}"]}


class StripeCharges:
    """Charges by reference, by id and by day; the id of a charge is its payment intent's."""

    def __init__(self, api: Api) -> None:
        self._api = api

    async def find(self, reference: str, charges: tuple[str, ...] = ()) -> tuple[ChargeSnapshot, ...]:
        """Every charge of the reference, the newest last.

        What `charges` names (payment intents, sessions) is read itself, and when one of them is paid that is the
        answer. Else the list of the last hour tells what is young, and the search adds what is older: that the
        search is silent proves nothing, so it is never asked alone. Where there is no payment, the list of the
        pages that are over tells that nobody will pay any more.
        """
        known = {
            one.charge: one for one in await self._named((*charges, reference)) if one.reference == reference
        }
        if not any(one.state is PaymentState.SUCCEEDED for one in known.values()):
            for one in [*await self._young(reference), *await self._searched(reference)]:
                known.setdefault(one.charge, one)
        if not known:
            known = {one.charge: one for one in await self._over(reference)}
        return tuple(sorted(known.values(), key=_age))

    async def list_window(self, start: datetime, end: datetime) -> AsyncIterator[ChargeSnapshot]:
        """Payment intents created in [start, end), each once, also those that nobody ordered here.

        A row that cannot be read does not hide the others: ContractBroken comes after the last of them.
        """
        walk = pages.between(charges.CHARGES, start, end, _OF_ROWS)
        async for charge in self._api.walk("list", _INTENTS, walk):
            yield charge

    async def _named(self, names: tuple[str, ...]) -> list[ChargeSnapshot]:
        told = [await self._of(name) for name in dict.fromkeys(names)]
        return [one for one in told if one is not None]

    async def _of(self, name: str) -> ChargeSnapshot | None:
        """The charge of an id of theirs; None for text that is none, and for what they do not know."""
        if is_id(name, "pi_"):
            there = await self._api.fetch("fetch", _INTENTS, name, {"expand": [charges.INTENT]})
            return None if there is None else charges.charge_of(*there)
        if is_id(name, "cs_"):
            there = await self._api.fetch("fetch_session", _SESSIONS, name, {"expand": [charges.PAGE]})
            return None if there is None else charges.charge_on(*there)
        return None

    async def _young(self, reference: str) -> list[ChargeSnapshot]:
        query = {**pages.since(self._api.clock.now() - SEARCH_LAGS), **_OF_ROWS}
        walk = pages.Walk(pages.ROWS, query, _bears(reference))
        return [
            charges.charge_of(row.document, row.raw)
            async for row in self._api.walk("list_young", _INTENTS, walk)
        ]

    async def _searched(self, reference: str) -> list[ChargeSnapshot]:
        query = query_of(reference)
        if query is None:
            return []
        walk = pages.Found(pages.ROWS, {"query": query, **_OF_ROWS}, _bears(reference))
        rows = self._api.walk("search", f"{_INTENTS}/search", walk)
        return [charges.charge_of(row.document, row.raw) async for row in rows]

    async def _over(self, reference: str) -> list[ChargeSnapshot]:
        over: dict[str, Field] = {"status": charges.EXPIRED, "expand": [f"data.{charges.PAGE}"]}
        since = pages.since(self._api.clock.now() - PAGES_LIVE - _DAILY_LOOKS)
        ours = pages.Walk(
            pages.ROWS, {**since, **over}, lambda row: charges.page_reference(row.document) == reference
        )
        rows = self._api.walk("list_expired", _SESSIONS, ours)
        return [charges.charge_on(row.document, row.raw) async for row in rows]


def _bears(reference: str) -> Callable[[pages.Row], bool]:
    """Whether a payment intent is ours: a stranger's is left out before it is read, whatever it says."""
    return lambda row: charges.reference_of(row.document) == reference


def _age(charge: ChargeSnapshot) -> tuple[float, str]:
    return (charge.created_at.timestamp() if charge.created_at else 0.0, charge.charge)
