"""What every bus must keep: at least once on the wire, effect once in the house, nothing stuck and nothing lost."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count, pairwise

from coopwire.conformance.checks import Suite, require, require_equal
from coopwire.domain.events import BREAK_OPENED, PAYMENT_FAILED, Event, EventType
from coopwire.ports.bus import Consumer
from coopwire.ports.stores import Transaction

SHORT_LADDER = (timedelta(seconds=0.4), timedelta(seconds=0.8), timedelta(seconds=1.2))
"""A ladder for benches: the checks wait for each of its rungs in real time."""
LATEST = timedelta(seconds=4)
"""So much later than its rung says a delivery may come, on a machine that has much to do."""


@dataclass(frozen=True, slots=True)
class Letter:
    """A delivery that was given up, as an operator sees it."""

    consumer: str
    event: str
    cause: str
    tries: int
    first_failed_at: datetime


@dataclass(frozen=True, slots=True)
class BusBench:
    """A bus under test over an empty outbox; its clock is real and its ladder short."""

    ladder: Sequence[timedelta]
    patience: timedelta
    """So long is waited for what must come."""
    running: Callable[[Sequence[Consumer]], AbstractAsyncContextManager[Callable[[], Awaitable[None]]]]
    """A hub process's bus with these consumers, running for the block; the callable ends it without a goodbye."""
    say: Callable[[Sequence[Event]], Awaitable[None]]
    """Commit events to the outbox."""
    heard: Callable[[str], Awaitable[Sequence[str]]]
    """The subjects of what took effect in a Listener of this name, in that order."""
    publish_again: Callable[[Sequence[str]], Awaitable[None]]
    """The bus forgets that it published these events (ids), as after a crash behind the publishing."""
    letters: Callable[[], Awaitable[Sequence[Letter]]]
    redrive: Callable[[str, str], Awaitable[bool]]
    """An operator delivers a dead letter (consumer, event) again."""


SUITE: Suite[BusBench] = Suite()
"""Every promise of a bus."""
_numbers = count(1)


@dataclass
class Listener:
    """A consumer that writes one row per event, and fails or dawdles where it is told to."""

    name: str = "listener"
    types: tuple[EventType, ...] = (PAYMENT_FAILED,)
    bad: set[str] = field(default_factory=set)
    gate: asyncio.Event | None = None
    called: list[tuple[datetime, str]] = field(default_factory=list)

    @property
    def consumer(self) -> Consumer:
        """What the bus is given."""
        return Consumer(self.name, self.types, self.handle)

    async def handle(self, tx: Transaction, events: Sequence[Event]) -> None:
        """One row per event; raises for a bad one after its row is written."""
        for event in events:
            self.called.append((datetime.now(UTC), event.subject))
            await tx.audit(self.name, "heard", event.subject, "conformance", event.occurred_at)
            if event.subject in self.bad:
                raise ValueError(f"cannot digest {event.subject}")
        if self.gate is not None:
            await self.gate.wait()

    def times(self, subject: str) -> list[datetime]:
        """When it was given the event of this subject."""
        return [at for at, called in self.called if called == subject]


def event(subject: str, key: str = "", type_: EventType = PAYMENT_FAILED) -> Event:
    """An event whose data say nothing."""
    data = {"payment": subject, "reason": ""}
    return Event(f"e{next(_numbers)}-{subject}", type_.type, subject, key or subject, data, datetime.now(UTC))


async def _soon(
    bus: BusBench, what: str, holds: Callable[[], Awaitable[bool]], more: timedelta = timedelta()
) -> None:
    """Wait until it holds; CheckFailed when it does not in time."""
    loop, seconds = asyncio.get_running_loop(), (bus.patience + more).total_seconds()
    deadline = loop.time() + seconds
    while not await holds():
        require(loop.time() < deadline, f"not within {seconds:g} s: {what}")
        await asyncio.sleep(0.02)


async def _all_heard(bus: BusBench, name: str, subjects: Sequence[str]) -> None:
    async def hold() -> bool:
        return set(await bus.heard(name)) >= set(subjects)

    await _soon(bus, f"{name} hears everything", hold)


async def _settled_to(bus: BusBench, name: str, subjects: Sequence[str]) -> None:
    """Exactly these took effect, each once, and nothing comes after them."""
    await _all_heard(bus, name, subjects)
    await asyncio.sleep(0.3)
    require_equal(sorted(await bus.heard(name)), sorted(subjects), f"what took effect in {name}")


@SUITE.check(None)
async def every_consumer_of_a_type_is_delivered_to_and_no_other(bus: BusBench) -> None:
    """Two consumers of one type each have the effect once; a consumer of another type has none."""
    one, two = Listener("one"), Listener("two")
    other = Listener("other", (BREAK_OPENED,))
    async with bus.running([one.consumer, two.consumer, other.consumer]):
        await bus.say([event("a"), event("b"), event("c", type_=BREAK_OPENED)])
        await _settled_to(bus, "one", ["a", "b"])
        await _settled_to(bus, "two", ["a", "b"])
        await _settled_to(bus, "other", ["c"])


@SUITE.check(None)
async def an_event_that_nobody_wants_hinders_nothing(bus: BusBench) -> None:
    """It is published, and what comes behind it too."""
    listener = Listener()
    async with bus.running([listener.consumer]):
        await bus.say([event("x", type_=BREAK_OPENED), event("a")])
        await _settled_to(bus, "listener", ["a"])


@SUITE.check(None)
async def what_a_killed_consumer_had_in_hand_is_delivered_again(bus: BusBench) -> None:
    """Killed before its commit it leaves no effect; the next one has it, once."""
    listener = Listener(gate=asyncio.Event())
    async with bus.running([listener.consumer]) as kill:
        await bus.say([event("a"), event("b")])

        async def in_hand() -> bool:
            return bool(listener.called)

        await _soon(bus, "the consumer is called", in_hand)
        await kill()
    require_equal(list(await bus.heard("listener")), [], "what took effect before a commit")
    successor = Listener()
    async with bus.running([successor.consumer]):
        await _settled_to(bus, "listener", ["a", "b"])


@SUITE.check(None)
async def a_failing_delivery_comes_again_after_each_rung_of_the_ladder(bus: BusBench) -> None:
    """Not sooner than the rung says, and not much later."""
    listener = Listener(bad={"p"})
    async with bus.running([listener.consumer]):
        await bus.say([event("p")])
        await _dead(bus, 1)
    times = listener.times("p")
    require(len(times) >= len(bus.ladder) + 1, f"it was delivered {len(times)} times")
    # A failing group is tried once more one by one: what counts are the last tries of each rung.
    waits = [later - sooner for sooner, later in pairwise(times)]
    rungs = [wait for wait in waits if wait >= bus.ladder[0] * 0.9]
    require_equal(len(rungs), len(bus.ladder), "how often it waited")
    for waited, rung in zip(rungs, bus.ladder, strict=True):
        require(
            rung * 0.95 <= waited <= rung + LATEST,
            f"the rung of {rung.total_seconds():g} s took {waited.total_seconds():.2f} s",
        )


@SUITE.check(None)
async def after_the_last_rung_it_is_a_dead_letter_with_its_cause(bus: BusBench) -> None:
    """Cause, count of tries and the time of the first failure are kept, and nothing took effect."""
    listener, started = Listener(bad={"p"}), datetime.now(UTC)
    poison = event("p")
    async with bus.running([listener.consumer]):
        await bus.say([poison])
        [letter] = await _dead(bus, 1)
    require_equal((letter.consumer, letter.event), ("listener", poison.id), "consumer and event")
    require_equal(letter.cause, "ValueError: cannot digest p", "the cause")
    require_equal(letter.tries, len(bus.ladder) + 1, "tries")
    first = letter.first_failed_at
    slack = timedelta(seconds=1)
    require(
        started - slack <= first <= datetime.now(UTC) - sum(bus.ladder, timedelta()) + slack, f"first {first}"
    )
    require_equal(list(await bus.heard("listener")), [], "what took effect")


@SUITE.check(None)
async def a_dead_letter_that_is_redriven_takes_effect(bus: BusBench) -> None:
    """Once its cause is mended; a second redrive finds nothing."""
    listener = Listener(bad={"p"})
    async with bus.running([listener.consumer]):
        poison = event("p")
        await bus.say([poison])
        await _dead(bus, 1)
        listener.bad.clear()
        require(await bus.redrive("listener", poison.id), "the dead letter was not found")
        await _settled_to(bus, "listener", ["p"])
        require(not await bus.redrive("listener", poison.id), "it can be redriven after it took effect")
        require_equal(len(await bus.letters()), 0, "dead letters")


@SUITE.check(None)
async def events_of_a_key_come_in_order_while_nothing_fails(bus: BusBench) -> None:
    """Each consumer has them in the order in which they were committed."""
    listener = Listener()
    said = [event(f"{n}", key=f"k{n % 5}") for n in range(120)]
    async with bus.running([listener.consumer]):
        for start in range(0, len(said), 40):
            await bus.say(said[start : start + 40])
        await _settled_to(bus, "listener", [one.subject for one in said])
    keys: defaultdict[str, list[int]] = defaultdict(list)
    for subject in await bus.heard("listener"):
        keys[f"k{int(subject) % 5}"].append(int(subject))
    for key, numbers in keys.items():
        require_equal(numbers, sorted(numbers), f"the order of {key}")


@SUITE.check(None)
async def the_end_is_the_same_when_something_fails_on_the_way(bus: BusBench) -> None:
    """Events that fail for a while take effect in the end, each once, as all others did."""
    listener = Listener(bad={"3", "7"})
    said = [event(f"{n}", key=f"k{n % 3}") for n in range(10)]
    async with bus.running([listener.consumer]):
        await bus.say(said)
        await _all_heard(bus, "listener", [one.subject for one in said if one.subject not in listener.bad])
        listener.bad.clear()
        await _settled_to(bus, "listener", [one.subject for one in said])


@SUITE.check(None)
async def a_message_that_comes_twice_takes_effect_once(bus: BusBench) -> None:
    """Published again after a crash, before and after it took effect."""
    listener = Listener()
    said = [event("a"), event("b")]
    async with bus.running([listener.consumer]):
        await bus.say(said)
        await _all_heard(bus, "listener", ["a", "b"])
        for _ in range(2):
            await bus.publish_again([one.id for one in said])
            await asyncio.sleep(0.7)
        last = event("c")
        await bus.say([last])
        await _settled_to(bus, "listener", ["a", "b", "c"])


@SUITE.check(None)
async def a_poison_message_never_blocks_its_queue(bus: BusBench) -> None:
    """What stands beside and behind it takes effect while it climbs."""
    listener = Listener(bad={"p"})
    async with bus.running([listener.consumer]):
        await bus.say([event("a"), event("p"), event("b")])
        await _all_heard(bus, "listener", ["a", "b"])
        await bus.say([event("c")])
        await _all_heard(bus, "listener", ["a", "b", "c"])
        require_equal(len(await bus.letters()), 0, "dead letters while it climbs")


@SUITE.check(None)
async def a_slow_consumer_never_blocks_another(bus: BusBench) -> None:
    """One that does not come to an end is none of the others' business."""
    slow, quick = Listener("slow", gate=asyncio.Event()), Listener("quick")
    async with bus.running([slow.consumer, quick.consumer]):
        await bus.say([event("a"), event("b")])

        async def in_hand() -> bool:
            return bool(slow.called)

        await _soon(bus, "the slow consumer is called", in_hand)
        await bus.say([event("c")])
        await _all_heard(bus, "quick", ["a", "b", "c"])
        require_equal(list(await bus.heard("slow")), [], "what the slow one has done")
        assert slow.gate is not None
        slow.gate.set()
        await _settled_to(bus, "slow", ["a", "b", "c"])


async def _dead(bus: BusBench, expected: int) -> Sequence[Letter]:
    async def hold() -> bool:
        return len(await bus.letters()) == expected

    await _soon(bus, f"{expected} dead letters", hold, sum(bus.ladder, LATEST))
    return await bus.letters()
