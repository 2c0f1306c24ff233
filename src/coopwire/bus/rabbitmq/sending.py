"""Hands messages to the broker and waits until it has confirmed them.

Channel and connection are aio-pika's, messages go through the aiormq channel beneath: a window of them leaves without
waiting for the socket after each.
"""

from __future__ import annotations

from datetime import timedelta

from aio_pika import DeliveryMode
from aio_pika.abc import AbstractChannel
from aio_pika.exceptions import DeliveryError, PublishError
from aiormq import Channel, spec

from coopwire.bus.carrying import Failure, Unroutable
from coopwire.bus.cloudevents import CONTENT_TYPE, dump
from coopwire.bus.rabbitmq.address import Address
from coopwire.bus.rabbitmq.troubles import GONE, trouble
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
        wanted = event.type in self._wanted
        await self._send(dump(event), _about(event), self._topology.exchange, event.type, mandatory=wanted)

    async def deliver(self, consumer: str, event: Event) -> None:
        """To one consumer alone: what nobody took, and what is delivered again."""
        await self._to(self._topology.lanes[consumer].taking.name, dump(event), _about(event))

    async def retry(self, consumer: str, event: Event, rung: int) -> None:
        """To a rung of the consumer's ladder: a new message, without the marks that the broker left on the old."""
        await self._to(self._topology.lanes[consumer].rungs[rung].name, dump(event), _about(event))

    async def bury(self, consumer: str, event: Event, failure: Failure) -> None:
        """To the consumer's dead letters."""
        await self._to(self._topology.lanes[consumer].dead.name, dump(event), _about(event, failure))

    async def bury_unread(self, consumer: str, body: bytes, failure: Failure) -> None:
        """To the consumer's dead letters: something that is no event."""
        about = spec.Basic.Properties(headers=dict(failure), delivery_mode=DeliveryMode.PERSISTENT)
        await self._to(self._topology.lanes[consumer].dead.name, body, about)

    async def _to(self, queue: str, body: bytes, about: spec.Basic.Properties) -> None:
        await self._send(body, about, "", queue, mandatory=True)

    async def _send(
        self, body: bytes, about: spec.Basic.Properties, exchange: str, key: str, *, mandatory: bool
    ) -> None:
        try:
            channel = await self._channel.get_underlay_channel()
            assert isinstance(channel, Channel)
            await channel.basic_publish(
                body,
                exchange=exchange,
                routing_key=key,
                properties=about,
                mandatory=mandatory,
                timeout=self._deadline,
                # What bounds the bytes under way is the window of unconfirmed messages, not the socket's buffer.
                wait=False,
            )
        except PublishError:
            raise Unroutable(f"no queue takes {key}") from None
        except DeliveryError:
            raise BusUnavailable(f"the broker did not take a message for {key}: see its alarms") from None
        except GONE as error:
            raise trouble(error, self._address) from None


def _about(event: Event, headers: Failure | None = None) -> spec.Basic.Properties:
    """Headers hold no word of the event: brokers show and log them."""
    return spec.Basic.Properties(
        headers=dict(headers or {}),
        content_type=CONTENT_TYPE,
        delivery_mode=DeliveryMode.PERSISTENT,
        message_id=event.id,
        message_type=event.type,
        timestamp=event.occurred_at,
        app_id="coopwire",
    )
