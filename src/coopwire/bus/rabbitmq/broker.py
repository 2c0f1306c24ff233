"""One broker as the hub sees it: its address, and what must stand there."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, replace
from datetime import timedelta

import aio_pika
import structlog
from aio_pika.abc import AbstractConnection

from coopwire.bus.carrying import Standing, Taking
from coopwire.bus.rabbitmq.address import Address
from coopwire.bus.rabbitmq.consuming import consuming
from coopwire.bus.rabbitmq.declaring import declare, missing
from coopwire.bus.rabbitmq.sending import Sender
from coopwire.bus.rabbitmq.troubles import explained
from coopwire.bus.topology import Topology
from coopwire.ports.bus import BusUnavailable

_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Broker:
    """Where it is, what the hub needs there, and how long it may take to answer.

    Every method raises ConfigurationError for what a person must change, BusUnavailable for what may mend itself.
    """

    address: Address
    topology: Topology
    deadline: timedelta
    others: tuple[Address, ...] = ()
    """Further nodes of the same broker."""

    @classmethod
    def at(cls, urls: Sequence[str], topology: Topology, deadline: timedelta) -> Broker:
        """The broker whose nodes have these addresses."""
        first, *others = map(Address, urls)
        return cls(first, topology, deadline, tuple(others))

    @asynccontextmanager
    async def connected(self) -> AsyncIterator[tuple[Broker, AbstractConnection]]:
        """A connection for the block to the first node that takes us, and the broker as it is seen from there."""
        node, connection = await self._first_that_answers()
        try:
            yield node, connection
        finally:
            await connection.close()

    async def _first_that_answers(self) -> tuple[Broker, AbstractConnection]:
        away: list[str] = []
        for address in (self.address, *self.others):
            node = replace(self, address=address, others=())
            try:
                return node, await node._connect()
            except BusUnavailable as error:
                away.append(str(error))
        raise BusUnavailable("; ".join(away))

    async def _connect(self) -> AbstractConnection:
        async with explained(self.address):
            return await aio_pika.connect(self.address.to_connect, timeout=self.deadline.total_seconds())

    async def declare(self, connection: AbstractConnection) -> list[str]:
        """Make what is missing of the topology; names of the consumers' queues from which nobody takes."""
        async with explained(self.address):
            return await declare(connection, self.topology)

    async def verify(self) -> None:
        """Whether it lets us in and has, or takes, what the hub needs."""
        async with self.connected() as (node, connection):
            await node.declare(connection)

    async def standing(self) -> Standing:
        """Which queues are missing, and how many messages lie in the others; nothing is made."""
        async with self.connected() as (node, connection), explained(node.address):
            absent, lying = await missing(connection, self.topology)
        waiting = sum(lying.get(lane.taking.name, 0) for lane in self.topology.lanes.values())
        return Standing(node.address.host, absent, lying, waiting)

    @asynccontextmanager
    async def session(self, ended: asyncio.Event) -> AsyncIterator[Line]:
        """A line for the block, with the queues declared; `ended` is set when the connection is lost."""
        async with self.connected() as (node, connection):
            connection.close_callbacks.add(lambda *_: ended.set())
            await node.declare(connection)
            async with explained(node.address):
                channel = await connection.channel(on_return_raises=True)
            sender = Sender(channel, node.topology, node.address, node.deadline)
            yield Line(node, connection, sender, ended)


@dataclass(frozen=True, slots=True)
class Line:
    """An open connection to one node."""

    broker: Broker
    connection: AbstractConnection
    sender: Sender
    ended: asyncio.Event

    @property
    def host(self) -> str:
        """The node."""
        return self.broker.address.host

    async def mend(self) -> None:
        """Declare the queues again. Where nobody takes from one of them, the session ends and is begun anew.

        The broker cancels who took from a queue that was deleted, and what the libraries do about it may come to
        nothing when the queue is there again before they look.
        """
        forsaken = await self.broker.declare(self.connection)
        if forsaken:
            _log.warning("consumers_lost", queues=forsaken)
            self.ended.set()

    def consuming(self, takers: Sequence[Taking]) -> AbstractAsyncContextManager[None]:
        """See the socket."""
        at = self.broker
        return consuming(at.address, at.topology, at.deadline, takers, self.ended)
