"""An audit trail with entries of every noun, and what somebody with all rights on the database can do to it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
from rigs.river import River, river

from coopwire.application.chaining import audit_head
from coopwire.application.operating import Operator
from coopwire.domain.breaks import Break, BreakType
from coopwire.domain.gates import GateKind, Traffic
from coopwire.domain.payments import AllocationMode
from coopwire.storage.audit.marks import Marker
from coopwire.storage.audit.nouns import NOUNS, Noun
from coopwire.storage.audit.verify import Verdict, Verification, Wrong
from coopwire.storage.rows import set_codecs
from coopwire.storage.sealing import Sealer

KEY = bytes(32)
"""The sealing key of a journey's hub."""
MARKER = Marker.of(Sealer([KEY]))
_LOAN = {
    "reference": "M-1029",
    "loans": [
        {
            "reference": "LN-00457",
            "dues": [
                {"id": "D1", "component": "interest", "amount_minor": 1_000_000, "due_on": "2026-11-20"},
                {"id": "D2", "component": "principal", "amount_minor": 4_000_000, "due_on": "2026-11-20"},
            ],
        }
    ],
}
_BY_HAND = {
    "break_move": "INSERT INTO break_moves (break, at, actor, move, text, facts) "
    "SELECT id, now(), 'a person', 'comment', 'seen', '{\"n\": 1}' FROM breaks RETURNING id",
    "refund": "INSERT INTO refunds (id, receipt, connection, amount_minor, currency, state, asked_by, approved_by, "
    "created_at, updated_at) SELECT 'refund-' || r.id, r.id, r.connection, 500, r.currency, 'intended', 'one', "
    "'another', now(), now() FROM receipts r RETURNING id",
    "dispute": "INSERT INTO disputes (id, connection, provider_ref, charge, receipt, payment, state, amount_minor, "
    "currency, category, reason, opened_at, updated_at) SELECT 'dispute-' || id, connection, id, charge, id, payment, "
    "'open', 500, currency, 'chargeback', '', now(), now() FROM receipts RETURNING id",
    # Rejected, because of answers that count a dispute takes one.
    "dispute_answer": "INSERT INTO dispute_answers (id, dispute, verdict, refund_minor, state, asked_by, asker, "
    "sealed, created_at, updated_at) SELECT 'answer-' || id, id, 'accept', 500, 'rejected', 'one', 'key 1', "
    "sha256('x'), now(), now() FROM disputes RETURNING id",
    "payout": "INSERT INTO payouts (id, connection, amount_minor, currency, bank, purpose, state, asker, asked_by, "
    "created_at, updated_at) SELECT 'payout-' || n, 'paystack', 500, 'NGN', '011', 'a loan', 'held', 'user 1', 'one', "
    "now(), now() FROM generate_series(1, 3) n RETURNING id",
    "settlement": "INSERT INTO settlements (id, connection, provider_ref, state, stand, currency, gross_minor, "
    "fee_minor, fee_exact, deductions_minor, duty_minor, net_minor, gap_minor, settled_on, reason, suspense_minor, "
    "recorded_at, updated_at) SELECT 'settlement-' || n, 'paystack', n::text, 'paid', 'booked', 'NGN', 500, 8, '7.5', "
    "0, 0, 492, 0, '2026-11-20', '', 0, now(), now() FROM generate_series(1, 3) n RETURNING id",
    "reconciliation": "INSERT INTO reconciliations (id, day, actor, state, started_at, finished_at, inputs_digest, "
    "outcome_digest, holds, report) SELECT 'run-' || n, '2026-11-20', 'a person', 'finished', now(), now(), 'aa', "
    "'bb', true, '{\"sections\": [1]}' FROM generate_series(1, 3) n RETURNING id",
    "virtual_account": "INSERT INTO virtual_accounts (id, connection, member, kind, currency, state, bank, effect, "
    "asked_by, created_at, updated_at, number_mark) SELECT 'account-' || n, 'paystack', 'M-1', 'savings', 'NGN', "
    "'closed', 'test-bank', 'e' || n, 'one', now(), now(), sha256(n::text::bytea) FROM generate_series(1, 3) n "
    "RETURNING id",
    "authorization": "INSERT INTO authorizations (id, connection, member, channel, brand, payment, state, created_at, "
    "code_mark) SELECT 'authorization-' || reference, 'paystack', member, 'card', 'visa', reference, 'active', now(), "
    "sha256(reference::bytea) FROM payments RETURNING id",
    "mandate": "INSERT INTO mandates (id, connection, member, currency, state, effect, asked_by, created_at, "
    "updated_at, starts_on, ends_on, debtor_mark, code_mark) SELECT 'mandate-' || n, 'paystack', 'M-1', 'NGN', "
    "'ended', 'e' || n, 'one', now(), now(), '2026-11-20', '2027-11-20', sha256(n::text::bytea), sha256('c') "
    "FROM generate_series(1, 3) n RETURNING id",
    "core_account": "INSERT INTO core_accounts (connection, member, number_sealed, updated_at) SELECT 'bankone', "
    "'M-' || n, sha256(n::text::bytea), now() FROM generate_series(1, 3) n RETURNING id",
    "mapping": "INSERT INTO mappings (connection, version, entries, created_at, activated_at) SELECT 'books-' || n, n, "
    '\'{"suspense": "202"}\', now(), now() FROM generate_series(11, 13) n RETURNING id',
    "api_key": "INSERT INTO api_keys (id, name, digest, scopes, created_at) SELECT 'key-' || n, 'a client', "
    "sha256(n::text::bytea), '[\"payments\"]', now() FROM generate_series(1, 3) n RETURNING id",
    "authorization_code": "INSERT INTO authorization_codes SELECT id, sha256(id::bytea) FROM authorizations "
    "RETURNING authorization_id AS id",
    "mandate_sealed": "INSERT INTO mandate_codes SELECT id, sha256(id::bytea) FROM mandates RETURNING mandate AS id",
    "account_sealed": "UPDATE virtual_accounts SET number_sealed = sha256(id::bytea) RETURNING id",
    "settlement_parts": "SELECT id FROM settlements",
    "receipt_batch": "INSERT INTO receipt_batches (id, source, digest, name, state, lines, created_by, approved_by, "
    "created_at, approved_at) SELECT 'batch-' || n, 'teller', sha256(n::text::bytea), 'till.csv', 'approved', 2, "
    "'one', 'another', now(), now() FROM generate_series(1, 3) n RETURNING id",
    "batch_lines": "INSERT INTO receipt_lines (batch, source, line, external_id, facts, state) SELECT id, source, n, "
    "id || n, '{\"minor\": 5}', 'waiting' FROM receipt_batches, generate_series(1, 2) n RETURNING batch AS id",
}
"""Rows that other parts of the hub make, as a store would make them."""


async def fill(dsn: str) -> None:
    """A river whose loan system allocates, a break, a skipped effect, operators, and rows of every other noun."""
    async with river(dsn, allocation=AllocationMode.LMS) as hub:
        await hub.outside.control("lms", "members", members=[_LOAN])
        for _ in range(3):
            await _paid(hub)
        await hub.settled(3)
        await hub.until("SELECT count(*) FROM receipts WHERE allocation_state = 'allocated'", expected=3)
        await hub.settled(3)
        operator = Operator(hub.app.network, hub.app.database, hub.app.clock)
        await operator.close_gate("bankone", [Traffic.WRITE], "an operator", "the bank closes")
        await _paid(hub)
        await hub.until("SELECT count(*) FROM effects WHERE kind = 'posting'", expected=4)
        posting = await hub.value("SELECT id FROM effects WHERE kind = 'posting' AND state = 'intended'")
        await operator.skip(posting, "an operator", "banked by hand")
        await hub.until("SELECT count(*) FROM effects WHERE NOT state IN ('done', 'cancelled')", expected=0)
        await operator.open_gate("bankone", GateKind.MANUAL, [Traffic.WRITE], "an operator", "it is back")
        await by_hand(hub)
        await head_of(hub)


async def _paid(hub: River) -> None:
    accepted = await hub.accept()
    told = await hub.pay(accepted.attempt)
    await hub.hint(accepted.attempt, told["charges"][0]["id"])


async def by_hand(hub: River) -> None:
    """Rows of the nouns that a repayment does not reach; each refund moves once."""
    now = hub.app.clock.now()
    breaks = [
        Break(
            BreakType.SECOND_CHARGE, f"r{n}", f"once-{n}", evidence={"n": n}, amount_minor=n, currency="NGN"
        )
        for n in range(3)
    ]
    async with hub.app.database.begin("test: breaks") as tx:
        await tx.open_breaks(breaks, now)
    for noun, statement in _BY_HAND.items():
        async with hub.app.database.begin("test: by hand") as tx:
            made = await tx._db.fetch(statement)
            tx.audited(noun, [row["id"] for row in made])
    async with hub.app.database.begin("test: move refunds") as tx:
        await tx._db.execute("UPDATE refunds SET state = 'pending', provider_ref = 'RF_1'")
        tx.audited("refund", [row["id"] for row in await tx._db.fetch("SELECT id FROM refunds")])


async def head_of(hub: River) -> str:
    """The end of the chain, brought up to date."""
    return (await audit_head(hub.app.database)).hash


# -- looking ----------------------------------------------------------------------------------------------

Made = Callable[[Any, Marker, Callable[[Wrong], None]], Verification]


async def verified(
    db: Any, head: str | None = None, *, made: Made = Verification, marker: Marker = MARKER
) -> tuple[list[Wrong], Verdict]:
    """What a verification tells, and its verdict; `made` makes another one than ours."""
    told: list[Wrong] = []
    verdict = await made(db, marker, told.append).run(head)
    assert verdict.wrong == len(told)
    return told, verdict


@asynccontextmanager
async def looking(dsn: str) -> AsyncIterator[Any]:
    """A connection in a transaction that is rolled back."""
    db = await asyncpg.connect(dsn)
    try:
        await set_codecs(db)
        transaction = db.transaction()
        await transaction.start()
        try:
            yield db
        finally:
            await transaction.rollback()
    finally:
        await db.close()


_RULES = """
SELECT conrelid::regclass::text AS "table", conname AS name FROM pg_constraint c
JOIN pg_namespace n ON n.oid = c.connamespace
WHERE n.nspname = 'public' AND contype IN ('f', 'c', 'u') AND conrelid::regclass::text <> 'alembic_version'
ORDER BY contype = 'f' DESC
"""


@asynccontextmanager
async def tampering(dsn: str) -> AsyncIterator[Any]:
    """The same, for somebody who owns the database: no trigger, no rule and no uniqueness is in the way."""
    async with looking(dsn) as db:
        rules = await db.fetch(_RULES)
        kept = ("audit", "operator_actions", "break_moves")
        # All at once: a proof comes here a thousand times.
        await db.execute(
            ";".join(
                [f'ALTER TABLE {row["table"]} DROP CONSTRAINT "{row["name"]}"' for row in rules]
                + [f"ALTER TABLE {table} DISABLE TRIGGER USER" for table in kept]
            )
        )
        yield db


# -- doing ------------------------------------------------------------------------------------------------

_OTHER_VALUE = {
    "text": "coalesce({0}, '') || 'x'",
    "bigint": "coalesce({0}, 0) + 1",
    "integer": "coalesce({0}, 0) + 1",
    "timestamp with time zone": "coalesce({0} + interval '1 microsecond', now())",
    "date": "{0} + 1",
    "boolean": "NOT {0}",
    "jsonb": "coalesce({0}, '{{}}') || '{{\"x\": 1}}'",
    "bytea": "{0} || '\\x00'",
}


async def other_value(db: Any, table: str, column: str) -> str:
    """An SQL expression for a value of the column that is not the one that stands there, but hardly another."""
    type_ = await db.fetchval(
        "SELECT data_type FROM information_schema.columns WHERE table_name = $1 AND column_name = $2",
        table,
        column,
    )
    return _OTHER_VALUE[type_].format(f'"{column}"')


async def a_key(db: Any, noun: Noun, n: int = 1) -> str:
    """The key of the n-th row of a noun that has an entry."""
    key: str = await db.fetchval(
        f"SELECT {noun.key_sql} FROM {noun.table} t WHERE {noun.covered} ORDER BY t.{noun.key} OFFSET $1 LIMIT 1",
        n,
    )
    assert key is not None, f"no {noun.name} is there"
    return key


async def change(db: Any, noun: Noun, column: str, key: str) -> None:
    """Change one column of a row a little."""
    value = await other_value(db, noun.table, column)
    await db.execute(f'UPDATE {noun.table} t SET "{column}" = {value} WHERE {noun.key_sql} = $1', key)


async def remove(db: Any, noun: Noun, key: str) -> None:
    """Remove a row."""
    await db.execute(f"DELETE FROM {noun.table} t WHERE {noun.key_sql} = $1", key)


async def insert_like(db: Any, noun: Noun, key: str, **other: str) -> str:
    """Insert a copy of a row under another key, with `other` columns (as SQL); the new key."""
    new = "999999" if noun.key_type == "bigint" else "somebody-elses"
    columns = [
        row["column_name"]
        for row in await db.fetch(
            "SELECT column_name FROM information_schema.columns WHERE table_name = $1 "
            "AND NOT (table_name = 'effects' AND column_name = 'seq')",
            noun.table,
        )
    ]
    if noun.table == "receipt_batches":
        # Of one content only a rejected batch may stand there twice; the trail does not cover the state.
        other = {"state": "'rejected'", **other}
    if noun.table == "mappings":
        other = {"version": "version + 100", "active": "false", **other}
    told = {name: other.get(name, f'"{name}"') for name in columns} | {noun.key: f"'{new}'"}
    names = ", ".join(f'"{name}"' for name in told)
    await db.execute(
        f"INSERT INTO {noun.table} ({names}) OVERRIDING SYSTEM VALUE SELECT {', '.join(told.values())} "
        f"FROM {noun.table} t WHERE {noun.key_sql} = $1",
        key,
    )
    return new


def siblings(noun: Noun) -> list[str]:
    """The names of all nouns that cover rows of its table."""
    return [one.name for one in NOUNS.values() if one.table == noun.table]


def troubles(told: Sequence[Wrong]) -> set[tuple[str, str, str]]:
    """What was told, without places."""
    return {(one.trouble.value, one.noun, one.key) for one in told}


def at_once(work: Any) -> Any:
    """Run something asynchronous from a test that has no loop."""
    return asyncio.run(work)
