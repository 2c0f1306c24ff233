"""Walks their lists by page number: no row missed, none told twice.

Source: payments contract 2.1 (list for a date: ten rows a page; refunds and chargebacks: twenty).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from functools import partial
from typing import TypeVar

from coopwire.domain.errors import ContractBroken
from coopwire.domain.payments import Mode
from coopwire.ports.gateways import ChargeSnapshot, SettlementSnapshot, TransferSnapshot
from coopwire.providers.flutterwave.wire import disputes, refunds
from coopwire.providers.flutterwave.wire.account import Account
from coopwire.providers.flutterwave.wire.answers import Said
from coopwire.providers.flutterwave.wire.charges import charge_of
from coopwire.providers.flutterwave.wire.reading import Bare
from coopwire.providers.flutterwave.wire.settlements import settlement_of
from coopwire.providers.flutterwave.wire.transfers import transfer_of
from coopwire.transport.passes import Kind, Passes
from coopwire.transport.reading import at, identifier, needed

_A_DAY = timedelta(days=1)
_AROUND = timedelta(days=3)
_RowT = TypeVar("_RowT")
_SnapshotT = TypeVar("_SnapshotT", ChargeSnapshot, Bare, TransferSnapshot)

TRANSFERS: Kind[TransferSnapshot] = Kind("transfers", transfer_of, lambda transfer: transfer.provider_ref)
REFUNDS: Kind[Bare] = Kind("refunds", refunds.told, lambda refund: refund.id)
CHARGEBACKS: Kind[Bare] = Kind("chargebacks", disputes.told, lambda chargeback: chargeback.id)


def charges_read_by(account: Account) -> Kind[ChargeSnapshot]:
    """The list of transactions."""
    return Kind("transactions", partial(_charge, account), lambda charge: charge.charge)


def settlements_read_by(account: Account) -> Kind[SettlementSnapshot]:
    """The list of settlements."""
    return Kind("settlements", partial(_settlement, account.mode), lambda settlement: settlement.provider_ref)


def _settlement(mode: Mode, row: object, raw: bytes) -> SettlementSnapshot:
    return settlement_of(row, mode, raw)


def settled_on(kind: Kind[SettlementSnapshot], first: date, last: date) -> Walk[SettlementSnapshot]:
    """A walk over the settlements of these days, both included; nothing says by which of its dates they filter."""

    def inside(one: SettlementSnapshot) -> bool:
        return one.settled_on is None or first <= one.settled_on <= last

    query = {"from": (first - _AROUND).isoformat(), "to": (last + _AROUND).isoformat()}
    return Walk(kind, query, inside)


def _charge(account: Account, row: object, raw: bytes) -> ChargeSnapshot:
    return charge_of(row, account, raw)


@dataclass(frozen=True, slots=True)
class Page:
    """One page, the number of the next one (None: it was the last), and how many rows they count in all."""

    rows: tuple[object, ...] = field(repr=False)
    number: int | None
    total: int


def page(answer: Said) -> Page:
    """The page of an answer. ContractBroken when it is none."""
    if not isinstance(answer.data, list):
        raise ContractBroken("a list came without its rows")
    total, this, last = (
        _count(answer.meta, name)
        for name in ("page_info.total", "page_info.current_page", "page_info.total_pages")
    )
    return Page(tuple(answer.data), this + 1 if answer.data and this < last else None, total)


def _count(meta: Mapping[str, object], name: str) -> int:
    return int(needed(identifier(at(meta, name)), f"meta.{name}"))


def dates(start: datetime, end: datetime) -> dict[str, str]:
    """The query for [start, end): whole days, and one more at either side.

    Which zone their days begin in is not told; what is too much is left out again.
    """
    first, last = ((at_.astimezone(UTC) + by).date() for at_, by in ((start, -_A_DAY), (end, _A_DAY)))
    return {"from": first.isoformat(), "to": last.isoformat()}


def between(
    kind: Kind[_SnapshotT], start: datetime, end: datetime, *, dated: bool = True
) -> Walk[_SnapshotT]:
    """A walk over the rows created in [start, end); not `dated`: they are asked for all rows there are."""

    def inside(row: _SnapshotT) -> bool:
        # A row that does not say when it was made is told rather than lost.
        return row.created_at is None or start <= row.created_at < end

    return Walk(kind, dates(start, end) if dated else {}, inside)


class Walk(Passes[_RowT]):
    """The rows of a list, and the query of each of its pages."""

    def __init__(self, kind: Kind[_RowT], query: Mapping[str, str], inside: Callable[[_RowT], bool]) -> None:
        super().__init__(kind, inside)
        self._query = dict(query)
        self._number = 1

    def first(self) -> dict[str, str]:
        """Begin a pass: the query of its first page."""
        self.begin()
        self._number = 1
        return {**self._query, "page": "1"}

    def turn(self, page: Page) -> dict[str, str] | None:
        """The query of the next page, None after the last. ContractBroken when it goes in circles."""
        if page.number is None:
            return None
        if page.number <= self._number:
            raise ContractBroken("the list gave the same page twice")
        self._number = page.number
        return {**self._query, "page": str(page.number)}
