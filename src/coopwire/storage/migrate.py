"""Brings a database to the newest schema with Alembic, one process at a time."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import asyncpg

if TYPE_CHECKING:
    from alembic.config import Config
    from sqlalchemy import Connection

HEAD = "0014"
"""The newest revision; a test holds it against the folder of migrations."""
FOLDER = Path(__file__).parent / "migrations"
_LOCK = 0x636F6F70


async def current(dsn: str) -> str | None:
    """The revision of the database, None when it is empty."""
    connection = await asyncpg.connect(dsn)
    try:
        revision: str | None = await connection.fetchval("SELECT version_num FROM alembic_version")
    except asyncpg.UndefinedTableError:
        return None
    finally:
        await connection.close()
    return revision


async def upgrade(dsn: str) -> None:
    """Migrate to the newest schema; waits for another process that is at it. Quick when nothing is to do."""
    if await current(dsn) != HEAD:
        await _migrate(dsn)


async def _migrate(dsn: str) -> None:
    # Alembic and what it stands on take a second to import: only a start that migrates pays it.
    from alembic import command
    from sqlalchemy import pool, text
    from sqlalchemy.engine import make_url
    from sqlalchemy.ext.asyncio import create_async_engine

    engine = create_async_engine(make_url(dsn).set(drivername="postgresql+asyncpg"), poolclass=pool.NullPool)
    try:
        async with engine.begin() as connection:
            await connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
            await connection.run_sync(lambda c: command.upgrade(_config(c), "head"))
    finally:
        await engine.dispose()


def _config(connection: Connection) -> Config:
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(FOLDER))
    config.attributes["connection"] = connection
    return config
