"""Looks into a database beside the hub, from tests that have no event loop of their own."""

from __future__ import annotations

import asyncio
from typing import Any

import asyncpg


def fetch(dsn: str, statement: str, *values: object) -> list[dict[str, Any]]:
    """The rows of one statement."""

    async def ask() -> list[dict[str, Any]]:
        connection = await asyncpg.connect(dsn)
        try:
            return [dict(row) for row in await connection.fetch(statement, *values)]
        finally:
            await connection.close()

    return asyncio.run(ask())
