"""Walks their lists, by cursor or by page number: no row missed, none told twice."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Generic, TypeVar

from coopwire.domain.errors import ContractBroken, TryLater
from coopwire.ports.gateways import ChargeSnapshot, RefundSnapshot
from coopwire.providers.paystack.wire.answers import Said
from coopwire.providers.paystack.wire.charges import charge_of
from coopwire.providers.paystack.wire.reading import at, identifier, label, needed
from coopwire.providers.paystack.wire.refunds import refund_of

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


@dataclass(slots=True)
class _Pass:
    """What one pass over the whole list has seen."""

    first_total: int | None = None
    most_total: int = 0
    seen: set[str] = field(default_factory=set)
    cursors: set[str] = field(default_factory=set)
    number: int = 1
    unreadable: list[str] = field(default_factory=list)

    @property
    def rows(self) -> int:
        return len(self.seen) + len(self.unreadable)


_RowT = TypeVar("_RowT", ChargeSnapshot, RefundSnapshot)


@dataclass(frozen=True, slots=True)
class Kind(Generic[_RowT]):
    """What a list is of: how it is called, how a row is read, and the id that the row has there."""

    name: str
    read: Callable[[object, bytes], _RowT]
    id: Callable[[_RowT], str]
    by_cursor: bool
    """Whether they offer a cursor for it."""
    bare: bool
    """Whether a list of it may come without its meta, as in one of the official samples."""


CHARGES: Kind[ChargeSnapshot] = Kind(
    "transactions", charge_of, lambda charge: charge.charge, by_cursor=True, bare=False
)
REFUNDS: Kind[RefundSnapshot] = Kind(
    "refunds", refund_of, lambda refund: refund.provider_ref, by_cursor=False, bare=True
)


def between(kind: Kind[_RowT], start: datetime, end: datetime) -> Walk[_RowT]:
    """A walk over the rows created in [start, end)."""
    # They read milliseconds: the end is rounded up, and what is too much is left out again.
    query = {"from": _moment(start), "to": _moment(end + _MILLISECOND)}

    def inside(row: _RowT) -> bool:
        # A row that does not say when it was made is told rather than lost.
        return row.created_at is None or start <= row.created_at < end

    return Walk(kind, query, inside)


def refunds_of(charge: str) -> Walk[RefundSnapshot]:
    """A walk over the refunds of one charge; rows of others, should the filter let them pass, are left out."""
    return Walk(REFUNDS, {"transaction": charge}, lambda refund: refund.charge == charge)


class Walk(Generic[_RowT]):
    """The rows of a list, over one or more passes.

    A list asked for by page number shifts when rows come or go meanwhile: `complete` says whether the last
    pass saw as many rows as Paystack counted; another pass may see the rest.
    """

    def __init__(self, kind: Kind[_RowT], query: Mapping[str, str], inside: Callable[[_RowT], bool]) -> None:
        self._kind: Kind[_RowT] = kind
        self._inside: Callable[[_RowT], bool] = inside
        self._query = {**query, "perPage": str(ROWS_PER_PAGE)}
        self._told: set[str] = set()
        self._pass = _Pass()

    def begin(self) -> dict[str, str]:
        """Begin a pass: the query of its first page."""
        self._pass = _Pass()
        return {**self._query, "use_cursor": "true"} if self._kind.by_cursor else {**self._query, "page": "1"}

    def read(self, told: Said) -> Page:
        """The page of an answer. ContractBroken when it is none."""
        return page(told, bare=self._kind.bare)

    def turn(self, page: Page) -> dict[str, str] | None:
        """The query of the next page, None after the last. ContractBroken when it goes in circles."""
        if page.cursor is not None:
            if page.cursor in self._pass.cursors:
                raise ContractBroken("the list gave the same cursor twice")
            self._pass.cursors.add(page.cursor)
            return {**self._query, "use_cursor": "true", "next": page.cursor}
        if page.number is not None:
            if page.number <= self._pass.number:
                raise ContractBroken("the list gave the same page twice")
            self._pass.number = page.number
            return {**self._query, "page": str(page.number)}
        return None

    def fresh(self, page: Page) -> Iterator[_RowT]:
        """The rows of a page that belong to the walk and were not told before."""
        if self._pass.first_total is None:
            self._pass.first_total = page.total
        self._pass.most_total = max(self._pass.most_total, page.total)
        for told in page.rows:
            row = self._read(told)
            if row is not None and self._kind.id(row) not in self._told and self._inside(row):
                self._told.add(self._kind.id(row))
                yield row

    @property
    def complete(self) -> bool:
        """Whether the pass saw every row that they counted."""
        return self._pass.rows >= self._pass.most_total

    def conclude(self) -> None:
        """Raise unless the last pass saw and could read all that was there when it began.

        TryLater when the list kept changing; ContractBroken when rows could not be read.
        """
        if self._pass.unreadable:
            count, first = len(self._pass.unreadable), self._pass.unreadable[0]
            raise ContractBroken(f"{count} rows of the list cannot be read; the first: {first}")
        if self._pass.rows < (self._pass.first_total or 0):
            raise TryLater(f"the list of {self._kind.name} kept changing while it was read")

    def _read(self, told: object) -> _RowT | None:
        try:
            row: _RowT = self._kind.read(told, _raw(told))
        except ContractBroken as broken:
            self._pass.unreadable.append(broken.message)
            return None
        self._pass.seen.add(self._kind.id(row))
        return row


def _moment(at_: datetime) -> str:
    return at_.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _raw(row: object) -> bytes:
    """One row by itself; decimals become text, so that no digit is lost."""
    try:
        return json.dumps(row, default=str, separators=(",", ":")).encode()
    except RecursionError:
        raise ContractBroken("a row is nested too deeply") from None
