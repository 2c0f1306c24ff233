"""Counts what the hub asks of the database: statements (round trips) and transactions that wrote something."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

_NEXT_TRANSACTION = "SELECT pg_snapshot_xmax(pg_current_snapshot())::text::bigint"


@dataclass
class Counts:
    """How often, in all; complete when the block is over."""

    statements: int = 0
    commits: int = 0


@asynccontextmanager
async def counting(pool: Any, observer: Any) -> AsyncIterator[Counts]:
    """Count on every connection of the pool; `observer` is another pool or connection, not counted.

    A transaction that writes takes a number from the server, and one that only reads takes none, so commits are
    counted where they cost something. Every BEGIN and COMMIT is a statement, since it is a round trip.
    """
    counts = Counts()

    def one_more(_: object) -> None:
        counts.statements += 1

    connections = [await pool.acquire() for _ in range(pool.get_max_size())]
    for connection in connections:
        connection.add_query_logger(one_more)
    for connection in connections:
        await pool.release(connection)
    before = await observer.fetchval(_NEXT_TRANSACTION)
    yield counts
    counts.commits = await observer.fetchval(_NEXT_TRANSACTION) - before
