"""Before a write is risked at a connection that did not answer, a read finds out; what counts as an answer."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import date

import pytest
from rigs.boards import CORE, OPEN_FOR, Worker, team

from coopwire.application.probing import answers, too_risky
from coopwire.domain.breakers import BreakerState
from coopwire.domain.errors import (
    BadCredentials,
    ContractBroken,
    GateClosed,
    InvalidOrder,
    NotSent,
    Refused,
    TryLater,
    Unsupported,
)
from coopwire.domain.gates import Traffic
from coopwire.domain.payments import Mode
from coopwire.ports.providers import Connected, Connection, Sockets
from coopwire.providers import catalog

DOWN = TryLater("away", http_status=503)


@dataclass
class Day:
    """A core bank that says the date, or what it is given to raise."""

    error: Exception | None = None
    asked: int = 0

    async def current(self) -> date:
        self.asked += 1
        if self.error is not None:
            raise self.error
        return date(2026, 3, 2)


@pytest.mark.parametrize(
    "error",
    [
        None,
        Refused("no"),
        BadCredentials("who are you"),
        ContractBroken("something else"),
        TryLater("too often", http_status=429),
        Unsupported("not here"),
        InvalidOrder("not so"),
        RuntimeError("the adapter is wrong"),
    ],
    ids=repr,
)
async def test_whoever_says_anything_answers_and_whoever_cannot_be_asked_stands_in_no_way(
    error: Exception | None,
) -> None:
    assert await answers(Sockets(business_date=Day(error)))


@pytest.mark.parametrize(
    "error",
    [DOWN, TryLater("lost"), NotSent("nobody listens"), ContractBroken("<html>", http_status=502)],
    ids=repr,
)
async def test_silence_and_their_own_failures_are_no_answer(error: Exception) -> None:
    assert not await answers(Sockets(business_date=Day(error)))


async def test_who_has_no_read_is_asked_by_the_write_itself() -> None:
    assert await answers(Sockets())


@dataclass
class Probing:
    """One of two workers, and what the core says."""

    worker: Worker
    other: Worker
    day: Day

    async def risk(self) -> GateClosed | None:
        """What is said against a write now; the workers have heard of each other before."""
        await self.worker.board.exchange()
        connected = Connected(
            Connection(CORE, "bankone", Mode.TEST, {}),
            catalog.sheet("bankone").profile,
            Sockets(business_date=self.day),
            None,
        )
        return await too_risky(connected, self.worker.board, self.worker.clock)


@asynccontextmanager
async def half_open(dsn: str, error: Exception | None = None) -> AsyncIterator[Probing]:
    async with team(dsn) as of:
        await of.break_it()
        await of.wait(OPEN_FOR)
        yield Probing(*of.workers, Day(error))


async def test_a_connection_that_is_well_is_not_asked(database_dsn: str) -> None:
    async with team(database_dsn) as of:
        probing = Probing(*of.workers, Day(DOWN))
        assert await probing.risk() is None
        assert probing.day.asked == 0


async def test_while_it_is_open_nobody_asks(database_dsn: str) -> None:
    async with team(database_dsn) as of:
        await of.break_it()
        probing = Probing(*of.workers, Day())
        assert isinstance(await probing.risk(), GateClosed)
        assert isinstance(await probing.risk(), GateClosed)
        assert probing.day.asked == 0


async def test_without_the_probe_neither_read_nor_write_is_sent(database_dsn: str) -> None:
    async with half_open(database_dsn) as probing:
        assert await probing.other.probes()
        assert isinstance(await probing.risk(), GateClosed)
        assert isinstance(await probing.risk(), GateClosed)
        assert probing.day.asked == 0


async def test_after_a_read_that_is_answered_the_write_is_the_probe(database_dsn: str) -> None:
    async with half_open(database_dsn) as probing:
        assert isinstance(await probing.risk(), GateClosed), "the probe is asked for, and not had yet"
        assert await probing.risk() is None
        assert probing.day.asked == 1
        assert probing.worker.state() is BreakerState.HALF_OPEN, "the read proves nothing of writes"
        assert probing.worker.passes()
        assert not probing.worker.passes()


async def test_a_read_that_is_not_answered_opens_it_again_and_no_write_is_sent(database_dsn: str) -> None:
    async with half_open(database_dsn, DOWN) as probing:
        await probing.risk()
        assert isinstance(await probing.risk(), GateClosed)
        assert probing.worker.state() is BreakerState.OPEN
        assert isinstance(await probing.risk(), GateClosed)
        assert probing.day.asked == 1
        await probing.other.board.exchange()
        assert probing.other.state() is BreakerState.OPEN


async def test_where_reads_are_known_to_go_unanswered_nobody_asks_and_it_opens_again(
    database_dsn: str,
) -> None:
    async with half_open(database_dsn) as probing:
        probing.worker.note(*[False] * 11, traffic=Traffic.READ)
        await probing.risk()
        assert isinstance(await probing.risk(), GateClosed)
        assert probing.worker.state() is BreakerState.OPEN
        assert probing.day.asked == 0


async def test_a_read_that_may_not_be_sent_leaves_the_probe_for_the_next_call(database_dsn: str) -> None:
    async with half_open(database_dsn, GateClosed("the budget has no call left")) as probing:
        await probing.risk()
        assert isinstance(await probing.risk(), GateClosed)
        assert probing.worker.state() is BreakerState.HALF_OPEN
        probing.day.error = None
        assert await probing.risk() is None
