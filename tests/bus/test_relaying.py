"""The relay when a broker takes one part of a batch and refuses the other."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

import pytest
from rigs.buses import TIMINGS, opened, say
from rigs.rabbitmq import Node, until, virtual_host

from coopwire.application.bells import Bells
from coopwire.bus.carrying import Sender
from coopwire.bus.rabbitmq import Address, Broker
from coopwire.bus.relaying import Relay
from coopwire.bus.topology import topology
from coopwire.conformance.bus import Listener, event
from coopwire.domain.events import JOURNAL_POSTED, PAYMENT_FAILED, Event
from coopwire.ports.bus import BusUnavailable
from coopwire.ports.failpoints import nothing_fails
from coopwire.ports.meters import Uncounted
from coopwire.storage.database import PostgresDatabase
from coopwire.transport.clock import SystemClock

FULL, FREE = Listener("full", (PAYMENT_FAILED,)).consumer, Listener("free", (JOURNAL_POSTED,)).consumer
LIMIT = {"pattern": "^coopwire.full$", "apply-to": "queues", "definition": {"max-length": 1}}


@contextmanager
def full_queue(node: Node, host: str) -> Iterator[None]:
    """Nobody takes from one of the two queues, and it refuses whatever comes."""
    node.ask("PUT", f"policies/{host}/full", LIMIT)
    yield
    node.ask("DELETE", f"policies/{host}/full")


def broker_at(url: str) -> Broker:
    """The broker of a hub with the two consumers."""
    return Broker(Address(url), topology([FULL, FREE], TIMINGS), TIMINGS.call_deadline)


@asynccontextmanager
async def relaying(database: PostgresDatabase, url: str) -> AsyncIterator[tuple[Relay, Sender]]:
    """A relay for the two consumers, without a bus around it."""
    subscribers = {one.name: [of.type for of in one.types] for one in (FULL, FREE)}
    async with broker_at(url).session(asyncio.Event()) as line:
        clock = SystemClock(await database.now(), TIMINGS)
        relay = Relay(database, clock, subscribers, line.sender, Bells(), Uncounted(), nothing_fails)
        yield relay, line.sender


def to_free(count: int, name: str = "free") -> list[Event]:
    return [event(f"{name}-{n}", type_=JOURNAL_POSTED) for n in range(count)]


def to_full(count: int) -> list[Event]:
    return [event(f"full-{n}") for n in range(count)]


async def published(database: PostgresDatabase) -> set[str]:
    rows = await database.pool.fetch("SELECT id FROM outbox WHERE published_at IS NOT NULL")
    return {row["id"] for row in rows}


async def fill(sender: Sender) -> None:
    """The queue counts a little late: publish until it refuses."""

    async def refuses() -> bool:
        try:
            await sender.publish(event("filler"))
        except BusUnavailable:
            return True
        return False

    await until("the queue is full", refuses)


async def test_what_was_confirmed_is_marked_and_what_was_refused_comes_again(
    rabbitmq: Node, database_dsn: str
) -> None:
    first = to_free(200, "first")
    mixed = [one for pair in zip(to_full(5), to_free(5), strict=True) for one in pair]
    async with opened(database_dsn) as database:
        with virtual_host(rabbitmq) as host:
            with full_queue(rabbitmq, host):
                async with relaying(database, rabbitmq.url(host)) as (relay, sender):
                    await fill(sender)
                    await say(database, [*first, *mixed])
                    for _ in range(2):
                        with pytest.raises(BusUnavailable):
                            await relay.relay()
                    taken = {one.id for one in [*first, *mixed] if one.type == JOURNAL_POSTED.type}
                    assert await published(database) == taken
                rabbitmq.ask("DELETE", f"queues/{host}/coopwire.full/contents")
            # A session that was refused something is thrown away, as the bus does it.
            async with relaying(database, rabbitmq.url(host)) as (relay, _):
                assert await relay.relay() == (5, 0)
            assert await published(database) == {one.id for one in [*first, *mixed]}
            lying = (await broker_at(rabbitmq.url(host)).standing()).lying
            assert lying["coopwire.free"] == len(taken), "what was confirmed does not come again"
            assert lying["coopwire.full"] == 5
