"""Payouts with the other gateway in the first one's place: no recipient, approvals, refusals that made a record."""

from __future__ import annotations

from typing import Any

from rigs.gateways import FLUTTERWAVE
from rigs.payouts import AMOUNT, ask, events, until
from rigs.river import River, river

SWIFT = {"flutterwave": {"transfer_seconds": "0.2"}}


async def _transfers(hub: River) -> list[tuple[int, str]]:
    told = (await hub.outside.truth("flutterwave"))["transfers"]
    return [(one["amount_minor"], one["status"]) for one in told]


async def _effects(hub: River) -> list[Any]:
    rows = await hub.rows("SELECT kind, state FROM effects WHERE kind IN ('recipient', 'transfer')")
    return [(row["kind"], row["state"]) for row in rows]


async def test_a_payout_goes_straight_to_the_account_and_is_followed_to_its_end(database_dsn: str) -> None:
    async with river(database_dsn, simulated=SWIFT, gateway=FLUTTERWAVE) as hub:
        await hub.outside.fault("flutterwave", "create_transfer", "drop_after")
        payout = await ask(hub, connection="flutterwave")
        await until(hub, payout, "succeeded", 40)
        assert await _transfers(hub) == [(AMOUNT, "SUCCESSFUL")]
        assert await _effects(hub) == [("transfer", "done")]
        assert await hub.value("SELECT fee_minor FROM payouts") == 2_688
        assert await events(hub, payout) == ["payout.requested", "payout.succeeded"]


async def test_a_payout_waits_for_an_approval_in_their_dashboard(database_dsn: str) -> None:
    simulated = {"flutterwave": {"approval": "true"}}
    async with river(database_dsn, simulated=simulated, gateway=FLUTTERWAVE) as hub:
        payout = await ask(hub, connection="flutterwave")
        await until(hub, payout, "awaiting_approval")
        reference = await hub.value("SELECT transfer FROM payouts")
        await hub.outside.control("flutterwave", "transfer", reference=reference, status="SUCCESSFUL")
        await until(hub, payout, "succeeded")
        assert await events(hub, payout) == [
            "payout.requested",
            "payout.awaiting_otp",
            "payout.succeeded",
        ]


async def test_trap_20_a_refusal_that_made_a_record_is_looked_up_and_never_sent_again(
    database_dsn: str,
) -> None:
    async with river(database_dsn, simulated=SWIFT, gateway=FLUTTERWAVE) as hub:
        words = {"message": "Transfer creation failed", "record": True}
        await hub.outside.fault("flutterwave", "create_transfer", "decline", params=words)
        await ask(hub, connection="flutterwave")
        await hub.until("SELECT count(*) FROM effects WHERE state = 'unknown' AND looks >= 2", expected=1)
        assert await _transfers(hub) == []
        assert await hub.value("SELECT tries FROM effects WHERE kind = 'transfer'") == 1
        assert await hub.value("SELECT state FROM payouts") == "intended"
