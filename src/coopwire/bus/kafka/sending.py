"""Hands messages to Kafka and waits until every replica in sync has them."""

from __future__ import annotations

from datetime import datetime

from aiokafka import AIOKafkaProducer
from aiokafka.errors import UnknownTopicOrPartitionError

from coopwire.bus.carrying import Failure, Unroutable
from coopwire.bus.cloudevents import CONTENT_TYPE, dump
from coopwire.bus.kafka.address import Address
from coopwire.bus.kafka.troubles import explained
from coopwire.bus.topology import Topic, Topics
from coopwire.domain.events import Event

_CONTENT = ("content-type", CONTENT_TYPE.encode())


class Sender:
    """Sends through one producer that waits for all replicas in sync (acks=all).

    It is not idempotent: what it sends twice has its effect once, by the delivery's row. aiokafka has one batch of a
    partition under way at a time, so a repetition turns no order round.
    """

    keeps_back = False

    def __init__(self, producer: AIOKafkaProducer, topics: Topics, address: Address) -> None:
        self._producer = producer
        self._topics = topics
        self._address = address

    async def publish(self, event: Event) -> None:
        """To everybody who reads events."""
        await self._send(self._topics.events, event)

    async def deliver(self, consumer: str, event: Event) -> None:
        """To one consumer alone."""
        await self._send(self._topics.groups[consumer].again, event)

    async def retry(self, consumer: str, event: Event, rung: int) -> None:
        """Nothing: the row is due after its rung, and then it is delivered."""

    async def bury(self, consumer: str, event: Event, failure: Failure) -> None:
        """To the consumer's dead letters."""
        await self._send(self._topics.groups[consumer].dead, event, failure)

    async def bury_unread(self, consumer: str, body: bytes, failure: Failure) -> None:
        """To the consumer's dead letters: something that is no event, and has no key that could be trusted."""
        await self._put(self._topics.groups[consumer].dead, body, None, _headers(failure))

    async def _send(self, topic: Topic, event: Event, failure: Failure | None = None) -> None:
        headers = [_CONTENT, *_headers(failure or {})]
        await self._put(topic, dump(event), event.key.encode(), headers)

    async def _put(
        self, topic: Topic, body: bytes, key: bytes | None, headers: list[tuple[str, bytes]]
    ) -> None:
        async with explained(self._address):
            try:
                await self._producer.send_and_wait(topic.name, body, key, headers=headers)
            except UnknownTopicOrPartitionError:
                raise Unroutable(f"there is no topic {topic.name}") from None


def _headers(failure: Failure) -> list[tuple[str, bytes]]:
    return [(name, _text(value).encode()) for name, value in failure.items()]


def _text(value: str | int | datetime) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)
