"""Beside the fee that a gateway took stands the one that it should have taken; a difference is told once."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from rigs.river import River, river

from coopwire import app as composition
from coopwire.connections import Configured

KEPT = "SELECT fee_minor, fee_known, expected_fee_minor, expected_fee_exact, fee_arithmetic, fee_bearer FROM receipts"


async def _paid(hub: River) -> dict[str, Any]:
    """A repayment of 52,500.00 naira that is booked and banked; what is kept of its fee."""
    accepted = await hub.accept()
    told = await hub.pay(accepted.attempt)
    await hub.hint(accepted.attempt, told["charges"][0]["id"])
    await hub.settled(1)
    [kept] = await hub.rows(KEPT)
    return dict(kept)


async def _breaks(hub: River) -> list[Any]:
    return await hub.rows("SELECT * FROM breaks")


async def _close_the_day(hub: River) -> list[str]:
    day = hub.app.network.routes.business_day(hub.app.clock.now())
    done = await composition.reconciler(hub.app).run(day, "a test", patience=timedelta(seconds=6))
    return [finding.type.value for finding in done.report.findings]


@pytest.mark.parametrize("bearer", ["account", "customer"])
async def test_a_fee_by_the_list_stands_beside_the_expected_one(database_dsn: str, bearer: str) -> None:
    async with river(database_dsn, simulated={"paystack": {"bearer": bearer}}) as hub:
        kept = await _paid(hub)
        assert (kept["fee_known"], await _breaks(hub)) == (True, [])
    assert abs(kept["fee_minor"] - kept["expected_fee_minor"]) <= 1
    assert kept["fee_arithmetic"]["schedule"] == "paystack, example"
    assert kept["fee_arithmetic"]["card"] == ["NG", "visa"]
    if bearer == "account":
        assert (kept["expected_fee_minor"], kept["expected_fee_exact"]) == (88_750, "88750")
        assert [text for text, _, _ in kept["fee_arithmetic"]["lines"]] == [
            "1.5 % of 52,500.00 NGN",
            "100.00 NGN from 2,500.00 NGN on",
        ]


async def test_another_fee_than_agreed_is_one_break_whoever_tells_of_it(database_dsn: str) -> None:
    async with river(database_dsn, simulated={"paystack": {"fee_percent": "1.7"}}) as hub:
        kept = await _paid(hub)
        [told] = await _breaks(hub)
        receipt = await hub.value("SELECT id FROM receipts")
        assert await _close_the_day(hub) == []
        assert [row["state"] for row in await _breaks(hub)] == ["open"]
        await hub.app.database.pool.execute("UPDATE receipts SET fee_minor = 88750")
        assert await _close_the_day(hub) == ["fee_differs"]
        [again] = await _breaks(hub)
    # What the gateway took is what was booked.
    assert (kept["fee_minor"], kept["expected_fee_minor"]) == (99_250, 88_750)
    assert (told["type"], told["subject"], told["amount_minor"]) == ("fee_differs", receipt, 10_500)
    assert told["evidence"]["ours"] == {
        "receipt": receipt,
        "expected_fee_minor": 88_750,
        "expected_fee_exact": "88750",
        "schedule": "paystack, example",
        "rule": "NGN any channel from 2020-01-01",
    }
    assert told["evidence"]["theirs"]["fee_exact"] == "99250"
    assert (again["id"], again["evidence"]["ours"]["expected_fee_minor"]) == (told["id"], 88_750)


async def test_one_charge_that_cost_more_is_told_by_how_much(database_dsn: str) -> None:
    async with river(database_dsn) as hub:
        accepted = await hub.accept()
        told = await hub.pay(accepted.attempt, extra_fee=7_500)
        await hub.hint(accepted.attempt, told["charges"][0]["id"])
        await hub.settled(1)
        assert [(row["type"], row["amount_minor"]) for row in await _breaks(hub)] == [("fee_differs", 7_500)]


async def test_a_fee_that_is_not_told_yet_is_no_difference(database_dsn: str) -> None:
    async with river(database_dsn, simulated={"paystack": {"fees": "null"}}) as hub:
        kept = await _paid(hub)
        assert await _breaks(hub) == []
    assert (kept["fee_known"], kept["fee_minor"], kept["expected_fee_minor"]) == (
        False,
        0,
        88_750,
    )


def _without_a_list(configured: Configured) -> Configured:
    connections = {name: replace(one, fees=None) for name, one in configured.connections.items()}
    return replace(configured, connections=connections)


async def test_without_a_price_list_nothing_is_expected(database_dsn: str) -> None:
    strange = {"paystack": {"fee_percent": "9"}}
    async with river(database_dsn, simulated=strange, change=_without_a_list) as hub:
        kept = await _paid(hub)
        assert await _breaks(hub) == []
    assert (kept["expected_fee_minor"], kept["fee_arithmetic"]) == (None, None)
