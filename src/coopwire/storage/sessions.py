"""Sessions for what is not part of the river: reads of the API, keys, the table of core accounts."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

from coopwire.ports.stores import StorageUnavailable
from coopwire.storage.database import GONE
from coopwire.storage.rows import Connection


@asynccontextmanager
async def reading(pool: Any, name: str) -> AsyncIterator[Connection]:
    """A connection for single reads; StorageUnavailable when the server is gone."""
    with _told(name):
        async with pool.acquire() as connection:
            yield connection


@asynccontextmanager
async def snapshot(pool: Any, name: str) -> AsyncIterator[Connection]:
    """Several reads that see one moment; StorageUnavailable when the server is gone."""
    with _told(name):
        async with (
            pool.acquire() as connection,
            connection.transaction(isolation="repeatable_read", readonly=True),
        ):
            yield connection


@asynccontextmanager
async def writing(pool: Any, name: str) -> AsyncIterator[Connection]:
    """A transaction that commits at the end of the block; StorageUnavailable when the server is gone."""
    with _told(name):
        async with pool.acquire() as connection, connection.transaction():
            yield connection


@contextmanager
def _told(name: str) -> Iterator[None]:
    try:
        yield
    except GONE as error:
        raise StorageUnavailable(f"{name}: {type(error).__name__}") from error
