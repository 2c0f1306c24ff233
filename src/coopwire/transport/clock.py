"""The production clock: database time plus a monotonic offset, so that every worker agrees on the hour."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime, timedelta

from coopwire.domain.timings import Timings


class SystemClock:
    """Time that starts at the database's and only moves forward; a changed wall clock does not touch it.

    `database_now` is the database's aware time, read just before. ValueError when it is naive.
    """

    def __init__(self, database_now: datetime, timings: Timings) -> None:
        if database_now.tzinfo is None:
            raise ValueError("the clock needs an aware time")
        self._origin = database_now.astimezone(UTC)
        self._started = _ticks()
        self._timings = timings

    @property
    def timings(self) -> Timings:
        """The duration table of this deployment's profile."""
        return self._timings

    def now(self) -> datetime:
        """Aware UTC time."""
        return self._origin + timedelta(microseconds=(_ticks() - self._started) // 1000)

    async def sleep(self, length: timedelta) -> None:
        """Wait; a length of zero or less lets other tasks run and returns."""
        await asyncio.sleep(max(length.total_seconds(), 0))


_MONOTONIC = getattr(time, "CLOCK_BOOTTIME", None)
"""Where the system has it, a clock that counts the time of a suspended machine too."""


def _ticks() -> int:
    """Nanoseconds that never go back."""
    return time.monotonic_ns() if _MONOTONIC is None else time.clock_gettime_ns(_MONOTONIC)
