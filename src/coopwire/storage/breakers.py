"""The rows of the breakers that all workers share: the state of each in one, and every worker's counts."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from coopwire.domain.breakers import Breaker, Tally
from coopwire.domain.gates import GateKind, Traffic
from coopwire.ports.breakers import BreakerKey, Bucket, Heard
from coopwire.storage.gates import close_gate, open_gate
from coopwire.storage.rows import Connection, Row

# A worker states its whole count of a bucket, so an exchange whose answer was lost can be done again.
_COUNT = """
INSERT INTO breaker_buckets (starts_at, connection, traffic, generation, worker, attempts, failures)
SELECT b.starts_at, b.connection, b.traffic, b.generation, $1, b.attempts, b.failures
FROM unnest($2::timestamptz[], $3::text[], $4::text[], $5::bigint[], $6::int[], $7::int[])
     AS b(starts_at, connection, traffic, generation, attempts, failures)
ON CONFLICT (starts_at, connection, traffic, generation, worker)
DO UPDATE SET attempts = excluded.attempts, failures = excluded.failures
"""
_TURN = """
INSERT INTO breakers (connection, traffic, generation, opened_at, open_until, reason, changed_at)
VALUES ($1, $2, $3, $4, $5, $6, $7)
ON CONFLICT (connection, traffic) DO UPDATE SET
    generation = excluded.generation, opened_at = excluded.opened_at, open_until = excluded.open_until,
    reason = excluded.reason, changed_at = excluded.changed_at, probe_by = NULL, probe_until = NULL
WHERE breakers.generation = excluded.generation - 1
"""
_PROBE = """
UPDATE breakers b SET probe_by = $1, probe_until = $2
FROM unnest($3::text[], $4::text[]) AS w(connection, traffic)
WHERE b.connection = w.connection AND b.traffic = w.traffic
  AND b.opened_at IS NOT NULL AND b.open_until <= $5 AND (b.probe_until IS NULL OR b.probe_until <= $5)
"""
_OTHERS = """
SELECT connection, traffic, generation, starts_at, sum(attempts)::int AS attempts, sum(failures)::int AS failures
FROM breaker_buckets WHERE starts_at >= $1 AND worker <> $2
GROUP BY connection, traffic, generation, starts_at
"""
_FORGET = """
DELETE FROM breaker_buckets b USING (
    SELECT starts_at, connection, traffic, generation, worker FROM breaker_buckets
    WHERE starts_at < $1 FOR UPDATE SKIP LOCKED LIMIT 10000
) old
WHERE (b.starts_at, b.connection, b.traffic, b.generation, b.worker)
    = (old.starts_at, old.connection, old.traffic, old.generation, old.worker)
"""


async def turn(db: Connection, breaker: Breaker, now: datetime) -> bool:
    """Make the breaker what it should be, and its gate with it; False when another generation came before."""
    done = await db.execute(
        _TURN,
        breaker.connection,
        breaker.traffic.value,
        breaker.generation,
        breaker.opened_at,
        breaker.open_until,
        breaker.reason,
        now,
    )
    if done == "INSERT 0 0":
        return False
    gate = breaker.gate()
    if gate is not None:
        await close_gate(db, gate, now)
    else:
        await open_gate(db, breaker.connection, GateKind.BREAKER, breaker.traffic)
    return True


async def held_breaker(db: Connection, connection: str, traffic: Traffic, now: datetime) -> Breaker:
    """The breaker as it stands, its row locked until the end of the transaction."""
    await db.execute(
        "INSERT INTO breakers (connection, traffic, generation, reason, changed_at) VALUES ($1, $2, 0, '', $3) "
        "ON CONFLICT DO NOTHING",
        connection,
        traffic.value,
        now,
    )
    return breaker_of(
        await db.fetchrow(
            "SELECT * FROM breakers WHERE connection = $1 AND traffic = $2 FOR UPDATE",
            connection,
            traffic.value,
        )
    )


async def count(db: Connection, worker: str, buckets: Sequence[Bucket]) -> None:
    """State what this worker counted."""
    if buckets:
        await db.execute(
            _COUNT,
            worker,
            [b.starts_at for b in buckets],
            [b.connection for b in buckets],
            [b.traffic.value for b in buckets],
            [b.generation for b in buckets],
            [b.tally.attempts for b in buckets],
            [b.tally.failures for b in buckets],
        )


async def take_probes(
    db: Connection, worker: str, wanted: Sequence[BreakerKey], now: datetime, until: datetime
) -> None:
    """Take the probes of those that are half open and whose probe nobody has."""
    if wanted:
        connections, traffic = [name for name, _ in wanted], [one.value for _, one in wanted]
        await db.execute(_PROBE, worker, until, connections, traffic, now)


async def hear(db: Connection, worker: str, counted_from: datetime) -> Heard:
    """How all stand, and what the others counted."""
    breakers = await db.fetch("SELECT * FROM breakers")
    others = await db.fetch(_OTHERS, counted_from, worker)
    return Heard(tuple(map(breaker_of, breakers)), tuple(map(_bucket, others)))


async def forget(db: Connection, before: datetime) -> None:
    """Let go of older counts."""
    await db.execute(_FORGET, before)


def breaker_of(row: Row) -> Breaker:
    """A breaker from its row."""
    return Breaker(
        row["connection"],
        Traffic(row["traffic"]),
        row["generation"],
        row["opened_at"],
        row["open_until"],
        row["reason"],
        row["probe_by"],
        row["probe_until"],
    )


def _bucket(row: Row) -> Bucket:
    tally = Tally(row["attempts"], row["failures"])
    return Bucket(row["connection"], Traffic(row["traffic"]), row["generation"], row["starts_at"], tally)
