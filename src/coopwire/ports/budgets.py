"""What the workers of a deployment agree on about the calls that a connection may still have."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from coopwire.domain.budgets import Period


@dataclass(frozen=True, slots=True)
class Wanted:
    """A slice of a period's calls that a worker would like to lease, of `limit` in all."""

    connection: str
    period: Period
    starts_at: datetime
    calls: int
    limit: int


@dataclass(frozen=True, slots=True)
class Leased:
    """What a worker was given of what it wanted; 0 when the period is used up."""

    wanted: Wanted
    calls: int


@dataclass(frozen=True, slots=True)
class Seats:
    """How many calls at once a worker would like to have under way at a connection, of `limit` in all.

    `taken` are under way already.
    """

    connection: str
    wanted: int
    taken: int
    limit: int


@dataclass(frozen=True, slots=True)
class Pause:
    """A connection that must not be called until then, and why."""

    connection: str
    until: datetime
    reason: str


@dataclass(frozen=True, slots=True)
class Asked:
    """What a worker has to say."""

    wanted: Sequence[Wanted] = ()
    seats: Sequence[Seats] = ()
    pauses: Sequence[Pause] = ()

    def connections(self) -> list[str]:
        """Every connection that it is about, in one order."""
        about = [one.connection for one in self.wanted] + [one.connection for one in self.seats]
        return sorted({*about, *(one.connection for one in self.pauses)})


@dataclass(frozen=True, slots=True)
class Given:
    """What it is given: calls, seats by connection, and every pause that is known."""

    leased: Sequence[Leased]
    seats: Mapping[str, int]
    pauses: Sequence[Pause]


class BudgetExchange(Protocol):
    """The shared memory of the budgets."""

    async def exchange(self, worker: str, asked: Asked, now: datetime, lost_before: datetime) -> Given:
        """Ask and be given in one go; StorageUnavailable when that cannot be.

        Seats of workers that were not heard since `lost_before` are free again.
        """
        ...
