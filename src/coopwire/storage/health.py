"""What a look at the database tells about a hub: what waits too long, what is sealed, what is missing."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from coopwire.storage.rows import Connection

_SEALED = (
    ("tokens", "sealed", "updated_at"),
    ("core_accounts", "number_sealed", "updated_at"),
    ("payers", "sealed", "payment"),
    ("attempts", "page_sealed", "created_at"),
    ("tries", "body_sealed", "id"),
    ("webhook_bodies", "sealed", "received_at"),
)
"""Every column with sealed bytes, and by what its oldest and newest row are told."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """What waits to be taken by a worker; None where nothing does."""

    oldest_event_at: datetime | None
    oldest_webhook_at: datetime | None
    oldest_entry_at: datetime | None
    dead_letters: int


class Health:
    """Reads for the doctor, on one database connection."""

    def __init__(self, connection: Connection) -> None:
        self._db = connection

    async def server_version(self) -> int:
        """The major version of the server."""
        number: int = await self._db.fetchval("SELECT current_setting('server_version_num')::int")
        return number // 10_000

    async def now(self) -> datetime:
        """The database's time."""
        moment: datetime = await self._db.fetchval("SELECT clock_timestamp()")
        return moment

    async def sealed_samples(self) -> list[tuple[str, bytes]]:
        """The oldest and the newest sealed bytes of every table that has any, with its name."""
        samples = []
        for table, column, order in _SEALED:
            found = await self._db.fetch(_ends(table, column, order))
            samples += [(table, row["sealed"]) for row in found]
        return samples

    async def waiting(self) -> Waiting:
        """Events that no relay published, webhooks that nobody read, entries of the audit trail without a place,
        deliveries that were given up."""
        row = await self._db.fetchrow(
            "SELECT (SELECT min(occurred_at) FROM outbox WHERE published_at IS NULL) AS event, "
            "(SELECT min(received_at) FROM webhooks WHERE drained_at IS NULL) AS webhook, "
            "(SELECT min(at) FROM audit WHERE position IS NULL AND noun NOT IN ('genesis', 'extension')) AS entry, "
            "(SELECT count(*) FROM deliveries WHERE state = 'dead') AS dead"
        )
        return Waiting(row["event"], row["webhook"], row["entry"], row["dead"])

    async def core_accounts(self, connection: str) -> int:
        """How many accounts of this core bank are known."""
        count: int = await self._db.fetchval(
            "SELECT count(*) FROM core_accounts WHERE connection = $1", connection
        )
        return count

    async def has_tokens(self, connection: str) -> bool:
        """Whether somebody consented to this connection."""
        return bool(
            await self._db.fetchval(
                "SELECT 1 FROM tokens WHERE connection = $1 AND sealed IS NOT NULL", connection
            )
        )

    async def workers(self, heard_since: datetime) -> int:
        """How many workers were heard since then."""
        count: int = await self._db.fetchval(
            "SELECT count(*) FROM workers WHERE heartbeat_at > $1", heard_since
        )
        return count


def _ends(table: str, column: str, order: str) -> str:
    ends = (
        f"(SELECT {column} AS sealed FROM {table} WHERE {column} IS NOT NULL ORDER BY {order} {way} LIMIT 1)"
        for way in ("ASC", "DESC")
    )
    return " UNION ALL ".join(ends)
