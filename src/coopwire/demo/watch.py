"""Watches the hub at work: how much is under way, whether all processes live, and when it has come to rest."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

from coopwire.demo.stage import Stage

REST_WITHIN = 30.0
"""Seconds after the last payment. What the books did not do is proved absent after 22 s in the demo profile
(deadline of a claim and ten minutes ÷ 60); what is still open then waits for a person."""
_STILL = 4
"""So many looks in a row must find nothing under way: a reaction may come between two of them."""
_POLL = 0.5
UNDER_WAY = ("intended", "sending", "unknown")


class Watch:
    """Looks at the hub twice a second; `tell` hears how many writes are under way."""

    def __init__(self, stage: Stage, tell: Callable[[int], None]) -> None:
        self._stage = stage
        self._tell = tell

    async def run(self) -> None:
        """Look until cancelled. DemoFailure when a process has ended by itself."""
        while True:
            await self._look()
            await asyncio.sleep(_POLL)

    async def rest(self, paid: int) -> bool:
        """Wait until every paid charge is a receipt and nothing is under way; False when time was up."""
        deadline = time.monotonic() + REST_WITHIN
        still = 0
        while still < _STILL and time.monotonic() < deadline:
            under_way = await self._look()
            recorded = await self._stage.hub.count("receipts") if not under_way else 0
            still = still + 1 if recorded >= paid and not under_way else 0
            await asyncio.sleep(_POLL)
        return still >= _STILL

    async def _look(self) -> int:
        self._stage.children.check()
        counts = [await self._stage.hub.count("effects", state=state) for state in UNDER_WAY]
        self._tell(sum(counts))
        return sum(counts)
