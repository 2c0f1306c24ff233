"""Lists that are read page by page while rows come and go: no row missed, none told twice."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from coopwire.domain.errors import ContractBroken, TryLater

MOST_PASSES = 5
"""How often a list is walked that never stands still."""

RowT = TypeVar("RowT")


@dataclass(frozen=True, slots=True)
class Kind(Generic[RowT]):
    """What a list is of: how it is called, how a row is read, and the id that the row has there."""

    name: str
    read: Callable[[object, bytes], RowT]
    id: Callable[[RowT], str]


@dataclass(slots=True)
class _Pass:
    """What one pass over the whole list has seen."""

    first_total: int | None = None
    most_total: int = 0
    seen: set[str] = field(default_factory=set)
    unreadable: list[str] = field(default_factory=list)

    @property
    def rows(self) -> int:
        return len(self.seen) + len(self.unreadable)


class Passes(Generic[RowT]):
    """The rows of a list that are `inside`, over one or more passes.

    A list asked for by page number shifts when rows come or go meanwhile: `complete` says whether the last
    pass saw as many rows as the other side counted; another pass may see the rest.
    """

    def __init__(self, kind: Kind[RowT], inside: Callable[[RowT], bool]) -> None:
        self._kind: Kind[RowT] = kind
        self._inside: Callable[[RowT], bool] = inside
        self._told: set[str] = set()
        self._pass = _Pass()

    def begin(self) -> None:
        """Begin a pass at the first page."""
        self._pass = _Pass()

    def fresh(self, rows: Iterable[object], total: int) -> Iterator[RowT]:
        """The rows of a page that belong to the walk and were not told before; `total`: how many they count."""
        if self._pass.first_total is None:
            self._pass.first_total = total
        self._pass.most_total = max(self._pass.most_total, total)
        for told in rows:
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

    def _read(self, told: object) -> RowT | None:
        try:
            row: RowT = self._kind.read(told, _raw(told))
        except ContractBroken as broken:
            self._pass.unreadable.append(broken.message)
            return None
        self._pass.seen.add(self._kind.id(row))
        return row


def _raw(row: object) -> bytes:
    """One row by itself; decimals become text, so that no digit is lost."""
    try:
        return json.dumps(row, default=str, separators=(",", ":")).encode()
    except RecursionError:
        raise ContractBroken("a row is nested too deeply") from None
