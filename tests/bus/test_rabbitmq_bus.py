"""The RabbitMQ bus beyond what every bus promises: what lies on the broker, what it may not be believed, and repair."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any
from urllib.error import HTTPError
from urllib.parse import quote

import aio_pika
import pytest
from aio_pika.exceptions import DeliveryError
from rigs.buses import TIMINGS, Processes, heard, on_postgres, on_rabbitmq, opened, redrive, running, say
from rigs.rabbitmq import Node, queue_messages, until, virtual_host
from structlog.testing import capture_logs

from coopwire.application.letters import LetterDesk
from coopwire.bus import rabbitmq
from coopwire.bus.carrying import Parcel
from coopwire.bus.cloudevents import CONTENT_TYPE, dump, load
from coopwire.bus.topology import EVENTS, topology
from coopwire.conformance.bus import Listener, event
from coopwire.domain.letters import Letters
from coopwire.ports.bus import Consumer
from coopwire.transport.clock import SystemClock


@dataclass
class Idle:
    """A taker to whom nothing comes."""

    consumer: Consumer

    def put(self, parcel: Parcel) -> None:
        """See Taking."""
        raise AssertionError("nothing was sent")


@dataclass
class Bench(Processes):
    """A virtual host beside the database, and whoever looks at both."""

    node: Node
    host: str

    async def lies(self, queue: str, count: int) -> None:
        """Wait until so many messages lie in a queue, taken or not."""
        path = f"queues/{self.host}/{quote(queue, safe='')}"

        async def there() -> bool:
            try:
                told = await asyncio.to_thread(self.node.ask, "GET", path)
            except HTTPError:
                return False  # it is not there yet
            return bool(told.get("messages") == count)

        await until(f"{count} messages lie in {queue}", there, 30)

    async def bound(self, bindings: str, count: int) -> None:
        """Wait until a queue has so many bindings."""

        async def there() -> bool:
            return len(await asyncio.to_thread(self.node.ask, "GET", bindings)) == count

        await until(f"{count} bindings", there, 30)

    def messages(self, queue: str) -> Any:
        """What lies in a queue, without the count that the broker adds to whatever it hands out."""
        found = queue_messages(self.node, self.host, queue)
        for message in found:
            message["properties"]["headers"].pop("x-delivery-count", None)
        return found

    async def put(self, queue: str, body: bytes) -> None:
        """Somebody else writes to a queue; one that has only just been made may refuse at first."""

        async def taken() -> bool:
            async with await aio_pika.connect(self.node.url(self.host)) as connection:
                channel = await connection.channel()
                try:
                    await channel.default_exchange.publish(aio_pika.Message(body), queue)
                except DeliveryError:
                    return False
            return True

        await until(f"{queue} takes a message", taken)


@pytest.fixture
async def bench(rabbitmq: Node, database_dsn: str) -> AsyncIterator[Bench]:
    """A bench with an empty virtual host."""
    with virtual_host(rabbitmq) as host:
        async with opened(database_dsn) as database:
            yield Bench(database_dsn, database, on_rabbitmq(rabbitmq.url(host)), rabbitmq, host)


async def test_a_dead_letter_on_the_broker_says_what_it_must_and_nothing_of_a_member(bench: Bench) -> None:
    poison = event("p")
    async with bench.running(Listener(bad={"p"})):
        await say(bench.database, [poison])
        await bench.dead(1)
        await bench.lies("coopwire.listener.dead", 1)
    [letter] = bench.messages("coopwire.listener.dead")
    headers, properties = letter["properties"]["headers"], letter["properties"]
    assert set(headers) == {"coopwire-cause", "coopwire-attempts", "coopwire-first-failed", "coopwire-trace"}
    assert (headers["coopwire-cause"], headers["coopwire-attempts"]) == ("ValueError", 4)
    assert headers["coopwire-trace"].endswith("handle")
    assert "cannot digest" not in str(headers)
    first = await bench.database.pool.fetchval(
        "SELECT extract(epoch FROM first_failed_at)::int FROM deliveries"
    )
    assert abs(headers["coopwire-first-failed"] - first) <= 1
    assert (properties["message_id"], properties["content_type"]) == (poison.id, CONTENT_TYPE)
    assert load(letter["payload"].encode()) == poison


async def test_a_message_on_the_ladder_is_a_new_one_without_the_broker_s_marks(bench: Bench) -> None:
    slow = replace(TIMINGS, bus_ladder=(timedelta(seconds=0.2), timedelta(hours=1)))
    async with bench.running(Listener(bad={"p"}), timings=slow):
        await say(bench.database, [event("p")])
        await bench.lies("coopwire.listener.again-after-3600000ms", 1)
    [waiting] = bench.messages("coopwire.listener.again-after-3600000ms")
    assert waiting["properties"]["headers"] == {}


async def test_a_body_that_somebody_forged_is_not_believed(bench: Bench) -> None:
    listener = Listener()
    async with bench.running(listener):
        true = event("true")
        await bench.put("coopwire.listener", dump(event("invented")))
        await bench.put("coopwire.listener", dump(replace(true, subject="forged")))
        await say(bench.database, [true])
        await bench.put("coopwire.listener", dump(replace(true, subject="forged")))
        await bench.hears("true")
        await bench.lies("coopwire.listener", 0)
    assert await heard(bench.database, "listener") == ["true"]


async def test_a_message_that_cannot_be_read_goes_to_the_dead_letters_and_the_rest_goes_on(
    bench: Bench,
) -> None:
    async with bench.running(Listener()):
        await say(bench.database, [event("a")])
        await bench.hears("a")
        await bench.put("coopwire.listener", b"\xff not an event")
        await say(bench.database, [event("b")])
        await bench.hears("a", "b")
        await bench.lies("coopwire.listener.dead", 1)
        await bench.lies("coopwire.listener", 0)
    [letter] = bench.messages("coopwire.listener.dead")
    assert letter["properties"]["headers"]["coopwire-cause"] == "Unreadable"


async def test_the_order_of_a_key_holds_with_two_processes(bench: Bench) -> None:
    said = [event(f"{n:03}", key="one loan") for n in range(150)]
    async with bench.running(Listener()), bench.running(Listener()):
        for start in range(0, len(said), 30):
            await say(bench.database, said[start : start + 30])
        await bench.hears(*(one.subject for one in said))
    assert await heard(bench.database, "listener") == [one.subject for one in said]


async def test_another_process_takes_over_when_the_one_that_takes_is_killed(bench: Bench) -> None:
    async with bench.running(Listener()) as kill:
        await say(bench.database, [event("a")])
        await bench.hears("a")
        async with bench.running(Listener()):
            await kill()
            await say(bench.database, [event("b")])
            await bench.hears("a", "b")


async def test_an_event_that_no_queue_takes_is_an_alarm_and_not_lost(bench: Bench) -> None:
    async with bench.running(Listener()):
        await say(bench.database, [event("a")])
        await bench.hears("a")
        key = event("x").type
        binding = f"bindings/{bench.host}/e/{EVENTS}/q/coopwire.listener/{key}"
        await asyncio.to_thread(bench.node.ask, "DELETE", binding)
        with capture_logs() as logs:
            await say(bench.database, [event("b")])
            await bench.hears("a", "b")
        assert [line["count"] for line in logs if line["event"] == "events_unroutable"] == [1]


async def test_one_binding_of_several_that_is_lost_comes_again_and_what_it_missed_is_handed_over(
    bench: Bench,
) -> None:
    bindings = f"bindings/{bench.host}/e/{EVENTS}/q/coopwire.listener"
    slow = replace(TIMINGS, bus_declared_every=timedelta(hours=1), bus_sent_again_after=timedelta(seconds=2))
    async with bench.running(Listener(), Listener("other"), timings=slow):
        await say(bench.database, [event("a")])
        await bench.hears("a")
        await asyncio.to_thread(bench.node.ask, "DELETE", f"{bindings}/{event('x').type}")
        with capture_logs() as logs:
            await say(bench.database, [event("b")])
            await bench.hears("a", "b", name="other")
            assert await heard(bench.database, "listener") == ["a"]
            await bench.hears("a", "b")
        told = {line["event"]: line.get("count") for line in logs}
        assert told["deliveries_not_taken"] == 1
        assert "events_unroutable" not in told, "the broker does not say that one of two is missing"
    soon = replace(TIMINGS, bus_declared_every=timedelta(seconds=0.5))
    async with bench.running(Listener(), Listener("other"), timings=soon):
        await bench.bound(bindings, 1)
        await asyncio.to_thread(bench.node.ask, "DELETE", f"{bindings}/{event('x').type}")
        await bench.bound(bindings, 1)
        await say(bench.database, [event("c")])
        await bench.hears("a", "b", "c")


async def test_what_a_broker_lost_is_handed_to_it_again(bench: Bench) -> None:
    soon = replace(TIMINGS, bus_sent_again_after=timedelta(seconds=1))
    async with bench.running(Listener()):
        await say(bench.database, [event("a")])
        await bench.hears("a")
    async with bench.running(Listener("other"), timings=soon):
        pass
    listener = Listener(gate=asyncio.Event())
    async with bench.running(listener, timings=soon) as kill:
        await say(bench.database, [event("b"), event("c")])
        await until("the consumer has them", lambda: len(listener.called) >= 1)
        await kill()
    await bench.lies("coopwire.listener", 2)
    bench.node.ask("DELETE", f"queues/{bench.host}/coopwire.listener/contents")
    async with bench.running(Listener(), timings=soon):
        await bench.hears("a", "b", "c")


async def test_a_deployment_can_change_from_one_bus_to_the_other_and_back(bench: Bench) -> None:
    blocked = Listener(gate=asyncio.Event())
    async with running(bench.dsn, on_postgres, [blocked.consumer]) as kill:
        await say(bench.database, [event("a")])
        await until("it is called", lambda: bool(blocked.called))
        await kill()
    soon = replace(TIMINGS, bus_sent_again_after=timedelta(seconds=2))
    async with bench.running(Listener(), timings=soon):
        await bench.hears("a")
    blocked = Listener(gate=asyncio.Event())
    async with bench.running(blocked, timings=soon) as kill:
        await say(bench.database, [event("b")])
        await until("it is called", lambda: bool(blocked.called))
        await kill()
    async with running(bench.dsn, on_postgres, [Listener().consumer]):
        await bench.hears("a", "b")
    async with bench.running(Listener(), timings=soon):
        await bench.lies("coopwire.listener", 0)
    assert await heard(bench.database, "listener") == ["a", "b"]


async def test_queues_that_somebody_deleted_come_again_and_what_was_in_them_too(bench: Bench) -> None:
    soon = replace(TIMINGS, bus_sent_again_after=timedelta(seconds=1))
    async with bench.running(Listener(), timings=soon):
        await say(bench.database, [event("a")])
        await bench.hears("a")
        for queue in ("coopwire.listener", "coopwire.listener.dead"):
            await asyncio.to_thread(bench.node.ask, "DELETE", f"queues/{bench.host}/{queue}")
        await say(bench.database, [event("b")])
        await bench.hears("a", "b", seconds=30)


async def test_a_session_from_which_nobody_takes_is_begun_anew_when_the_queues_are_declared_again(
    bench: Bench,
) -> None:
    """A broker cancels who took from a deleted queue; who is not told, or is too slow, would wait for ever."""
    consumer = Listener().consumer
    table = topology([consumer], TIMINGS)
    ended = asyncio.Event()
    broker = rabbitmq.Broker.at([bench.node.url(bench.host)], table, TIMINGS.call_deadline)
    async with broker.session(ended) as line:
        async with line.consuming([Idle(consumer)]):
            await line.mend()
            assert not ended.is_set()
        await line.mend()
        assert ended.is_set()


async def test_a_redriven_letter_comes_again_over_the_broker_and_its_tries_begin_anew(bench: Bench) -> None:
    listener, poison = Listener(bad={"p"}), event("p")
    async with bench.running(listener):
        await say(bench.database, [poison])
        await bench.dead(1)
        before = len(listener.called)
        assert await redrive(bench.database, "listener", poison.id)
        await bench.dead(0)
        await bench.dead(1)
        assert len(listener.called) - before == 4


async def test_letters_that_are_redriven_at_a_rate_come_over_the_broker_once_in_order_and_not_too_soon(
    bench: Bench,
) -> None:
    listener = Listener(bad={f"p{n}" for n in range(6)})
    async with bench.running(listener):
        await say(bench.database, [event(f"p{n}") for n in range(6)])
        await bench.dead(6)
        listener.bad.clear()
        clock = SystemClock(await bench.database.now(), TIMINGS)
        [lot] = await LetterDesk(bench.database, clock).redrive(Letters(), "a test", "mended", per_second=4)
        assert (lot.letters, lot.last_at - lot.first_at) == (6, timedelta(seconds=1.25))
        await bench.hears(*(f"p{n}" for n in range(6)))
        taken = await bench.database.pool.fetch(
            "SELECT finished_at - redriven_at AS waited FROM deliveries ORDER BY seq"
        )
    assert await heard(bench.database, "listener") == [f"p{n}" for n in range(6)]
    a_blink = timedelta(seconds=0.05)  # the desk's clock and the bus's were set by two looks at the database
    for place, row in enumerate(taken):
        assert row["waited"] >= timedelta(seconds=place / 4) - a_blink
