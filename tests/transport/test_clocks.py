"""Time only moves forward, and a test's time only when told."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta, timezone

import pytest

from coopwire.conformance.clock import START, ManualClock
from coopwire.domain.timings import DEFAULT, DEMO
from coopwire.transport.clock import SystemClock

MINUTE = timedelta(minutes=1)


def test_the_system_clock_starts_at_the_databases_time_in_utc():
    lagos = timezone(timedelta(hours=1))
    clock = SystemClock(datetime(2031, 1, 1, 1, 0, tzinfo=lagos), DEMO)
    assert datetime(2031, 1, 1, tzinfo=UTC) <= clock.now() < datetime(2031, 1, 2, tzinfo=UTC)
    assert clock.now().tzinfo is UTC
    assert clock.timings is DEMO


async def test_the_system_clock_never_goes_back_and_waits():
    clock = SystemClock(START, DEFAULT)
    times = [clock.now() for _ in range(1000)]
    assert times == sorted(times)
    before = clock.now()
    await clock.sleep(timedelta(milliseconds=5))
    assert clock.now() > before
    await clock.sleep(timedelta(seconds=-1))


@pytest.mark.parametrize("make", [lambda at: SystemClock(at, DEFAULT), ManualClock])
def test_a_naive_time_is_refused(make):
    with pytest.raises(ValueError, match="aware"):
        make(datetime(2026, 1, 1))  # noqa: DTZ001


def test_a_manual_clock_stands_still_until_moved():
    clock = ManualClock()
    assert clock.now() == clock.now() == START
    clock.advance(MINUTE)
    assert clock.now() == START + MINUTE
    with pytest.raises(ValueError, match="back"):
        clock.advance(-MINUTE)


async def test_sleepers_wake_when_their_time_has_come_and_in_order():
    clock, woken = ManualClock(), []

    async def sleeper(minutes):
        await clock.sleep(minutes * MINUTE)
        woken.append(minutes)

    tasks = [asyncio.create_task(sleeper(minutes)) for minutes in (3, 1, 2, 5)]
    await asyncio.sleep(0)
    assert clock.sleepers == 4
    clock.advance(MINUTE - timedelta(microseconds=1))
    await asyncio.sleep(0)
    assert woken == []
    clock.advance(2 * MINUTE + timedelta(microseconds=1))
    await asyncio.gather(*tasks[:3])
    assert woken == [1, 2, 3]
    assert clock.sleepers == 1
    tasks[3].cancel()
    await asyncio.wait(tasks)
    assert clock.sleepers == 0
    clock.advance(9 * MINUTE)


async def test_sleeping_for_nothing_returns():
    await ManualClock().sleep(timedelta(0))


async def test_a_skipping_clock_moves_itself():
    clock = ManualClock(skips=True)
    await clock.sleep(MINUTE)
    assert clock.now() == START + MINUTE
