"""One Kafka cluster as the hub sees it: its address, and what must stand there."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.conn import create_conn
from aiokafka.protocol.metadata import MetadataRequest

from coopwire.bus.carrying import Standing, Taking
from coopwire.bus.kafka.address import Address
from coopwire.bus.kafka.consuming import consuming
from coopwire.bus.kafka.declaring import compare, declare, partitions
from coopwire.bus.kafka.sending import Sender
from coopwire.bus.kafka.troubles import GONE, explained, not_let_in, trouble
from coopwire.bus.topology import Group, Topics
from coopwire.bus.troubles import VARIABLE
from coopwire.ports.bus import BusUnavailable
from coopwire.ports.providers import ConfigurationError


@dataclass(frozen=True, slots=True)
class Broker:
    """Where it is, what the hub needs there, and how long it may take to answer."""

    address: Address
    topics: Topics
    deadline: timedelta

    @asynccontextmanager
    async def connected(self) -> AsyncIterator[AIOKafkaAdminClient]:
        """Somebody who may ask and make, for the block."""
        await self._knock()
        admin = AIOKafkaAdminClient(**self._to_connect())
        try:
            async with explained(self.address):
                await admin.start()
            yield admin
        finally:
            await admin.close()

    async def declare(self, admin: AIOKafkaAdminClient) -> None:
        """Make what is missing of the topology."""
        async with explained(self.address):
            await declare(admin, self.topics)

    async def verify(self) -> None:
        """Whether it lets us in and has, or takes, what the hub needs."""
        async with self.connected() as admin:
            await self.declare(admin)

    async def standing(self) -> Standing:
        """Which topics are missing, how many messages lie in the others, and how many no group has read yet."""
        async with self.connected() as admin, explained(self.address):
            there = await partitions(admin)
            ours = [topic for topic in self.topics.all if topic.name in there]
            await compare(admin, ours)
            places = [
                TopicPartition(topic.name, number) for topic in ours for number in range(there[topic.name])
            ]
            first, last = await self._ends(places)
            waiting = 0
            for group in self.topics.groups.values():
                waiting += await self._behind(admin, group, first, last)
        lying = {topic.name: 0 for topic in ours}
        for place in places:
            lying[place.topic] += last[place] - first[place]
        missing = [topic.name for topic in self.topics.all if topic.name not in there]
        return Standing(self.address.host, missing, lying, waiting)

    @asynccontextmanager
    async def session(self, ended: asyncio.Event) -> AsyncIterator[Line]:
        """A line for the block, with the topics declared; `ended` is set when the cluster does not answer any more."""
        async with self.connected() as admin:
            await self.declare(admin)
            producer = AIOKafkaProducer(**self._to_connect(), acks="all")
            watching = asyncio.create_task(self._watch(admin, ended))
            try:
                async with explained(self.address):
                    await producer.start()
                yield Line(self, admin, Sender(producer, self.topics, self.address), ended)
            finally:
                watching.cancel()
                await producer.stop()

    async def _knock(self) -> None:
        """Ask each node in turn until one answers; one of those that it names must be reachable from here.

        The library tries again and again in silence; here the reason is still known.
        """
        silent: list[str] = []
        for host, port in self.address.nodes:
            try:
                named = await self._ask(host, port)
            except BusUnavailable as error:
                silent.append(str(error))
            else:
                return await self._reach(named)
        raise BusUnavailable("; ".join(silent))

    async def _ask(self, host: str, port: int) -> list[tuple[str, int]]:
        """The nodes that this one names."""
        async with explained(self.address):
            connection = await self._open(host, port)
            try:
                told = await connection.send(MetadataRequest([]))
            finally:
                connection.close()
        return [(node[1], node[2]) for node in told.brokers]

    async def _open(self, host: str, port: int) -> Any:
        try:
            return await create_conn(host, port, **self._without_servers())
        except GONE:
            raise
        except (KeyError, ValueError, AssertionError) as error:
            # A wrong password, where the server says so in the exchange itself: the library stumbles over its words.
            user = self.address.user
            raise not_let_in(self.address) if user else trouble(error, self.address) from None

    async def _reach(self, named: list[tuple[str, int]]) -> None:
        for host, port in named:
            try:
                await self._ask(host, port)
            except BusUnavailable:
                continue
            return
        told = ", ".join(f"{host}:{port}" for host, port in named) or "nobody"
        raise BusUnavailable(
            f"the broker at {self.address.host} answers, but names {told} as its nodes, and none of them can be "
            f"reached from here: correct advertised.listeners there, or take the hosts and ports in {VARIABLE} that "
            f"are meant for this network"
        )

    async def _watch(self, admin: AIOKafkaAdminClient, ended: asyncio.Event) -> None:
        """The library mends its connections in silence; a cluster that is away is to be told of, and topics made."""
        try:
            while True:
                await asyncio.sleep(self.address.session_timeout.total_seconds() / 2)
                async with explained(self.address):
                    there = await partitions(admin)
                if any(topic.name not in there for topic in self.topics.all):
                    await self.declare(admin)
        except (BusUnavailable, ConfigurationError):
            return  # the next session says what it was
        finally:
            ended.set()

    async def _ends(self, places: list[TopicPartition]) -> tuple[dict[Any, int], dict[Any, int]]:
        if not places:
            return {}, {}
        consumer = AIOKafkaConsumer(**self._to_connect())
        try:
            await consumer.start()
            return await consumer.beginning_offsets(places), await consumer.end_offsets(places)
        finally:
            await consumer.stop()

    async def _behind(
        self,
        admin: AIOKafkaAdminClient,
        group: Group,
        first: Mapping[TopicPartition, int],
        last: Mapping[TopicPartition, int],
    ) -> int:
        """How many messages the group has yet to read."""
        names = {topic.name for topic in self.topics.taken_by(group)}
        read = [place for place in last if place.topic in names]
        if not read:
            return 0
        told = await admin.list_consumer_group_offsets(group.name, partitions=read)
        # A topic that was made anew is shorter than what the group had read of the old one.
        return sum(max(0, last[place] - max(told[place].offset, first[place])) for place in read)

    def _to_connect(self) -> dict[str, Any]:
        return {"bootstrap_servers": self.address.servers, **self._without_servers()}

    def _without_servers(self) -> dict[str, Any]:
        milliseconds = self.deadline // timedelta(milliseconds=1)
        return {"client_id": "coopwire", "request_timeout_ms": milliseconds, **self.address.to_connect()}


@dataclass(frozen=True, slots=True)
class Line:
    """An open connection to a cluster."""

    broker: Broker
    admin: AIOKafkaAdminClient
    sender: Sender
    ended: asyncio.Event

    @property
    def host(self) -> str:
        """The nodes of the address."""
        return self.broker.address.host

    async def mend(self) -> None:
        """Make missing topics again."""
        await self.broker.declare(self.admin)

    def consuming(self, takers: Sequence[Taking]) -> AbstractAsyncContextManager[None]:
        """See the socket."""
        at = self.broker
        return consuming(at.address, at.topics, at.deadline, takers, self.ended)
