"""Killed at every fail point on a payout's way: the money leaves once, and the hub knows how it ended."""

from __future__ import annotations

import pytest
from rigs.crashing import world
from rigs.payouts import AMOUNT
from rigs.places import all_places
from rigs.proof import WHOLE

_ON_THE_WAY = ("payout", "recipient", "transfer", "record outcomes")
_OF_PERSONS = ("release payout", "cancel payout", "nudge payout", "read payout", "find recipient")
"""Only a person's wish leads there; and nobody looks up a recipient, which is sent again instead."""
_AFTER_A_LOST_ANSWER = ("find transfer",)
_UNDER_WAY = "SELECT count(*) FROM payouts WHERE state NOT IN ('succeeded', 'held', 'failed', 'cancelled')"
PLACES = [
    place
    for place in all_places()
    if any(word in place for word in _ON_THE_WAY) and not any(word in place for word in _OF_PERSONS)
]


def _chosen() -> list[str]:
    """All places in the whole proof, else those where a second transfer could begin."""
    return PLACES if WHOLE else ["after send transfer"]


def test_the_list_of_places_covers_a_payout_from_the_wish_to_its_end() -> None:
    for place in (
        "after commit request payout",
        "before commit claim payouts",
        "after check payout",
        "before commit record payout",
        "after send recipient",
        "before send transfer",
        "after send transfer",
        "after find transfer",
        "before fetch transfer",
    ):
        assert place in PLACES


@pytest.mark.parametrize("place", _chosen())
async def test_a_hub_killed_at_this_place_pays_once(database_dsn: str, place: str) -> None:
    async with world(database_dsn) as outside:
        await outside.outside.control("paystack", "settings", transfer_seconds="0.2")
        if any(word in place for word in _AFTER_A_LOST_ANSWER):
            await outside.outside.fault("paystack", "create_transfer", "drop_after", times=1)
        await outside.dies_at(place, lambda hub: hub.ask(payout=1))
        survivors = [await outside.start(), await outside.start()]
        # Whoever was not answered asks again under the same key.
        await survivors[0].ask(payout=1)
        await outside.until(_UNDER_WAY, 0, seconds=90)
        [payout] = await outside.db.fetch("SELECT * FROM payouts")
        theirs = (await outside.outside.truth("paystack"))["transfers"]
        assert [(one["amount_minor"], one["status"]) for one in theirs] == [(AMOUNT, "success")]
        assert payout["state"] == "succeeded"
        told = await outside.db.fetch("SELECT type FROM outbox WHERE type LIKE 'coopwire.payout.%'")
        assert sorted(one["type"] for one in told) == [
            "coopwire.payout.requested.v1",
            "coopwire.payout.succeeded.v1",
        ]
        for survivor in survivors:
            await survivor.end()
