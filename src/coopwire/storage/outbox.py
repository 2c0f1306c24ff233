"""The outbox and its deliveries: together they are the PostgreSQL bus, no copy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from coopwire.ports.stores import Delivery
from coopwire.storage import rows
from coopwire.storage.rows import Connection

_RELAY_LOCK = 0x72656C6179
_PUBLISH = """
WITH batch AS (
    SELECT seq, type FROM outbox WHERE published_at IS NULL ORDER BY seq LIMIT $1
), subscribed AS (
    SELECT * FROM unnest($2::text[], $3::text[]) AS s(consumer, type)
), delivered AS (
    INSERT INTO deliveries (consumer, seq, due_at, state)
    SELECT s.consumer, b.seq, $4, 'waiting' FROM batch b JOIN subscribed s USING (type)
    ON CONFLICT DO NOTHING
)
UPDATE outbox o SET published_at = $4 FROM batch b WHERE o.seq = b.seq RETURNING 1
"""


class OutboxStore:
    """The Outbox socket on one transaction."""

    def __init__(self, connection: Connection) -> None:
        self._db = connection

    async def publish(self, subscribers: Mapping[str, Sequence[str]], limit: int, now: datetime) -> int:
        """Turn unpublished events into one delivery per consumer of their type; the number published."""
        if not await self._db.fetchval("SELECT pg_try_advisory_xact_lock($1)", _RELAY_LOCK):
            return 0
        pairs = [(consumer, type_) for consumer, types in subscribers.items() for type_ in types]
        done = await self._db.fetch(_PUBLISH, limit, [c for c, _ in pairs], [t for _, t in pairs], now)
        return len(done)

    async def claim(self, consumer: str, limit: int, now: datetime) -> list[Delivery]:
        """Lock due deliveries of one consumer for this transaction, skipping those another one holds."""
        found = await self._db.fetch(
            "SELECT d.seq, d.tries, o.id, o.type, o.subject, o.key, o.data, o.occurred_at "
            "FROM deliveries d JOIN outbox o ON o.seq = d.seq "
            "WHERE d.consumer = $1 AND d.state = 'waiting' AND d.due_at <= $2 "
            "ORDER BY d.seq LIMIT $3 FOR UPDATE OF d SKIP LOCKED",
            consumer,
            now,
            limit,
        )
        return [Delivery(row["seq"], rows.event(row), row["tries"]) for row in found]

    async def done(self, consumer: str, deliveries: Sequence[Delivery], now: datetime) -> None:
        """They took effect in this transaction."""
        await self._db.execute(
            "UPDATE deliveries SET state = 'done', finished_at = $3, tries = tries + 1 "
            "WHERE consumer = $1 AND seq = ANY($2::bigint[])",
            consumer,
            [d.seq for d in deliveries],
            now,
        )

    async def failed(
        self, consumer: str, delivery: Delivery, cause: str, now: datetime, retry_at: datetime | None
    ) -> None:
        """Try again at `retry_at`, or dead-letter with the cause when None."""
        await self._db.execute(
            "UPDATE deliveries SET tries = tries + 1, cause = $3, due_at = coalesce($5, due_at), "
            "first_failed_at = coalesce(first_failed_at, $4), "
            "state = CASE WHEN $5::timestamptz IS NULL THEN 'dead' ELSE 'waiting' END "
            "WHERE consumer = $1 AND seq = $2",
            consumer,
            delivery.seq,
            cause,
            now,
            retry_at,
        )

    async def revive(self, consumer: str, event: str, now: datetime) -> bool:
        """Deliver a dead letter again."""
        done = await self._db.execute(
            "UPDATE deliveries d SET state = 'waiting', tries = 0, due_at = $3 FROM outbox o "
            "WHERE o.seq = d.seq AND d.consumer = $1 AND o.id = $2 AND d.state = 'dead'",
            consumer,
            event,
            now,
        )
        return bool(done == "UPDATE 1")
