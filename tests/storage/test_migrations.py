"""Migrations run from empty, once, and the code knows the newest one."""

from __future__ import annotations

import asyncio

import asyncpg
from alembic.script import ScriptDirectory

from coopwire.storage import migrate


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
