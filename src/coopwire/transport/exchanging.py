"""Repeats what the workers of a deployment tell each other: in short distances, and at once when one has news."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable

from coopwire.ports.clock import Clock


async def keep_exchanging(
    exchange: Callable[[], Awaitable[bool]], urgent: asyncio.Event, clock: Clock
) -> None:
    """Exchange until cancelled; one that failed (False) is not tried again before the distance is over."""
    pause = clock.timings.workers_exchange
    while True:
        if not await exchange():
            await clock.sleep(pause)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(urgent.wait(), pause.total_seconds())
