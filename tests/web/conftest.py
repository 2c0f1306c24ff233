"""One hub with its front door for all tests of a module: each uses members and payments of its own."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator

import asyncpg
import pytest_asyncio
from rigs.api import FrontDoor, front_door
from sqlalchemy.engine import make_url


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def front(postgres: str) -> AsyncIterator[FrontDoor]:
    """A running hub, its API and its webhook door."""
    name = f"t_{secrets.token_hex(6)}"
    maintenance = await asyncpg.connect(postgres)
    await maintenance.execute(f"CREATE DATABASE {name} TEMPLATE coopwire_template")
    dsn = make_url(postgres).set(database=name).render_as_string(hide_password=False)
    async with front_door(dsn, members=3) as one:
        yield one
    await maintenance.execute(f"DROP DATABASE {name} WITH (FORCE)")
    await maintenance.close()
