"""Reads how a hub stands: every question is answered from what is open, however much is finished."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, TypeVar

import asyncpg

from coopwire.domain.books import LATER_ENTRIES
from coopwire.domain.budgets import Budget, Period
from coopwire.domain.effects import EffectKind
from coopwire.domain.gates import GateKind, Traffic
from coopwire.domain.states import EffectState
from coopwire.ports.clock import Clock
from coopwire.ports.gauges import Gauges, MoneyPile, Pile, Unanswered
from coopwire.ports.stores import StorageUnavailable
from coopwire.storage.database import GONE
from coopwire.storage.rows import Connection, Row

_T = TypeVar("_T")
LOST_WITHIN = timedelta(hours=1)
"""So long is a worker that went without a goodbye told of; its row stays."""
_TIMEOUT_SECONDS = 5.0
_LATER_ENTRIES = ", ".join(f"'{kind}'" for kind in sorted(LATER_ENTRIES))

# LIMIT 1 behind a key, here and below, keeps the planner from joining with a whole table: it does not know how
# few rows are open. Each branch of a union is one partial index; states asked for by a list would read every row.
_EFFECTS = """
SELECT kind, connection, state, count(*) AS n, min(since) AS since FROM (
    SELECT kind, connection, state, created_at AS since FROM effects WHERE state = 'intended'
    UNION ALL
    SELECT kind, connection, state, first_sent_at FROM effects WHERE state = 'sending'
    UNION ALL
    SELECT kind, connection, state, unknown_since FROM effects WHERE state = 'unknown'
    UNION ALL
    SELECT kind, connection, state, created_at FROM effects WHERE state = 'held'
) e GROUP BY kind, connection, state
"""
_WAITING = """
WITH closed AS (
    SELECT DISTINCT connection, kind, traffic FROM gates WHERE until IS NULL OR until > $1
), due AS (
    SELECT connection, 'write' AS traffic, count(*) AS n FROM effects
    WHERE state = 'intended' AND due_at <= $1 GROUP BY connection
    UNION ALL
    SELECT connection, 'read', count(*) FROM effects
    WHERE state = 'unknown' AND due_at <= $1 GROUP BY connection
)
SELECT connection, kind, sum(n)::bigint AS n FROM closed JOIN due USING (connection, traffic)
GROUP BY connection, kind
"""
_CLOSED = "SELECT connection, kind, traffic FROM gates WHERE until IS NULL OR until > $1"
_LEASED = "SELECT connection, period, starts_at, leased FROM budget_periods"
_OUTBOX = "SELECT count(*) AS n, min(occurred_at) AS since FROM outbox WHERE published_at IS NULL"
_DELIVERIES = """
SELECT d.consumer, count(*) AS n, min(o.occurred_at) AS since
FROM deliveries d CROSS JOIN LATERAL (SELECT occurred_at FROM outbox WHERE seq = d.seq LIMIT 1) o
WHERE d.state = 'waiting' GROUP BY d.consumer
"""
_DEAD = "SELECT consumer, count(*) AS n FROM deliveries WHERE state = 'dead' GROUP BY consumer"
_WEBHOOKS = "SELECT count(*) AS n, min(received_at) AS since FROM webhooks WHERE drained_at IS NULL"
_LOOKUPS = """
SELECT s.connection, l.n, l.since FROM unnest($2::text[]) AS s(connection) CROSS JOIN LATERAL (
    SELECT count(*) AS n, min(look_at) AS since FROM lookups
    WHERE connection = s.connection AND look_at <= $1
) l
"""
_BREAKS = (
    "SELECT type, count(*) AS n, min(opened_at) AS since FROM breaks WHERE closed_at IS NULL GROUP BY type"
)
_DISPUTES = (
    "SELECT connection, count(*) AS n, min(deadline_at) AS nearest FROM disputes WHERE state = 'open' "
    "GROUP BY connection"
)
# What was done in the place of a write counts for it, also while that is not done itself.
_MONEY = f"""
WITH missing AS (
    SELECT e.* FROM (
        SELECT id, kind, receipt, "order" FROM effects WHERE state = 'intended' AND kind IN ('journal', 'posting')
        UNION ALL
        SELECT id, kind, receipt, "order" FROM effects WHERE state = 'sending' AND kind IN ('journal', 'posting')
        UNION ALL
        SELECT id, kind, receipt, "order" FROM effects WHERE state = 'unknown' AND kind IN ('journal', 'posting')
        UNION ALL
        SELECT id, kind, receipt, "order" FROM effects WHERE state = 'held' AND kind IN ('journal', 'posting')
        UNION ALL
        SELECT id, kind, receipt, "order" FROM effects WHERE state = 'refused' AND kind IN ('journal', 'posting')
    ) e
    WHERE CASE e.kind WHEN 'journal' THEN e."order" ->> 'kind' NOT IN ({_LATER_ENTRIES})
                      ELSE coalesce(e."order" ->> 'side', 'credit') = 'credit' END
      AND (SELECT true FROM effects i
           WHERE i.receipt = e.receipt AND i."order" ->> 'instead_of' = e.id LIMIT 1) IS NULL
), receipts_missing AS (
    SELECT kind, receipt, max(("order" ->> 'amount_minor')::bigint) AS posted_minor FROM missing GROUP BY 1, 2
)
SELECT m.kind, r.currency, count(*) AS n, min(r.recorded_at) AS since,
    sum(coalesce(m.posted_minor, r.gross_minor))::bigint AS amount_minor
FROM receipts_missing m CROSS JOIN LATERAL (SELECT * FROM receipts WHERE id = m.receipt LIMIT 1) r
GROUP BY m.kind, r.currency
"""
_ENTRIES = """
SELECT count(*) AS n, min(at) AS since FROM audit WHERE position IS NULL AND noun NOT IN ('genesis', 'extension')
"""
_WORKERS = """
SELECT count(*) FILTER (WHERE heartbeat_at > $1) AS alive,
    count(*) FILTER (WHERE heartbeat_at <= $1 AND heartbeat_at > $2) AS lost
FROM workers
"""


def questions(
    now: datetime, connections: Sequence[str], heard_since: datetime
) -> dict[str, tuple[str, Sequence[object]]]:
    """Everything that is asked: name → statement and its values."""
    return {
        "effects": (_EFFECTS, ()),
        "waiting": (_WAITING, (now,)),
        "closed": (_CLOSED, (now,)),
        "leased": (_LEASED, ()),
        "outbox": (_OUTBOX, ()),
        "deliveries": (_DELIVERIES, ()),
        "dead": (_DEAD, ()),
        "webhooks": (_WEBHOOKS, ()),
        "lookups": (_LOOKUPS, (now, list(connections))),
        "breaks": (_BREAKS, ()),
        "disputes": (_DISPUTES, ()),
        "money": (_MONEY, ()),
        "entries": (_ENTRIES, ()),
        "workers": (_WORKERS, (heard_since, now - LOST_WITHIN)),
    }


class GaugeRows:
    """The GaugeReader socket; one moment of the database, read within five seconds or not at all."""

    def __init__(
        self, pool: Any, budgets: Mapping[str, Budget], consumers: Sequence[str], clock: Clock
    ) -> None:
        self._pool = pool
        self._budgets = budgets
        self._consumers = consumers
        self._clock = clock

    async def read(self) -> Gauges:
        """The hub as it stands. StorageUnavailable when the database is away or does not answer in time."""
        now = self._clock.now()
        asked = questions(now, list(self._budgets), now - self._clock.timings.worker_lost_after)
        try:
            async with self._pool.acquire(timeout=_TIMEOUT_SECONDS) as db:
                return self._gauges(now, await _answers(db, asked))
        except (*GONE, asyncpg.PostgresError, TimeoutError) as error:
            raise StorageUnavailable(f"read gauges: {type(error).__name__}") from error

    def _gauges(self, now: datetime, rows: Mapping[str, Sequence[Row]]) -> Gauges:
        [workers] = rows["workers"]
        return Gauges(
            at=now,
            effects={
                (EffectKind(row["kind"]), row["connection"], EffectState(row["state"])): _pile(row)
                for row in rows["effects"]
            },
            waiting={(row["connection"], GateKind(row["kind"])): row["n"] for row in rows["waiting"]},
            closed_gates=frozenset(
                (row["connection"], GateKind(row["kind"]), Traffic(row["traffic"])) for row in rows["closed"]
            ),
            budgets_left=_left(self._budgets, rows["leased"], now),
            outbox=_pile(*rows["outbox"]),
            deliveries=self._of_consumers(
                {row["consumer"]: _pile(row) for row in rows["deliveries"]}, Pile()
            ),
            dead_letters=self._of_consumers({row["consumer"]: row["n"] for row in rows["dead"]}, 0),
            webhooks=_pile(*rows["webhooks"]),
            lookups={row["connection"]: _pile(row) for row in rows["lookups"]},
            breaks={row["type"]: _pile(row) for row in rows["breaks"]},
            disputes={row["connection"]: Unanswered(row["n"], row["nearest"]) for row in rows["disputes"]},
            unbooked=_money(rows["money"], EffectKind.JOURNAL),
            unbanked=_money(rows["money"], EffectKind.POSTING),
            entries=_pile(*rows["entries"]),
            workers=workers["alive"],
            workers_lost=workers["lost"],
        )

    def _of_consumers(self, found: Mapping[str, _T], nothing: _T) -> dict[str, _T]:
        """Also of those for whom nothing waits, and of those that are not configured any more."""
        return {**dict.fromkeys(self._consumers, nothing), **found}


async def _answers(db: Connection, asked: Mapping[str, tuple[str, Sequence[object]]]) -> dict[str, list[Row]]:
    async with db.transaction(isolation="repeatable_read", readonly=True):
        # A reader of figures must never be what the database is busy with.
        await db.execute(f"SET LOCAL statement_timeout = {round(_TIMEOUT_SECONDS * 1000)}")
        return {name: await db.fetch(statement, *values) for name, (statement, values) in asked.items()}


def _left(
    budgets: Mapping[str, Budget], leased: Sequence[Row], now: datetime
) -> dict[tuple[str, Period], int]:
    """What is left of the periods of now; of one in which nobody has leased yet, everything.

    Nothing of seconds: they are over before anybody looks.
    """
    taken = {(row["connection"], row["period"], row["starts_at"]): row["leased"] for row in leased}
    return {
        (name, period): max(limit - taken.get((name, period.value, period.start(now)), 0), 0)
        for name, budget in budgets.items()
        for period, limit in budget.limits().items()
        if period is not Period.SECOND
    }


def _pile(row: Row) -> Pile:
    return Pile(row["n"], row["since"])


def _money(rows: Sequence[Row], kind: EffectKind) -> dict[str, MoneyPile]:
    return {
        row["currency"]: MoneyPile(row["amount_minor"], _pile(row)) for row in rows if row["kind"] == kind
    }
