"""A clock that stands still until a test moves it."""

from __future__ import annotations

import asyncio
import heapq
from datetime import UTC, datetime, timedelta
from itertools import count

from coopwire.domain.timings import DEFAULT, Timings

START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
"""A Monday morning, where a ManualClock starts unless told otherwise."""


class ManualClock:
    """A Clock whose time is moved by `advance` alone.

    `sleep` waits until the time has come. With `skips` it moves the time on itself and returns at once: for a
    single task that waits in a loop; with several tasks each would steal the others' time.
    """

    def __init__(self, start: datetime = START, timings: Timings = DEFAULT, *, skips: bool = False) -> None:
        if start.tzinfo is None:
            raise ValueError("the clock needs an aware time")
        self._now = start.astimezone(UTC)
        self._timings = timings
        self._skips = skips
        self._sleepers: list[tuple[datetime, int, asyncio.Future[None]]] = []
        self._order = count()

    @property
    def timings(self) -> Timings:
        """The duration table given at the start."""
        return self._timings

    @property
    def sleepers(self) -> int:
        """How many tasks wait for the time to move."""
        return sum(not future.done() for _, _, future in self._sleepers)

    def now(self) -> datetime:
        """Aware UTC time, the same until it is moved."""
        return self._now

    def advance(self, length: timedelta) -> None:
        """Move the time on and wake who waited for it, the earliest first. ValueError for a step back."""
        if length < timedelta(0):
            raise ValueError("time does not go back")
        self._now += length
        while self._sleepers and self._sleepers[0][0] <= self._now:
            future = heapq.heappop(self._sleepers)[2]
            if not future.done():
                future.set_result(None)

    async def sleep(self, length: timedelta) -> None:
        """Wait until the time was moved by `length`; zero or less lets other tasks run and returns."""
        if length <= timedelta(0):
            await asyncio.sleep(0)
        elif self._skips:
            self.advance(length)
            await asyncio.sleep(0)
        else:
            future = asyncio.get_running_loop().create_future()
            heapq.heappush(self._sleepers, (self._now + length, next(self._order), future))
            await future
