"""Keeps the house: heartbeats, effects of workers that are gone, and retention."""

from __future__ import annotations

import asyncio
import contextlib
from datetime import datetime, timedelta

import structlog

from coopwire.application import announce
from coopwire.application.bells import UNKNOWN, Bells
from coopwire.application.executor import Pulse
from coopwire.ports.clock import Clock
from coopwire.ports.stores import Changes, Database

_log = structlog.get_logger()
_FORGET_EVERY = timedelta(hours=1)


class Sweeper:
    """Beats for this worker, and turns what dead workers left in `sending` into `unknown`."""

    def __init__(self, worker: str, database: Database, clock: Clock, bells: Bells, pulse: Pulse) -> None:
        self._worker = worker
        self._database = database
        self._clock = clock
        self._bells = bells
        self._pulse = pulse
        self._over = asyncio.Event()
        self._forgot_at: datetime | None = None

    async def run(self) -> None:
        """Beat and sweep until told to end, then say goodbye."""
        while not self._over.is_set():
            try:
                await self.beat()
                await self.sweep()
                await self.forget()
            except Exception as error:
                # Not renewed: the pulse goes stale and the executor stops sending.
                _log.error("heartbeat_failed", error=type(error).__name__)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._over.wait(), self._clock.timings.heartbeat.total_seconds())
        async with self._database.begin("worker ends") as tx:
            await tx.workers.gone(self._worker)

    async def forget(self) -> None:
        """Once an hour: let go of raw bodies, delivered events and idempotency keys past their time."""
        now, timings = self._clock.now(), self._clock.timings
        if self._forgot_at is not None and now - self._forgot_at < _FORGET_EVERY:
            return
        async with self._database.begin("forget") as tx:
            await tx.forget(now - timings.raw_kept, now - timings.events_kept, now - timings.idempotency_kept)
        self._forgot_at = now

    def end(self) -> None:
        """Nothing is under way any more."""
        self._over.set()

    async def beat(self) -> None:
        """This worker lives."""
        now = self._clock.now()
        async with self._database.begin("heartbeat") as tx:
            await tx.workers.beat(self._worker, now)
        self._pulse.beaten(now)

    async def sweep(self) -> int:
        """sending → unknown for lost workers and overdue claims; the number of effects."""
        now, timings = self._clock.now(), self._clock.timings
        async with self._database.begin("sweep lost effects") as tx:
            lost = await tx.effects.lost(now, now - timings.worker_lost_after, timings.unknown_grace)
            await tx.apply(Changes(events=[announce.stopped(effect, now) for effect in lost]), now)
        if lost:
            _log.warning("effects_unknown_after_worker_loss", count=len(lost))
            self._bells.ring(UNKNOWN)
        return len(lost)
