"""Hands messages to the broker and waits until it has confirmed them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from aio_pika import DeliveryMode, Message
from aio_pika.abc import AbstractChannel
from aio_pika.exceptions import DeliveryError, PublishError

from coopwire.bus.cloudevents import CONTENT_TYPE, dump
from coopwire.bus.rabbitmq.broker import Broker
from coopwire.bus.rabbitmq.troubles import explained
from coopwire.domain.events import Event
from coopwire.ports.bus import BusUnavailable


class Unroutable(Exception):
    """The broker has no queue for a message that somebody here wants."""


class Sender:
    """Sends over one channel with confirms and mandatory routing.

    Every method returns when the message is safe on a majority of the broker's nodes. BusUnavailable when that
    is not known, Unroutable when it has no queue.
    """

    def __init__(self, channel: AbstractChannel, broker: Broker) -> None:
        self._channel = channel
        self._topology = broker.topology
        self._address = broker.address
        self._deadline = broker.deadline.total_seconds()
        self._wanted = {key for lane in broker.topology.lanes.values() for key in lane.taking.binds}

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

    async def bury(self, consumer: str, event: Event, failure: Mapping[str, str | int | datetime]) -> None:
        """To the consumer's dead letters."""
        await self._to(self._topology.lanes[consumer].dead.name, _message(dump(event), event, failure))

    async def bury_unread(
        self, consumer: str, body: bytes, failure: Mapping[str, str | int | datetime]
    ) -> None:
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


def _message(body: bytes, event: Event, headers: Mapping[str, str | int | datetime] | None = None) -> Message:
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
