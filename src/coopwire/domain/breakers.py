"""A breaker: judges from counts whether a connection still answers, reads and writes apart."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from coopwire.domain.gates import Gate, GateKind, Traffic
from coopwire.domain.timings import BREAKER_MIN_ATTEMPTS, BREAKER_RATIO_PERCENT


class BreakerState(StrEnum):
    """CLOSED lets everything pass, OPEN nothing, HALF_OPEN one probe at a time."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half_open"


@dataclass(frozen=True, slots=True)
class Tally:
    """Calls that were sent, and how many of them were not answered."""

    attempts: int = 0
    failures: int = 0

    def __add__(self, other: Tally) -> Tally:
        return Tally(self.attempts + other.attempts, self.failures + other.failures)

    def broken(self) -> bool:
        """Attempts are more than the least number, and the share of failures reached the limit."""
        enough = self.attempts > BREAKER_MIN_ATTEMPTS
        return enough and self.failures * 100 >= self.attempts * BREAKER_RATIO_PERCENT


@dataclass(frozen=True, slots=True)
class Breaker:
    """One breaker, as all workers of a deployment share it.

    `generation` grows with every change, so that a decision counts only against what it was made from. While it
    is open `opened_at` is set; `open_until` None then means until somebody closes it. `probe_by` is the worker
    that may send the one probe, until `probe_until`.
    """

    connection: str
    traffic: Traffic
    generation: int = 0
    opened_at: datetime | None = None
    open_until: datetime | None = None
    reason: str = ""
    probe_by: str | None = None
    probe_until: datetime | None = None

    def state(self, now: datetime) -> BreakerState:
        """How it stands at `now`."""
        if self.opened_at is None:
            return BreakerState.CLOSED
        over = self.open_until is not None and now >= self.open_until
        return BreakerState.HALF_OPEN if over else BreakerState.OPEN

    def opened(self, now: datetime, until: datetime | None, reason: str) -> Breaker:
        """It opens, or stays open for longer: after that the calls counted before mean nothing."""
        since = self.opened_at or now
        return Breaker(self.connection, self.traffic, self.generation + 1, since, until, reason)

    def closed(self) -> Breaker:
        """It closes, and counts from nothing."""
        return Breaker(self.connection, self.traffic, self.generation + 1)

    def gate(self) -> Gate | None:
        """The gate that claims obey; None while it is closed, for then the gate is open."""
        if self.opened_at is None:
            return None
        return Gate(self.connection, GateKind.BREAKER, self.traffic, self.reason, self.open_until)
