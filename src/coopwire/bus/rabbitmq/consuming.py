"""FastStream's part: connections, prefetch and subscriptions of the consumers' queues."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from aio_pika.abc import AbstractIncomingMessage
from faststream.message import StreamMessage
from faststream.middlewares import AckPolicy
from faststream.rabbit import Channel, RabbitBroker, RabbitQueue

from coopwire.bus.carrying import BATCH, Taking
from coopwire.bus.rabbitmq.address import Address
from coopwire.bus.rabbitmq.troubles import explained
from coopwire.bus.topology import Topology


@dataclass(frozen=True, slots=True)
class Arrival:
    """One message that came."""

    message: AbstractIncomingMessage
    address: Address

    @property
    def bodies(self) -> tuple[bytes]:
        """Its body."""
        return (self.message.body,)

    async def acknowledge(self) -> None:
        """See Parcel."""
        async with explained(self.address):
            await self.message.ack()


@asynccontextmanager
async def consuming(
    address: Address,
    topology: Topology,
    deadline: timedelta,
    takers: Sequence[Taking],
    lost: asyncio.Event,
) -> AsyncIterator[None]:
    """Messages come to the takers for the block; `lost` is set when the connection ends.

    The queues are looked up, not declared: the table of the topology stands on the broker already.
    """
    broker = RabbitBroker(
        address.to_connect,
        timeout=deadline.total_seconds(),
        on_close=[lambda *_: lost.set()],
        decoder=_as_it_came,
        logger=None,
        apply_types=False,
        graceful_timeout=None,
    )
    for taker in takers:
        _subscribe(broker, address, topology.lanes[taker.consumer.name].taking.name, taker)
    try:
        async with explained(address):
            await broker.start()
        yield
    finally:
        await broker.stop()


def _subscribe(broker: RabbitBroker, address: Address, queue: str, taker: Taking) -> None:
    # A channel of its own: the limit of one consumer is nothing to another.
    subscriber = broker.subscriber(
        RabbitQueue(queue, declare=False, durable=True),
        channel=Channel(prefetch_count=BATCH),
        ack_policy=AckPolicy.MANUAL,
        no_reply=True,
    )

    @subscriber
    async def arrived(message: AbstractIncomingMessage) -> None:
        taker.put(Arrival(message, address))


async def _as_it_came(message: StreamMessage[Any]) -> AbstractIncomingMessage:
    raw: AbstractIncomingMessage = message.raw_message
    return raw
