"""Deliberately wrong buses: each breaks the promise that its flaw is about, so the suite would notice."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from rigs.buses import bench, on_kafka

from coopwire.application.bells import Bells
from coopwire.bus.carrying import Parcel, Sender
from coopwire.bus.postgres import PostgresBus
from coopwire.bus.sessions import BrokerBus
from coopwire.bus.taking import Taker
from coopwire.conformance.bus import SUITE
from coopwire.conformance.checks import run_check
from coopwire.domain.events import Event
from coopwire.ports.bus import Consumer
from coopwire.ports.failpoints import FailPoints
from coopwire.ports.stores import Delivery, Transaction
from coopwire.storage.database import PostgresDatabase
from coopwire.transport.clock import SystemClock


class Flawed(PostgresBus):
    """A right bus, for flaws to be put over."""

    @classmethod
    def make(
        cls,
        database: PostgresDatabase,
        clock: SystemClock,
        consumers: Sequence[Consumer],
        bells: Bells,
        fail: FailPoints,
    ) -> Flawed:
        return cls(database, clock, consumers, bells)

    async def claim(self, consumer: Consumer) -> list[Delivery]:
        """Due deliveries, marked as done in a commit of their own."""
        async with self._database.begin("claim") as tx:
            claimed = await tx.outbox.claim(consumer.name, 200, self._clock.now())
            await tx.outbox.done(consumer.name, claimed, self._clock.now())
        return claimed


class AcknowledgesBeforeItHandles(Flawed):
    async def consume(self, consumer: Consumer) -> int:
        claimed = await self.claim(consumer)
        for delivery in claimed:
            async with self._database.begin("handle") as tx:
                await consumer.handle(tx, [delivery.event])
        return len(claimed)


class TellsOnlyOneConsumer(Flawed):
    async def relay(self) -> int:
        first: dict[str, list[str]] = {}
        for name, types in self._subscribers.items():
            first[name] = [type_ for type_ in types if not any(type_ in told for told in first.values())]
        async with self._database.begin("relay") as tx:
            return len(await tx.outbox.publish(first, 200, self._clock.now()))


class StopsAtWhatNobodyWants(Flawed):
    async def relay(self) -> int:
        wanted = {type_ for types in self._subscribers.values() for type_ in types}
        async with self._database.begin("relay") as tx:
            oldest = await tx.outbox.prepare({}, 1, self._clock.now())
            if oldest and oldest[0].event.type not in wanted:
                return 0
        return await super().relay()


class RetriesAtOnce(Flawed):
    async def _put_back(self, consumer: Consumer, delivery: Delivery, error: Exception) -> None:
        now, tries = self._clock.now(), len(self._clock.timings.bus_ladder)
        async with self._database.begin("put back") as tx:
            await tx.outbox.failed(
                consumer.name, delivery, f"ValueError: {error}", now, now if delivery.tries < tries else None
            )


class ForgetsTheCause(Flawed):
    async def _put_back(self, consumer: Consumer, delivery: Delivery, error: Exception) -> None:
        await super()._put_back(consumer, delivery, Exception("it failed"))


class DropsWhatFailedOften(Flawed):
    async def _put_back(self, consumer: Consumer, delivery: Delivery, error: Exception) -> None:
        if delivery.tries < len(self._clock.timings.bus_ladder):
            await super()._put_back(consumer, delivery, error)
            return
        async with self._database.begin("drop") as tx:
            await tx.outbox.done(consumer.name, [delivery], self._clock.now())


class NeverDeliversARedrivenLetter(Flawed):
    async def consume(self, consumer: Consumer) -> int:
        async with self._database.begin("look") as tx:
            for _, delivery in await tx.outbox.overdue([consumer.name], 200, self._clock.now()):
                if delivery.tries == 0 and delivery.event.id in self.dead:
                    await tx.outbox.done(consumer.name, [delivery], self._clock.now())
        return await super().consume(consumer)

    async def _put_back(self, consumer: Consumer, delivery: Delivery, error: Exception) -> None:
        self.dead = {*self.dead, delivery.event.id}
        await super()._put_back(consumer, delivery, error)

    dead: set[str] = set()  # noqa: RUF012 - replaced, never changed


class TurnsTheOrderRound(Flawed):
    async def _handle(self, tx: Transaction, consumer: Consumer, deliveries: Sequence[Delivery]) -> None:
        await super()._handle(tx, consumer, list(reversed(deliveries)))


class HasNoInbox(Flawed):
    async def relay(self) -> int:
        async with self._database.begin("relay") as tx:
            known = [one.seq for one in await tx.outbox.prepare({}, 200, self._clock.now())]
        await self._database.pool.execute(  # type: ignore[attr-defined]
            "DELETE FROM deliveries WHERE seq = ANY($1::bigint[]) AND state = 'done'", known
        )
        return await super().relay()


class WaitsForItsPoison(Flawed):
    async def consume(self, consumer: Consumer) -> int:
        try:
            return await self._together(consumer, 1)
        except ValueError:
            return 0


class HasOneLoopForAll(Flawed):
    async def run(self) -> None:
        while not self._bells.closing:
            await self.relay()
            for consumer in self._consumers:
                await self.consume(consumer)
            await self._bells.wait("outbox", 0.05)


class GivesUpAGroupWhole(Flawed):
    async def consume(self, consumer: Consumer) -> int:
        try:
            return await self._together(consumer, 200)
        except ValueError:
            return len(await self.claim(consumer))


class CannotBeEndedInTheMiddle(Flawed):
    """Half a transaction is committed when it is killed: the effect without the mark."""

    async def consume(self, consumer: Consumer) -> int:
        async with self._database.begin("claim") as tx:
            claimed = await tx.outbox.claim(consumer.name, 200, self._clock.now())
        handled: list[Event] = [delivery.event for delivery in claimed]
        killed: asyncio.CancelledError | None = None
        async with self._database.begin("handle") as tx:
            try:
                await consumer.handle(tx, handled)
            except asyncio.CancelledError as error:
                killed = error
        if killed is not None:
            raise killed
        async with self._database.begin("done") as tx:
            await tx.outbox.done(consumer.name, claimed, self._clock.now())
        return len(claimed)


WRONG: list[tuple[type[Any], str]] = [
    (TellsOnlyOneConsumer, "every consumer of a type is delivered to and no other"),
    (StopsAtWhatNobodyWants, "an event that nobody wants hinders nothing"),
    (AcknowledgesBeforeItHandles, "what a killed consumer had in hand is delivered again"),
    (CannotBeEndedInTheMiddle, "what a killed consumer had in hand is delivered again"),
    (RetriesAtOnce, "a failing delivery comes again after each rung of the ladder"),
    (ForgetsTheCause, "after the last rung it is a dead letter with its cause"),
    (DropsWhatFailedOften, "after the last rung it is a dead letter with its cause"),
    (NeverDeliversARedrivenLetter, "a dead letter that is redriven takes effect"),
    (TurnsTheOrderRound, "events of a key come in order while nothing fails"),
    (GivesUpAGroupWhole, "the end is the same when something fails on the way"),
    (HasNoInbox, "a message that comes twice takes effect once"),
    (WaitsForItsPoison, "a poison message never blocks its queue"),
    (HasOneLoopForAll, "a slow consumer never blocks another"),
]


@dataclass(frozen=True)
class Acknowledged:
    """A parcel with which the broker is done already."""

    bodies: Sequence[bytes]

    async def acknowledge(self) -> None:
        """Nothing is left to tell."""


class AcknowledgesFirst(Taker):
    async def _take(self, batch: Sequence[Parcel]) -> None:
        for parcel in batch:
            await parcel.acknowledge()
        await super()._take([Acknowledged(parcel.bodies) for parcel in batch])


class CommitsOffsetsFirst(BrokerBus):
    """Offsets run ahead of the transactions."""

    def _taker(self, consumer: Consumer, sender: Sender) -> Taker:
        return AcknowledgesFirst(
            consumer, self._database, self._clock, sender, self._bells, self._meter, self._fail
        )


async def test_offsets_that_run_ahead_lose_what_a_killed_consumer_had_in_hand(
    database_dsn: str, kafka_url: str
) -> None:
    [check] = [one for one in SUITE.checks if one.name.startswith("what a killed consumer had in hand")]
    make = on_kafka(kafka_url, CommitsOffsetsFirst)
    result = await run_check(check, lambda: bench(database_dsn, make, timedelta(seconds=8)))
    assert "listener hears everything" in result.failure


@pytest.mark.parametrize(("wrong", "promise"), WRONG, ids=lambda value: getattr(value, "__name__", ""))
async def test_a_wrong_bus_breaks_its_promise(wrong: type[Flawed], promise: str, database_dsn: str) -> None:
    [check] = [one for one in SUITE.checks if one.name == promise]
    result = await run_check(check, lambda: bench(database_dsn, wrong.make, timedelta(seconds=2.5)))
    assert result.failure
    assert not result.failure.startswith("did not end"), "it hung, and the check did not judge it"
    assert not result.failure.startswith("raised"), "the bus fell over, and the check did not judge it"


def test_every_promise_has_a_wrong_bus() -> None:
    assert {promise for _, promise in WRONG} == {check.name for check in SUITE.checks}
