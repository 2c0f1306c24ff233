"""Walks their lists, the newest first, by the id of the last row: no row missed, none told twice.

Source: payments contract 3.1 (list for a day): `created[gte]`, `created[lt]` in unix seconds, `starting_after`,
`has_more`. A row that comes in meanwhile stands before the first page, and shifts nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol, TypeVar

from coopwire.domain.errors import ContractBroken
from coopwire.providers.stripe.wire.answers import Said
from coopwire.providers.stripe.wire.form import Field
from coopwire.providers.stripe.wire.reading import linked, seconds
from coopwire.transport import passes
from coopwire.transport.reading import needed

ROWS_PER_PAGE = 100
_SECOND = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class Row:
    """A row of a list as it came: what is somebody else's is left out before anything in it is read."""

    id: str
    document: object = field(repr=False)
    raw: bytes = field(repr=False)


def row_of(told: object, raw: bytes) -> Row:
    """The row; ContractBroken when it has no id."""
    return Row(needed(linked(told), "id"), told, raw)


ROWS: passes.Kind[Row] = passes.Kind("objects", row_of, lambda row: row.id)


class _Made(Protocol):
    """A row that may say when it was made."""

    @property
    def created_at(self) -> datetime | None: ...


_RowT = TypeVar("_RowT")
_MadeT = TypeVar("_MadeT", bound=_Made)


class Walk(passes.Passes[_RowT]):
    """The rows of a list that are `inside`, and the query of each of its pages."""

    def __init__(
        self,
        kind: passes.Kind[_RowT],
        query: Mapping[str, Field],
        inside: Callable[[_RowT], bool] = lambda _: True,
    ) -> None:
        super().__init__(kind, inside)
        self._query: dict[str, Field] = {**query, "limit": ROWS_PER_PAGE}
        self._cursors: set[str] = set()

    def first(self) -> Mapping[str, Field]:
        """Begin: the query of the first page."""
        self.begin()
        self._cursors = set()
        return self._query

    def rows(self, told: Said) -> list[object]:
        """The rows of a page. ContractBroken when the answer is no list."""
        if not isinstance(told.data, list):
            raise ContractBroken("a list came without its rows")
        return told.data

    def turn(self, told: Said) -> Mapping[str, Field] | None:
        """The query of the next page, None after the last. ContractBroken when it goes in circles."""
        if not told.more:
            return None
        cursor = self._cursor(told)
        if cursor in self._cursors:
            raise ContractBroken("the list gave the same page twice")
        self._cursors.add(cursor)
        return {**self._query, self._turned_by: cursor}

    _turned_by = "starting_after"

    def _cursor(self, told: Said) -> str:
        rows = self.rows(told)
        if not rows:
            raise ContractBroken("the list goes on behind an empty page")
        return needed(linked(rows[-1]), "id")


class Found(Walk[_RowT]):
    """The rows of a search: it names its next page itself."""

    _turned_by = "page"

    def _cursor(self, told: Said) -> str:
        return needed(told.next_page, "next_page")


def between(
    kind: passes.Kind[_MadeT], start: datetime, end: datetime, query: Mapping[str, Field] | None = None
) -> Walk[_MadeT]:
    """A walk over the rows created in [start, end)."""

    def inside(row: _MadeT) -> bool:
        # A row that does not say when it was made is told rather than lost.
        return row.created_at is None or start <= row.created_at < end

    # They count whole seconds: the end is rounded up, and what is too much is left out again.
    window = {"created": {"gte": seconds(start), "lt": seconds(end + _SECOND)}}
    return Walk(kind, {**window, **(query or {})}, inside)


def since(start: datetime) -> Mapping[str, Field]:
    """The part of a query that asks for what was made from then on."""
    return {"created": {"gte": seconds(start)}}
