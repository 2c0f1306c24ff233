"""Killed at every fail point and at random moments, with two workers: nothing lost, doubled or half-booked."""

from __future__ import annotations

import contextlib
from collections.abc import Callable

import pytest
from rigs.crashing import Died, HubProcess, World, killed_at_random, world
from rigs.gateways import FLUTTERWAVE, PAYSTACK, STRIPE, Gateway
from rigs.places import all_places
from rigs.proof import WHOLE

PLACES = all_places()
_NOT_ON_THE_WAY = (
    "accept attempt",
    "breaker gate",
    "close gate",
    "open gate",
    "resume effect",
    "skip effect",
    "replay callback",
    "dead letters",
    "redrive of letters",
    "put back",
    "worker ends",
    "find callback",
    "refund",
    "dispute",
    "payout",
    "one-time password",
    " recipient",
    " transfer",
    "approve answer",
    "reject answer",
    " account",
    "virtual_account",
    "account_closing",
    "saved_charge",
    "deactivation",
    "end authorization",
    "mandate",
    "send reversal",
    "find reversal",
    "keep census",
    "mapping",
    "read audit head",
    "read core accounts",
    "tell-of-failures",
    "close-breaks",
    "read effect to ask",
    " break",
    " correction",
    "look again",
    "take receipt",
    "receipt batch",
    "receipt line",
    "approve receipts",
    "reject receipts",
    "resume receipts",
    "reconciliation",
    "read accounts of a day",
    "ask for look-ups",
    "read business dates",
    "recovery",
    "enter writes as unknown",
    "prepare events",
    "publish events",
    "mark events published",
    "find overdue deliveries",
    "hand over deliveries",
    "before acknowledge",
)
"""A repayment reaches no operator, no command line and no ended worker; callbacks are sent again, not found.
Receipts from elsewhere, refunds (`test_refund_crashes.py`), members' accounts (`test_account_crashes.py`), saved
charges (`test_saved_charge_crashes.py`), mandates (`test_mandate_crashes.py`), payouts (`test_payout_crashes.py`),
disputes (`test_dispute_crashes.py`) and the close of a day (`test_closing_by_command.py`) are killed in journeys of
their own;
no repayment comes past a recovery. What a broker carries is killed in
`bus/test_crashes_over_a_broker.py`."""
_LOST_ANSWERS = {
    "find posting": ("bankone", "credit"),
    "find journal": ("quickbooks", "create_journal_entry"),
    "claim unknown": ("quickbooks", "create_journal_entry"),
}
"""Places reached only after an answer got lost: whose. A lost checkout is the gateway's."""
REACHED = [p for p in PLACES if not any(word in p for word in _NOT_ON_THE_WAY)]


def _chosen() -> list[str]:
    """All places in the whole proof, else every thirtieth, so that each kind of place is hit."""
    return REACHED if WHOLE else REACHED[::30]


def test_the_list_of_places_covers_every_commit_and_every_call() -> None:
    assert "before commit record outcomes" in PLACES
    assert "after send posting" in PLACES
    assert "before look" in PLACES
    assert len(PLACES) > 40


@pytest.mark.parametrize("place", _chosen())
async def test_a_hub_killed_at_this_place_loses_and_doubles_nothing(database_dsn: str, place: str) -> None:
    await _killed_at(database_dsn, place, PAYSTACK)


@pytest.mark.whole
@pytest.mark.parametrize("place", REACHED)
async def test_a_hub_over_flutterwave_killed_at_this_place_loses_and_doubles_nothing(
    database_dsn: str, place: str
) -> None:
    await _killed_at(database_dsn, place, FLUTTERWAVE)


@pytest.mark.whole
@pytest.mark.parametrize("place", REACHED)
async def test_a_hub_over_stripe_killed_at_this_place_loses_and_doubles_nothing(
    database_dsn: str, place: str
) -> None:
    await _killed_at(database_dsn, place, STRIPE)


async def _killed_at(dsn: str, place: str, gateway: Gateway) -> None:
    async with world(dsn, gateway=gateway) as outside:
        lost = {**_LOST_ANSWERS, "find checkout": (gateway.name, gateway.opening)}
        for word, (provider, operation) in lost.items():
            if word in place:
                await outside.outside.fault(provider, operation, "drop_after", times=1)
        await outside.dies_at(place, lambda hub: _ask_and_pay(outside, hub))
        survivors = [await outside.start(), await outside.start()]
        for n in range(2):
            with contextlib.suppress(Died):
                await survivors[0].ask(accept=n)
        await outside.quiet()
        await outside.pay_everything(survivors[0])
        await outside.quiet()
        found = await outside.judge()
        assert sum(found.values()) == 2
        for survivor in survivors:
            await survivor.end()


async def _ask_and_pay(outside: World, hub: HubProcess) -> None:
    for n in range(2):
        await hub.ask(accept=n)
    await outside.pay_everything(hub)


@pytest.mark.whole
async def test_random_kills_lose_and_double_nothing(
    database_dsn: str, proof_count: Callable[[int, int], int]
) -> None:
    async with world(database_dsn) as outside, killed_at_random(outside, proof_count(3, 50), 20261123):
        pass


@pytest.mark.skipif(not WHOLE, reason="a quick count kills at random over Paystack")
async def test_random_kills_over_flutterwave_lose_and_double_nothing(database_dsn: str) -> None:
    async with world(database_dsn, gateway=FLUTTERWAVE) as outside, killed_at_random(outside, 50, 20261126):
        pass
