"""A hub's clock that a test moves on: outages of days, in seconds, with the durations of production."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime, timedelta

from rigs.river import River

from coopwire.application.bells import BREAKERS, EFFECTS, LOOKUPS, OUTBOX, REFUNDS, UNKNOWN
from coopwire.domain.gates import Traffic
from coopwire.domain.timings import DEFAULT, Timings
from coopwire.transport.clock import SystemClock

LENGTHS = replace(
    DEFAULT,
    heartbeat=timedelta(seconds=0.3),
    call_deadline=timedelta(seconds=4),
    claim_length=timedelta(seconds=9),
    workers_exchange=timedelta(seconds=0.1),
)
"""The durations of production, but for those that bind a test to the machine's own speed.

A probe is lent for two deadlines: as in production longer than the wait for the next try.
"""


class SkippingClock(SystemClock):
    """The production clock, and what was skipped."""

    def __init__(self, database_now: datetime, timings: Timings) -> None:
        super().__init__(database_now, timings)
        self._skipped = timedelta(0)

    def now(self) -> datetime:
        """Aware UTC time."""
        return super().now() + self._skipped

    def skip(self, length: timedelta) -> None:
        """It is later."""
        self._skipped += length


async def skip(hub: River, length: timedelta) -> None:
    """Let `length` pass while nothing is under way, and let the hub do what is due then."""
    clock = hub.app.clock
    assert isinstance(clock, SkippingClock)
    async with _nobody_calls(hub):
        clock.skip(length)
        for simulator in hub.outside.made.values():
            simulator.clock.advance(length.total_seconds())
        await hub.app.sweeper.beat()
    hub.app.bells.ring(BREAKERS, EFFECTS, UNKNOWN, LOOKUPS, OUTBOX, REFUNDS)
    await asyncio.sleep(0.1)
    await _quiet(hub)


@asynccontextmanager
async def _nobody_calls(hub: River) -> AsyncIterator[None]:
    """A call that is under way while hours pass would be that of a worker lost hours ago."""
    await hub.rows(
        "INSERT INTO gates (connection, kind, traffic, reason, closed_at) "
        "SELECT c, 'manual', t, 'time passes', now() FROM unnest($1::text[]) AS c, unnest($2::text[]) AS t",
        list(hub.app.network.connections),
        [traffic.value for traffic in Traffic],
    )
    await _quiet(hub)
    # A claim that was being written when the gates closed is to be seen now.
    await asyncio.sleep(0.05)
    await _quiet(hub)
    yield
    await hub.rows("DELETE FROM gates WHERE kind = 'manual'")


async def _quiet(hub: River) -> None:
    await hub.until("SELECT count(*) FROM effects WHERE claim_token IS NOT NULL", expected=0)
