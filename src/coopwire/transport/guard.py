"""The breaker: judges whether a connection still answers, reads and writes apart, and closes its gate."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import ParamSpec, Protocol

from coopwire.domain.breakers import BreakerState, Tally
from coopwire.domain.gates import Gate, GateKind, Traffic
from coopwire.domain.timings import Timings

BUCKETS = 60
"""Into so many parts the window is cut: one second each in the default profile."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_log = logging.getLogger(__name__)
_Params = ParamSpec("_Params")


class BreakerBoard(Protocol):
    """Where the breakers of all connections are judged: in this process, or over a shared database.

    Every method answers from memory at once and never raises: a judge that fails must not change what became
    of a payment. A shared board exchanges its buckets with the others in a task of its own.
    """

    def may_pass(self, connection: str, traffic: Traffic, now: datetime) -> bool:
        """Whether a call may be sent. A True in half open takes the one probe, for one call deadline."""
        ...

    def note(self, connection: str, traffic: Traffic, ok: bool, now: datetime) -> None:
        """A call that had passed ended. `ok` False: they failed to answer; a decline is an answer."""
        ...

    def state(self, connection: str, traffic: Traffic, now: datetime) -> BreakerState:
        """How it stands now."""
        ...


OnChange = Callable[[str, Traffic, Gate | None], None]
"""(connection, traffic, the gate that closed or None for opened again); called without waiting."""


def tell(listener: Callable[_Params, None], *args: _Params.args, **kwargs: _Params.kwargs) -> None:
    """Call a listener whose failure must not change what became of a payment; its error goes to the log."""
    try:
        listener(*args, **kwargs)
    except Exception:
        _log.exception("a listener of the transport failed")


def reason_to_open(traffic: Traffic) -> str:
    """Why a breaker opened, for people."""
    return f"{traffic}s failed to be answered too often"


class _Window:
    """Attempts and failures of the last window, in buckets."""

    def __init__(self, length: timedelta) -> None:
        self._bucket = length / BUCKETS
        self._counts: deque[tuple[int, int, int]] = deque()

    def add(self, ok: bool, now: datetime) -> None:
        number = (now - _EPOCH) // self._bucket
        attempts = failures = 0
        if self._counts and self._counts[-1][0] == number:
            _, attempts, failures = self._counts.pop()
        self._counts.append((number, attempts + 1, failures + (not ok)))
        while self._counts[0][0] <= number - BUCKETS:
            self._counts.popleft()

    def broken(self) -> bool:
        """Attempts are more than the least number, and the share of failures reached the limit."""
        attempts = sum(count for _, count, _ in self._counts)
        failures = sum(count for _, _, count in self._counts)
        return Tally(attempts, failures).broken()

    def clear(self) -> None:
        self._counts.clear()


@dataclass(slots=True)
class _Breaker:
    window: _Window
    open_until: datetime | None = field(default=None)
    probe_until: datetime | None = field(default=None)

    def state(self, now: datetime) -> BreakerState:
        if self.open_until is None:
            return BreakerState.CLOSED
        return BreakerState.OPEN if now < self.open_until else BreakerState.HALF_OPEN


class LocalBoard:
    """A BreakerBoard for one process: sliding window, open for `breaker_open`, then one probe at a time.

    It opens when attempts are more than 10 and failures at least 15 % (design §6). A probe whose end is never
    told (its task was cancelled) gives its place back after one call deadline.
    """

    def __init__(self, timings: Timings, on_change: OnChange) -> None:
        self._timings = timings
        self._on_change = on_change
        self._breakers: dict[tuple[str, Traffic], _Breaker] = {}

    def may_pass(self, connection: str, traffic: Traffic, now: datetime) -> bool:
        """See BreakerBoard."""
        breaker = self._breaker(connection, traffic)
        state = breaker.state(now)
        if state is not BreakerState.HALF_OPEN:
            return state is BreakerState.CLOSED
        if breaker.probe_until is not None and now < breaker.probe_until:
            return False
        breaker.probe_until = now + self._timings.call_deadline
        return True

    def note(self, connection: str, traffic: Traffic, ok: bool, now: datetime) -> None:
        """See BreakerBoard."""
        breaker = self._breaker(connection, traffic)
        state = breaker.state(now)
        if state is BreakerState.CLOSED:
            breaker.window.add(ok, now)
            if breaker.window.broken():
                self._open(breaker, connection, traffic, now)
        elif state is BreakerState.HALF_OPEN and ok:
            self._close(breaker, connection, traffic)
        elif state is BreakerState.HALF_OPEN:
            self._open(breaker, connection, traffic, now)

    def state(self, connection: str, traffic: Traffic, now: datetime) -> BreakerState:
        """See BreakerBoard."""
        return self._breaker(connection, traffic).state(now)

    def _breaker(self, connection: str, traffic: Traffic) -> _Breaker:
        key = (connection, traffic)
        if key not in self._breakers:
            self._breakers[key] = _Breaker(_Window(self._timings.breaker_window))
        return self._breakers[key]

    def _open(self, breaker: _Breaker, connection: str, traffic: Traffic, now: datetime) -> None:
        breaker.window.clear()
        breaker.probe_until = None
        breaker.open_until = now + self._timings.breaker_open
        reason = reason_to_open(traffic)
        gate = Gate(connection, GateKind.BREAKER, traffic, reason, breaker.open_until)
        tell(self._on_change, connection, traffic, gate)

    def _close(self, breaker: _Breaker, connection: str, traffic: Traffic) -> None:
        breaker.open_until = breaker.probe_until = None
        tell(self._on_change, connection, traffic, None)
