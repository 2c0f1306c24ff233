"""One broker as the hub sees it: its address, and what must stand there."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import timedelta

import aio_pika
from aio_pika.abc import AbstractConnection

from coopwire.bus.rabbitmq.address import Address
from coopwire.bus.rabbitmq.declaring import declare, missing
from coopwire.bus.rabbitmq.troubles import explained
from coopwire.bus.topology import Topology
from coopwire.ports.bus import BusUnavailable


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

    async def declare(self, connection: AbstractConnection) -> None:
        """Make what is missing of the topology."""
        async with explained(self.address):
            await declare(connection, self.topology)

    async def verify(self) -> None:
        """Whether it lets us in and has, or takes, what the hub needs."""
        async with self.connected() as (node, connection):
            await node.declare(connection)

    async def standing(self) -> tuple[list[str], dict[str, int]]:
        """Which queues are missing, and how many messages lie in the others; nothing is made."""
        async with self.connected() as (node, connection), explained(node.address):
            return await missing(connection, self.topology)
