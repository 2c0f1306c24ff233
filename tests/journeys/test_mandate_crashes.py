"""Killed at every fail point of a mandate, from the request over its activation to a debit: one mandate, one debit."""

from __future__ import annotations

import pytest
from rigs.crashing import HubProcess, World, world
from rigs.places import all_places

_ON_THE_WAY = (
    "begin mandate",
    "send mandate",
    "look at mandate",
    "claim mandates",
    "record mandate",
    "change mandate",
)
PLACES = [place for place in all_places() if any(word in place for word in _ON_THE_WAY)]
MINOR = 61_000


def test_the_list_of_places_covers_a_mandate_from_the_request_to_its_end() -> None:
    for place in (
        "after commit begin mandate",
        "before send mandate",
        "after send mandate",
        "after look at mandate",
        "before commit record mandate",
        "after send mandate_change",
    ):
        assert place in PLACES


@pytest.mark.whole
@pytest.mark.parametrize("place", PLACES)
async def test_a_hub_killed_at_this_place_leaves_one_mandate_and_debits_it_once(
    database_dsn: str, place: str
) -> None:
    async with world(database_dsn) as outside:
        await outside.dies_at(place, lambda hub: _live(outside, hub))
        survivors = [await outside.start(), await outside.start()]
        await _live(outside, survivors[0])
        await outside.quiet()
        charges = (await outside.outside.truth("paystack"))["charges"]
        assert [(one["amount_minor"], one["status"]) for one in charges] == [(MINOR, "success")]
        postings = (await outside.outside.truth("bankone"))["postings"]
        assert [one["amount_minor"] for one in postings] == [MINOR]
        assert await outside.db.fetchval("SELECT count(*) FROM mandates") == 1
        # Of pages that nobody was given none is approved.
        mandates = (await outside.outside.truth("paystack"))["mandates"]
        assert [one["status"] for one in mandates if one["status"] != "waiting"] == ["revoked"]
        for survivor in survivors:
            await survivor.end()


async def _live(outside: World, hub: HubProcess) -> None:
    """A mandate is asked for, approved, debited and ended; whoever was not answered asks again under the same key."""
    await hub.ask(begin_mandate="k")
    await outside.until("SELECT provider_ref IS NOT NULL FROM mandates", True)
    reference = await outside.db.fetchval("SELECT provider_ref FROM mandates")
    await outside.outside.control("paystack", "approve_mandate", reference=reference)
    await outside.until("SELECT active_at IS NOT NULL FROM mandates", True)
    mandate = await outside.db.fetchval("SELECT id FROM mandates")
    await hub.ask(charge=mandate, minor=MINOR)
    await outside.until("SELECT count(*) FROM receipts", 1)
    await hub.ask(end_mandate=mandate)
    await outside.until("SELECT state FROM effects WHERE kind = 'mandate_change'", "done")
