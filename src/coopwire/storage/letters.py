"""Dead letters: deliveries that were given up, spread over time when they go again, or discarded."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta

from coopwire.domain.letters import Letters
from coopwire.domain.states import DELIVERY_MOVES, DeliveryState, before
from coopwire.ports.queries import LetterFacts, LetterGroupView
from coopwire.ports.stores import Lot
from coopwire.storage import views
from coopwire.storage.listing import ALL_LETTERS, LETTER_ROWS
from coopwire.storage.rows import Connection

_LOCK = 0x6C657474657273
_ID = "d.consumer || ':' || o.id"
_MEANT = f"""
coalesce(d.state = ANY($1::text[]) AND ($2::text[] IS NULL OR {_ID} = ANY($2))
    AND ($3::text IS NULL OR d.cause_group = $3) AND ($4::text IS NULL OR d.consumer = $4), false)"""
# One pass over everything that is not done, so that its cost is that of sorting it, whatever is chosen. It tells who
# overtakes an older letter of its key, and whom one must not overtake.
_PLAN = f"""
WITH undone AS (
    SELECT * FROM deliveries WHERE state = 'waiting' UNION ALL SELECT * FROM deliveries WHERE state = 'dead'
    UNION ALL SELECT * FROM deliveries WHERE state = 'discarded'
), judged AS (
    SELECT d.consumer, d.seq, d.state, d.due_at, d.redriven_at, d.cause, d.cause_group, o.type, o.key, {_MEANT} AS meant
    FROM undone d JOIN outbox o ON o.seq = d.seq
), chosen AS (
    SELECT *, meant AND ($5::bigint IS NULL
        OR row_number() OVER (PARTITION BY meant ORDER BY seq, consumer) <= $5) AS goes
    FROM judged
), ordered AS (
    SELECT *, row_number() OVER (PARTITION BY consumer, goes ORDER BY seq) - 1 AS place,
        max(due_at) FILTER (WHERE state = 'waiting' AND redriven_at IS NOT NULL)
            OVER (PARTITION BY consumer) AS under_way,
        max(due_at) FILTER (WHERE state = 'waiting' AND redriven_at IS NOT NULL) OVER by_key AS not_before,
        coalesce(bool_or(state = 'dead' AND NOT goes) OVER by_key, false) AS overtakes
    FROM chosen WINDOW by_key AS (PARTITION BY consumer, key ORDER BY seq)
), planned AS (
    SELECT consumer, seq, type, cause, cause_group, overtakes, greatest(
        CASE WHEN $7::interval > interval '0' THEN greatest($6::timestamptz, under_way + $7) ELSE $6 END
        + place * $7, not_before) AS due_at
    FROM ordered WHERE goes
)"""
_MOVE = """, moved AS (
    UPDATE deliveries d SET state = 'waiting', tries = 0, due_at = p.due_at, finished_at = NULL,
        redrives = redrives + 1, redriven_at = $6
    FROM planned p WHERE d.consumer = p.consumer AND d.seq = p.seq RETURNING p.*
), kept AS (
    INSERT INTO letter_moves (consumer, seq, move, at, actor, reason, cause)
    SELECT consumer, seq, 'redriven', $6, $8, $9, cause FROM moved
)"""
_LOTS = """
SELECT consumer, coalesce(cause_group, '') AS "group", type, coalesce(min(cause), '') AS cause, count(*) AS letters,
    min(due_at) AS first_at, max(due_at) AS last_at, count(*) FILTER (WHERE overtakes) AS overtaking
FROM {} GROUP BY consumer, cause_group, type ORDER BY consumer, cause_group, type
"""
_DISCARD = f"""
WITH chosen AS (
    SELECT d.consumer, d.seq FROM {LETTER_ROWS} d JOIN outbox o ON o.seq = d.seq
    WHERE {_MEANT} ORDER BY d.seq, d.consumer LIMIT $5
), moved AS (
    UPDATE deliveries d SET state = 'discarded', finished_at = $6 FROM chosen c
    WHERE d.consumer = c.consumer AND d.seq = c.seq RETURNING d.consumer, d.seq, d.cause
)
INSERT INTO letter_moves (consumer, seq, move, at, actor, reason, cause)
SELECT consumer, seq, 'discarded', $6, $7, $8, cause FROM moved RETURNING 1
"""
_PAYMENT = """
SELECT coalesce(
    $2, (SELECT payment FROM receipts WHERE id = coalesce($3, $1)), (SELECT payment FROM effects WHERE id = $1),
    (SELECT r.payment FROM refunds f JOIN receipts r ON r.id = f.receipt WHERE f.id = $1),
    (SELECT reference FROM payments WHERE reference = $1))
"""
_GROUPS = f"""
SELECT coalesce(d.cause_group, '') AS id, d.consumer, coalesce(min(d.cause), '') AS cause,
    array_agg(DISTINCT o.type) AS types, min(d.first_failed_at) AS first_failed_at,
    count(*) FILTER (WHERE d.state = 'dead') AS dead, count(*) FILTER (WHERE d.state = 'waiting') AS waiting,
    count(*) FILTER (WHERE d.state = 'discarded') AS discarded,
    max(d.due_at) FILTER (WHERE d.state = 'waiting') AS last_due_at
FROM {LETTER_ROWS} d JOIN outbox o ON o.seq = d.seq WHERE d.state <> 'done'
GROUP BY d.consumer, d.cause_group ORDER BY dead DESC, min(d.first_failed_at), d.consumer, d.cause_group
"""


class LetterStore:
    """The DeadLetters socket on one transaction."""

    def __init__(self, connection: Connection) -> None:
        self._db = connection

    async def unknown(self, ids: Collection[str]) -> list[str]:
        """Those of these ids that no letter has or ever had."""
        found = await self._db.fetch(f"{ALL_LETTERS} AND l.id = ANY($1::text[])", list(ids))
        return sorted(set(ids) - {row["id"] for row in found})

    async def plan(self, which: Letters, now: datetime, every: timedelta) -> list[Lot]:
        """What `redrive` would do now."""
        return await self._lots(_PLAN + _LOTS.format("planned"), which, now, every)

    async def redrive(
        self, which: Letters, now: datetime, every: timedelta, actor: str, reason: str
    ) -> list[Lot]:
        """Deliver these letters again, as `plan` computes it and in the same statement."""
        # Two redrives at once would not see each other's due times, and together exceed the rate of each.
        await self._lock()
        sql = _PLAN + _MOVE + _LOTS.format("moved")
        return await self._lots(sql, which, now, every, actor, reason)

    async def discard(self, which: Letters, now: datetime, actor: str, reason: str) -> int:
        """Never deliver these dead letters; how many."""
        await self._lock()
        states = before(DELIVERY_MOVES, DeliveryState.DISCARDED)
        return len(await self._db.fetch(_DISCARD, *_choice(which, states), now, actor, reason))

    async def _lock(self) -> None:
        await self._db.execute("SELECT pg_advisory_xact_lock($1)", _LOCK)

    async def _lots(
        self, sql: str, which: Letters, now: datetime, every: timedelta, *written: str
    ) -> list[Lot]:
        # What somebody discarded comes back only when it is named.
        states = before(DELIVERY_MOVES, DeliveryState.WAITING) if which.ids else [DeliveryState.DEAD]
        found = await self._db.fetch(sql, *_choice(which, states), now, every, *written)
        return [Lot(**row) for row in found]


def _choice(which: Letters, states: list[DeliveryState]) -> tuple[object, ...]:
    """The first five values of a statement with `_MEANT`."""
    return [str(one) for one in states], list(which.ids) or None, which.group, which.consumer, which.limit


async def letter_groups(db: Connection) -> tuple[LetterGroupView, ...]:
    """Letters by their cause, those with most dead ones first."""
    return tuple(views.letter_group(row) for row in await db.fetch(_GROUPS))


async def letter_facts(db: Connection, id: str) -> LetterFacts | None:
    """One letter, the payment that it is about, and what persons did about it."""
    row = await db.fetchrow(f"{ALL_LETTERS} AND l.id = $1", id)
    if row is None:
        return None
    letter = views.letter(row)
    about = await db.fetchval(
        _PAYMENT, letter.subject, row["data"].get("payment"), row["data"].get("receipt")
    )
    moves = await db.fetch(
        "SELECT m.* FROM letter_moves m JOIN outbox o ON o.seq = m.seq "
        "WHERE m.consumer = $1 AND o.id = $2 ORDER BY m.id",
        letter.consumer,
        letter.event,
    )
    return LetterFacts(letter, row["data"], about, tuple(views.letter_move(one) for one in moves))
