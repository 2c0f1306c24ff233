"""Killed at every fail point on the way of a settlement: its entry is in the books once, and clearing is empty."""

from __future__ import annotations

import asyncio

import pytest
from rigs.crashing import World, world
from rigs.places import all_places
from rigs.proof import WHOLE

_ON_THE_WAY = ("settlement",)
PLACES = [
    place for place in all_places() if any(word in place for word in _ON_THE_WAY) and "read" not in place
]


def _chosen() -> list[str]:
    """All places in the whole proof, else the commit that orders the entry."""
    return PLACES if WHOLE else ["after commit record settlement"]


def test_the_list_of_places_covers_a_settlement_from_the_list_to_its_entry() -> None:
    assert set(PLACES) >= {
        "before commit claim settlements",
        "after commit claim settlements",
        "before fetch settlement",
        "after fetch settlement",
        "before commit record settlement",
        "after commit record settlement",
    }


@pytest.mark.parametrize("place", _chosen())
async def test_a_hub_killed_at_this_place_books_a_settlement_once(database_dsn: str, place: str) -> None:
    async with world(database_dsn) as outside:
        await outside.paid(2)
        [made] = (await outside.outside.control("paystack", "settle"))["settlements"]
        await outside.outside.control("paystack", "settlement", id=made["id"], status="success")
        await outside.dies_at(place, lambda _: asyncio.sleep(0))
        survivors = [await outside.start(), await outside.start()]
        await outside.until("SELECT count(*) = 1 FROM settlements WHERE stand = 'booked'")
        await outside.quiet()
        await _judge(outside, made["net_minor"])
        for survivor in survivors:
            await survivor.end()


async def _judge(outside: World, net: int) -> None:
    journals = (await outside.outside.truth("quickbooks"))["journals"]
    lines = [line for one in journals for line in one["lines"]]
    assert [line["amount_minor"] for line in lines if line["account"] == "35"] == [net]
    assert sum(line["amount_minor"] for line in lines if line["account"] == "91") == 0
    events = await outside.db.fetch("SELECT type FROM outbox WHERE type LIKE 'coopwire.settlement.%'")
    assert sorted(row["type"].split(".")[2] for row in events) == ["booked", "recorded"]
    assert await outside.db.fetchval("SELECT count(*) FROM breaks WHERE type LIKE 'settle%'") == 0
