"""Walks their lists, by cursor or by page number: no row missed, none told twice."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Protocol, TypeVar

from coopwire.domain.errors import ContractBroken
from coopwire.ports.gateways import (
    AccountSnapshot,
    Bank,
    ChargeSnapshot,
    DisputeSnapshot,
    MandateSnapshot,
    RefundSnapshot,
    SettlementLine,
    SettlementSnapshot,
    TransferSnapshot,
)
from coopwire.providers.paystack.wire.accounts import account_of, id_of
from coopwire.providers.paystack.wire.answers import Said
from coopwire.providers.paystack.wire.bank_accounts import bank_of
from coopwire.providers.paystack.wire.charges import charge_of
from coopwire.providers.paystack.wire.disputes import dispute_of
from coopwire.providers.paystack.wire.mandates import code_of, listed_mandate
from coopwire.providers.paystack.wire.refunds import refund_of
from coopwire.providers.paystack.wire.settlements import line_of, settlement_of
from coopwire.providers.paystack.wire.transfers import transfer_of
from coopwire.transport import passes
from coopwire.transport.reading import at, identifier, label, needed

ROWS_PER_PAGE = 100
_SHORTEST_FULL_PAGE = 50
"""Fewer rows than their own page size are all that there is, also where no meta says so."""
_MILLISECOND = timedelta(milliseconds=1)


@dataclass(frozen=True, slots=True)
class Page:
    """One page, and how to ask for the next one (cursor and number both None: it was the last)."""

    rows: tuple[object, ...] = field(repr=False)
    cursor: str | None = None
    number: int | None = None
    total: int = 0
    """How many rows they count in all; 0 in the cursor form, which does not say."""


def page(told: Said, *, bare: bool = False) -> Page:
    """A page in either of their two forms, or in neither where it may be `bare`. ContractBroken otherwise.

    Source: payments contract 1.1 (list for a date): a cursor ends with no `next`, or with the text "null".
    """
    if not isinstance(told.data, list):
        raise ContractBroken("a list came without its rows")
    rows = tuple(told.data)
    if not told.meta:
        if not bare or len(rows) >= _SHORTEST_FULL_PAGE:
            raise ContractBroken("a list came without its meta")
        return Page(rows)
    if "page" in told.meta or "pageCount" in told.meta:
        return _numbered(rows, told.meta)
    following = at(told.meta, "next")
    return Page(rows, cursor=None if following in (None, "null") else needed(label(following), "meta.next"))


def _numbered(rows: tuple[object, ...], meta: Mapping[str, object]) -> Page:
    this, last, total = (
        needed(_count(meta, name), f"meta.{name}") for name in ("page", "pageCount", "total")
    )
    return Page(rows, number=this + 1 if rows and this < last else None, total=total)


def _count(meta: Mapping[str, object], name: str) -> int:
    return int(needed(identifier(meta.get(name)), f"meta.{name}"))


class _Made(Protocol):
    """A row that may say when it was made."""

    @property
    def created_at(self) -> datetime | None: ...


_RowT = TypeVar("_RowT")
_MadeT = TypeVar("_MadeT", bound=_Made)


@dataclass(frozen=True, slots=True)
class Kind(passes.Kind[_RowT]):
    """A list of theirs, and in which forms it comes."""

    by_cursor: bool
    """Whether they offer a cursor for it."""
    bare: bool
    """Whether a list of it may come without its meta, as in one of the official samples."""
    snake: bool = False
    """Whether its query and its meta are in snake case, and the cursor is the only form (contract 1.1, mandates)."""


CHARGES: Kind[ChargeSnapshot] = Kind(
    "transactions", charge_of, lambda charge: charge.charge, by_cursor=True, bare=False
)
REFUNDS: Kind[RefundSnapshot] = Kind(
    "refunds", refund_of, lambda refund: refund.provider_ref, by_cursor=False, bare=True
)
ACCOUNTS: Kind[AccountSnapshot] = Kind("accounts", account_of, id_of, by_cursor=False, bare=False)

TRANSFERS: Kind[TransferSnapshot] = Kind(
    "transfers", transfer_of, lambda transfer: transfer.provider_ref, by_cursor=False, bare=True
)
BANKS: Kind[Bank] = Kind("banks", bank_of, lambda bank: bank.provider_ref, by_cursor=True, bare=True)
SETTLEMENTS: Kind[SettlementSnapshot] = Kind(
    "settlements", settlement_of, lambda settlement: settlement.provider_ref, by_cursor=False, bare=False
)
LINES: Kind[SettlementLine] = Kind(
    "transactions of a settlement", line_of, lambda line: line.charge, by_cursor=False, bare=False
)
DISPUTES: Kind[DisputeSnapshot] = Kind(
    "disputes", dispute_of, lambda dispute: dispute.provider_ref, by_cursor=False, bare=False
)
MANDATES: Kind[MandateSnapshot] = Kind(
    "mandates", listed_mandate, code_of, by_cursor=True, bare=False, snake=True
)
_AROUND = timedelta(days=3)
"""Nothing says by which of a settlement's dates they filter; they lie less apart than this."""


def between(kind: Kind[_MadeT], start: datetime, end: datetime) -> Walk[_MadeT]:
    """A walk over the rows created in [start, end)."""
    # They read milliseconds: the end is rounded up, and what is too much is left out again.
    query = {"from": _moment(start), "to": _moment(end + _MILLISECOND)}

    def inside(row: _MadeT) -> bool:
        # A row that does not say when it was made is told rather than lost.
        return row.created_at is None or start <= row.created_at < end

    return Walk(kind, query, inside)


def refunds_of(charge: str) -> Walk[RefundSnapshot]:
    """A walk over the refunds of one charge; rows of others, should the filter let them pass, are left out."""
    return Walk(REFUNDS, {"transaction": charge}, lambda refund: refund.charge == charge)


def settled_on(first: date, last: date) -> Walk[SettlementSnapshot]:
    """A walk over the settlements of these days, both included."""
    start, end = (datetime.combine(day, time(), UTC) for day in (first - _AROUND, last + _AROUND))

    def inside(one: SettlementSnapshot) -> bool:
        return one.settled_on is None or first <= one.settled_on <= last

    return Walk(SETTLEMENTS, {"from": _moment(start), "to": _moment(end)}, inside)


def every_settlement(provider_ref: str) -> Walk[SettlementSnapshot]:
    """A walk over all settlements, the newest first, for the one of this id."""
    return Walk(SETTLEMENTS, {}, lambda one: one.provider_ref == provider_ref)


def lines_of() -> Walk[SettlementLine]:
    """A walk over the charges of one settlement."""
    return Walk(LINES, {}, lambda line: True)


def disputes_of(charge: str) -> Walk[DisputeSnapshot]:
    """A walk over the disputes of one charge; rows of others, should the filter let them pass, are left out."""
    return Walk(DISPUTES, {"transaction": charge}, lambda dispute: dispute.charge == charge)


def banks_of(code: str) -> Walk[Bank]:
    """A walk over the banks that take this currency."""
    return Walk(BANKS, {"currency": code}, lambda bank: bank.currency == code)


def accounts_of(customer: str) -> Walk[AccountSnapshot]:
    """A walk over the accounts of one customer; rows of others, should the filter let them pass, are left out."""
    return Walk(ACCOUNTS, {"customer": customer}, lambda account: account.holder == customer)


def every_mandate() -> Walk[MandateSnapshot]:
    """A walk over all mandates of the integration, in every state."""
    return Walk(MANDATES, {}, lambda mandate: True)


class Walk(passes.Passes[_RowT]):
    """The rows of a list, and the query of each of its pages."""

    def __init__(self, kind: Kind[_RowT], query: Mapping[str, str], inside: Callable[[_RowT], bool]) -> None:
        super().__init__(kind, inside)
        self._form: Kind[_RowT] = kind
        self._query = {**query, "per_page" if kind.snake else "perPage": str(ROWS_PER_PAGE)}
        self._cursors: set[str] = set()
        self._number = 1

    def first(self) -> dict[str, str]:
        """Begin a pass: the query of its first page."""
        self.begin()
        self._cursors, self._number = set(), 1
        if self._form.snake:
            return dict(self._query)
        return {**self._query, "use_cursor": "true"} if self._form.by_cursor else {**self._query, "page": "1"}

    def read(self, told: Said) -> Page:
        """The page of an answer. ContractBroken when it is none."""
        return page(told, bare=self._form.bare)

    def turn(self, page: Page) -> dict[str, str] | None:
        """The query of the next page, None after the last. ContractBroken when it goes in circles."""
        if page.cursor is not None:
            if page.cursor in self._cursors:
                raise ContractBroken("the list gave the same cursor twice")
            self._cursors.add(page.cursor)
            if self._form.snake:
                return {**self._query, "cursor": page.cursor}
            return {**self._query, "use_cursor": "true", "next": page.cursor}
        if page.number is not None:
            if page.number <= self._number:
                raise ContractBroken("the list gave the same page twice")
            self._number = page.number
            return {**self._query, "page": str(page.number)}
        return None


def _moment(at_: datetime) -> str:
    return at_.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
