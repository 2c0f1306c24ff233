"""Hands messages to the broker and waits until it has confirmed them."""

from __future__ import annotations

from datetime import timedelta

from aio_pika import DeliveryMode, Message
from aio_pika.abc import AbstractChannel
from aio_pika.exceptions import DeliveryError, PublishError

from coopwire.bus.carrying import Failure, Unroutable
from coopwire.bus.cloudevents import CONTENT_TYPE, dump
from coopwire.bus.rabbitmq.address import Address
from coopwire.bus.rabbitmq.troubles import explained
from coopwire.bus.topology import Topology
from coopwire.domain.events import Event
from coopwire.ports.bus import BusUnavailable


class Sender:
    """Sends over one channel with confirms and mandatory routing.

    A message is safe when it is on a majority of the broker's nodes.
    """

    keeps_back = True

    def __init__(
        self, channel: AbstractChannel, topology: Topology, address: Address, deadline: timedelta
    ) -> None:
        self._channel = channel
        self._topology = topology
        self._address = address
        self._deadline = deadline.total_seconds()
        self._wanted = {key for lane in topology.lanes.values() for key in lane.taking.binds}

    async def publish(self, event: Event) -> None:
        """To everybody who wants it; what no consumer of the hub wants may go nowhere."""
        await self._send(
            _message(dump(event), event),
            self._topology.exchange,
            event.type,
            mandatory=event.type in self._wanted,
        )

    async def deliver(self, consumer: str, event: Event) -> None:
        """To one consumer alone: what nobody took, and what is delivered again."""
        await self._to(self._topology.lanes[consumer].taking.name, _message(dump(event), event))

    async def retry(self, consumer: str, event: Event, rung: int) -> None:
        """To a rung of the consumer's ladder: a new message, without the marks that the broker left on the old."""
        await self._to(self._topology.lanes[consumer].rungs[rung].name, _message(dump(event), event))

    async def bury(self, consumer: str, event: Event, failure: Failure) -> None:
        """To the consumer's dead letters."""
        await self._to(self._topology.lanes[consumer].dead.name, _message(dump(event), event, failure))

    async def bury_unread(self, consumer: str, body: bytes, failure: Failure) -> None:
        """To the consumer's dead letters: something that is no event."""
        message = Message(body, headers=dict(failure), delivery_mode=DeliveryMode.PERSISTENT)
        await self._to(self._topology.lanes[consumer].dead.name, message)

    async def _to(self, queue: str, message: Message) -> None:
        await self._send(message, "", queue, mandatory=True)

    async def _send(self, message: Message, exchange: str, key: str, *, mandatory: bool) -> None:
        async with explained(self._address):
            to = (
                self._channel.default_exchange
                if not exchange
                else await self._channel.get_exchange(exchange, ensure=False)
            )
            try:
                await to.publish(message, key, mandatory=mandatory, timeout=self._deadline)
            except PublishError:
                raise Unroutable(f"no queue takes {key}") from None
            except DeliveryError:
                raise BusUnavailable(f"the broker did not take a message for {key}: see its alarms") from None


def _message(body: bytes, event: Event, headers: Failure | None = None) -> Message:
    """Headers hold no word of the event: brokers show and log them."""
    return Message(
        body,
        headers=dict(headers or {}),
        content_type=CONTENT_TYPE,
        delivery_mode=DeliveryMode.PERSISTENT,
        message_id=event.id,
        type=event.type,
        timestamp=event.occurred_at,
        app_id="coopwire",
    )
