"""The clock that a test can advance."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from coopwire.simulation.clock import SimulatedClock

HOUR = 3600.0


def test_advancing_moves_the_time_and_the_elapsed_seconds() -> None:
    clock = SimulatedClock()
    before, elapsed = clock.now(), clock.elapsed()
    clock.advance(HOUR)
    assert clock.now() - before >= timedelta(hours=1)
    assert clock.elapsed() - elapsed >= HOUR


def test_the_clock_never_goes_back() -> None:
    with pytest.raises(ValueError, match="advanced"):
        SimulatedClock().advance(-1)


async def test_a_sleeper_wakes_when_the_clock_has_been_advanced_far_enough() -> None:
    clock = SimulatedClock()
    sleeper = asyncio.create_task(clock.sleep(HOUR))
    await asyncio.sleep(0)
    clock.advance(HOUR / 2)
    await asyncio.sleep(0.01)
    assert not sleeper.done()
    clock.advance(HOUR / 2)
    await sleeper


async def test_nobody_waits_for_no_time() -> None:
    await SimulatedClock().sleep(0)
