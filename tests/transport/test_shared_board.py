"""All workers of a deployment judge one breaker, over a real database; boards that are wrong are caught."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rigs.boards import CORE, OPEN_FOR, READ, WRITE, Team, empty, team

from coopwire.domain.breakers import Breaker, BreakerState
from coopwire.domain.timings import DEFAULT
from coopwire.transport.shared_board import SharedBoard

CLOSED, OPEN, HALF_OPEN = BreakerState.CLOSED, BreakerState.OPEN, BreakerState.HALF_OPEN
SECOND = timedelta(seconds=1)


def states(of: Team) -> set[BreakerState]:
    return {worker.state() for worker in of.workers}


# -- what every board over several workers must do; each is also tried on boards that are wrong ---------------


async def the_sum_opens_it(of: Team) -> None:
    """Two failures of eleven, five calls here and six there."""
    first, second = of.workers
    first.note(True, True, True, True, False)
    second.note(True, True, True, True, True, False)
    assert states(of) == {CLOSED}
    await of.meet()
    assert states(of) == {OPEN}
    assert not first.passes()
    assert not second.passes()


async def the_sum_leaves_it_closed(of: Team) -> None:
    """One failure of eleven over both, which either count alone, told twice, would make two of twenty-two."""
    first, second = of.workers
    first.note(True, True, True, True, False)
    second.note(*[True] * 6)
    for _ in range(3):
        await of.meet()
    assert states(of) == {CLOSED}
    second.note(*[True] * 2, False)
    await of.meet()
    assert states(of) == {CLOSED}, "2 of 14 is 14 %"
    await of.meet()
    assert states(of) == {CLOSED}


async def one_probe_of_all_passes(of: Team) -> None:
    await of.break_it()
    await of.wait(OPEN_FOR)
    assert states(of) == {HALF_OPEN}
    passed = [await worker.probes() for worker in of.workers]
    assert passed.count(True) == 1
    for _ in range(3):
        await of.meet()
        assert not any(worker.passes() for worker in of.workers)


async def a_probe_that_succeeds_closes_it_for_all(of: Team) -> None:
    await of.break_it()
    await of.wait(OPEN_FOR)
    prober = of.workers[1]
    assert await prober.probes()
    prober.note(True)
    await of.meet()
    assert states(of) == {CLOSED}
    assert await of.value("SELECT count(*) FROM gates") == 0


async def a_probe_that_fails_opens_it_for_all_again(of: Team) -> None:
    await of.break_it()
    await of.wait(OPEN_FOR)
    prober = of.workers[1]
    assert await prober.probes()
    prober.note(False)
    await of.meet()
    assert states(of) == {OPEN}
    assert await of.value("SELECT until FROM gates WHERE kind = 'breaker'") == of.clock.now() + OPEN_FOR
    await of.wait(OPEN_FOR - SECOND)
    assert not any([await worker.probes() for worker in of.workers])
    await of.wait(SECOND)
    assert await of.workers[0].probes()


async def the_probe_of_a_worker_that_died_goes_to_another(of: Team) -> None:
    await of.break_it()
    await of.wait(OPEN_FOR)
    dead, other = of.workers
    assert await dead.probes()
    await of.wait(DEFAULT.call_deadline)
    assert not await other.probes(), "the call of the dead worker may still be under way"
    await of.wait(DEFAULT.call_deadline)
    assert await other.probes()


async def a_person_closes_it_for_all(of: Team) -> None:
    await of.break_it()
    async with of.database.begin("test") as tx:
        assert await tx.connections.close_breaker(CORE, WRITE, of.clock.now())
    await of.meet()
    assert states(of) == {CLOSED}
    assert await of.value("SELECT count(*) FROM gates") == 0
    of.workers[0].note(*[False] * 5)
    of.workers[1].note(*[False] * 5)
    await of.meet()
    assert states(of) == {CLOSED}, "what was counted before it was closed is forgotten"


async def a_person_opens_it_for_all_until_it_is_closed(of: Team) -> None:
    async with of.database.begin("test") as tx:
        assert await tx.connections.open_breaker(CORE, WRITE, None, "they asked", of.clock.now())
    await of.meet()
    await of.wait(timedelta(days=3))
    await of.meet()
    assert states(of) == {OPEN}
    assert not any([await worker.probes() for worker in of.workers])


async def what_is_older_than_the_window_does_not_count(of: Team) -> None:
    of.workers[0].note(*[False] * 10)
    await of.meet()
    await of.wait(timedelta(seconds=60))
    of.workers[1].note(False)
    await of.meet()
    assert states(of) == {CLOSED}


Scenario = Callable[[Team], Awaitable[None]]
SCENARIOS: tuple[Scenario, ...] = (
    the_sum_opens_it,
    the_sum_leaves_it_closed,
    one_probe_of_all_passes,
    a_probe_that_succeeds_closes_it_for_all,
    a_probe_that_fails_opens_it_for_all_again,
    the_probe_of_a_worker_that_died_goes_to_another,
    a_person_closes_it_for_all,
    a_person_opens_it_for_all_until_it_is_closed,
    what_is_older_than_the_window_does_not_count,
)


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.__name__)
async def test_workers_share_a_breaker(database_dsn: str, scenario: Scenario) -> None:
    async with team(database_dsn) as of:
        await scenario(of)


# -- boards that are wrong ------------------------------------------------------------------------------------


class Deaf(SharedBoard):
    """Judges its own calls only."""

    def _count_others(self, watched, counted, now):  # type: ignore[no-untyped-def]
        pass


class Pushing(SharedBoard):
    """Probes without asking the others."""

    def _has_probe(self, watched, now):  # type: ignore[no-untyped-def]
        return True


class Stubborn(SharedBoard):
    """Holds to its own decision, whatever the database says."""

    def _adopt(self, watched, row, said):  # type: ignore[no-untyped-def]
        if watched.stands.opened_at is None:
            super()._adopt(watched, row, said)


class Double(SharedBoard):
    """Counts its calls again when they are told."""

    def _count_others(self, watched, counted, now):  # type: ignore[no-untyped-def]
        super()._count_others(watched, {start: tally + tally for start, tally in counted.items()}, now)


class Unending(SharedBoard):
    """Has a window without an end."""

    def _oldest(self, now):  # type: ignore[no-untyped-def]
        return super()._oldest(now) - timedelta(hours=1)


@pytest.mark.parametrize(
    ("board", "scenario"),
    [
        (Deaf, the_sum_opens_it),
        (Double, the_sum_leaves_it_closed),
        (Pushing, one_probe_of_all_passes),
        (Pushing, the_probe_of_a_worker_that_died_goes_to_another),
        (Stubborn, a_person_closes_it_for_all),
        (Stubborn, a_probe_that_succeeds_closes_it_for_all),
        (Unending, what_is_older_than_the_window_does_not_count),
    ],
)
async def test_a_board_that_is_wrong_is_caught(
    database_dsn: str, board: type[SharedBoard], scenario: Scenario
) -> None:
    async with team(database_dsn, board=board) as of:
        with pytest.raises(AssertionError):
            await scenario(of)


# -- the database is away, and what only one worker sees ------------------------------------------------------


async def test_opening_is_one_row_and_one_gate_however_many_workers_judge_it(database_dsn: str) -> None:
    async with team(database_dsn, size=3) as of:
        for worker in of.workers:
            worker.note(*[False] * 11)
        await of.meet()
        assert states(of) == {OPEN}
        assert await of.value("SELECT generation FROM breakers") == 1
        assert await of.value("SELECT count(*) FROM gates") == 1
        assert "writes" in str(await of.value("SELECT reason FROM gates"))


async def test_reads_and_writes_are_judged_apart_over_workers_too(database_dsn: str) -> None:
    async with team(database_dsn) as of:
        for worker in of.workers:
            worker.note(*[False] * 6, traffic=READ)
        await of.meet()
        assert {worker.state(READ) for worker in of.workers} == {OPEN}
        assert states(of) == {CLOSED}


async def test_while_the_database_is_away_each_worker_judges_alone(database_dsn: str) -> None:
    async with team(database_dsn) as of:
        alone, other = of.workers
        alone.line.cut = True
        assert not await alone.board.exchange()
        alone.note(*[False] * 11)
        assert alone.state() is OPEN
        of.clock.advance(OPEN_FOR)
        assert alone.passes()
        assert not alone.passes(), "one probe at a time"
        alone.note(False)
        assert alone.state() is OPEN
        assert other.state() is CLOSED

        alone.line.cut = False
        await of.meet()
        assert states(of) == {OPEN}, "what was decided alone is told when the database is back"
        assert await of.value("SELECT generation FROM breakers") == 1


async def test_a_database_that_does_not_answer_leaves_a_worker_alone_after_a_while(database_dsn: str) -> None:
    async with team(database_dsn) as of:
        await of.break_it()
        of.clock.advance(OPEN_FOR)
        assert of.workers[0].passes()


async def test_a_decision_made_alone_gives_way_to_one_that_was_made_meanwhile(database_dsn: str) -> None:
    async with team(database_dsn) as of:
        alone, other = of.workers
        alone.line.cut = True
        await alone.board.exchange()
        alone.note(*[False] * 11)
        other.note(*[False] * 11)
        await other.board.exchange()
        async with of.database.begin("test") as tx:
            await tx.connections.close_breaker(CORE, WRITE, of.clock.now())
        alone.line.cut = False
        await of.meet()
        assert states(of) == {CLOSED}


async def test_an_exchange_whose_answer_was_lost_counts_once(database_dsn: str) -> None:
    async with team(database_dsn) as of:
        first, second = of.workers
        kept = first.line.exchange

        async def lost(*told):  # type: ignore[no-untyped-def]
            await kept(*told)
            raise ConnectionResetError("committed, but who knows")

        first.line.exchange = lost  # type: ignore[method-assign]
        first.note(*[True] * 9, False)
        await first.board.exchange()
        first.line.exchange = kept  # type: ignore[method-assign]
        await first.board.exchange()
        assert await of.value("SELECT sum(attempts) FROM breaker_buckets") == 10
        second.note(False)
        await of.meet()
        assert states(of) == {OPEN}


async def test_a_call_that_ends_during_the_exchange_is_told_in_the_next(database_dsn: str) -> None:
    async with team(database_dsn) as of:
        first, _ = of.workers
        kept = first.line.exchange

        async def meanwhile(*told):  # type: ignore[no-untyped-def]
            heard = await kept(*told)
            first.note(False)
            return heard

        first.note(False)
        first.line.exchange = meanwhile  # type: ignore[method-assign]
        await first.board.exchange()
        first.line.exchange = kept  # type: ignore[method-assign]
        await of.meet()
        assert await of.value("SELECT sum(failures) FROM breaker_buckets") == 2


async def test_a_listener_that_fails_does_not_stop_the_judge(database_dsn: str) -> None:
    async with team(database_dsn) as of:
        worker = of.workers[0]

        def fail(_: Breaker) -> None:
            raise RuntimeError("no bell")

        worker.board._on_turn = fail
        worker.note(*[False] * 11)
        await of.meet()
        assert states(of) == {OPEN}


async def test_a_storage_that_breaks_in_an_unforeseen_way_leaves_the_judge_alone(database_dsn: str) -> None:
    async with team(database_dsn) as of:
        await of.value("ALTER TABLE breakers RENAME TO gone")
        worker = of.workers[0]
        assert not await worker.board.exchange()
        worker.note(*[False] * 11)
        assert worker.state() is OPEN


async def test_counts_are_let_go_of_when_no_window_holds_them(database_dsn: str) -> None:
    async with team(database_dsn) as of:
        for _ in range(6):
            of.workers[0].note(True)
            await of.meet()
            await of.wait(timedelta(minutes=1))
        assert await of.value("SELECT count(*) FROM breaker_buckets") <= 4


async def test_the_running_board_exchanges_by_itself_and_at_once_when_it_turned(database_dsn: str) -> None:
    async with team(database_dsn) as of:
        first, second = of.workers
        running = [asyncio.create_task(worker.board.run()) for worker in of.workers]
        try:
            first.note(*[False] * 6)
            second.note(*[False] * 5)
            async with asyncio.timeout(10):
                while states(of) != {OPEN}:
                    await asyncio.sleep(0.02)
        finally:
            for task in running:
                task.cancel()
            await asyncio.wait(running)


# -- the judge against a plain model --------------------------------------------------------------------------


@dataclass
class Model:
    """Every worker knows its own calls, and of the others what both had told and heard: a plain count."""

    calls: list[list[tuple[datetime, bool]]]
    told: list[int] = field(default_factory=list)
    heard: list[list[int]] = field(default_factory=list)

    def __post_init__(self) -> None:
        size = len(self.calls)
        self.told = [0] * size
        self.heard = [[0] * size for _ in range(size)]

    def note(self, worker: int, at: datetime, ok: bool) -> bool:
        """A call; whether this worker must open now."""
        self.calls[worker].append((at, ok))
        return self._broken(worker, at)

    def exchange(self, worker: int, at: datetime) -> bool:
        """Tell and hear; whether this worker must open now."""
        self.told[worker] = len(self.calls[worker])
        news = False
        for other in range(len(self.calls)):
            if other != worker and self.told[other] > self.heard[worker][other]:
                lately = self.calls[other][self.heard[worker][other] : self.told[other]]
                self.heard[worker][other] = self.told[other]
                news |= any(_in_window(when, at) for when, _ in lately)
        return news and self._broken(worker, at)

    def _broken(self, worker: int, at: datetime) -> bool:
        known = list(self.calls[worker])
        for other, number in enumerate(self.heard[worker]):
            known += self.calls[other][:number] if other != worker else []
        window = [ok for when, ok in known if _in_window(when, at)]
        return len(window) > 10 and window.count(False) / len(window) >= 0.15


def _in_window(when: datetime, at: datetime) -> bool:
    """The clock of the walk stands at whole seconds, so that a bucket is one moment."""
    return at - timedelta(seconds=60) < when <= at


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("note"), st.integers(0, 2), st.booleans() | st.just(True)),
        st.tuples(st.just("exchange"), st.integers(0, 2), st.none()),
        st.tuples(st.just("wait"), st.sampled_from([1, 5, 30]), st.none()),
    ),
    min_size=10,
    max_size=60,
)


@given(steps=STEPS)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_the_judge_opens_exactly_when_a_plain_count_of_what_is_known_says_so(
    database_dsn: str, steps: list[tuple[str, int, bool | None]]
) -> None:
    asyncio.run(_walk(database_dsn, steps))


async def _walk(dsn: str, steps: list[tuple[str, int, bool | None]]) -> None:
    await empty(dsn)
    async with team(dsn, size=3) as of:
        model, opened = Model([[], [], []]), False
        for word, number, ok in steps:
            now = of.clock.now()
            if word == "wait":
                of.clock.advance(number * SECOND)
                continue
            worker = of.workers[number]
            if word == "note":
                worker.note(bool(ok))
                opened = model.note(number, now, bool(ok))
            else:
                await worker.board.exchange()
                opened = model.exchange(number, now)
            assert (worker.state() is OPEN) == opened
            if opened:
                break
        if opened:
            await of.meet()
            assert states(of) == {OPEN}
