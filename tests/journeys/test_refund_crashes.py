"""Killed at every fail point on a refund's way: it goes back once or not at all, and nothing is half-booked."""

from __future__ import annotations

import pytest
from rigs.crashing import World, world
from rigs.places import all_places
from rigs.proof import WHOLE

_ON_THE_WAY = ("refund", "keep census")
_NOT_ON_THE_WAY = ("put back",)
_FOUND_AFTER_A_LOST_ANSWER = ("find refund",)
PLACES = [
    place
    for place in all_places()
    if any(word in place for word in _ON_THE_WAY) and not any(word in place for word in _NOT_ON_THE_WAY)
]
AMOUNT = 60_000
_UNDER_WAY = """
    SELECT (SELECT count(*) FROM refunds f LEFT JOIN effects e ON e.id = coalesce(f.effect, f.debit)
            WHERE NOT (f.state = 'succeeded' OR f.state = 'intended' AND e.state = 'unknown' AND e.looks >= 2))
         + (SELECT count(*) FROM effects WHERE state IN ('intended', 'sending'))
"""


def _chosen() -> list[str]:
    """All places in the whole proof, else every fifth, so that commits and calls are both hit."""
    return PLACES if WHOLE else PLACES[::16]


def test_the_list_of_places_covers_a_refund_from_the_approval_to_its_end() -> None:
    for place in (
        "after commit approve refund",
        "before commit consume refund-after-debit",
        "after commit keep census",
        "after send refund",
        "after find refund",
        "before fetch refund",
        "before commit record refund",
    ):
        assert place in PLACES


@pytest.mark.parametrize("place", _chosen())
async def test_a_hub_killed_at_this_place_refunds_once_or_leaves_it_to_a_person(
    database_dsn: str, place: str
) -> None:
    async with world(database_dsn) as outside:
        await outside.paid()
        receipt = await outside.db.fetchval("SELECT id FROM receipts")
        if any(word in place for word in _FOUND_AFTER_A_LOST_ANSWER):
            await outside.outside.fault("paystack", "create_refund", "drop_after", times=1)
        await outside.dies_at(place, lambda hub: hub.ask(refund=receipt, amounts=[AMOUNT]))
        survivors = [await outside.start(), await outside.start()]
        if not await outside.db.fetchval("SELECT count(*) FROM refunds"):
            await survivors[0].ask(refund=receipt, amounts=[AMOUNT])
        await outside.until(_UNDER_WAY, 0)
        await _judge(outside, receipt)
        for survivor in survivors:
            await survivor.end()


async def _judge(outside: World, receipt: str) -> None:
    [refund] = await outside.db.fetch("SELECT * FROM refunds")
    theirs = (await outside.outside.truth("paystack"))["refunds"]
    postings = (await outside.outside.truth("bankone"))["postings"]
    debits = [one["amount_minor"] for one in postings if one["kind"] == "DEBIT"]
    entries = (await outside.outside.truth("quickbooks"))["journals"]
    standing = await outside.db.fetchval(
        "SELECT sum(amount_minor)::bigint FROM allocations WHERE receipt = $1 AND replaced_at IS NULL",
        receipt,
    )
    if refund["state"] == "succeeded":
        assert [(one["amount_minor"], one["status"]) for one in theirs] == [(AMOUNT, "processed")]
        assert (debits, len(entries), standing) == ([AMOUNT], 2, 100_000 - AMOUNT)
        told = (await outside.outside.truth("lms"))["callbacks"]
        assert [one["type"] for one in told].count("refund.succeeded") == 1
    else:
        assert theirs == [], "it is there, and nobody knows"
        assert (len(entries), standing) == (1, 100_000)
