"""Bells wake loops early; every loop also looks by itself now and then, so a lost ring only delays."""

from __future__ import annotations

import asyncio
import contextlib
from collections import defaultdict
from collections.abc import Callable

WEBHOOKS = "webhooks"
LOOKUPS = "lookups"
REFUNDS = "refunds"
DISPUTES = "disputes"
PAYOUTS = "payouts"
SETTLEMENTS = "settlements"


ACCOUNTS = "accounts"
MANDATES = "mandates"
EFFECTS = "effects"
UNKNOWN = "unknown"
OUTBOX = "outbox"
DELIVERIES = "deliveries"
CALENDAR = "calendar"
RECEIPTS = "receipts"
AUDIT = "audit"
BREAKERS = "breakers"
GATHER_SECONDS = 0.01
"""After a ring a loop waits this long, so that what rings at the same time is done in one round."""


class Bells:
    """One event per topic within this process, and the word that it is time to end."""

    def __init__(self) -> None:
        self.closing = False
        self._events: defaultdict[str, asyncio.Event] = defaultdict(asyncio.Event)
        self._answers: dict[str, Callable[[], None]] = {}

    def answer(self, topic: str, hear: Callable[[], None]) -> None:
        """Call `hear`, which must not raise, whenever the topic rings."""
        self._answers[topic] = hear

    def ring(self, *topics: str) -> None:
        """Wake whoever waits on these topics."""
        for topic in topics:
            self._events[topic].set()
            if topic in self._answers:
                self._answers[topic]()

    def close(self) -> None:
        """Let every loop end after its current round; nobody is cut off in the middle of a transaction."""
        self.closing = True
        self.ring(*self._events)

    async def wait(self, topic: str, seconds: float) -> None:
        """Return when the topic rings, after `seconds` of real time, or at once when it is time to end."""
        if self.closing:
            return
        event = self._events[topic]
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(event.wait(), seconds)
            await asyncio.sleep(GATHER_SECONDS)
        event.clear()
