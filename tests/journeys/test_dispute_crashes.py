"""Killed at every fail point on the way of an answer to a dispute: it is given once or not at all."""

from __future__ import annotations

import asyncio
import contextlib

import pytest
from rigs.crashing import Died, World, world
from rigs.places import all_places

_ON_THE_WAY = ("dispute", "approve answer")
PLACES = [place for place in all_places() if any(word in place for word in _ON_THE_WAY)]
AMOUNT = 60_001


def test_the_list_of_places_covers_a_dispute_from_the_hint_to_its_end() -> None:
    for place in (
        "after commit claim disputes",
        "after fetch dispute",
        "before commit record dispute",
        "after commit answer dispute",
        "before commit approve answer",
        "after send dispute_answer",
        "after find dispute_answer",
    ):
        assert place in PLACES


@pytest.mark.whole
@pytest.mark.parametrize("place", PLACES)
async def test_a_hub_killed_at_this_place_answers_once_or_leaves_it_to_a_person(
    database_dsn: str, place: str
) -> None:
    async with world(database_dsn) as outside:
        await _claimed(outside)
        if "find" in place:
            await outside.outside.fault("paystack", "resolve_dispute", "drop_after", times=1)
        assert await _run_into(outside, place), f"{place} was never reached"
        survivors = [await outside.start(), await outside.start()]
        await _until(outside, "SELECT count(*) = 1 FROM disputes")
        await survivors[0].ask(answer=await outside.db.fetchval("SELECT id FROM disputes"), amount=AMOUNT)
        await _calm(outside)
        await _judge(outside)
        for survivor in survivors:
            await survivor.end()


async def _claimed(outside: World) -> None:
    hub = await outside.start()
    await hub.ask(accept=0)
    await outside.pay_everything(hub)
    await outside.quiet()
    await hub.end()
    reference = await outside.db.fetchval("SELECT reference FROM receipts")
    await outside.outside.control("paystack", "dispute", reference=reference)


async def _run_into(outside: World, place: str) -> bool:
    try:
        hub = await outside.start(fail_at=place)
    except Died:
        return True
    try:
        for _ in range(300):
            with contextlib.suppress(Died):
                dispute = await outside.db.fetchval("SELECT id FROM disputes")
                if dispute is not None:
                    await hub.ask(answer=dispute, amount=AMOUNT)
            if not hub.alive:
                return True
            await asyncio.sleep(0.1)
    finally:
        await hub.kill()
    return False


async def _calm(outside: World) -> None:
    given = "SELECT count(*) = 1 FROM dispute_answers WHERE state = 'given'"
    left = (
        "SELECT count(*) = 1 FROM effects WHERE kind = 'dispute_answer' AND state = 'unknown' AND looks >= 2"
    )
    await _until(outside, f"SELECT ({given}) OR ({left})")
    await _until(outside, "SELECT count(*) = 0 FROM effects WHERE state IN ('intended', 'sending')")


async def _until(outside: World, sql: str) -> None:
    deadline = asyncio.get_running_loop().time() + 60
    while not await outside.db.fetchval(sql):
        if asyncio.get_running_loop().time() > deadline:
            rows = await outside.db.fetch("SELECT kind, state, reason, looks FROM effects")
            raise AssertionError(f"never so: {sql}\n" + "\n".join(str(dict(row)) for row in rows))
        await asyncio.sleep(0.1)


async def _judge(outside: World) -> None:
    [dispute] = (await outside.outside.truth("paystack"))["disputes"]
    sent = list(outside.outside.made["paystack"].record.entries("resolve_dispute"))
    if dispute["resolution"] is None:
        assert (
            await outside.db.fetchval("SELECT state FROM effects WHERE kind = 'dispute_answer'") == "unknown"
        )
        return
    assert (dispute["resolution"], dispute["amount_minor"]) == ("merchant-accepted", AMOUNT)
    assert len(sent) == 1
    await _until(outside, "SELECT state = 'lost' FROM disputes")
    rows = await outside.db.fetch("SELECT type FROM outbox WHERE type LIKE 'coopwire.dispute.%' ORDER BY seq")
    assert sorted(row["type"] for row in rows) == sorted(
        f"coopwire.dispute.{what}.v1" for what in ("opened", "answered", "lost")
    )
    breaks = await outside.db.fetch("SELECT type FROM breaks WHERE type = 'dispute_lost'")
    assert len(breaks) == 1
