"""Killed at every fail point of a saved charge, with its answer lost where that is the way there: charged once."""

from __future__ import annotations

import pytest
from rigs.crashing import world
from rigs.gateways import FLUTTERWAVE, PAYSTACK, Gateway
from rigs.places import all_places
from rigs.proof import WHOLE

_ON_THE_WAY = ("saved_charge", "accept payment", "record outcomes", "claim unknown effects")
_FOUND_AFTER_A_LOST_ANSWER = ("find saved_charge", "claim unknown effects")
PLACES = [place for place in all_places() if any(word in place for word in _ON_THE_WAY)]
MINOR = 61_000


CHARGE = {PAYSTACK.name: "charge_authorization", FLUTTERWAVE.name: "charge_token"}
"""Their operations."""
SENT = [place for place in PLACES if "after send" in place or "find saved" in place or "record" in place]
"""The places behind a send. Where a reference is no key, what was never sent is left to a person."""


def _chosen() -> list[tuple[Gateway, str]]:
    """All places in the whole proof, else the one at which money may be doubled."""
    if not WHOLE:
        return [(PAYSTACK, "after send saved_charge")]
    return [*((PAYSTACK, place) for place in PLACES), *((FLUTTERWAVE, place) for place in SENT)]


def test_the_list_of_places_covers_a_saved_charge_from_the_request_to_its_outcome() -> None:
    for place in (
        "after commit accept payment",
        "before send saved_charge",
        "after send saved_charge",
        "after find saved_charge",
        "before commit record outcomes",
    ):
        assert place in PLACES


@pytest.mark.parametrize(("gateway", "place"), _chosen(), ids=lambda one: getattr(one, "name", one))
async def test_a_hub_killed_at_this_place_charges_what_the_member_left_once(
    database_dsn: str, gateway: Gateway, place: str
) -> None:
    async with world(database_dsn, gateway=gateway) as outside:
        await outside.paid(save_authorization=True)
        authorization = await outside.db.fetchval("SELECT id FROM authorizations")
        if any(word in place for word in _FOUND_AFTER_A_LOST_ANSWER):
            await outside.outside.fault(gateway.name, CHARGE[gateway.name], "drop_after", times=1)
        await outside.dies_at(place, lambda hub: hub.ask(charge=authorization, minor=MINOR))
        survivors = [await outside.start(), await outside.start()]
        # The client never heard an answer: it asks again under the same key.
        await survivors[0].ask(charge=authorization, minor=MINOR)
        await outside.until(f"SELECT count(*) FROM receipts WHERE gross_minor = {MINOR}", 1)
        await outside.quiet()
        charges = (await outside.outside.truth(gateway.name))["charges"]
        taken = [one for one in charges if (one["amount_minor"], one["status"]) == (MINOR, gateway.paid)]
        assert len(taken) == 1
        postings = (await outside.outside.truth("bankone"))["postings"]
        assert [one["amount_minor"] for one in postings].count(MINOR) == 1
        for survivor in survivors:
            await survivor.end()
