"""Migrations run from empty, once, and the code knows the newest one."""

from __future__ import annotations

import asyncio

import asyncpg
from alembic import command
from alembic.script import ScriptDirectory
from rigs.trail import verified
from sqlalchemy import NullPool
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import create_async_engine

from coopwire.application.chaining import audit_head
from coopwire.domain.states import EffectState
from coopwire.storage import migrate
from coopwire.storage.database import connect
from coopwire.storage.sealing import Sealer


def test_the_code_names_the_newest_migration() -> None:
    assert ScriptDirectory(str(migrate.FOLDER)).get_current_head() == migrate.HEAD


async def test_several_processes_may_migrate_an_empty_database_at_once(database_dsn: str) -> None:
    connection = await asyncpg.connect(database_dsn)
    await connection.execute("DROP SCHEMA public CASCADE; CREATE SCHEMA public")
    assert await migrate.current(database_dsn) is None
    await asyncio.gather(*(migrate.upgrade(database_dsn) for _ in range(3)))
    assert await migrate.current(database_dsn) == migrate.HEAD
    assert await connection.fetchval("SELECT count(*) FROM alembic_version") == 1
    assert await connection.fetchval("SELECT count(*) FROM payments") == 0
    await connection.close()


_FROM_THE_VERSION_BEFORE = """
INSERT INTO receipts (id, connection, reference, charge, account_key, currency, gross_minor, fee_minor, fee_exact,
    fee_bearer, channel, paid_at, recorded_at, allocation_state)
SELECT 'r' || n, 'paystack', 'a', n::text, 'loan:1', 'NGN', 100, 0, '0', 'lender', 'card', now(), now(), 'allocated'
FROM generate_series(1, 4) n;
INSERT INTO allocations (receipt, n, component, amount_minor, account_key, recorded_at)
SELECT id, 0, 'suspense', 100, account_key, recorded_at FROM receipts;
INSERT INTO effects (id, kind, connection, reference, "order", fingerprint, state, created_at, due_at, finished_at)
SELECT kind || state, kind, 'c', kind || state, '{}', 'f', state, now(), now(),
    CASE WHEN state <> 'held' THEN now() + interval '3 seconds' END
FROM unnest(ARRAY['journal', 'posting', 'callback']) kind, unnest(ARRAY['done', 'refused', 'held']) state;
INSERT INTO operator_actions (at, actor, action, subject, reason) VALUES (now(), 'a', 'b', 'c', 'd');
INSERT INTO breaks (type, once, subject, evidence, state, opened_at)
VALUES ('effect_held', 'o', 's', '{}', 'open', now());
"""


async def test_what_there_was_before_the_audit_trail_is_counted_by_the_migration(database_dsn: str) -> None:
    connection = await asyncpg.connect(database_dsn)
    await connection.execute("DROP SCHEMA public CASCADE; CREATE SCHEMA public")
    await _migrate_to(database_dsn, "0001")
    await connection.execute(_FROM_THE_VERSION_BEFORE)
    await migrate.upgrade(database_dsn)
    genesis = await connection.fetchval("SELECT key FROM audit WHERE noun = 'genesis'")
    assert genesis == "receipt=4 effect=4 action=1 break=1"
    database = await connect(database_dsn, Sealer([bytes(32)]), size=2)
    async with database.begin("test") as tx:
        # An old row that moves now gets its first entry, an old effect that ends now its only one.
        tx.audited("receipt", ["r1"])
        await tx.effects.move("journalheld", EffectState.CANCELLED, await database.now(), "skipped")
    await audit_head(database)
    async with database.unhurried() as db:
        told, verdict = await verified(db, marker=database.marker)
    await database.close()
    await connection.close()
    assert told == []
    standing = {one.noun: (one.right, one.older) for one in verdict.nouns if one.right or one.older}
    assert standing == {"receipt": (1, 3), "effect": (1, 4), "action": (0, 1), "break": (0, 1)}


_FROM_BEFORE_THE_EXTENSION = """
INSERT INTO payments (reference, kind, amount_minor, currency, member, account_key, state, allocation, metadata,
    created_at, updated_at)
SELECT 'p' || n, 'fee', 5, 'NGN', 'M-1', 'member:M-1', 'pending', 'hub', '{}', now(), now()
FROM generate_series(1, 3) n;
INSERT INTO core_accounts (connection, member, number_sealed, updated_at) VALUES ('bank', 'M-1', 'x', now());
INSERT INTO mappings (connection, version, entries, created_at) VALUES ('books', 1, '{}', now());
INSERT INTO api_keys (id, name, digest, scopes, created_at) VALUES ('k', 'a client', 'x', '[]', now());
"""


async def test_what_there_was_before_the_trail_covered_it_is_counted_and_what_moves_gets_its_entry(
    database_dsn: str,
) -> None:
    connection = await asyncpg.connect(database_dsn)
    await connection.execute("DROP SCHEMA public CASCADE; CREATE SCHEMA public")
    await _migrate_to(database_dsn, "0013")
    await connection.execute(_FROM_BEFORE_THE_EXTENSION)
    await migrate.upgrade(database_dsn)
    database = await connect(database_dsn, Sealer([bytes(32)]), size=2)
    async with database.begin("test") as tx:
        await tx.mappings.activate("books", 1, await database.now())
    await audit_head(database)
    async with database.unhurried() as db:
        told, verdict = await verified(db, marker=database.marker)
    assert told == []
    standing = {one.noun: (one.right, one.older) for one in verdict.nouns if one.right or one.older}
    assert standing == {"payment": (0, 3), "core_account": (0, 1), "mapping": (1, 0), "api_key": (0, 1)}
    await connection.execute("DELETE FROM payments WHERE reference = 'p2'")
    async with database.unhurried() as db:
        [gone], _ = await verified(db, marker=database.marker)
    assert (gone.trouble.value, gone.noun) == ("row removed", "payment")
    await database.close()
    await connection.close()


async def _migrate_to(dsn: str, revision: str) -> None:
    engine = create_async_engine(make_url(dsn).set(drivername="postgresql+asyncpg"), poolclass=NullPool)
    async with engine.begin() as connection:
        await connection.run_sync(lambda c: command.upgrade(migrate._config(c), revision))
    await engine.dispose()
