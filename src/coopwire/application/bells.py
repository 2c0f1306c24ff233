"""Bells wake loops early; every loop also looks by itself now and then, so a lost ring only delays."""

from __future__ import annotations

import asyncio
import contextlib
from collections import defaultdict

WEBHOOKS = "webhooks"
LOOKUPS = "lookups"
EFFECTS = "effects"
OUTBOX = "outbox"
DELIVERIES = "deliveries"


class Bells:
    """One event per topic within this process."""

    def __init__(self) -> None:
        self._events: defaultdict[str, asyncio.Event] = defaultdict(asyncio.Event)

    def ring(self, *topics: str) -> None:
        """Wake whoever waits on these topics."""
        for topic in topics:
            self._events[topic].set()

    async def wait(self, topic: str, seconds: float) -> None:
        """Return when the topic rings, or after `seconds` of real time."""
        event = self._events[topic]
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(event.wait(), seconds)
        event.clear()
