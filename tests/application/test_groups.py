"""Several messages on one commit: groups form, an urgent item does not wait, a bad one hurts nobody else."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import pytest

from coopwire.application.groups import GroupCommit

AN_HOUR = 3600.0


class Ledger:
    """Commits numbers; `bad` cannot be committed with anything or alone."""

    def __init__(self, bad: int | None = None) -> None:
        self.groups: list[list[int]] = []
        self._bad = bad

    async def commit(self, group: Sequence[int]) -> list[int]:
        self.groups.append(list(group))
        await asyncio.sleep(0)
        if self._bad in group:
            raise ValueError("bad")
        return [number * 10 for number in group]


@asynccontextmanager
async def committing(ledger: Ledger, **how: float) -> AsyncIterator[GroupCommit[int, int]]:
    group: GroupCommit[int, int] = GroupCommit("numbers", ledger.commit, **how)  # type: ignore[arg-type]
    running = asyncio.create_task(group.run())
    yield group
    running.cancel()
    await asyncio.wait([running])


async def test_items_that_arrive_together_are_committed_together_and_each_gets_its_own_result() -> None:
    ledger = Ledger()
    async with committing(ledger) as group:
        assert await asyncio.gather(*(group.submit(n) for n in range(5))) == [0, 10, 20, 30, 40]
    assert ledger.groups == [[0, 1, 2, 3, 4]]


async def test_no_group_is_larger_than_the_limit() -> None:
    ledger = Ledger()
    async with committing(ledger, limit=2) as group:
        await asyncio.gather(*(group.submit(n) for n in range(5)))
    assert ledger.groups == [[0, 1], [2, 3], [4]]


async def test_a_bad_item_fails_alone() -> None:
    async with committing(Ledger(bad=2)) as group:
        results = await asyncio.gather(*(group.submit(n) for n in range(4)), return_exceptions=True)
    assert [r for r in results if isinstance(r, int)] == [0, 10, 30]
    assert isinstance(results[2], ValueError)


async def test_an_urgent_item_takes_those_that_wait_along_at_once() -> None:
    ledger = Ledger()
    async with committing(ledger, gather_seconds=AN_HOUR) as group:
        patient = asyncio.create_task(group.submit(1))
        await asyncio.sleep(0)
        assert await group.submit(2, urgent=True) == 20
        assert await patient == 10
        assert ledger.groups == [[1, 2]]


async def test_after_an_urgent_item_groups_grow_again() -> None:
    ledger = Ledger()
    async with committing(ledger, gather_seconds=AN_HOUR) as group:
        await group.submit(1, urgent=True)
        patient = asyncio.create_task(group.submit(2))
        await asyncio.sleep(0.01)
        assert not patient.done()
        assert await group.submit(3, urgent=True) == 30
        assert await patient == 20
    assert ledger.groups == [[1], [2, 3]]


async def test_what_still_waits_at_the_end_is_cancelled() -> None:
    async with committing(Ledger(), gather_seconds=AN_HOUR) as group:
        waiting = asyncio.create_task(group.submit(1))
        await asyncio.sleep(0)
    with pytest.raises(asyncio.CancelledError):
        await waiting
