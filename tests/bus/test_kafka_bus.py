"""The Kafka bus beyond what every bus promises: what lies in the topics, what it may not be believed, and repair."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, ConsumerRecord, TopicPartition
from aiokafka.admin import NewTopic
from rigs.buses import TIMINGS, Processes, heard, on_kafka, on_postgres, opened, running, say
from rigs.kafka import Node
from rigs.rabbitmq import until

from coopwire.bus.carrying import BATCH
from coopwire.bus.cloudevents import CONTENT_TYPE, dump, load
from coopwire.bus.kafka import Address, Broker
from coopwire.bus.kafka.consuming import Batch
from coopwire.bus.kafka.declaring import partitions
from coopwire.bus.topology import EVENTS, topics
from coopwire.conformance.bus import Listener, event
from coopwire.ports.bus import BusUnavailable

SOON = replace(TIMINGS, bus_sent_again_after=timedelta(seconds=1))
AGAIN, DEAD = "coopwire.listener.again", "coopwire.listener.dead"


@dataclass
class Bench(Processes):
    """A broker beside the database, and whoever looks at both."""

    node: Node

    @property
    def broker(self) -> Broker:
        """As the doctor sees it."""
        return Broker(Address(self.node.url), topics([Listener().consumer]), timedelta(seconds=5))

    async def messages(self, topic: str) -> Sequence[ConsumerRecord]:
        """What lies in a topic, partition by partition; it stays there."""
        async with self.broker.connected() as admin:
            places = [TopicPartition(topic, n) for n in range((await partitions(admin)).get(topic, 0))]
        if not places:
            return []
        consumer = AIOKafkaConsumer(bootstrap_servers=f"127.0.0.1:{self.node.port}")
        await consumer.start()
        try:
            consumer.assign(places)
            await consumer.seek_to_beginning()
            found: list[ConsumerRecord] = []
            while came := await consumer.getmany(timeout_ms=700):
                found += [record for records in came.values() for record in records]
            return found
        finally:
            await consumer.stop()

    async def lie(self, topic: str, count: int) -> Sequence[ConsumerRecord]:
        """Wait until so many messages lie in a topic; they."""
        found: Sequence[ConsumerRecord] = ()

        async def there() -> bool:
            nonlocal found
            found = await self.messages(topic)
            return len(found) == count

        await until(f"{count} messages lie in {topic}", there, 30)
        return found

    async def put(
        self, topic: str, body: bytes | None, headers: Sequence[tuple[str, bytes]] = (), key: bytes = b"x"
    ) -> None:
        """Somebody else writes to a topic."""
        producer = AIOKafkaProducer(bootstrap_servers=f"127.0.0.1:{self.node.port}")
        await producer.start()
        try:
            await producer.send_and_wait(topic, body, key, headers=list(headers))
        finally:
            await producer.stop()

    async def waiting(self) -> int:
        """How many messages no group has read yet, as the doctor tells it."""
        return (await self.broker.standing()).waiting


@pytest.fixture
async def bench(kafka_node: Node, database_dsn: str) -> AsyncIterator[Bench]:
    """A bench with an empty broker."""
    async with opened(database_dsn) as database:
        yield Bench(database_dsn, database, on_kafka(kafka_node.url), kafka_node)


async def test_an_event_lies_under_its_key_as_a_cloud_event_and_no_header_tells_of_it(bench: Bench) -> None:
    said = [event(f"{n}", key=f"loan:{n % 3}") for n in range(9)]
    async with bench.running(Listener()):
        await say(bench.database, said)
        await bench.hears(*(one.subject for one in said))
        await _no_longer_waits(bench)
    lying = await bench.messages(EVENTS)
    assert {load(one.value).id: one.key.decode() for one in lying} == {one.id: one.key for one in said}
    assert {one.headers for one in lying} == {(("content-type", CONTENT_TYPE.encode()),)}
    places = {(one.key, one.partition) for one in lying}
    assert len(places) == 3, "a key has one partition"
    assert await bench.messages(AGAIN) == []


async def test_a_dead_letter_on_the_broker_says_what_it_must_and_nothing_of_a_member(bench: Bench) -> None:
    poison = event("p")
    async with bench.running(Listener(bad={"p"})):
        await say(bench.database, [poison])
        await bench.dead(1)
        [letter] = await bench.lie(DEAD, 1)
    headers: Mapping[str, str] = {name: value.decode() for name, value in letter.headers}
    assert set(headers) == {
        "content-type",
        "coopwire-cause",
        "coopwire-attempts",
        "coopwire-first-failed",
        "coopwire-trace",
    }
    assert (headers["coopwire-cause"], headers["coopwire-attempts"]) == ("ValueError", "4")
    assert headers["coopwire-trace"].endswith("handle")
    assert "cannot digest" not in str(headers)
    first = await bench.database.pool.fetchval("SELECT first_failed_at FROM deliveries")
    assert datetime.fromisoformat(headers["coopwire-first-failed"]) == first
    assert (letter.key.decode(), load(letter.value)) == (poison.key, poison)
    assert len(await bench.messages(AGAIN)) == len(TIMINGS.bus_ladder)


async def test_a_body_that_somebody_forged_is_not_believed(bench: Bench) -> None:
    async with bench.running(Listener()):
        true = event("true")
        for topic in (EVENTS, AGAIN):
            await bench.put(topic, dump(event("invented")))
            await bench.put(topic, dump(replace(true, subject="forged")))
        await say(bench.database, [true])
        await bench.hears("true")
        await bench.put(EVENTS, dump(replace(true, subject="forged")))
        await _no_longer_waits(bench)
    assert await heard(bench.database, "listener") == ["true"]


async def test_a_message_that_cannot_be_read_goes_to_the_dead_letters_and_the_rest_goes_on(
    bench: Bench,
) -> None:
    async with bench.running(Listener()):
        await bench.put(EVENTS, b"\xff not an event", [("correlation_id", b"\xff")])
        await bench.put(EVENTS, None)
        await say(bench.database, [event("a")])
        await bench.hears("a")
        letters = await bench.lie(DEAD, 2)
    assert [dict(letter.headers)["coopwire-cause"] for letter in letters] == [b"Unreadable"] * 2


async def test_the_order_of_a_key_holds_while_two_processes_share_the_partitions(bench: Bench) -> None:
    one, two = Listener(), Listener()
    keys = [f"loan:{n}" for n in range(12)]
    async with bench.running(one):
        await say(bench.database, [event(f"first {key}", key=key) for key in keys])
        await until("the first takes all", lambda: len(one.called) == len(keys), 30)
        async with bench.running(two):
            said = [event(f"{n:03} {keys[n % 12]}", key=keys[n % 12]) for n in range(120)]
            for start in range(0, len(said), 40):
                await say(bench.database, said[start : start + 40])
            await bench.hears(*(f"first {key}" for key in keys), *(event.subject for event in said))
            for n in range(100):
                if one.called and two.called:
                    break
                await say(bench.database, [event(f"more {n} {key}", key=key) for key in keys])
                await asyncio.sleep(0.3)
    assert two.called, "the second process never had a partition"
    for key in keys:
        told = [text for text in await heard(bench.database, "listener") if text[4:] == key]
        assert told == sorted(told)


async def test_the_order_of_a_key_holds_when_its_events_fill_many_batches_of_the_producer(
    bench: Bench,
) -> None:
    long = {"payment": "p", "reason": "x" * 2_000}
    said = [replace(event(f"{n:03}", key="one loan"), data=long) for n in range(BATCH)]
    async with bench.running(Listener()):
        await say(bench.database, said)
        await bench.hears(*(one.subject for one in said))
    assert [load(one.value).subject for one in await bench.messages(EVENTS)] == [one.subject for one in said]


async def test_another_process_takes_over_when_the_one_that_takes_is_killed(bench: Bench) -> None:
    async with bench.running(Listener()) as kill:
        await say(bench.database, [event("a")])
        await bench.hears("a")
        async with bench.running(Listener()):
            await kill()
            await say(bench.database, [event("b")])
            await bench.hears("a", "b", seconds=40)


async def test_no_more_than_a_batch_is_in_hand(bench: Bench) -> None:
    slow = Listener(gate=asyncio.Event())
    said = [event(f"{n}") for n in range(BATCH + 50)]
    async with bench.running(slow):
        await say(bench.database, said)
        await until("the consumer is called", lambda: bool(slow.called))
        await asyncio.sleep(0.5)
        assert len(slow.called) <= BATCH
        assert slow.gate is not None
        slow.gate.set()
        await bench.hears(*(one.subject for one in said))


async def test_what_a_broker_lost_with_everything_else_is_handed_to_it_again(bench: Bench) -> None:
    slow = Listener(gate=asyncio.Event())
    async with bench.running(Listener("other"), slow, timings=SOON) as kill:
        await say(bench.database, [event("a"), event("b")])
        await bench.hears("a", "b", name="other")
        await kill()
    await asyncio.to_thread(bench.node.restart)
    async with bench.running(Listener("other"), Listener(), timings=SOON):
        await bench.hears("a", "b", seconds=30)
    assert sorted(await heard(bench.database, "other")) == ["a", "b"]


async def test_a_broker_that_comes_back_empty_is_used_again_without_a_start(bench: Bench) -> None:
    async with bench.running(Listener(), timings=SOON):
        await say(bench.database, [event("a")])
        await bench.hears("a")
        await asyncio.to_thread(bench.node.kill)
        await say(bench.database, [event("b")])
        await asyncio.sleep(1)
        waits = await bench.database.pool.fetchval("SELECT count(*) FROM outbox WHERE published_at IS NULL")
        assert waits == 1, "what was not confirmed is not marked"
        await asyncio.to_thread(bench.node.start)
        await bench.hears("a", "b", seconds=60)


async def test_what_was_in_hand_when_its_partitions_went_away_holds_nothing_up(bench: Bench) -> None:
    slow = Listener(gate=asyncio.Event())
    said = [event(f"{n}") for n in range(12)]
    async with bench.running(slow, timings=SOON):
        await say(bench.database, said)
        await until("they are in hand", lambda: bool(slow.called), 30)
        async with bench.broker.connected() as admin:
            await admin.delete_topics([EVENTS])
            await admin.create_topics([NewTopic(EVENTS, 1, 1)])
        assert slow.gate is not None
        slow.gate.set()
        await say(bench.database, [event("last")])
        await bench.hears(*(one.subject for one in said), "last", seconds=60)


async def test_an_offset_that_nobody_takes_ends_the_session_and_not_the_consumer() -> None:
    class Silent:
        """A consumer as the library is when the cluster keeps refusing: it tries without an end."""

        async def commit(self, offsets: object) -> None:
            await asyncio.Event().wait()

    batch = Batch((), Silent(), Address("kafka://somewhere"), timedelta(milliseconds=50))
    with pytest.raises(BusUnavailable, match="no answer in time"):
        await batch.acknowledge()
    assert not batch.done.is_set()


async def test_a_deployment_can_change_from_one_bus_to_the_other_and_back(bench: Bench) -> None:
    blocked = Listener(gate=asyncio.Event())
    async with running(bench.dsn, on_postgres, [blocked.consumer]) as kill:
        await say(bench.database, [event("a")])
        await until("it is called", lambda: bool(blocked.called))
        await kill()
    async with bench.running(Listener()):
        await bench.hears("a")
    blocked = Listener(gate=asyncio.Event())
    async with bench.running(blocked, timings=SOON) as kill:
        await say(bench.database, [event("b")])
        await until("it is called", lambda: bool(blocked.called))
        await kill()
    async with running(bench.dsn, on_postgres, [Listener().consumer]):
        await bench.hears("a", "b")
    async with bench.running(Listener()):
        await _no_longer_waits(bench)
    assert await heard(bench.database, "listener") == ["a", "b"]


async def _no_longer_waits(bench: Bench) -> None:
    async def hold() -> bool:
        return await bench.waiting() == 0

    await until("everything is read and committed", hold, 30)
