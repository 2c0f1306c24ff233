"""The clock of a simulator: real time plus whatever a test has advanced it by."""

from __future__ import annotations

import asyncio
import contextlib
import time
from datetime import UTC, datetime, timedelta


class SimulatedClock:
    """Aware UTC time that only moves forward; who sleeps on it wakes when it is advanced far enough."""

    def __init__(self) -> None:
        self._ahead = 0.0
        self._moved = asyncio.Event()

    def now(self) -> datetime:
        """The simulator's time, aware UTC."""
        return datetime.now(UTC) + timedelta(seconds=self._ahead)

    def elapsed(self) -> float:
        """Seconds of simulated time since some fixed moment; never goes back."""
        return time.monotonic() + self._ahead

    def advance(self, seconds: float) -> None:
        """Move forward; ValueError for a step backwards, because stored instants would lie in the future."""
        if seconds < 0:
            raise ValueError("a clock can only be advanced")
        self._ahead += seconds
        moved, self._moved = self._moved, asyncio.Event()
        moved.set()

    async def sleep(self, seconds: float) -> None:
        """Wait for `seconds` of simulated time."""
        await self.sleep_until(self.elapsed() + seconds)

    async def sleep_until(self, elapsed: float) -> None:
        """Wait until `elapsed()` has reached this."""
        while (left := elapsed - self.elapsed()) > 0:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._moved.wait(), left)
