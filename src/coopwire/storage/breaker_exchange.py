"""Where the workers tell each other what their breakers counted and decided."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from coopwire.ports.breakers import Heard, Told
from coopwire.storage import breakers
from coopwire.storage.rows import Connection
from coopwire.storage.sessions import reading, writing


class BreakerRows:
    """The BreakerExchange over PostgreSQL."""

    def __init__(self, pool: Any) -> None:
        self._pool = pool
        self._forget_at: datetime | None = None

    async def exchange(
        self, worker: str, told: Told, now: datetime, counted_from: datetime, probe_until: datetime
    ) -> Heard:
        """See BreakerExchange."""
        if not (told.buckets or told.turned or told.probes):
            async with reading(self._pool, "hear of breakers") as db:
                return await breakers.hear(db, worker, counted_from)
        async with writing(self._pool, "exchange breakers") as db:
            await breakers.count(db, worker, told.buckets)
            for breaker in told.turned:
                await breakers.turn(db, breaker, now)
            await breakers.take_probes(db, worker, told.probes, now, probe_until)
            await self._forget(db, now, counted_from)
            return await breakers.hear(db, worker, counted_from)

    async def _forget(self, db: Connection, now: datetime, counted_from: datetime) -> None:
        """Once a window: let go of counts that are a window too old, so that no clock has them in its own."""
        if self._forget_at is not None and now < self._forget_at:
            return
        window = now - counted_from
        await breakers.forget(db, counted_from - window)
        self._forget_at = now + window
