"""Killed at every fail point on the way to a member's account: one account, and its transfer booked once."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Any

import pytest
from rigs.crashing import Died, World, world
from rigs.places import all_places
from rigs.proof import WHOLE

_ON_THE_WAY = ("open account", "virtual_account", "look for account", "claim accounts", "record account")
_FOUND_AFTER_A_LOST_ANSWER = ("find virtual_account",)
PLACES = [place for place in all_places() if any(word in place for word in _ON_THE_WAY)]


def _chosen() -> list[str]:
    """All places in the whole proof, else one in twelve."""
    return PLACES if WHOLE else PLACES[::12]


def test_the_list_of_places_covers_an_account_from_the_request_to_its_number() -> None:
    for place in (
        "after commit open account",
        "after send virtual_account",
        "after find virtual_account",
        "before look for account",
        "before commit record account",
    ):
        assert place in PLACES


@pytest.mark.parametrize("place", _chosen())
async def test_a_hub_killed_at_this_place_leaves_one_account_and_books_its_transfer_once(
    database_dsn: str, place: str
) -> None:
    async with world(database_dsn) as outside:
        if any(word in place for word in _FOUND_AFTER_A_LOST_ANSWER):
            await outside.outside.fault("paystack", "assign_account", "drop_after", times=1)
        assert await _run_into(outside, place), f"{place} was never reached"
        survivors = [await outside.start(), await outside.start()]
        await survivors[0].ask(open_account="k")
        await _until(outside, "SELECT count(*) FROM virtual_accounts WHERE state = 'active'", 1)
        [account] = (await outside.outside.truth("paystack"))["accounts"]
        told = await outside.outside.control("paystack", "deposit", number=account["number"], amount=77_000)
        [charge] = told["charges"]
        for survivor in survivors:
            await survivor.ask(hint=charge["reference"], charge=charge["id"])
        await _until(outside, "SELECT count(*) FROM receipts", 1)
        await outside.quiet()
        postings = (await outside.outside.truth("bankone"))["postings"]
        assert [one["amount_minor"] for one in postings] == [77_000]
        assert await outside.db.fetchval("SELECT count(*) FROM virtual_accounts") == 1
        for survivor in survivors:
            await survivor.end()


async def _run_into(outside: World, place: str) -> bool:
    try:
        hub = await outside.start(fail_at=place)
    except Died:
        return True
    try:
        with contextlib.suppress(Died):
            await hub.ask(open_account="k")
        for _ in range(150):
            if not hub.alive:
                return True
            await asyncio.sleep(0.1)
    finally:
        await hub.kill()
    return False


async def _until(outside: World, sql: str, expected: int) -> None:
    deadline = asyncio.get_running_loop().time() + 60
    while await outside.db.fetchval(sql) != expected:
        if asyncio.get_running_loop().time() > deadline:
            rows: list[Any] = await outside.db.fetch("SELECT state, reason, look_at FROM virtual_accounts")
            rows += await outside.db.fetch("SELECT kind, state, reason, looks, census FROM effects")
            raise AssertionError(f"never {expected}: {sql}\n" + "\n".join(str(dict(row)) for row in rows))
        await asyncio.sleep(0.1)
