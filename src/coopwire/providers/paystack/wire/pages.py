"""Walks their list of transactions, by cursor or by page number: no charge missed, none told twice."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from coopwire.domain.errors import ContractBroken, TryLater
from coopwire.ports.gateways import ChargeSnapshot
from coopwire.providers.paystack.wire.answers import Said
from coopwire.providers.paystack.wire.charges import charge_of
from coopwire.providers.paystack.wire.reading import at, identifier, label, needed

ROWS_PER_PAGE = 100
_MILLISECOND = timedelta(milliseconds=1)


@dataclass(frozen=True, slots=True)
class Page:
    """One page, and how to ask for the next one (cursor and number both None: it was the last)."""

    rows: tuple[object, ...] = field(repr=False)
    cursor: str | None = None
    number: int | None = None
    total: int = 0
    """How many rows they count in all; 0 in the cursor form, which does not say."""


def page(told: Said) -> Page:
    """A page in either of their two forms. ContractBroken when it is neither.

    Source: payments contract 1.1 (list for a date): a cursor ends with no `next`, or with the text "null".
    """
    if not isinstance(told.data, list) or not told.meta:
        raise ContractBroken("a list came without its rows or without its meta")
    rows = tuple(told.data)
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


class Walk:
    """The charges created in [start, end), over one or more passes.

    A list asked for by page number shifts when rows come or go meanwhile: `complete` says whether the last
    pass saw as many rows as Paystack counted; another pass may see the rest.
    """

    def __init__(self, start: datetime, end: datetime) -> None:
        self._start, self._end = start, end
        self._told: set[str] = set()
        self._pass = _Pass()

    def begin(self) -> dict[str, str]:
        """Begin a pass: the query of its first page."""
        self._pass = _Pass()
        return {**self._window(), "use_cursor": "true"}

    def turn(self, page: Page) -> dict[str, str] | None:
        """The query of the next page, None after the last. ContractBroken when it goes in circles."""
        if page.cursor is not None:
            if page.cursor in self._pass.cursors:
                raise ContractBroken("the list gave the same cursor twice")
            self._pass.cursors.add(page.cursor)
            return {**self._window(), "use_cursor": "true", "next": page.cursor}
        if page.number is not None:
            if page.number <= self._pass.number:
                raise ContractBroken("the list gave the same page twice")
            self._pass.number = page.number
            return {**self._window(), "page": str(page.number)}
        return None

    def fresh(self, page: Page) -> Iterator[ChargeSnapshot]:
        """The charges of a page that belong to the window and were not told before."""
        if self._pass.first_total is None:
            self._pass.first_total = page.total
        self._pass.most_total = max(self._pass.most_total, page.total)
        for row in page.rows:
            charge = self._read(row)
            if charge is not None and charge.charge not in self._told and self._inside(charge):
                self._told.add(charge.charge)
                yield charge

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
            raise TryLater("the list of transactions kept changing while it was read")

    def _read(self, row: object) -> ChargeSnapshot | None:
        try:
            told = charge_of(row, _raw(row))
        except ContractBroken as broken:
            self._pass.unreadable.append(broken.message)
            return None
        self._pass.seen.add(told.charge)
        return told

    def _inside(self, told: ChargeSnapshot) -> bool:
        # A row that does not say when it was made is told rather than lost.
        return told.created_at is None or self._start <= told.created_at < self._end

    def _window(self) -> dict[str, str]:
        # They read milliseconds: the end is rounded up, and what is too much is left out again.
        return {
            "from": _moment(self._start),
            "to": _moment(self._end + _MILLISECOND),
            "perPage": str(ROWS_PER_PAGE),
        }


def _moment(at_: datetime) -> str:
    return at_.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _raw(row: object) -> bytes:
    """One row by itself; decimals become text, so that no digit is lost."""
    try:
        return json.dumps(row, default=str, separators=(",", ":")).encode()
    except RecursionError:
        raise ContractBroken("a row is nested too deeply") from None
