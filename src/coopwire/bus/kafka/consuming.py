"""FastStream's part: the consumer groups, their partitions and offsets."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import structlog
from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.errors import (
    CommitFailedError,
    IllegalGenerationError,
    IllegalStateError,
    RebalanceInProgressError,
    UnknownMemberIdError,
)
from faststream.kafka import KafkaBroker
from faststream.kafka.message import FAKE_CONSUMER, KafkaAckableMessage
from faststream.message import StreamMessage
from faststream.middlewares import AckPolicy

from coopwire.bus.carrying import BATCH, Taking
from coopwire.bus.kafka.address import Address
from coopwire.bus.kafka.troubles import explained
from coopwire.bus.topology import Group, Topics

_log = structlog.get_logger()
_IDLE_MS = 100
"""So long a consumer waits for messages before it looks whether it is to end."""
_SHARED_ANEW = (
    CommitFailedError,
    IllegalGenerationError,
    IllegalStateError,
    RebalanceInProgressError,
    UnknownMemberIdError,
)
"""Why an offset is not taken when partitions went to another process in between."""
Records = tuple[ConsumerRecord, ...]


@dataclass(frozen=True, slots=True)
class Batch:
    """Messages that one look brought, of several partitions."""

    records: Records
    consumer: AIOKafkaConsumer
    address: Address
    deadline: timedelta
    done: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def bodies(self) -> list[bytes]:
        """Their bodies; those of one partition are in its order."""
        return [record.value or b"" for record in self.records]

    async def acknowledge(self) -> None:
        """Commit the offsets behind them, and let the next ones come."""
        behind = {TopicPartition(one.topic, one.partition): one.offset + 1 for one in self.records}
        # The library would try without an end, for partitions too that are not there any more.
        async with explained(self.address), asyncio.timeout(self.deadline.total_seconds()):
            try:
                await self.consumer.commit(behind)
            except _SHARED_ANEW as error:
                # Somebody else has the partitions and gets the messages too: they have no effect a second time.
                _log.info("offsets_not_committed", error=type(error).__name__)
        self.done.set()


@asynccontextmanager
async def consuming(
    address: Address, topics: Topics, deadline: timedelta, takers: Sequence[Taking], lost: asyncio.Event
) -> AsyncIterator[None]:
    """Messages come to the takers for the block, as soon as their groups have let them in.

    The topics stand there already. `lost` is set when a group cannot be joined.
    """
    brokers = [_broker(address, topics, deadline, taker) for taker in takers]
    joining = asyncio.create_task(_join(brokers, lost))
    try:
        yield
    finally:
        joining.cancel()
        await asyncio.wait({joining})
        await asyncio.gather(*(broker.stop() for broker in brokers))


async def _join(brokers: Sequence[KafkaBroker], lost: asyncio.Event) -> None:
    """Beside each other, and nobody waits for it: a group lets its first member wait some seconds for others."""
    try:
        await asyncio.gather(*(broker.start() for broker in brokers))
    except Exception as error:
        _log.warning("groups_not_joined", error=type(error).__name__)
        lost.set()


def _broker(address: Address, topics: Topics, deadline: timedelta, taker: Taking) -> KafkaBroker:
    """One consumer with a client of its own: what it has in hand is nothing to another."""
    broker = KafkaBroker(
        address.servers,
        security=address.security(),
        request_timeout_ms=deadline // timedelta(milliseconds=1),
        # The relay has its own producer, and the topology is declared.
        consumer_only=True,
        allow_auto_create_topics=False,
        client_id="coopwire",
        logger=None,
        apply_types=False,
        graceful_timeout=None,
    )
    _subscribe(broker, address, topics, topics.groups[taker.consumer.name], deadline, taker)
    return broker


def _subscribe(
    broker: KafkaBroker, address: Address, topics: Topics, group: Group, deadline: timedelta, taker: Taking
) -> None:
    session_ms = address.session_timeout // timedelta(milliseconds=1)
    subscriber = broker.subscriber(
        *(topic.name for topic in topics.taken_by(group)),
        group_id=group.name,
        batch=True,
        max_records=BATCH,
        batch_timeout_ms=_IDLE_MS,
        auto_offset_reset="earliest",
        session_timeout_ms=session_ms,
        heartbeat_interval_ms=session_ms // 3,
        ack_policy=AckPolicy.MANUAL,
        parser=_unread,
        decoder=_as_it_came,
        no_reply=True,
    )

    @subscriber
    async def arrived(records: Records) -> None:
        batch = Batch(records, subscriber.consumer, address, deadline)
        taker.put(batch)
        # The next messages are asked for when these are done with: so few are in hand at a time.
        await batch.done.wait()


async def _unread(records: Records) -> StreamMessage[Any]:
    # FastStream's own parser reads headers, and one that it cannot read would lose us the message.
    return KafkaAckableMessage(raw_message=records, body=b"", consumer=FAKE_CONSUMER)


async def _as_it_came(message: StreamMessage[Any]) -> Records:
    raw: Records = message.raw_message
    return raw
