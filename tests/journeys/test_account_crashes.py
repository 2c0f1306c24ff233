"""Killed at every fail point on the way to a member's account: one account, and its transfer booked once."""

from __future__ import annotations

import pytest
from rigs.crashing import world
from rigs.gateways import FLUTTERWAVE, PAYSTACK, Gateway
from rigs.places import all_places

_ON_THE_WAY = ("open account", "virtual_account", "look for account", "claim accounts", "record account")
_FOUND_AFTER_A_LOST_ANSWER = ("find virtual_account",)
PLACES = [place for place in all_places() if any(word in place for word in _ON_THE_WAY)]


TOLD_AT_ONCE = [place for place in PLACES if "open account" in place or "send virtual_account" in place]
"""The places where an order is answered with its account: nothing is looked for."""


UNSENT = "before send virtual_account"
CASES = [
    *((PAYSTACK, place) for place in PLACES if place != UNSENT),
    *((FLUTTERWAVE, place) for place in TOLD_AT_ONCE),
]


def test_the_list_of_places_covers_an_account_from_the_request_to_its_number() -> None:
    for place in (
        "after commit open account",
        "after send virtual_account",
        "after find virtual_account",
        "before look for account",
        "before commit record account",
    ):
        assert place in PLACES


@pytest.mark.whole
async def test_an_order_that_nobody_can_tell_was_sent_is_left_to_a_person(database_dsn: str) -> None:
    """A bank opens an account when it is ready: that there is none never proves that none will come."""
    async with world(database_dsn) as outside:
        await outside.dies_at(UNSENT, lambda hub: hub.ask(open_account="k"))
        survivor = await outside.start()
        await survivor.ask(open_account="k")
        still = "SELECT count(*) FROM breaks WHERE type = 'outcome_still_unknown' AND state = 'open'"
        # A day of look-ups, in the lengths of the demonstration.
        await outside.until(still, 1, seconds=180)
        assert (await outside.outside.truth(PAYSTACK.name))["accounts"] == []
        assert await outside.db.fetchval("SELECT state FROM effects") == "unknown"
        await survivor.end()


@pytest.mark.whole
@pytest.mark.parametrize(("gateway", "place"), CASES, ids=lambda one: getattr(one, "name", one))
async def test_a_hub_killed_at_this_place_leaves_one_account_and_books_each_transfer_once(
    database_dsn: str, gateway: Gateway, place: str
) -> None:
    """Where nothing finds a lost one there may be two at the gateway: a transfer to either is the member's."""
    async with world(database_dsn, gateway=gateway) as outside:
        if any(word in place for word in _FOUND_AFTER_A_LOST_ANSWER):
            await outside.outside.fault("paystack", "assign_account", "drop_after", times=1)
        await outside.dies_at(place, lambda hub: hub.ask(open_account="k"))
        survivors = [await outside.start(), await outside.start()]
        await survivors[0].ask(open_account="k")
        await outside.until("SELECT count(*) FROM virtual_accounts WHERE state = 'active'", 1)
        accounts = (await outside.outside.truth(gateway.name))["accounts"]
        assert len(accounts) == 1 or gateway is FLUTTERWAVE
        amounts = [77_000 + number for number in range(len(accounts))]
        for account, amount in zip(accounts, amounts, strict=True):
            told = await outside.outside.control(
                gateway.name, "deposit", number=account["number"], amount=amount
            )
            [charge] = told["charges"]
            for survivor in survivors:
                await survivor.ask(hint=charge["reference"], charge=charge["id"])
        await outside.until("SELECT count(*) FROM receipts", len(accounts))
        await outside.quiet()
        postings = (await outside.outside.truth("bankone"))["postings"]
        assert sorted(one["amount_minor"] for one in postings) == amounts
        assert await outside.db.fetchval("SELECT count(*) FROM virtual_accounts") == 1
        for survivor in survivors:
            await survivor.end()
