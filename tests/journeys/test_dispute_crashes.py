"""Killed at every fail point on the way of an answer to a dispute: it is given once or not at all."""

from __future__ import annotations

import pytest
from rigs.crashing import HubProcess, World, world
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
        await outside.paid()
        reference = await outside.db.fetchval("SELECT reference FROM receipts")
        await outside.outside.control("paystack", "dispute", reference=reference)
        if "find" in place:
            await outside.outside.fault("paystack", "resolve_dispute", "drop_after", times=1)
        await outside.dies_at(place, lambda hub: _answer(outside, hub))
        survivors = [await outside.start(), await outside.start()]
        await _answer(outside, survivors[0])
        await _calm(outside)
        await _judge(outside)
        for survivor in survivors:
            await survivor.end()


async def _answer(outside: World, hub: HubProcess) -> None:
    await outside.until("SELECT count(*) = 1 FROM disputes")
    await hub.ask(answer=await outside.db.fetchval("SELECT id FROM disputes"), amount=AMOUNT)


async def _calm(outside: World) -> None:
    given = "SELECT count(*) = 1 FROM dispute_answers WHERE state = 'given'"
    left = (
        "SELECT count(*) = 1 FROM effects WHERE kind = 'dispute_answer' AND state = 'unknown' AND looks >= 2"
    )
    await outside.until(f"SELECT ({given}) OR ({left})")
    await outside.until("SELECT count(*) = 0 FROM effects WHERE state IN ('intended', 'sending')")


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
    await outside.until("SELECT state = 'lost' FROM disputes")
    rows = await outside.db.fetch("SELECT type FROM outbox WHERE type LIKE 'coopwire.dispute.%' ORDER BY seq")
    assert sorted(row["type"] for row in rows) == sorted(
        f"coopwire.dispute.{what}.v1" for what in ("opened", "answered", "lost")
    )
    breaks = await outside.db.fetch("SELECT type FROM breaks WHERE type = 'dispute_lost'")
    assert len(breaks) == 1
