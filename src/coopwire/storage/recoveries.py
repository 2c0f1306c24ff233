"""Recoveries in PostgreSQL, and the last one as every transaction has to know it."""

from __future__ import annotations

import time
from datetime import datetime

from coopwire.ports.stores import RecoveryRow
from coopwire.storage.rows import Connection, Row

_KNOWN_FOR_S = 5.0
_KEEP = """
INSERT INTO recoveries (closed_at, since, until, actor) VALUES ($1, $2, $3, $4)
ON CONFLICT (closed_at) DO UPDATE SET since = least(recoveries.since, $2), until = $3, actor = $4, compared_at = NULL
"""


class RecoveryStore:
    """The Recoveries socket on one transaction. `changed`: what `LastRecovery` has read is out of date."""

    def __init__(self, connection: Connection) -> None:
        self._db = connection
        self.changed = False

    async def keep(self, closed_at: datetime, since: datetime, until: datetime, actor: str) -> None:
        """A recovery begins, or the same one again: what was compared counts no more."""
        await self._db.execute(_KEEP, closed_at, since, until, actor)
        self.changed = True

    async def compared(self, now: datetime) -> None:
        """Every gateway's days were listed."""
        await self._db.execute("UPDATE recoveries SET compared_at = $1 WHERE released_at IS NULL", now)

    async def under_way(self) -> RecoveryRow | None:
        """The one that is not released yet."""
        return _recovery(
            await self._db.fetchrow(
                "SELECT * FROM recoveries WHERE released_at IS NULL ORDER BY closed_at DESC LIMIT 1"
            )
        )

    async def release(self, now: datetime) -> None:
        """The one that is under way ends."""
        await self._db.execute("UPDATE recoveries SET released_at = $1 WHERE released_at IS NULL", now)


class LastRecovery:
    """The last recovery, released or not; read again after a while, for another process may have begun one."""

    def __init__(self) -> None:
        self._row: RecoveryRow | None = None
        self._read_at: float | None = None

    async def read(self, db: Connection) -> RecoveryRow | None:
        """None when there never was one."""
        now = time.monotonic()
        if self._read_at is None or now - self._read_at > _KNOWN_FOR_S:
            self._row = _recovery(
                await db.fetchrow("SELECT * FROM recoveries ORDER BY closed_at DESC LIMIT 1")
            )
            self._read_at = now
        return self._row

    def forget(self) -> None:
        """Read it again the next time."""
        self._read_at = None


def _recovery(row: Row | None) -> RecoveryRow | None:
    if row is None:
        return None
    return RecoveryRow(row["closed_at"], row["since"], row["until"], row["compared_at"])
