"""Everything about one payment, and what hangs on receipts and effects, read on one connection."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta

from coopwire.domain.budgets import Budget
from coopwire.domain.corrections import corrections_of
from coopwire.domain.gates import Traffic
from coopwire.domain.receipts import ReceiptSource
from coopwire.domain.states import BreakState
from coopwire.ports.queries import (
    BreakDetail,
    BreakerView,
    BudgetView,
    EffectDetail,
    GateView,
    LookView,
    PaymentFacts,
    PaymentView,
    ReceiptView,
    TryView,
)
from coopwire.storage import views
from coopwire.storage.listing import ALL_REFUNDS
from coopwire.storage.rows import Connection, Row

_BREAKERS = """
SELECT c.connection, t.traffic, coalesce(b.generation, 0) AS generation, b.opened_at, b.open_until,
    coalesce(b.reason, '') AS reason, b.probe_by, b.probe_until,
    coalesce(n.attempts, 0)::int AS attempts, coalesce(n.failures, 0)::int AS failures
FROM unnest($1::text[]) AS c(connection) CROSS JOIN unnest($2::text[]) AS t(traffic)
LEFT JOIN breakers b USING (connection, traffic)
LEFT JOIN LATERAL (
    SELECT sum(k.attempts) AS attempts, sum(k.failures) AS failures FROM breaker_buckets k
    WHERE k.starts_at > $3 AND k.connection = c.connection AND k.traffic = t.traffic
      AND k.generation = coalesce(b.generation, 0)
) n ON true
ORDER BY c.connection, t.traffic
"""
_MOST_FACTS = 1000
"""Rows of one kind that a timeline shows; of more, the newest."""


async def facts(db: Connection, payment: PaymentView, now: datetime) -> PaymentFacts:
    """All facts, each list the oldest first; `db` must see one moment."""
    attempts = await db.fetch(
        "SELECT * FROM attempts WHERE payment = $1 ORDER BY created_at, reference", payment.reference
    )
    asked = {(row["connection"], row["reference"]) for row in attempts}
    receipts = await db.fetch(
        "SELECT * FROM receipts WHERE payment = $1 ORDER BY recorded_at, id", payment.reference
    )
    # What nobody asked for, such as a transfer to a member's account, was told and looked up under their reference.
    asked |= {(r["connection"], r["reference"]) for r in receipts if _unasked(r)}
    effects = await db.fetch(
        "SELECT * FROM effects WHERE payment = $1 OR receipt = ANY($2::text[]) ORDER BY seq",
        payment.reference,
        [row["id"] for row in receipts],
    )
    refunds = await db.fetch(
        f"{ALL_REFUNDS} AND f.receipt = ANY($1::text[]) ORDER BY f.created_at, f.id",
        [row["id"] for row in receipts],
    )
    followed = {(row["connection"], row["id"]) for row in refunds}
    breaks = await _breaks(db, payment.reference, receipts)
    connections = {c for c, _ in asked} | {row["connection"] for row in effects}
    return PaymentFacts(
        payment=payment,
        attempts=tuple(views.attempt(row) for row in attempts),
        notices=tuple(views.notice(row) for row in await _notices(db, asked)),
        lookups=tuple(views.lookup(row) for row in await _lookups(db, asked)),
        looks=tuple(await _looks(db, asked | followed)),
        receipts=tuple(await with_allocation(db, receipts)),
        refunds=tuple(views.refund(row) for row in refunds),
        effects=tuple(await in_detail(db, effects)),
        waits_for=tuple(views.effect(row) for row in await _predecessors(db, effects)),
        gates=await closed_gates(db, now, connections),
        breaks=tuple(views.opened_break(row) for row in breaks),
        break_moves=tuple(views.break_move(row) for row in await _break_moves(db, breaks)),
        actions=tuple(views.action(row) for row in await _actions(db, effects)),
    )


def _unasked(receipt: Row) -> bool:
    return receipt["attempt"] is None and receipt["source"] == ReceiptSource.GATEWAY


async def with_allocation(db: Connection, receipts: Sequence[Row]) -> list[ReceiptView]:
    """Receipts with their allocation, in the order given."""
    if not receipts:
        return []
    lines: defaultdict[str, list[Row]] = defaultdict(list)
    for line in await db.fetch(
        "SELECT * FROM allocations WHERE receipt = ANY($1::text[]) ORDER BY receipt, n",
        [row["id"] for row in receipts],
    ):
        lines[line["receipt"]].append(line)
    return [views.receipt(row, lines[row["id"]]) for row in receipts]


async def in_detail(db: Connection, effects: Sequence[Row]) -> list[EffectDetail]:
    """Effects with their tries and look-ups, in the order given."""
    if not effects:
        return []
    tries: defaultdict[str, list[TryView]] = defaultdict(list)
    for row in await db.fetch(
        "SELECT * FROM (SELECT * FROM tries WHERE effect = ANY($1::text[]) ORDER BY id DESC LIMIT $2) t ORDER BY id",
        [row["id"] for row in effects],
        _MOST_FACTS,
    ):
        tries[row["effect"]].append(views.made_try(row))
    looks: defaultdict[tuple[str, str], list[LookView]] = defaultdict(list)
    for look in await _looks(db, {(row["connection"], row["reference"]) for row in effects}):
        looks[look.connection, look.reference].append(look)
    return [
        EffectDetail(
            views.effect(row), tuple(tries[row["id"]]), tuple(looks[row["connection"], row["reference"]])
        )
        for row in effects
    ]


async def break_in_detail(db: Connection, row: Row) -> BreakDetail:
    """A break with its history, its correcting effects and what may be proposed about it."""
    effects = await db.fetch(
        "SELECT e.* FROM effects e JOIN break_effects l ON l.effect = e.id WHERE l.break = $1 ORDER BY e.seq",
        row["id"],
    )
    difference = views.opened_break(row)
    return BreakDetail(
        difference,
        tuple(views.break_move(move) for move in await _break_moves(db, [row])),
        tuple(views.effect(effect) for effect in effects),
        corrections_of(difference.type, difference.evidence) if difference.state is BreakState.OPEN else (),
    )


async def _looks(db: Connection, of: Collection[tuple[str, str]]) -> list[LookView]:
    found = await db.fetch(
        "SELECT * FROM (SELECT l.* FROM looks l JOIN unnest($1::text[], $2::text[]) AS w(connection, reference) "
        "USING (connection, reference) ORDER BY l.id DESC LIMIT $3) t ORDER BY id",
        *_columns(of),
        _MOST_FACTS,
    )
    return [views.look(row) for row in found]


def _columns(pairs: Collection[tuple[str, str]]) -> tuple[list[str], list[str]]:
    ordered = sorted(pairs)
    return [connection for connection, _ in ordered], [reference for _, reference in ordered]


async def closed_gates(
    db: Connection, now: datetime, connections: Iterable[str] | None = None
) -> tuple[GateView, ...]:
    """Gates that are closed now, of these connections or of all."""
    found = await db.fetch(
        "SELECT * FROM gates WHERE (until IS NULL OR until > $1) AND ($2::text[] IS NULL OR connection = ANY($2)) "
        "ORDER BY connection, kind, traffic",
        now,
        None if connections is None else sorted(connections),
    )
    return tuple(views.gate(row) for row in found)


async def breaker_views(
    db: Connection, connections: Collection[str], now: datetime, window: timedelta
) -> tuple[BreakerView, ...]:
    """The breakers of these connections, reads and writes, with the calls of the last `window`."""
    found = await db.fetch(_BREAKERS, sorted(connections), [t.value for t in Traffic], now - window)
    return tuple(views.breaker(row, now) for row in found)


async def budget_views(
    db: Connection, budgets: Mapping[str, Budget], now: datetime, heard_since: datetime
) -> tuple[BudgetView, ...]:
    """What is left of these budgets by connection; calls of workers silent since then are over."""
    periods = {
        (row["connection"], row["period"], row["starts_at"]): row["leased"]
        for row in await db.fetch("SELECT connection, period, starts_at, leased FROM budget_periods")
    }
    seats = {
        row["connection"]: row["held"]
        for row in await db.fetch(
            "SELECT connection, sum(held)::int AS held FROM budget_seats WHERE heard_at >= $1 GROUP BY connection",
            heard_since,
        )
    }
    told: list[BudgetView] = []
    for name, budget in sorted(budgets.items()):
        for period, limit in budget.limits().items():
            start = period.start(now)
            used = periods.get((name, period.value, start), 0)
            told.append(
                BudgetView(name, period.value, limit, used, max(limit - used, 0), start + period.length)
            )
        if budget.at_once is not None:
            held = seats.get(name, 0)
            told.append(
                BudgetView(name, "at_once", budget.at_once, held, max(budget.at_once - held, 0), None)
            )
    return tuple(told)


async def _notices(db: Connection, asked: Collection[tuple[str, str]]) -> list[Row]:
    found = await db.fetch(
        "SELECT * FROM (SELECT n.*, coalesce(w.received_at, n.seen_at) AS received_at "
        "FROM notices n LEFT JOIN webhooks w ON w.id = n.webhook "
        "JOIN unnest($1::text[], $2::text[]) AS a(connection, reference) "
        "ON a.connection = n.connection AND a.reference = n.reference "
        "ORDER BY n.id DESC LIMIT $3) t ORDER BY id",
        *_columns(asked),
        _MOST_FACTS,
    )
    return list(found)


async def _lookups(db: Connection, asked: Collection[tuple[str, str]]) -> list[Row]:
    found = await db.fetch(
        "SELECT l.* FROM lookups l JOIN unnest($1::text[], $2::text[]) AS a(connection, reference) "
        "USING (connection, reference) ORDER BY l.created_at",
        *_columns(asked),
    )
    return list(found)


async def _predecessors(db: Connection, effects: Sequence[Row]) -> list[Row]:
    known = {row["id"] for row in effects}
    before = {row["after"] for row in effects if row["after"] is not None} - known
    return list(
        await db.fetch("SELECT * FROM effects WHERE id = ANY($1::text[]) ORDER BY seq", sorted(before))
    )


async def _breaks(db: Connection, payment: str, receipts: Sequence[Row]) -> list[Row]:
    found = await db.fetch(
        "SELECT * FROM breaks WHERE payment = $1 OR receipt = ANY($2::text[]) ORDER BY id LIMIT $3",
        payment,
        [row["id"] for row in receipts],
        _MOST_FACTS,
    )
    return list(found)


async def _break_moves(db: Connection, breaks: Sequence[Row]) -> list[Row]:
    found = await db.fetch(
        "SELECT * FROM (SELECT * FROM break_moves WHERE break = ANY($1::bigint[]) ORDER BY id DESC LIMIT $2) m "
        "ORDER BY id",
        [row["id"] for row in breaks],
        _MOST_FACTS,
    )
    return list(found)


async def _actions(db: Connection, effects: Sequence[Row]) -> list[Row]:
    found = await db.fetch(
        "SELECT * FROM operator_actions WHERE subject = ANY($1::text[]) ORDER BY id",
        [row["id"] for row in effects],
    )
    return list(found)
