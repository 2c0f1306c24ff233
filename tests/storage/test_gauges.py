"""How a hub stands is read from what is open: right to the minor unit, and however much is finished."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import pytest

from coopwire.conformance.clock import ManualClock
from coopwire.domain.budgets import UNLIMITED, Budget, Period
from coopwire.domain.effects import EffectKind
from coopwire.domain.gates import GateKind, Traffic
from coopwire.domain.states import EffectState
from coopwire.ports.budgets import Asked, Wanted
from coopwire.ports.gauges import Gauges, Pile
from coopwire.ports.stores import StorageUnavailable
from coopwire.storage.budgets import BudgetRows
from coopwire.storage.database import PostgresDatabase, connect
from coopwire.storage.gauges import LOST_WITHIN, GaugeRows, questions
from coopwire.storage.sealing import Sealer

BUDGETS = {"paystack": UNLIMITED, "books": Budget(per_second=5, per_minute=100, per_day=1000)}
OLD_ROWS = 20_000
_BIG = {"effects", "outbox", "deliveries", "webhooks", "lookups", "breaks", "audit", "receipts"}
_OLD = f"""
INSERT INTO receipts (id, connection, reference, charge, account_key, currency, gross_minor, fee_minor, fee_exact,
    fee_bearer, channel, paid_at, recorded_at, allocation_state)
SELECT 'r' || n, 'paystack', 'a' || n, n::text, 'loan:1', 'NGN', 100, 0, '0', 'lender', 'card', $1, $1, 'allocated'
FROM generate_series(1, {OLD_ROWS}) n;
INSERT INTO effects (id, kind, connection, reference, "order", fingerprint, state, receipt, created_at, due_at)
SELECT kind || n, kind, 'books', kind || n, '{{"kind": "loan_repayment"}}', 'f',
    CASE WHEN kind = 'callback' THEN 'refused' ELSE 'done' END, 'r' || n, $1, $1
FROM generate_series(1, {OLD_ROWS}) n, unnest(ARRAY['journal', 'posting', 'callback']) kind;
INSERT INTO outbox (id, type, subject, key, data, occurred_at, published_at)
SELECT n::text, 't', 's', 'k', '{{}}', $1, $1 FROM generate_series(1, {OLD_ROWS}) n;
INSERT INTO deliveries (consumer, seq, due_at, state, finished_at)
SELECT 'settle', seq, $1, 'done', $1 FROM outbox;
INSERT INTO webhooks (connection, digest, received_at, drained_at)
SELECT 'paystack', n::text::bytea, $1, $1 FROM generate_series(1, {OLD_ROWS}) n;
INSERT INTO lookups (connection, reference, look_at, created_at)
SELECT 'paystack', 'a' || n, CASE WHEN n % 2 = 0 THEN $1::timestamptz + interval '90 days' END, $1
FROM generate_series(1, {OLD_ROWS}) n;
INSERT INTO breaks (type, once, subject, evidence, state, opened_at, closed_at)
SELECT 'effect_held', n::text, 's', '{{}}', 'resolved', $1, $1 FROM generate_series(1, {OLD_ROWS}) n;
INSERT INTO audit (at, noun, key, version, digest, mac, position)
SELECT $1, 'receipt', n::text, 1, 'd', 'm', n FROM generate_series(1, {OLD_ROWS}) n;
ANALYZE
"""


_OPEN = """
UPDATE effects SET state = 'intended' WHERE kind = 'journal' AND substr(receipt, 2)::int <= 50;
UPDATE effects SET state = 'unknown', unknown_since = created_at
WHERE kind = 'posting' AND substr(receipt, 2)::int <= 50;
UPDATE deliveries SET state = 'waiting' WHERE seq <= 50;
UPDATE webhooks SET drained_at = NULL WHERE id <= 50;
UPDATE outbox SET published_at = NULL WHERE seq <= 50;
UPDATE breaks SET closed_at = NULL WHERE id <= 50;
INSERT INTO gates (connection, kind, traffic, reason, closed_at) VALUES ('books', 'manual', 'write', 'test', now());
ANALYZE
"""


class Rig:
    """A reader over a database that a test fills by hand."""

    def __init__(self, database: PostgresDatabase) -> None:
        self.database = database
        self.clock = ManualClock()
        self.reader = GaugeRows(database.pool, BUDGETS, ["settle"], self.clock)

    async def do(self, statements: str, *values: object) -> None:
        for statement in statements.split(";\n"):
            given = values if "$1" in statement else ()
            await self.database.pool.execute(statement, *given)

    async def read(self) -> Gauges:
        return await self.reader.read()

    async def receipt(self, name: str, minor: int, currency: str = "NGN") -> None:
        await self.database.pool.execute(
            "INSERT INTO receipts (id, connection, reference, charge, account_key, currency, gross_minor, "
            "fee_minor, fee_exact, fee_bearer, channel, paid_at, recorded_at, allocation_state) "
            "VALUES ($1, 'paystack', $1, $1, 'loan:1', $2, $3, 0, '0', 'lender', 'card', $4, $4, 'allocated')",
            name,
            currency,
            minor,
            self.clock.now(),
        )

    async def effect(self, name: str, write: str, state: str, receipt: str, **order: Any) -> None:
        now = self.clock.now()
        await self.database.pool.execute(
            'INSERT INTO effects (id, kind, connection, reference, "order", fingerprint, state, receipt, '
            "created_at, due_at, first_sent_at, unknown_since) "
            "VALUES ($1, $2, 'books', $1, $3, 'f', $4, $5, $6, $6, $6, $6)",
            name,
            write,
            order,
            state,
            receipt,
            now,
        )


@asynccontextmanager
async def rig(dsn: str) -> AsyncIterator[Rig]:
    database = await connect(dsn, Sealer([bytes(32)]), size=2)
    try:
        yield Rig(database)
    finally:
        await database.close()


async def test_an_empty_hub_has_nothing_open(database_dsn: str) -> None:
    async with rig(database_dsn) as hub:
        told = await hub.read()
    assert (told.effects, told.breaks, told.unbooked, told.unbanked) == ({}, {}, {}, {})
    assert (told.outbox, told.webhooks, told.entries) == (Pile(), Pile(), Pile())
    assert (told.deliveries, told.dead_letters) == ({"settle": Pile()}, {"settle": 0})
    assert told.lookups == {"paystack": Pile(), "books": Pile()}


async def test_effects_are_told_by_kind_connection_and_state_with_the_age_of_the_oldest(
    database_dsn: str,
) -> None:
    async with rig(database_dsn) as hub:
        first = hub.clock.now()
        for n, state in enumerate(("intended", "sending", "unknown", "held", "done", "refused", "cancelled")):
            await hub.effect(f"a{n}", "journal", state, "r")
            hub.clock.advance(timedelta(minutes=1))
            await hub.effect(f"b{n}", "journal", state, "r")
        told = await hub.read()
    minutes = {
        state: pile.oldest_at - first for (_, _, state), pile in told.effects.items() if pile.oldest_at
    }
    assert minutes == {
        EffectState.INTENDED: timedelta(0),
        EffectState.SENDING: timedelta(minutes=1),
        EffectState.UNKNOWN: timedelta(minutes=2),
        EffectState.HELD: timedelta(minutes=3),
    }
    assert {pile.count for pile in told.effects.values()} == {2}
    assert {(kind, connection) for kind, connection, _ in told.effects} == {(EffectKind.JOURNAL, "books")}


async def test_what_is_due_waits_for_every_gate_that_is_closed_to_its_traffic(database_dsn: str) -> None:
    async with rig(database_dsn) as hub:
        now = hub.clock.now()
        for n in range(3):
            await hub.effect(f"i{n}", "journal", "intended", "r")
        await hub.effect("u", "journal", "unknown", "r")
        closed = (("breaker", "write"), ("manual", "write"), ("manual", "read"), ("calendar", "read"))
        for kind, traffic in closed:
            until = now if kind == "calendar" else None
            await hub.do(
                "INSERT INTO gates (connection, kind, traffic, reason, closed_at, until) "
                "VALUES ('books', $2, $3, 'test', $1, $4)",
                now,
                kind,
                traffic,
                until,
            )
        told = await hub.read()
    assert told.waiting == {("books", GateKind.BREAKER): 3, ("books", GateKind.MANUAL): 4}
    assert told.closed_gates == {
        ("books", GateKind.BREAKER, Traffic.WRITE),
        ("books", GateKind.MANUAL, Traffic.WRITE),
        ("books", GateKind.MANUAL, Traffic.READ),
    }


async def test_what_is_left_of_a_budget_is_told_and_a_period_that_is_over_counts_as_full(
    database_dsn: str,
) -> None:
    async with rig(database_dsn) as hub:
        workers, now = BudgetRows(hub.database.pool), hub.clock.now()
        assert (await hub.read()).budgets_left == {("books", Period.MINUTE): 100, ("books", Period.DAY): 1000}
        for period, calls in ((Period.SECOND, 5), (Period.MINUTE, 100), (Period.DAY, 200)):
            limit = BUDGETS["books"].limits()[period]
            asked = Asked((Wanted("books", period, period.start(now), calls, limit),))
            await workers.exchange("worker", asked, now, now)
        assert (await hub.read()).budgets_left == {("books", Period.MINUTE): 0, ("books", Period.DAY): 800}
        hub.clock.advance(timedelta(minutes=1))
        assert (await hub.read()).budgets_left == {("books", Period.MINUTE): 100, ("books", Period.DAY): 800}
        hub.clock.advance(timedelta(days=1))
        assert (await hub.read()).budgets_left == {("books", Period.MINUTE): 100, ("books", Period.DAY): 1000}


async def test_a_budget_that_was_made_smaller_has_nothing_left_rather_than_less(database_dsn: str) -> None:
    async with rig(database_dsn) as hub:
        now, day = hub.clock.now(), Period.DAY
        asked = Asked((Wanted("books", day, day.start(now), 1500, 2000),))
        await BudgetRows(hub.database.pool).exchange("worker", asked, now, now)
        assert (await hub.read()).budgets_left[("books", day)] == 0


async def test_money_that_is_not_in_the_books_or_the_bank_is_told_to_the_minor_unit(
    database_dsn: str,
) -> None:
    async with rig(database_dsn) as hub:
        first = hub.clock.now()
        states = ("intended", "sending", "unknown", "held", "refused", "done", "cancelled")
        for n, state in enumerate(states):
            receipt, currency = f"r{n}", "USD" if state == "held" else "NGN"
            await hub.receipt(receipt, 10**n, currency)
            await hub.effect(f"j{n}", "journal", state, receipt, kind="loan_repayment")
            await hub.effect(f"p{n}", "posting", state, receipt, amount_minor=2 * 10**n)
            hub.clock.advance(timedelta(seconds=1))
        told = await hub.read()
    assert {c: m.amount_minor for c, m in told.unbooked.items()} == {"NGN": 10111, "USD": 1000}
    assert {c: m.amount_minor for c, m in told.unbanked.items()} == {"NGN": 20222, "USD": 2000}
    assert told.unbooked["NGN"].receipts == Pile(4, first)
    assert told.unbooked["USD"].receipts == Pile(1, first + timedelta(seconds=3))


async def test_what_goes_out_or_comes_later_is_not_missing_and_what_was_replaced_is_not_either(
    database_dsn: str,
) -> None:
    async with rig(database_dsn) as hub:
        await hub.receipt("r", 100)
        for n, kind in enumerate(("reversal", "reallocation", "write_off", "refund", "refund_undone")):
            await hub.effect(f"j{n}", "journal", "intended", "r", kind=kind)
        await hub.effect("debit", "posting", "intended", "r", amount_minor=100, side="debit")
        await hub.effect("first", "journal", "refused", "r", kind="loan_repayment")
        await hub.effect("second", "journal", "done", "r", kind="loan_repayment", instead_of="first")
        told = await hub.read()
        assert (told.unbooked, told.unbanked) == ({}, {})
        await hub.do("UPDATE effects SET state = 'held' WHERE id = 'second'")
        told = await hub.read()
    assert told.unbooked["NGN"].amount_minor == 100


async def test_a_worker_that_went_without_a_goodbye_is_told_of_for_an_hour(database_dsn: str) -> None:
    async with rig(database_dsn) as hub:
        now = hub.clock.now()
        for name, heard in (("alive", now), ("lost", now - timedelta(minutes=5)), ("old", now - LOST_WITHIN)):
            await hub.do(
                "INSERT INTO workers (id, started_at, heartbeat_at) VALUES ($2, $1, $1)", heard, name
            )
        told = await hub.read()
    assert (told.workers, told.workers_lost) == (1, 1)


async def test_the_figures_cost_what_is_open_and_nothing_for_what_is_finished(database_dsn: str) -> None:
    async with rig(database_dsn) as hub:
        await hub.do(_OLD, hub.clock.now() - timedelta(days=9))
        for name, plan in (await _plans(hub)).items():
            pages = plan[0]["Shared Hit Blocks"] + plan[0]["Shared Read Blocks"]
            assert pages < 100, f"{name} reads {pages} pages where nothing is open"
            _only_what_is_open(name, plan)
        await hub.do(_OPEN)
        for name, plan in (await _plans(hub)).items():
            _only_what_is_open(name, plan)
        told = await hub.read()
    assert told.unbooked["NGN"].receipts.count == told.deliveries["settle"].count == told.webhooks.count == 50


async def _plans(hub: Rig) -> dict[str, list[dict[str, Any]]]:
    now = hub.clock.now()
    return {
        name: _plan(
            await hub.database.pool.fetchval(f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {statement}", *values)
        )
        for name, (statement, values) in questions(now, ["paystack", "books"], now).items()
    }


def _only_what_is_open(name: str, plan: list[dict[str, Any]]) -> None:
    whole = {node["Relation Name"] for node in plan if node["Node Type"] == "Seq Scan"} & _BIG
    assert whole == set(), f"{name} reads every row of {whole}"
    removed = sum(node.get("Rows Removed by Filter", 0) * node["Actual Loops"] for node in plan)
    assert removed < 1000, f"{name} throws {removed} rows away"


def _plan(told: Any) -> list[dict[str, Any]]:
    """Every node of a plan, the root first."""
    [whole] = json.loads(told) if isinstance(told, str) else told
    nodes, waiting = [], [whole["Plan"]]
    while waiting:
        node = waiting.pop(0)
        nodes.append(node)
        waiting += node.get("Plans", [])
    return nodes


async def test_a_database_that_is_gone_is_told_as_such(database_dsn: str) -> None:
    async with rig(database_dsn) as hub:
        await hub.database.close()
        with pytest.raises(StorageUnavailable):
            await hub.read()
