"""The outbox and its deliveries: alone they are the PostgreSQL bus; beside a broker they are what is true."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from coopwire.domain.letters import cause_group
from coopwire.ports.stores import Delivery, Published, Unpublished
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
UPDATE outbox o SET published_at = $4 FROM batch b WHERE o.seq = b.seq RETURNING o.id, o.type, o.traceparent
"""
_PREPARE = """
WITH batch AS (
    SELECT seq, type FROM outbox WHERE published_at IS NULL AND seq > $5 ORDER BY seq LIMIT $1
), subscribed AS (
    SELECT * FROM unnest($2::text[], $3::text[]) AS s(consumer, type)
), laid AS (
    INSERT INTO deliveries (consumer, seq, due_at, state)
    SELECT s.consumer, b.seq, $4, 'waiting' FROM batch b JOIN subscribed s USING (type)
    ON CONFLICT (consumer, seq) DO UPDATE SET due_at = $4 WHERE deliveries.state = 'waiting'
)
SELECT o.seq, o.id, o.type, o.subject, o.key, o.data, o.occurred_at, o.traceparent
FROM outbox o JOIN batch b ON b.seq = o.seq ORDER BY o.seq
"""
_EVENT = "o.id, o.type, o.subject, o.key, o.data, o.occurred_at, o.traceparent"


class OutboxStore:
    """The Outbox socket on one transaction."""

    def __init__(self, connection: Connection) -> None:
        self._db = connection

    async def publish(
        self, subscribers: Mapping[str, Sequence[str]], limit: int, now: datetime
    ) -> list[Published]:
        """Turn unpublished events into one delivery per consumer of their type; those published."""
        if not await self._db.fetchval("SELECT pg_try_advisory_xact_lock($1)", _RELAY_LOCK):
            return []
        pairs = [(consumer, type_) for consumer, types in subscribers.items() for type_ in types]
        done = await self._db.fetch(_PUBLISH, limit, [c for c, _ in pairs], [t for _, t in pairs], now)
        return [Published(row["id"], row["type"], row["traceparent"]) for row in done]

    async def claim(self, consumer: str, limit: int, now: datetime) -> list[Delivery]:
        """Lock due deliveries of one consumer for this transaction, skipping those another one holds."""
        found = await self._db.fetch(
            f"SELECT d.seq, d.tries, {_EVENT} "
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
    ) -> datetime:
        """Try again at `retry_at`, or dead-letter with the cause when None; when it failed for the first time."""
        first: datetime = await self._db.fetchval(
            "UPDATE deliveries SET tries = tries + 1, cause = $3, cause_group = $6, "
            "due_at = coalesce($5, due_at), first_failed_at = coalesce(first_failed_at, $4), "
            "state = CASE WHEN $5::timestamptz IS NULL THEN 'dead' ELSE 'waiting' END "
            "WHERE consumer = $1 AND seq = $2 RETURNING first_failed_at",
            consumer,
            delivery.seq,
            cause,
            now,
            retry_at,
            cause_group(consumer, cause),
        )
        return first

    async def prepare(
        self, subscribers: Mapping[str, Sequence[str]], limit: int, due_at: datetime, after: int
    ) -> list[Unpublished]:
        """The oldest unpublished events behind the number `after`, in their order."""
        pairs = [(consumer, type_) for consumer, types in subscribers.items() for type_ in types]
        found = await self._db.fetch(
            _PREPARE, limit, [c for c, _ in pairs], [t for _, t in pairs], due_at, after
        )
        return [Unpublished(row["seq"], rows.event(row)) for row in found]

    async def published(self, seqs: Sequence[int], now: datetime) -> None:
        """The broker has confirmed these events."""
        await self._db.execute(
            "UPDATE outbox SET published_at = $2 WHERE seq = ANY($1::bigint[]) AND published_at IS NULL",
            list(seqs),
            now,
        )

    async def overdue(
        self, consumers: Sequence[str], limit: int, now: datetime
    ) -> list[tuple[str, Delivery]]:
        """Deliveries of published events that are due and that nobody took, with their consumers."""
        found = await self._db.fetch(
            f"SELECT d.consumer, d.seq, d.tries, {_EVENT} FROM deliveries d JOIN outbox o ON o.seq = d.seq "
            "WHERE d.consumer = ANY($1::text[]) AND d.state = 'waiting' AND d.due_at <= $2 "
            "AND o.published_at IS NOT NULL ORDER BY d.seq LIMIT $3",
            list(consumers),
            now,
            limit,
        )
        return [(row["consumer"], Delivery(row["seq"], rows.event(row), row["tries"])) for row in found]

    async def handed_over(self, deliveries: Sequence[tuple[str, Delivery]], due_at: datetime) -> None:
        """The broker has confirmed these; when nobody has taken one by `due_at`, it is due again."""
        await self._db.execute(
            "UPDATE deliveries d SET due_at = $3 FROM unnest($1::text[], $2::bigint[]) AS h(consumer, seq) "
            "WHERE d.consumer = h.consumer AND d.seq = h.seq AND d.state = 'waiting'",
            [consumer for consumer, _ in deliveries],
            [delivery.seq for _, delivery in deliveries],
            due_at,
        )

    async def take(self, consumer: str, events: Sequence[str]) -> list[Delivery]:
        """Lock those deliveries of these events (ids) that have not taken effect, in the order of the outbox."""
        found = await self._db.fetch(
            f"SELECT d.seq, d.tries, {_EVENT} FROM deliveries d JOIN outbox o ON o.seq = d.seq "
            "WHERE d.consumer = $1 AND o.id = ANY($2::text[]) AND d.state = 'waiting' "
            "ORDER BY d.seq FOR UPDATE OF d",
            consumer,
            list(events),
        )
        return [Delivery(row["seq"], rows.event(row), row["tries"]) for row in found]
