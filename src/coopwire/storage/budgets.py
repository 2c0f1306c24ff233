"""The rows of the budgets that all workers share: what of each period is leased, and who may have calls under way."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from coopwire.ports.budgets import Asked, Given, Leased, Pause, Seats, Wanted
from coopwire.storage.gates import pause_calls
from coopwire.storage.rows import Connection
from coopwire.storage.sessions import reading, writing

# One row a period: what is left of an earlier one is void. A worker whose clock lags gets nothing of a later one.
_LEASE = """
INSERT INTO budget_periods AS b (connection, period, starts_at, leased, most)
VALUES ($1, $2, $3, least($4::int, $5::int), $5::int)
ON CONFLICT (connection, period) DO UPDATE SET
    starts_at = excluded.starts_at, most = excluded.most,
    leased = CASE WHEN b.starts_at = excluded.starts_at THEN least(b.leased + $4::int, greatest($5::int, b.leased))
             ELSE excluded.leased END
WHERE b.starts_at <= excluded.starts_at
RETURNING leased
"""
_LEASED = "SELECT leased FROM budget_periods WHERE connection = $1 AND period = $2 AND starts_at = $3"
_SEATS = """
SELECT worker, wanted, held FROM budget_seats WHERE connection = $1 AND worker <> $2 AND heard_at >= $3
"""
_SIT = """
INSERT INTO budget_seats (connection, worker, wanted, held, heard_at) VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (connection, worker) DO UPDATE SET
    wanted = excluded.wanted, held = excluded.held, heard_at = excluded.heard_at
"""
_PAUSES = """
SELECT connection, max(until) AS until, min(reason) AS reason FROM gates
WHERE kind = 'budget' AND until > $1 GROUP BY connection
"""


class BudgetRows:
    """The BudgetExchange over PostgreSQL."""

    def __init__(self, pool: Any) -> None:
        self._pool = pool

    async def exchange(self, worker: str, asked: Asked, now: datetime, lost_before: datetime) -> Given:
        """See BudgetExchange."""
        if not (asked.wanted or asked.seats or asked.pauses):
            async with reading(self._pool, "hear of budgets") as db:
                return Given((), {}, await _pauses(db, now))
        async with writing(self._pool, "exchange budgets") as db:
            for name in asked.connections():
                await db.execute("SELECT pg_advisory_xact_lock(hashtextextended($1, 0))", f"budget {name}")
            leased = [await _lease(db, wanted) for wanted in asked.wanted]
            seats = {one.connection: await _sit(db, worker, one, now, lost_before) for one in asked.seats}
            for pause in asked.pauses:
                await pause_calls(db, pause.connection, pause.until, pause.reason, now)
            return Given(tuple(leased), seats, await _pauses(db, now))


async def _lease(db: Connection, wanted: Wanted) -> Leased:
    where = (wanted.connection, wanted.period.value, wanted.starts_at)
    before = await db.fetchval(_LEASED, *where) or 0
    after = await db.fetchval(_LEASE, *where, wanted.calls, wanted.limit)
    return Leased(wanted, 0 if after is None else max(after - before, 0))


async def _sit(db: Connection, worker: str, asked: Seats, now: datetime, lost_before: datetime) -> int:
    """The seats of this worker: all it wants while there is room, else its share of them."""
    others = await db.fetch(_SEATS, asked.connection, worker, lost_before)
    free = max(asked.limit - sum(row["held"] for row in others), 0)
    given: int = max(min(asked.wanted, free, _share(asked, [row["wanted"] for row in others])), asked.taken)
    await db.execute(_SIT, asked.connection, worker, asked.wanted, given, now)
    return given


def _share(asked: Seats, others: Sequence[int]) -> int:
    """As many as it wants, but no more than what is left when every other worker has as much."""
    waiting = [wanted for wanted in others if wanted]
    if asked.wanted + sum(waiting) <= asked.limit:
        return asked.wanted
    return max(asked.limit // (len(waiting) + 1), 1)


async def _pauses(db: Connection, now: datetime) -> tuple[Pause, ...]:
    found = await db.fetch(_PAUSES, now)
    return tuple(Pause(row["connection"], row["until"], row["reason"]) for row in found)
