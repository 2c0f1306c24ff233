"""Puts the table of the topology on a broker; what stands there already must be equal to it."""

from __future__ import annotations

from aio_pika import ExchangeType
from aio_pika.abc import AbstractChannel, AbstractConnection
from aio_pika.exceptions import ChannelNotFoundEntity, ChannelPreconditionFailed

from coopwire.bus.rabbitmq.troubles import unequal
from coopwire.bus.topology import Lane, Queue, Topology
from coopwire.ports.providers import ConfigurationError


async def declare(connection: AbstractConnection, topology: Topology) -> list[str]:
    """Make what is missing; names of the queues from which nobody takes what a consumer of the hub is to take.

    ConfigurationError names everything that stands there otherwise, and what to do.
    """
    unlike: list[str] = []
    takers: dict[str, int] = {}
    channel = await connection.channel()
    for step in (None, *topology.queues):
        try:
            takers.update(await _declare(channel, topology, step))
        except ChannelPreconditionFailed as error:
            # The broker has closed the channel; the rest is looked at through another one.
            unlike.append(unequal(error))
            channel = await connection.channel()
    await channel.close()
    if unlike:
        raise ConfigurationError(
            "the broker has queues or exchanges that are not as the hub needs them:\n"
            + "\n".join(f"  {line}" for line in unlike)
            + "\nstop the hub, delete them (rabbitmqctl delete_queue NAME) and start it again: what no consumer has "
            "taken is in the database, and is sent again; `coopwire bus topology` shows the table"
        )
    return [lane.taking.name for lane in topology.lanes.values() if not takers[lane.taking.name]]


async def missing(connection: AbstractConnection, topology: Topology) -> tuple[list[str], dict[str, int]]:
    """Which queues do not stand there, and how many messages lie in those that do. Nothing is made.

    ConfigurationError names what stands there otherwise than the table says.
    """
    absent: list[str] = []
    lying: dict[str, int] = {}
    there: dict[str, Lane] = {}
    channel = await connection.channel()
    for lane in topology.lanes.values():
        for queue in lane.queues:
            try:
                told = await channel.declare_queue(queue.name, passive=True)
                lying[queue.name] = told.declaration_result.message_count or 0
            except ChannelNotFoundEntity:
                absent.append(queue.name)
                channel = await connection.channel()
        if not set(absent) & {queue.name for queue in lane.queues}:
            there[lane.consumer] = lane
    if there:
        await declare(connection, Topology(there, topology.exchange))
    return absent, lying


async def _declare(channel: AbstractChannel, topology: Topology, queue: Queue | None) -> dict[str, int]:
    """How many take from the queue, by its name; nothing for the exchange."""
    if queue is None:
        await channel.declare_exchange(topology.exchange, ExchangeType.TOPIC, durable=True)
        return {}
    declared = await channel.declare_queue(queue.name, durable=True, arguments=dict(queue.arguments))
    for key in queue.binds:
        await declared.bind(topology.exchange, key)
    return {queue.name: declared.declaration_result.consumer_count or 0}
