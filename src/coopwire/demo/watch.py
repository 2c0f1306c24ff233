"""Watches the hub at work: how much is under way, whether all processes live, and when it has come to rest."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from coopwire.demo.stage import Stage

REST_WITHIN = 30.0
"""Seconds after the last payment. What the books did not do is proved absent after 22 s in the demo profile
(the length of a claim and ten minutes ÷ 60); what is still open then is open for long."""
UNDER_WAY = ("intended", "sending", "unknown")
_STILL = 4
"""So many looks in a row must find nothing under way: a reaction may come between two of them."""
_POLL = 0.5


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

    async def rest(self, paid: int) -> None:
        """Wait until every paid charge is a receipt and nothing more will happen soon, or time is up."""
        end = datetime.now(UTC) + timedelta(seconds=REST_WITHIN)
        still = 0
        while still < _STILL and datetime.now(UTC) < end:
            moving = moving_before(end, await self._look())
            resting = not moving and await self._stage.hub.count("receipts") >= paid
            still = still + 1 if resting else 0
            await asyncio.sleep(_POLL)

    async def _look(self) -> Sequence[Mapping[str, Any]]:
        """The writes that are under way."""
        self._stage.children.check()
        rows = [row for state in UNDER_WAY async for row in self._stage.hub.rows("effects", state=state)]
        self._tell(len(rows))
        return rows


def moving_before(end: datetime, under_way: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Those of which something is to be expected before `end`: not what is looked up or tried again later, nor
    what waits behind that in its lane."""
    rows = {row["id"]: row for row in under_way}
    waits = {id_ for id_, row in rows.items() if row["state"] != "sending" and not _is_due(row, end)}
    while behind := {id_ for id_, row in rows.items() if row["after"] in waits} - waits:
        waits |= behind
    return [row for id_, row in rows.items() if id_ not in waits]


def _is_due(row: Mapping[str, Any], end: datetime) -> bool:
    return row["due_at"] is not None and datetime.fromisoformat(row["due_at"]) < end
