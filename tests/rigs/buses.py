"""Buses on benches: real PostgreSQL and real brokers, consumers that write rows, a short ladder in real time."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from rigs.rabbitmq import until

from coopwire.application.bells import Bells
from coopwire.application.letters import LetterDesk
from coopwire.bus import kafka, rabbitmq
from coopwire.bus.postgres import PostgresBus
from coopwire.bus.sessions import BrokerBus
from coopwire.bus.topology import topics, topology
from coopwire.conformance.bus import SHORT_LADDER, BusBench, Letter, Listener
from coopwire.domain.events import Event
from coopwire.domain.letters import Letters
from coopwire.domain.timings import DEFAULT
from coopwire.ports.bus import Consumer, EventBus
from coopwire.ports.failpoints import FailPoints, nothing_fails
from coopwire.ports.stores import Changes
from coopwire.storage.database import PostgresDatabase, connect
from coopwire.storage.sealing import Sealer
from coopwire.transport.clock import SystemClock

TIMINGS = replace(
    DEFAULT,
    bus_ladder=SHORT_LADDER,
    bus_reconnect=timedelta(seconds=0.2),
    call_deadline=timedelta(seconds=5),
)
Make = Callable[[PostgresDatabase, SystemClock, Sequence[Consumer], Bells, FailPoints], EventBus]
"""Puts a bus together."""


def on_postgres(
    database: PostgresDatabase,
    clock: SystemClock,
    consumers: Sequence[Consumer],
    bells: Bells,
    fail: FailPoints,
) -> EventBus:
    """The bus that needs nothing but the database."""
    return PostgresBus(database, clock, consumers, bells)


def over_broker(url: str) -> Make:
    """A bus over this broker, whichever it is."""
    return on_kafka(url) if url.startswith("kafka") else on_rabbitmq(url)


def on_kafka(url: str, bus: type[BrokerBus] = BrokerBus) -> Make:
    """A bus over this Kafka."""

    def make(
        database: PostgresDatabase,
        clock: SystemClock,
        consumers: Sequence[Consumer],
        bells: Bells,
        fail: FailPoints,
    ) -> EventBus:
        broker = kafka.Broker(kafka.Address(url), topics(consumers), clock.timings.call_deadline)
        return bus(broker, database, clock, consumers, bells, fail=fail)

    return make


def on_rabbitmq(url: str) -> Make:
    """A bus over this broker."""

    def make(
        database: PostgresDatabase,
        clock: SystemClock,
        consumers: Sequence[Consumer],
        bells: Bells,
        fail: FailPoints,
    ) -> EventBus:
        table = topology(consumers, clock.timings)
        broker = rabbitmq.Broker.at(url.split(","), table, clock.timings.call_deadline)
        return BrokerBus(broker, database, clock, consumers, bells, fail=fail)

    return make


@asynccontextmanager
async def opened(dsn: str) -> AsyncIterator[PostgresDatabase]:
    """The database, for whoever looks on."""
    database = await connect(dsn, Sealer([bytes(32)]), size=4)
    try:
        yield database
    finally:
        await database.close()


@asynccontextmanager
async def running(
    dsn: str,
    make: Make,
    consumers: Sequence[Consumer],
    fail: FailPoints = nothing_fails,
    timings: Any = TIMINGS,
) -> AsyncIterator[Callable[[], Awaitable[None]]]:
    """The bus of one hub process with its own pool; the callable ends it in the middle of whatever it does."""
    bells = Bells()
    database = await connect(dsn, Sealer([bytes(32)]), fail=fail, ring=bells.ring)
    clock = SystemClock(await database.now(), timings)
    task = asyncio.create_task(make(database, clock, consumers, bells, fail=fail).run())

    async def kill() -> None:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task

    try:
        yield kill
    finally:
        bells.close()
        await asyncio.wait({task}, timeout=3)
        await kill()
        await database.close()


async def say(database: PostgresDatabase, events: Sequence[Event]) -> None:
    """Commit events to the outbox."""
    async with database.begin("test") as tx:
        await tx.apply(Changes(events=list(events)), await database.now())


async def heard(database: PostgresDatabase, name: str) -> list[str]:
    """Subjects of the rows that a Listener wrote, in the order of their commits."""
    rows = await database.pool.fetch(
        "SELECT subject FROM operator_actions WHERE actor = $1 ORDER BY id", name
    )
    return [row["subject"] for row in rows]


async def redrive(database: PostgresDatabase, consumer: str, event: str) -> bool:
    """As `coopwire letters redrive` does it; whether there was one that is dead."""
    desk = LetterDesk(database, SystemClock(await database.now(), TIMINGS))
    return bool(await desk.redrive(Letters(ids=(f"{consumer}:{event}",)), "a test", "its cause is mended"))


@dataclass
class Processes:
    """Processes of a hub over one bus, and whoever looks at their database."""

    dsn: str
    database: PostgresDatabase
    make: Make

    def running(self, *listeners: Listener, timings: Any = TIMINGS) -> Any:
        """A process with these listeners."""
        return running(self.dsn, self.make, [one.consumer for one in listeners], timings=timings)

    async def hears(self, *subjects: str, name: str = "listener", seconds: float = 60) -> None:
        """Wait until exactly these took effect."""

        async def all_heard() -> bool:
            return sorted(await heard(self.database, name)) == sorted(subjects)

        await until(f"{name} has heard {subjects}", all_heard, seconds)

    async def dead(self, count: int) -> None:
        """Wait until so many dead letters are in the database."""

        async def there() -> bool:
            sql = "SELECT count(*) FROM deliveries WHERE state = 'dead'"
            return bool(await self.database.pool.fetchval(sql) == count)

        await until(f"{count} dead letters", there, 30)


@asynccontextmanager
async def bench(dsn: str, make: Make, patience: timedelta = timedelta(seconds=12)) -> AsyncIterator[BusBench]:
    """A bus on a bench over this database."""
    async with opened(dsn) as database:

        async def publish_again(events: Sequence[str]) -> None:
            await database.pool.execute(
                "UPDATE outbox SET published_at = NULL WHERE id = ANY($1::text[])", list(events)
            )

        async def letters() -> list[Letter]:
            found = await database.pool.fetch(
                "SELECT d.consumer, o.id, d.cause, d.tries, d.first_failed_at FROM deliveries d "
                "JOIN outbox o ON o.seq = d.seq WHERE d.state = 'dead' ORDER BY d.seq"
            )
            return [Letter(*row) for row in found]

        yield BusBench(
            ladder=SHORT_LADDER,
            patience=patience,
            running=lambda consumers: running(dsn, make, consumers),
            say=lambda events: say(database, events),
            heard=lambda name: heard(database, name),
            publish_again=publish_again,
            letters=letters,
            redrive=lambda consumer, event: redrive(database, consumer, event),
        )
