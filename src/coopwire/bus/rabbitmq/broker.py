"""One broker as the hub sees it: its address, and what must stand there."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta

import aio_pika
from aio_pika.abc import AbstractConnection

from coopwire.bus.rabbitmq.address import Address
from coopwire.bus.rabbitmq.declaring import declare, missing
from coopwire.bus.rabbitmq.troubles import explained
from coopwire.bus.topology import Topology


@dataclass(frozen=True, slots=True)
class Broker:
    """Where it is, what the hub needs there, and how long it may take to answer.

    Every method raises ConfigurationError for what a person must change, BusUnavailable for what may mend itself.
    """

    address: Address
    topology: Topology
    deadline: timedelta

    @asynccontextmanager
    async def connected(self) -> AsyncIterator[AbstractConnection]:
        """A connection for the block."""
        async with explained(self.address):
            connection = await aio_pika.connect(
                self.address.to_connect, timeout=self.deadline.total_seconds()
            )
        try:
            yield connection
        finally:
            await connection.close()

    async def declare(self, connection: AbstractConnection) -> None:
        """Make what is missing of the topology."""
        async with explained(self.address):
            await declare(connection, self.topology)

    async def verify(self) -> None:
        """Whether it lets us in and has, or takes, what the hub needs."""
        async with self.connected() as connection:
            await self.declare(connection)

    async def standing(self) -> tuple[list[str], dict[str, int]]:
        """Which queues are missing, and how many messages lie in the others; nothing is made."""
        async with self.connected() as connection, explained(self.address):
            return await missing(connection, self.topology)
