"""The PostgreSQL bus: at least once on the wire, effect once in the house, a ladder and dead letters."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import pytest
from rigs.scrapes import scrape

from coopwire.application.announce import event
from coopwire.application.bells import Bells
from coopwire.application.letters import LetterDesk
from coopwire.bus.postgres import PostgresBus
from coopwire.conformance.clock import ManualClock
from coopwire.domain.events import BREAK_OPENED, PAYMENT_FAILED, Event
from coopwire.domain.letters import Letters
from coopwire.monitoring.metrics import Metrics
from coopwire.ports.bus import Consumer
from coopwire.ports.stores import Changes, Transaction
from coopwire.storage.database import PostgresDatabase, connect
from coopwire.storage.sealing import Sealer


class Listener:
    """A consumer that writes one row per event, and raises for those it is told to."""

    def __init__(self, name: str = "listener") -> None:
        self.name = name
        self.bad: set[str] = set()
        self.calls = 0

    async def handle(self, tx: Transaction, events: Sequence[Event]) -> None:
        self.calls += 1
        for one in events:
            await tx.audit(self.name, "heard", str(one.data["payment"]), "test", one.occurred_at)
            if one.data["payment"] in self.bad:
                raise ValueError(f"cannot digest {one.data['payment']}")

    def consumer(self) -> Consumer:
        return Consumer(self.name, (PAYMENT_FAILED,), self.handle)


class Rig:
    """A bus over a real database and a clock that stands still."""

    def __init__(self, database: PostgresDatabase, listeners: Sequence[Listener]) -> None:
        self.database = database
        self.clock = ManualClock()
        self.consumers = [listener.consumer() for listener in listeners]
        self.metrics = Metrics()
        self.bus = PostgresBus(database, self.clock, self.consumers, Bells(), self.metrics)

    async def say(self, *payments: str) -> None:
        now = self.clock.now()
        events = [event(PAYMENT_FAILED, p, p, {"payment": p, "reason": ""}, now) for p in payments]
        async with self.database.begin("test") as tx:
            await tx.apply(Changes(events=events), now)

    async def turn(self) -> None:
        """Relay and let every consumer take what is due."""
        await self.bus.relay()
        for consumer in self.consumers:
            while await self.bus.consume(consumer):
                pass

    async def heard(self, name: str = "listener") -> list[str]:
        rows = await self.database.pool.fetch(
            "SELECT subject FROM operator_actions WHERE actor = $1 ORDER BY id", name
        )
        return [row["subject"] for row in rows]

    async def delivery(self, payment: str) -> Any:
        return await self.database.pool.fetchrow(
            "SELECT d.* FROM deliveries d JOIN outbox o USING (seq) WHERE o.subject = $1", payment
        )


@asynccontextmanager
async def rig(dsn: str, *listeners: Listener) -> AsyncIterator[Rig]:
    database = await connect(dsn, Sealer([bytes(32)]))
    try:
        yield Rig(database, listeners)
    finally:
        await database.close()


async def test_an_event_takes_effect_once_in_each_consumer_that_wants_it(database_dsn: str) -> None:
    async with rig(database_dsn, Listener("one"), Listener("two")) as bus:
        await bus.say("p1", "p2")
        now = bus.clock.now()
        other = event(BREAK_OPENED, "x", "x", {"break": "t", "subject": "x", "evidence": {}}, now)
        async with bus.database.begin("test") as tx:
            await tx.apply(Changes(events=[other]), now)
        await bus.turn()
        await bus.turn()
        assert await bus.heard("one") == await bus.heard("two") == ["p1", "p2"]
        assert await bus.database.pool.fetchval("SELECT count(*) FROM outbox WHERE published_at IS NULL") == 0


async def test_what_is_not_committed_is_never_published(database_dsn: str) -> None:
    async with rig(database_dsn, Listener()) as bus:
        now = bus.clock.now()
        with pytest.raises(RuntimeError):
            async with bus.database.begin("test") as tx:
                lost = event(PAYMENT_FAILED, "p", "p", {"payment": "p", "reason": ""}, now)
                await tx.apply(Changes(events=[lost]), now)
                raise RuntimeError
        await bus.turn()
        assert await bus.heard() == []


async def test_one_bad_event_does_not_hurt_its_group_mates(database_dsn: str) -> None:
    listener = Listener()
    listener.bad = {"p2"}
    async with rig(database_dsn, listener) as bus:
        await bus.say("p1", "p2", "p3")
        await bus.turn()
        assert sorted(await bus.heard()) == ["p1", "p3"]


async def test_a_failing_event_climbs_5_15_30_seconds_and_is_dead_lettered_with_its_cause(
    database_dsn: str,
) -> None:
    listener = Listener()
    listener.bad = {"p"}
    async with rig(database_dsn, listener) as bus:
        await bus.say("p")
        await bus.turn()
        for seconds in (5, 15, 30):
            waiting = await bus.delivery("p")
            assert waiting["state"] == "waiting"
            assert waiting["due_at"] == bus.clock.now() + timedelta(seconds=seconds)
            before = listener.calls
            bus.clock.advance(timedelta(seconds=seconds - 1))
            await bus.turn()
            assert listener.calls == before, "redelivered before its time"
            bus.clock.advance(timedelta(seconds=1))
            await bus.turn()
        dead = await bus.delivery("p")
        assert (dead["state"], dead["tries"]) == ("dead", 4)
        assert dead["cause"] == "ValueError: cannot digest p"
        assert await bus.heard() == []


async def test_a_dead_letter_can_be_delivered_again(database_dsn: str) -> None:
    listener = Listener()
    listener.bad = {"p"}
    async with rig(database_dsn, listener) as bus:
        await bus.say("p")
        for seconds in (0, 5, 15, 30):
            bus.clock.advance(timedelta(seconds=seconds))
            await bus.turn()
        assert (await bus.delivery("p"))["state"] == "dead"
        listener.bad = set()
        [lot] = await LetterDesk(bus.database, bus.clock).redrive(Letters(), "a test", "mended")
        assert (lot.consumer, lot.letters) == ("listener", 1)
        await bus.turn()
        assert await bus.heard() == ["p"]


async def test_what_becomes_of_events_is_counted_by_consumer(database_dsn: str) -> None:
    listener, other = Listener(), Listener("other")
    listener.bad = {"p2"}
    async with rig(database_dsn, listener, other) as bus:
        await bus.say("p1", "p2", "p3")
        for seconds in (0, 5, 15, 30):
            bus.clock.advance(timedelta(seconds=seconds))
            await bus.turn()
        told = scrape((await bus.metrics.exposition())[0])
    assert told.value("coopwire_bus_published_total") == 3
    counted = {
        (word, name): told.value(f"coopwire_bus_{word}_total", consumer=name)
        for word in ("consumed", "retried", "dead")
        for name in ("listener", "other")
    }
    assert counted == {
        ("consumed", "listener"): 2,
        ("consumed", "other"): 3,
        ("retried", "listener"): 3,
        ("retried", "other"): None,
        ("dead", "listener"): 1,
        ("dead", "other"): None,
    }


async def test_many_workers_on_one_bus_handle_each_event_once(database_dsn: str) -> None:
    listener = Listener()
    async with rig(database_dsn, listener) as bus:
        await bus.say(*(f"p{n}" for n in range(300)))
        await asyncio.gather(*(bus.turn() for _ in range(6)))
        await bus.turn()
        heard = await bus.heard()
        assert len(heard) == len(set(heard)) == 300


async def test_a_poison_event_never_blocks_another_consumer(database_dsn: str) -> None:
    poisoned, healthy = Listener("poisoned"), Listener("healthy")
    poisoned.bad = {"p"}
    async with rig(database_dsn, poisoned, healthy) as bus:
        await bus.say("p", "q")
        await bus.turn()
        assert await bus.heard("healthy") == ["p", "q"]
        assert await bus.heard("poisoned") == ["q"]
