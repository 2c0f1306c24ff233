"""Opens the hub for one command: its settings, its connections file, its database."""

from __future__ import annotations

import asyncio
import os
import pwd
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, TypeVar

from coopwire.cli.failures import BadInput
from coopwire.ports.failpoints import nothing_fails

if TYPE_CHECKING:
    from coopwire.app import App
    from coopwire.application.correcting import Corrections
    from coopwire.application.dispute_desk import DisputeDesk
    from coopwire.application.letters import LetterDesk
    from coopwire.application.operating import Operator
    from coopwire.application.people import Person
    from coopwire.connections import Configured
    from coopwire.ports.failpoints import FailPoints
    from coopwire.settings import Settings
    from coopwire.storage.database import PostgresDatabase
    from coopwire.storage.queries import PostgresQueries
    from coopwire.storage.sealing import Sealer

ResultT = TypeVar("ResultT")


def settings() -> Settings:
    """The settings of the environment. ConfigurationError lists every mistake."""
    from coopwire.settings import read

    return read()


def _quiet(of: Settings) -> None:
    """What the hub logs while it serves one command is told only where it is a warning, and on stderr."""
    from coopwire.monitoring import logs

    logs.configure("warning", of.log_format)


def configured(of: Settings) -> Configured:
    """What the connections file says. ConfigurationError lists every mistake in it."""
    from coopwire.connections import load
    from coopwire.ports.providers import ConfigurationError

    if of.connections is None:
        raise ConfigurationError(
            "COOPWIRE_CONNECTIONS is not set: name the connections file, see docs/providers.md"
        )
    return load(of.connections, of)


def on_database(work: Callable[[PostgresDatabase], Awaitable[ResultT]]) -> ResultT:
    """Do `work` on the migrated database; no provider is needed. Runs an embedded server for as long."""
    from coopwire import app

    async def run(dsn: str) -> ResultT:
        async with _database(of, dsn, app.dies_at(of.fail_at)) as database:
            return await work(database)

    of = settings()
    _quiet(of)
    with app.database_dsn(of) as dsn:
        return asyncio.run(run(dsn))


def on_hub(work: Callable[[App], Awaitable[ResultT]]) -> ResultT:
    """Do `work` on the hub as it is configured, its connections ready and its loops not running."""
    from coopwire import app

    async def run(dsn: str) -> ResultT:
        # First, because it tells plainly that a database is away.
        async with _database(of, dsn):
            pass
        async with app.opened(of, told, dsn, role="cli", fail=app.dies_at(of.fail_at)) as hub:
            return await work(hub)

    of = settings()
    _quiet(of)
    told = configured(of)
    with app.database_dsn(of) as dsn:
        return asyncio.run(run(dsn))


@asynccontextmanager
async def _database(
    of: Settings, dsn: str, fail: FailPoints = nothing_fails
) -> AsyncIterator[PostgresDatabase]:
    """The database, migrated. StorageUnavailable when it cannot be reached."""
    from coopwire import app
    from coopwire.storage import migrate
    from coopwire.storage.database import connect

    database = await connect(dsn, app.sealer(of), size=2, fail=fail)
    try:
        await migrate.upgrade(dsn)
        yield database
    finally:
        await database.close()


def operator(hub: App) -> Operator:
    """Who judges what a person asks for."""
    from coopwire.application.operating import Operator

    return Operator(hub.network, hub.database, hub.clock)


async def letter_desk(database: PostgresDatabase) -> LetterDesk:
    """Where dead letters are redriven and discarded; no provider is needed for that."""
    from coopwire.application.letters import LetterDesk
    from coopwire.transport.clock import SystemClock

    return LetterDesk(database, SystemClock(await database.now(), settings().durations))


def corrections(hub: App) -> Corrections:
    """The desk at which breaks are worked."""
    from coopwire.application.correcting import Corrections

    return Corrections(hub.network, hub.database, hub.clock, hub.refunding)


def dispute_desk(hub: App) -> DisputeDesk:
    """Where disputes are answered."""
    from coopwire.application.dispute_desk import DisputeDesk

    return DisputeDesk(hub.network, hub.database, hub.clock)


def read(ask: Callable[[PostgresQueries], Awaitable[ResultT]]) -> ResultT:
    """What is asked of all that can be read, on the migrated database."""
    return on_database(lambda database: ask(queries(database)))


def queries(database: PostgresDatabase) -> PostgresQueries:
    """What can be read of the hub, without secrets and personal data."""
    from coopwire.storage.queries import PostgresQueries

    return PostgresQueries(database.pool, sealer())


def sealer() -> Sealer:
    """What seals and opens secrets and personal data in the database."""
    from coopwire import app

    return app.sealer(settings())


def actor() -> str:
    """Who asks, for the audit: the person behind sudo where there is one."""
    return person().shown


def person() -> Person:
    """Who asks: the user of the operating system, and behind sudo the one who called it.

    The environment is not asked for a name, since whoever asks can write it; only root, who needs no permission
    from us, is believed what it says of who called sudo.
    """
    from coopwire.application.people import Person

    number, behind_sudo = os.getuid(), os.environ.get("SUDO_UID", "")
    if number == 0 and behind_sudo.isdecimal():
        number = int(behind_sudo)
    try:
        name = pwd.getpwuid(number).pw_name
    except (KeyError, OverflowError):
        name = f"user id {number}"
    return Person(f"user {number}", f"{name} at the command line")


def chosen(name: str | None, route: str | None, what: str) -> str:
    """The connection that was named, else the one of the route. BadInput when there is neither."""
    if name is None and route is None:
        raise BadInput(f"the routes name no {what}: name the connection")
    return name or route or ""
