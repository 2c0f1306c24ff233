"""What the benchmarks of the bus stand on: a broker of their own, events, and a table to write to."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

import _machine  # noqa: F401  (finds the rigs)
from aio_pika.abc import AbstractChannel
from rigs import rabbitmq

from coopwire.application.announce import event
from coopwire.application.bells import Bells
from coopwire.bus.cloudevents import dump
from coopwire.bus.rabbitmq import Address, Broker
from coopwire.bus.rabbitmq.sending import Sender
from coopwire.bus.relaying import Relay
from coopwire.bus.topology import Topology, topology
from coopwire.domain.events import PAYMENT_FAILED, Event
from coopwire.domain.timings import DEFAULT
from coopwire.ports.bus import Consumer
from coopwire.ports.failpoints import nothing_fails
from coopwire.ports.meters import Uncounted
from coopwire.ports.stores import Changes, Transaction
from coopwire.storage.database import PostgresDatabase
from coopwire.transport.clock import SystemClock

WINDOW = 200
"""Messages that are under way to or from the broker at a time, on every side: as many as the relay's batch."""
PIECE = 1000
SCHEMA = """
CREATE TABLE IF NOT EXISTS heard (
    event text PRIMARY KEY, payment text NOT NULL, at timestamptz NOT NULL DEFAULT clock_timestamp()
)
"""
ROW = "INSERT INTO heard (event, payment) VALUES ($1, $2) ON CONFLICT DO NOTHING"
_ROWS = (
    "INSERT INTO heard (event, payment) SELECT * FROM unnest($1::text[], $2::text[]) ON CONFLICT DO NOTHING"
)


@contextmanager
def virtual_host() -> Iterator[str]:
    """The address of an empty virtual host on a node of one's own."""
    with rabbitmq.node() as node, rabbitmq.virtual_host(node) as name:
        yield node.url(name)


def made(count: int) -> list[Event]:
    """So many events about as many payments."""
    now = datetime.now(UTC)
    return [
        event(PAYMENT_FAILED, f"p{n}", f"loan:{n}", {"payment": f"p{n}", "reason": "declined"}, now)
        for n in range(count)
    ]


async def fill_outbox(database: PostgresDatabase, events: Sequence[Event]) -> None:
    """Let them wait to be published."""
    for first in range(0, len(events), PIECE):
        async with database.begin("bench") as tx:
            await tx.apply(Changes(events=events[first : first + PIECE]), datetime.now(UTC))


async def write_rows(tx: Transaction, events: Sequence[Event]) -> None:
    """The consumer's job: one row for each event."""
    # The hub's stores know nothing of a benchmark's table.
    connection = tx._db  # type: ignore[attr-defined]
    await connection.execute(_ROWS, [one.id for one in events], [str(one.data["payment"]) for one in events])


CONSUMER = Consumer("rows", (PAYMENT_FAILED,), write_rows)


@dataclass(frozen=True)
class Line:
    """The hub's own parts on an open connection."""

    channel: AbstractChannel
    table: Topology
    sender: Sender

    def relay(self, database: PostgresDatabase, clock: SystemClock) -> Relay:
        """The relay of a hub with this one consumer."""
        subscribers = {CONSUMER.name: [one.type for one in CONSUMER.types]}
        return Relay(database, clock, subscribers, self.sender, Bells(), Uncounted(), nothing_fails)


@asynccontextmanager
async def connected(address: str) -> AsyncIterator[Line]:
    """A connection on which the hub's queues are declared."""
    told = broker_at(address)
    async with told.connected() as (_, connection):
        await told.declare(connection)
        channel = await connection.channel(on_return_raises=True)
        yield Line(channel, told.topology, Sender(channel, told.topology, told.address, told.deadline))


def broker_at(address: str, consumer: Consumer = CONSUMER) -> Broker:
    """The broker of a hub with this one consumer."""
    return Broker(Address(address), topology([consumer], DEFAULT), DEFAULT.call_deadline)


def bodies(events: Sequence[Event]) -> list[bytes]:
    """What travels: the same bytes on every side."""
    return [dump(one) for one in events]


def read(body: bytes) -> tuple[str, str]:
    """Id and payment of an event as a consumer without an engine reads them."""
    told = json.loads(body)
    return told["id"], told["data"]["payment"]
