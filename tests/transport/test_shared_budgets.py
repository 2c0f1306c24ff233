"""All workers of a deployment share one budget, over a real database; budgets that are wrong are caught."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest

from coopwire.conformance.clock import ManualClock
from coopwire.domain.budgets import Budget, Period
from coopwire.domain.errors import GateClosed
from coopwire.domain.timings import DEFAULT
from coopwire.ports.clock import Clock
from coopwire.storage.budgets import BudgetRows
from coopwire.storage.database import PostgresDatabase, connect
from coopwire.storage.sealing import Sealer
from coopwire.transport.budgets import SharedBudgets
from coopwire.transport.clock import SystemClock

CORE = "core"
MINUTE = timedelta(minutes=1)


@dataclass
class Office:
    """Workers of one deployment with their budgets."""

    workers: list[SharedBudgets]
    clock: Clock
    database: PostgresDatabase

    async def enters(self, worker: int) -> bool:
        """Whether a call of this worker finds a place."""
        try:
            await self.workers[worker].enter(CORE)
        except GateClosed:
            return False
        return True

    def advance(self, length: timedelta) -> None:
        assert isinstance(self.clock, ManualClock)
        self.clock.advance(length)

    async def value(self, sql: str) -> object:
        return await self.database.pool.fetchval(sql)


@asynccontextmanager
async def office(
    dsn: str,
    budget: Budget,
    *,
    size: int = 2,
    kind: type[SharedBudgets] = SharedBudgets,
    clock: Clock | None = None,
    running: bool = True,
) -> AsyncIterator[Office]:
    time = clock or ManualClock()
    database = await connect(dsn, Sealer([b"k" * 32]), size=4)
    rows = BudgetRows(database.pool)
    workers = [kind(f"worker-{n}", {CORE: budget}, rows, time, lambda: None) for n in range(size)]
    tasks = [asyncio.create_task(worker.run()) for worker in workers] if running else []
    try:
        yield Office(workers, time, database)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await database.close()


# -- what budgets over several workers must do; each is also tried on budgets that are wrong -----------------


async def a_minute_has_its_calls_and_no_more(of: Office) -> None:
    entered = [await of.enters(n % 2) for n in range(14)]
    assert entered.count(True) == 10
    # The call was refused from memory; the pause is told to the others with the next exchange.
    await asyncio.gather(*(worker.exchange() for worker in of.workers))
    gates = await of.database.pool.fetch("SELECT traffic, reason, until FROM gates WHERE kind = 'budget'")
    assert {row["traffic"] for row in gates} == {"read", "write"}
    assert {row["until"] for row in gates} == {of.clock.now() + MINUTE}
    assert "10 calls of this minute" in gates[0]["reason"]
    of.advance(MINUTE)
    await asyncio.gather(*(worker.exchange() for worker in of.workers))
    assert await of.enters(0)
    assert await of.enters(1)


async def a_pause_holds_for_all(of: Office) -> None:
    assert await of.enters(0)
    of.workers[0].pause(CORE, timedelta(minutes=2), "they asked for patience")
    assert not await of.enters(0)
    await asyncio.gather(*(worker.exchange() for worker in of.workers))
    await asyncio.gather(*(worker.exchange() for worker in of.workers))
    of.advance(MINUTE)
    assert not await of.enters(0)
    assert not await of.enters(1)
    of.advance(MINUTE)
    assert await of.enters(1)


async def so_many_are_under_way_and_no_more(of: Office) -> None:
    under_way: Counter[int] = Counter()
    most = 0

    async def call(worker: int) -> None:
        nonlocal most
        while not await of.enters(worker):
            await asyncio.sleep(0.01)
        under_way[worker] += 1
        most = max(most, under_way.total())
        await asyncio.sleep(0.02)
        under_way[worker] -= 1
        of.workers[worker].leave(CORE)

    await asyncio.gather(*(call(n % 2) for n in range(30)))
    assert most <= 3, most
    assert most > 1


class Greedy(SharedBudgets):
    """Takes what it was not given."""

    def _take(self, account):  # type: ignore[no-untyped-def]
        account.taken += 1
        return True


class Deaf(SharedBudgets):
    """Does not hear what the others were told."""

    def _hear(self, asked, given):  # type: ignore[no-untyped-def]
        own = {pause.connection for pause in asked.pauses}
        heard = tuple(p for p in given.pauses if p.connection in own)
        super()._hear(asked, type(given)(given.leased, given.seats, heard))


Scenario = Callable[[Office], Awaitable[None]]
CASES: tuple[tuple[Scenario, Budget], ...] = (
    (a_minute_has_its_calls_and_no_more, Budget(per_minute=10)),
    (a_pause_holds_for_all, Budget()),
    (so_many_are_under_way_and_no_more, Budget(at_once=3)),
)


@pytest.mark.parametrize(("scenario", "budget"), CASES, ids=lambda case: getattr(case, "__name__", ""))
async def test_workers_share_a_budget(database_dsn: str, scenario: Scenario, budget: Budget) -> None:
    async with office(database_dsn, budget) as of:
        await scenario(of)


@pytest.mark.parametrize(
    ("kind", "case"),
    [(Greedy, CASES[0]), (Greedy, CASES[2]), (Deaf, CASES[1])],
    ids=["minute", "seats", "pause"],
)
async def test_a_budget_that_is_wrong_is_caught(
    database_dsn: str, kind: type[SharedBudgets], case: tuple[Scenario, Budget]
) -> None:
    scenario, budget = case
    async with office(database_dsn, budget, kind=kind) as of:
        with pytest.raises(AssertionError):
            await scenario(of)


# -- the rest -------------------------------------------------------------------------------------------------


async def test_calls_wait_for_the_next_second_and_none_has_too_many(database_dsn: str) -> None:
    clock = SystemClock(datetime.now(UTC), DEFAULT)
    async with office(database_dsn, Budget(per_second=8), clock=clock) as of:
        made: Counter[datetime] = Counter()

        async def call(worker: int) -> None:
            while not await of.enters(worker):
                pass
            made[Period.SECOND.start(clock.now())] += 1
            of.workers[worker].leave(CORE)

        async with asyncio.timeout(15):
            await asyncio.gather(*(call(n % 2) for n in range(20)))
        assert made.total() == 20
        assert len(made) <= 5
        # A call that took its place at the end of a second is counted here in the next one.
        assert max(made.values()) <= 9


async def test_a_day_is_leased_in_slices_and_what_is_left_can_be_read(database_dsn: str) -> None:
    async with office(database_dsn, Budget(per_day=1000)) as of:
        for _ in range(7):
            assert await of.enters(0)
        assert await of.enters(1)
        assert await of.value("SELECT leased FROM budget_periods WHERE period = 'day'") == 15


async def test_with_the_database_away_only_what_is_leased_is_spent(database_dsn: str) -> None:
    async with office(database_dsn, Budget(per_day=1000), running=False) as of:
        worker = of.workers[0]
        asking = asyncio.create_task(of.enters(0))
        await asyncio.sleep(0.05)
        assert await worker.exchange()
        assert await asking
        await of.database.close()
        assert not await worker.exchange()
        entered = [await asyncio.wait_for(of.enters(0), 5) for _ in range(5)]
        assert entered == [True] * 4 + [False]


async def test_the_seats_of_a_worker_that_died_are_free_when_its_calls_must_be_over(
    database_dsn: str,
) -> None:
    async with office(database_dsn, Budget(at_once=1), running=False) as of:
        dead, other = of.workers

        async def sits(worker: SharedBudgets) -> bool:
            asking = asyncio.create_task(worker.enter(CORE))
            await asyncio.sleep(0.02)
            await worker.exchange()
            done, _ = await asyncio.wait([asking], timeout=0.3)
            asking.cancel()
            return bool(done)

        assert await sits(dead)
        of.advance(DEFAULT.worker_lost_after)
        assert not await sits(other)
        of.advance(DEFAULT.call_deadline + timedelta(seconds=1))
        assert await sits(other)


async def test_a_call_that_waits_does_not_ask_without_pause(database_dsn: str) -> None:
    async with office(database_dsn, Budget(at_once=1, per_second=1), size=1) as of:
        assert await of.enters(0)
        worker, asked = of.workers[0], 0
        kept = worker._exchange.exchange

        async def counted(*told):  # type: ignore[no-untyped-def]
            nonlocal asked
            asked += 1
            return await kept(*told)

        worker._exchange.exchange = counted  # type: ignore[method-assign]
        assert not await of.enters(0)
        assert 1 <= asked <= 30, "2 seconds of patience"


async def test_a_person_who_opens_the_gate_ends_the_pause(database_dsn: str) -> None:
    async with office(database_dsn, Budget()) as of:
        of.workers[0].pause(CORE, timedelta(days=1), "they asked for patience")
        await asyncio.gather(*(worker.exchange() for worker in of.workers))
        assert not await of.enters(0)
        await of.value("DELETE FROM gates RETURNING 1")
        await asyncio.gather(*(worker.exchange() for worker in of.workers))
        assert await of.enters(0)


async def test_no_walk_of_three_workers_leads_over_the_limit(
    database_dsn: str, proof_count: Callable[[int, int], int]
) -> None:
    for seed in range(proof_count(4, 100)):
        dice = random.Random(seed)
        limit = dice.choice([1, 3, 7, 40])
        async with office(database_dsn, Budget(per_minute=limit), size=3) as of:
            await of.value("WITH p AS (DELETE FROM budget_periods) DELETE FROM gates RETURNING 1")
            for _ in range(2):
                entered = sum([await of.enters(dice.randrange(3)) for _ in range(limit + 3)])
                assert entered <= limit, (seed, limit)
                assert entered >= limit - 2 * max(limit // 20, 1), (seed, limit)
                of.advance(MINUTE)
                await asyncio.gather(*(worker.exchange() for worker in of.workers))
