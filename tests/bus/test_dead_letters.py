"""Dead letters: grouped, looked at ahead, delivered again at a rate and in order, once, or discarded."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import Any

import pytest

from coopwire.application.announce import event
from coopwire.application.bells import Bells
from coopwire.application.letters import LetterDesk
from coopwire.application.paying import Rejected
from coopwire.bus.postgres import PostgresBus
from coopwire.conformance.clock import ManualClock
from coopwire.domain.events import PAYMENT_FAILED, Event
from coopwire.domain.letters import Letters
from coopwire.domain.states import DELIVERY_MOVES, DeliveryState
from coopwire.ports.bus import Consumer
from coopwire.ports.queries import Filter
from coopwire.ports.stores import Changes, Transaction
from coopwire.storage.database import PostgresDatabase, connect
from coopwire.storage.queries import PostgresQueries
from coopwire.storage.sealing import Sealer

WHY = ("a test", "the cause is mended")


class Broken(Exception):
    """The process dies here."""


class Rig:
    """A bus whose consumers take nothing while they are broken, over a real database and a clock that stands still."""

    def __init__(self, database: PostgresDatabase, consumers: Sequence[str]) -> None:
        self.database = database
        self.clock = ManualClock()
        self.broken = True
        self.heard: list[tuple[str, str]] = []
        self.consumers = [Consumer(name, (PAYMENT_FAILED,), self._of(name)) for name in consumers]
        self.bus = PostgresBus(database, self.clock, self.consumers, Bells())
        self.desk = LetterDesk(database, self.clock)
        self.queries = PostgresQueries(database.pool, Sealer([bytes(32)]))

    def _of(self, name: str) -> Any:
        async def handle(tx: Transaction, events: Sequence[Event]) -> None:
            for one in events:
                if self.broken:
                    raise ValueError(f"{one.data['reason']}: no account for {one.data['payment']}-0042")
            self.heard += [(name, str(one.data["payment"])) for one in events]

        return handle

    async def say(self, *payments: str, key: str = "", reason: str = "closed") -> None:
        now = self.clock.now()
        events = [event(PAYMENT_FAILED, p, key or p, {"payment": p, "reason": reason}, now) for p in payments]
        async with self.database.begin("test") as tx:
            await tx.apply(Changes(events=events), now)

    async def turn(self) -> None:
        await self.bus.relay()
        for consumer in self.consumers:
            while await self.bus.consume(consumer):
                pass

    async def die(self) -> None:
        """Every event that waits climbs the ladder to its end."""
        for seconds in (0, 5, 15, 30):
            self.clock.advance(timedelta(seconds=seconds))
            await self.turn()

    async def states(self) -> dict[str, str]:
        rows = await self.database.pool.fetch(
            "SELECT o.subject, d.state FROM deliveries d JOIN outbox o USING (seq) ORDER BY d.seq"
        )
        return {row["subject"]: row["state"] for row in rows}

    async def due(self) -> dict[str, timedelta]:
        """How far away the next delivery of each event is."""
        rows = await self.database.pool.fetch(
            "SELECT o.subject, d.due_at FROM deliveries d JOIN outbox o USING (seq) WHERE state = 'waiting' "
            "ORDER BY d.due_at, d.seq"
        )
        return {row["subject"]: row["due_at"] - self.clock.now() for row in rows}

    async def id_of(self, payment: str, consumer: str = "one") -> str:
        found = await self.database.pool.fetchval("SELECT id FROM outbox WHERE subject = $1", payment)
        return f"{consumer}:{found}"

    async def audit(self) -> list[tuple[str, str, str]]:
        rows = await self.database.pool.fetch("SELECT * FROM operator_actions ORDER BY id")
        return [(row["action"], row["subject"], row["reason"]) for row in rows]


@asynccontextmanager
async def rig(dsn: str, *consumers: str, fail: Any = None) -> AsyncIterator[Rig]:
    how = {"fail": fail} if fail is not None else {}
    database = await connect(dsn, Sealer([bytes(32)]), **how)
    try:
        yield Rig(database, consumers or ("one",))
    finally:
        await database.close()


def _seconds(*numbers: float) -> list[timedelta]:
    return [timedelta(seconds=number) for number in numbers]


async def test_letters_are_grouped_by_consumer_and_cause(database_dsn: str) -> None:
    async with rig(database_dsn, "one", "two") as bus:
        await bus.say("p1", "p2", "p3")
        await bus.say("q1", reason="frozen")
        await bus.die()
        groups = await bus.queries.letter_groups()
        assert sorted((g.consumer, g.cause, g.dead) for g in groups) == [
            ("one", "ValueError: closed: no account for #", 3),
            ("one", "ValueError: frozen: no account for #", 1),
            ("two", "ValueError: closed: no account for #", 3),
            ("two", "ValueError: frozen: no account for #", 1),
        ]
        assert len({g.id for g in groups}) == 4
        one = await bus.queries.letters(Filter(group=groups[0].id), 10, None)
        assert {letter.subject for letter in one.items} == {"p1", "p2", "p3"}
        assert {letter.consumer for letter in one.items} == {groups[0].consumer}


async def test_the_list_of_letters_goes_on_where_its_page_ended(database_dsn: str) -> None:
    async with rig(database_dsn) as bus:
        await bus.say(*(f"p{n}" for n in range(5)))
        await bus.die()
        seen, after = [], None
        while True:
            page = await bus.queries.letters(Filter(), 2, after)
            seen += [letter.subject for letter in page.items]
            after = page.next
            if after is None:
                break
        assert sorted(seen) == [f"p{n}" for n in range(5)]


async def test_a_look_ahead_says_what_a_redrive_then_does_and_changes_nothing(database_dsn: str) -> None:
    async with rig(database_dsn, "one", "two") as bus:
        await bus.say("p1", "p2", "p3")
        await bus.die()
        before = await bus.states()
        planned = await bus.desk.plan(Letters(), 2)
        assert await bus.states() == before
        assert await bus.audit() == []
        assert await bus.desk.redrive(Letters(), *WHY, 2) == planned
        assert [(lot.consumer, lot.letters, lot.last_at - lot.first_at) for lot in planned] == [
            ("one", 3, timedelta(seconds=1)),
            ("two", 3, timedelta(seconds=1)),
        ]
        assert await bus.audit() == [("redrive 6 dead letters at 2/s", "all", "the cause is mended")]


async def test_one_some_or_all_go_again(database_dsn: str) -> None:
    async with rig(database_dsn) as bus:
        await bus.say("p1", "p2", "p3")
        await bus.say("q1", reason="frozen")
        await bus.die()
        bus.broken = False
        await bus.desk.redrive(Letters(ids=(await bus.id_of("p2"),)), *WHY)
        await bus.turn()
        assert bus.heard == [("one", "p2")]
        await bus.desk.redrive(Letters(limit=1), *WHY)
        await bus.turn()
        assert bus.heard[1:] == [("one", "p1")]
        [frozen] = [g.id for g in await bus.queries.letter_groups() if "frozen" in g.cause]
        await bus.desk.redrive(Letters(group=frozen), *WHY)
        await bus.turn()
        assert bus.heard[2:] == [("one", "q1")]
        await bus.desk.redrive(Letters(consumer="two"), *WHY)
        await bus.desk.redrive(Letters(consumer="one"), *WHY)
        await bus.turn()
        assert bus.heard[3:] == [("one", "p3")]
        assert set((await bus.states()).values()) == {"done"}


async def test_a_rate_spreads_them_and_a_second_redrive_queues_behind_the_first(database_dsn: str) -> None:
    async with rig(database_dsn) as bus:
        await bus.say("p1", "p2", "p3")
        await bus.die()
        await bus.desk.redrive(Letters(), *WHY, 0.5)
        assert list((await bus.due()).values()) == _seconds(0, 2, 4)
        await bus.turn()
        assert (await bus.states())["p2"] == "waiting"
        await bus.say("q1", "q2")
        bus.clock.advance(timedelta(hours=1))
        await bus.die()
        await bus.desk.redrive(Letters(ids=(await bus.id_of("p1"),)), *WHY, 0.5)
        await bus.desk.redrive(Letters(), *WHY, 1)
        due = list((await bus.due()).values())
        assert due[1:] == [due[0] + one for one in _seconds(1, 2, 3, 4)]


async def test_what_goes_already_does_not_go_twice(database_dsn: str) -> None:
    async with rig(database_dsn) as bus:
        await bus.say("p1", "p2")
        await bus.die()
        first = await bus.desk.redrive(Letters(), *WHY, 1)
        due = await bus.due()
        ids = (await bus.id_of("p1"), await bus.id_of("p2"))
        assert [lot.letters for lot in first] == [2]
        assert await bus.desk.redrive(Letters(), *WHY, 1) == []
        assert await bus.desk.redrive(Letters(ids=ids), *WHY) == []
        assert await bus.desk.discard(Letters(ids=ids), *WHY) == 0
        assert await bus.due() == due
        assert len(await bus.audit()) == 1


async def test_redrives_at_the_same_time_move_each_letter_once_and_keep_the_rate(database_dsn: str) -> None:
    async with rig(database_dsn) as bus:
        await bus.say(*(f"p{n}" for n in range(40)))
        await bus.die()
        lots = await asyncio.gather(*(bus.desk.redrive(Letters(limit=15), *WHY, 10) for _ in range(6)))
        assert sum(lot.letters for some in lots for lot in some) == 40
        assert list((await bus.due()).values()) == _seconds(*(n / 10 for n in range(40)))


@pytest.mark.parametrize("rate", [None, 10])
async def test_letters_of_one_key_never_overtake_each_other(database_dsn: str, rate: float | None) -> None:
    async with rig(database_dsn) as bus:
        await bus.say("a1", "a2", key="loan a")
        await bus.say("b1")
        await bus.die()
        await bus.desk.redrive(Letters(ids=(await bus.id_of("a1"),)), *WHY, 0.01)
        await bus.desk.redrive(Letters(ids=(await bus.id_of("b1"),)), *WHY, 0.01)
        assert list((await bus.due()).values()) == _seconds(0, 100)
        await bus.database.pool.execute(
            "UPDATE deliveries SET due_at = due_at + interval '1 minute' WHERE due_at <= $1", bus.clock.now()
        )
        [lot] = await bus.desk.redrive(Letters(ids=(await bus.id_of("a2"),)), *WHY, rate)
        assert lot.first_at - bus.clock.now() >= timedelta(minutes=1)
        bus.broken = False
        for _ in range(30):
            bus.clock.advance(timedelta(seconds=10))
            await bus.turn()
        order = [payment for _, payment in bus.heard]
        assert order.index("a1") < order.index("a2")
        assert len(order) == 3


async def test_the_look_ahead_says_who_would_leave_an_older_letter_of_its_key_behind(
    database_dsn: str,
) -> None:
    async with rig(database_dsn) as bus:
        await bus.say("a1", key="loan a", reason="frozen")
        await bus.say("a2", "a3", key="loan a")
        await bus.say("b1")
        await bus.die()
        [closed] = [g.id for g in await bus.queries.letter_groups() if "closed" in g.cause]
        assert [(lot.letters, lot.overtaking) for lot in await bus.desk.plan(Letters(group=closed))] == [
            (3, 2)
        ]
        assert [lot.overtaking for lot in await bus.desk.plan(Letters())] == [0, 0]


async def test_a_discarded_letter_is_kept_and_goes_to_nobody_until_it_is_named(database_dsn: str) -> None:
    async with rig(database_dsn) as bus:
        await bus.say("p1", "p2")
        await bus.die()
        bus.broken = False
        one = Letters(ids=(await bus.id_of("p1"),))
        assert await bus.desk.discard(one, "ada", "told by hand") == 1
        assert await bus.desk.discard(one, "ada", "told by hand") == 0
        await bus.desk.redrive(Letters(), *WHY)
        bus.clock.advance(timedelta(days=400))
        async with bus.database.begin("test") as tx:
            await tx.forget(bus.clock.now(), bus.clock.now(), bus.clock.now())
        await bus.turn()
        assert await bus.states() == {"p1": "discarded", "p2": "done"}
        assert bus.heard == [("one", "p2")]
        assert [lot.letters for lot in await bus.desk.redrive(one, "ada", "by hand was wrong")] == [1]
        await bus.turn()
        assert bus.heard == [("one", "p2"), ("one", "p1")]
        found = await bus.queries.letter(one.ids[0])
        assert found is not None
        assert [(move.move, move.actor, move.reason) for move in found.moves] == [
            ("discarded", "ada", "told by hand"),
            ("redriven", "ada", "by hand was wrong"),
        ]
        assert [(action, reason) for action, _, reason in await bus.audit()] == [
            ("discard 1 dead letters", "told by hand"),
            ("redrive 1 dead letters", "the cause is mended"),
            ("redrive 1 dead letters", "by hand was wrong"),
        ]


async def test_a_letter_that_dies_again_climbs_the_whole_ladder_and_tells_its_new_cause(
    database_dsn: str,
) -> None:
    async with rig(database_dsn) as bus:
        await bus.say("p1")
        await bus.die()
        await bus.desk.redrive(Letters(), *WHY)
        await bus.turn()
        assert await bus.states() == {"p1": "waiting"}
        await bus.die()
        assert await bus.states() == {"p1": "dead"}
        found = await bus.queries.letter(await bus.id_of("p1"))
        assert found is not None
        assert (found.letter.tries, found.letter.redrives) == (4, 1)


@pytest.mark.parametrize("place", ["before commit redrive dead letters", "after commit redrive dead letters"])
async def test_a_redrive_that_dies_can_be_run_again(database_dsn: str, place: str) -> None:
    def die(reached: str) -> None:
        if reached == place:
            raise Broken

    async with rig(database_dsn, fail=die) as dying, rig(database_dsn) as bus:
        await bus.say("p1", "p2", "p3")
        await bus.die()
        dying.clock.advance(bus.clock.now() - dying.clock.now())
        with pytest.raises(Broken):
            await dying.desk.redrive(Letters(), *WHY, 1)
        await bus.desk.redrive(Letters(), *WHY, 1)
        assert list((await bus.due()).values()) == _seconds(0, 1, 2)
        assert len(await bus.audit()) == 1
        bus.broken = False
        for _ in range(4):
            await bus.turn()
            bus.clock.advance(timedelta(seconds=1))
        assert bus.heard == [("one", "p1"), ("one", "p2"), ("one", "p3")]


@pytest.mark.parametrize(
    ("which", "reason", "rate", "field"),
    [
        (Letters(), " ", None, "reason"),
        (Letters(), "card 4111111111111111", None, "reason"),
        (Letters(), "x", 0, "per_second"),
        (Letters(), "x", 1001, "per_second"),
        (Letters(ids=("one:nothing",)), "x", None, "ids"),
        (Letters(ids=tuple(f"one:{n}" for n in range(201))), "x", None, "ids"),
    ],
)
async def test_what_cannot_be_done_is_rejected(
    database_dsn: str, which: Letters, reason: str, rate: float | None, field: str
) -> None:
    async with rig(database_dsn) as bus:
        with pytest.raises(Rejected) as rejected:
            await bus.desk.redrive(which, "a test", reason, rate)
        assert rejected.value.field == field


async def test_a_delivery_that_never_failed_is_no_letter(database_dsn: str) -> None:
    async with rig(database_dsn) as bus:
        await bus.say("p1")
        bus.broken = False
        await bus.turn()
        with pytest.raises(Rejected, match="there is no dead letter"):
            await bus.desk.redrive(Letters(ids=(await bus.id_of("p1"),)), *WHY)


async def test_deliveries_move_only_as_their_table_says(database_dsn: str) -> None:
    """Every verb is tried on a delivery in every state."""
    moved = set()
    for verb in ("redrive", "discard"):
        for state in DeliveryState:
            async with rig(database_dsn) as bus:
                await bus.database.pool.execute("TRUNCATE deliveries, outbox")
                await bus.say("p1")
                await bus.die()
                await bus.database.pool.execute(
                    "UPDATE deliveries SET state = $1, redriven_at = now()", state.value
                )
                await getattr(bus.desk, verb)(Letters(ids=(await bus.id_of("p1"),)), *WHY)
                new = DeliveryState((await bus.states())["p1"])
                if new is not state:
                    moved.add((state, new))
    asked_for = {DeliveryState.WAITING, DeliveryState.DISCARDED}
    assert moved == {(old, new) for old, news in DELIVERY_MOVES.items() for new in news if new in asked_for}


async def test_a_group_of_many_letters_goes_in_a_moment(database_dsn: str) -> None:
    async with rig(database_dsn) as bus:
        now = bus.clock.now()
        await _bury(bus, 40_000, now)
        began = asyncio.get_running_loop().time()
        lots = await bus.desk.redrive(Letters(), *WHY, 1000)
        assert sum(lot.letters for lot in lots) == 40_000
        again = await bus.desk.plan(Letters(), 1000)
        assert again == []
        assert asyncio.get_running_loop().time() - began < 20


async def _bury(bus: Rig, count: int, now: datetime) -> None:
    """Dead letters, a hundred to a key."""
    await bus.database.pool.execute(
        "WITH o AS (INSERT INTO outbox (id, type, subject, key, data, occurred_at, published_at) "
        "SELECT 'e' || n, 't', 's' || n, 'k' || n / 100, '{}', $2, $2 FROM generate_series(1, $1) n RETURNING seq) "
        "INSERT INTO deliveries (consumer, seq, tries, due_at, state, cause, cause_group, first_failed_at) "
        "SELECT 'one', seq, 4, $2, 'dead', 'KeyError', 'g', $2 FROM o",
        count,
        now,
    )
