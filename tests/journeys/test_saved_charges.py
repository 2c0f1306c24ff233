"""What a member left is kept with their leave, charged once for one payment, and not at all once it is ended."""

from __future__ import annotations

import asyncio
import secrets
from typing import Any

import pytest
from rigs.river import River, request, river

from coopwire.application.paying import Accepted, Idempotent, KeyReused, Rejected
from coopwire.domain.money import Money


async def left(hub: River, **changes: Any) -> str:
    """Our id of what a member left by paying a page."""
    asked = await hub.accept(save_authorization=True, **changes)
    told = await hub.pay(asked.attempt)
    await hub.hint(asked.attempt, told["charges"][0]["id"])
    await hub.until("SELECT count(*) FROM authorizations WHERE payment = $1", asked.payment, expected=1)
    found: str = await hub.value("SELECT id FROM authorizations WHERE payment = $1", asked.payment)
    return found


async def charge(hub: River, authorization: str, minor: int = 100_000, **changes: Any) -> Accepted:
    """A payment of a fee that is taken from what the member left."""
    once = Idempotent("test", secrets.token_hex(8), secrets.token_hex(8))
    asked = request(money=Money(minor, "NGN"), dues=None, authorization=authorization, **changes)
    return await hub.app.desk.accept(asked, once)


async def plan(hub: River, **how: object) -> None:
    """How the next charge of the only authorization goes."""
    [code] = [
        f"AUTH_{one['id']:x}"
        for one in (await hub.outside.truth("paystack"))["charges"]
        if one["status"] == "success"
    ]
    await hub.outside.control("paystack", "plan", code=code, **how)


async def _charged(hub: River, minor: int = 100_000) -> int:
    """How often this amount was taken at the gateway."""
    charges = (await hub.outside.truth("paystack"))["charges"]
    return sum(1 for one in charges if (one["amount_minor"], one["status"]) == (minor, "success"))


async def test_what_the_member_left_is_charged_and_lands_once(database_dsn: str) -> None:
    async with river(database_dsn) as hub:
        authorization = await left(hub)
        accepted = await charge(hub, authorization)
        await hub.settled(2)
        assert accepted.url is None
        assert await _charged(hub) == 1
        state = await hub.value("SELECT state FROM payments WHERE reference = $1", accepted.payment)
        assert state == "succeeded"
        kinds = [
            row["kind"]
            for row in await hub.rows("SELECT kind FROM effects WHERE payment = $1", accepted.payment)
        ]
        assert "saved_charge" in kinds and "checkout" not in kinds
        assert await hub.value("SELECT count(*) FROM breaks WHERE type <> 'dues_expired'") == 0


async def test_nothing_is_kept_unless_the_payment_asked_for_it(database_dsn: str) -> None:
    async with river(database_dsn) as hub:
        asked = await hub.accept()
        told = await hub.pay(asked.attempt)
        await hub.hint(asked.attempt, told["charges"][0]["id"])
        await hub.settled(1)
        assert await hub.value("SELECT count(*) FROM authorizations") == 0
        assert await hub.value("SELECT count(*) FROM authorization_codes") == 0


async def test_what_is_kept_is_sealed_and_kept_once(database_dsn: str) -> None:
    async with river(database_dsn) as hub:
        authorization = await left(hub)
        await charge(hub, authorization, save_authorization=True)
        await hub.settled(2)
        assert await hub.value("SELECT count(*) FROM authorizations") == 1
        codes = [f"AUTH_{one['id']:x}" for one in (await hub.outside.truth("paystack"))["charges"]]
        for table in ("authorizations", "effects", "outbox", "looks", "notices", "operator_actions"):
            for row in await hub.rows(f"SELECT * FROM {table}"):
                plain = " ".join(str(value) for value in row.values() if not isinstance(value, bytes))
                assert not any(code in plain for code in codes), table


async def test_a_decline_is_told_with_its_reason_and_never_tried_again_by_itself(database_dsn: str) -> None:
    async with river(database_dsn) as hub:
        authorization = await left(hub)
        await plan(hub, outcome="failed")
        with pytest.raises(Rejected) as rejected:
            await charge(hub, authorization)
        assert rejected.value.code == "gateway_refused" and "Insufficient Funds" in rejected.value.message
        await hub.until(
            "SELECT state FROM payments WHERE reference = $1", rejected.value.payment, expected="failed"
        )
        await asyncio.sleep(0.5)
        assert await _charged(hub) == 0
        assert await hub.value("SELECT count(*) FROM effects WHERE kind = 'saved_charge'") == 1
        assert await hub.value("SELECT count(*) FROM breaks WHERE type = 'effect_refused'") == 0
        await hub.until(
            "SELECT count(*) FROM effects WHERE kind = 'callback' AND state <> 'done'", expected=0
        )
        told = (await hub.outside.truth("lms"))["callbacks"]
        assert "payment.failed" in {one["type"] for one in told}


async def test_a_charge_that_waits_for_the_member_gives_the_page_back(database_dsn: str) -> None:
    async with river(database_dsn) as hub:
        authorization = await left(hub)
        await plan(hub, outcome="paused")
        accepted = await charge(hub, authorization)
        assert accepted.url is not None and accepted.url not in repr(accepted)
        state = await hub.value("SELECT state FROM payments WHERE reference = $1", accepted.payment)
        assert (state, await _charged(hub)) == ("pending", 0)
        told = await hub.pay(accepted.attempt)
        await hub.hint(accepted.attempt, told["charges"][0]["id"])
        await hub.settled(2)
        assert await _charged(hub) == 1


async def test_a_charge_under_way_is_paid_when_the_look_up_says_so(database_dsn: str) -> None:
    async with river(database_dsn) as hub:
        authorization = await left(hub)
        await plan(hub, outcome="processing")
        accepted = await charge(hub, authorization)
        state = await hub.value("SELECT state FROM payments WHERE reference = $1", accepted.payment)
        assert state == "processing"
        assert await hub.value("SELECT count(*) FROM receipts") == 1
        await hub.outside.control("paystack", "pay", reference=accepted.attempt)
        await hub.settled(2)


async def test_a_lost_answer_is_verified_under_the_same_reference_and_charged_once(database_dsn: str) -> None:
    async with river(database_dsn) as hub:
        authorization = await left(hub)
        await hub.outside.fault("paystack", "charge_authorization", "drop_after")
        accepted = await charge(hub, authorization)
        await hub.settled(2)
        assert await _charged(hub) == 1
        [effect] = await hub.rows("SELECT reference, tries FROM effects WHERE kind = 'saved_charge'")
        assert effect["reference"] == accepted.attempt


async def test_a_charge_that_never_arrived_is_sent_again_under_the_same_reference(database_dsn: str) -> None:
    async with river(database_dsn) as hub:
        authorization = await left(hub)
        await hub.outside.fault("paystack", "charge_authorization", "drop_before")
        await charge(hub, authorization)
        await hub.settled(2)
        assert await _charged(hub) == 1
        assert await hub.value("SELECT count(*) FROM effects WHERE kind = 'saved_charge'") == 1


async def test_the_same_request_charges_once_however_often_it_comes(database_dsn: str) -> None:
    async with river(database_dsn) as hub:
        authorization = await left(hub)
        once = Idempotent("test", "k", "d")
        asked = request(money=Money(100_000, "NGN"), dues=None, authorization=authorization)
        first = await hub.app.desk.accept(asked, once)
        second = await hub.app.desk.accept(asked, once)
        assert (first.payment, second.replayed) == (second.payment, True)
        await hub.settled(2)
        assert await _charged(hub) == 1


async def test_nobody_pays_with_what_another_member_left(database_dsn: str) -> None:
    async with river(database_dsn, members=2) as hub:
        authorization = await left(hub)
        for wrong in (
            {"authorization": authorization, "member": "M-1030"},
            {"authorization": "x" * 20},
        ):
            asked = request(money=Money(100_000, "NGN"), dues=None, **wrong)
            with pytest.raises(Rejected) as rejected:
                await hub.app.desk.accept(asked, Idempotent("test", secrets.token_hex(8), "d"))
            assert rejected.value.field == "authorization"
        assert await hub.value("SELECT count(*) FROM payments") == 1


async def test_what_was_ended_is_charged_no_more_and_forgotten(database_dsn: str) -> None:
    async with river(database_dsn) as hub:
        authorization = await left(hub)
        await hub.app.authorization_desk.end(authorization, "a desk", "the member asked for it")
        again = await hub.app.authorization_desk.end(authorization, "a desk", "again")
        assert again.ending is not None
        with pytest.raises(Rejected) as rejected:
            await charge(hub, authorization)
        assert (rejected.value.field, rejected.value.code) == ("authorization", "conflict")
        await hub.until("SELECT count(*) FROM authorization_codes", expected=0)
        assert hub.outside.made["paystack"].vendor.wallet.ended
        moves = await hub.rows(
            "SELECT data FROM outbox WHERE type = 'coopwire.authorization.moved.v1' ORDER BY seq"
        )
        assert [one["data"]["state"] for one in moves] == ["active", "ended"]
        [action] = await hub.rows("SELECT action, subject FROM operator_actions")
        assert (action["action"], action["subject"]) == ("end authorization", authorization)


async def test_a_key_that_has_charged_once_never_charges_again_also_when_it_is_forgotten(
    database_dsn: str,
) -> None:
    async with river(database_dsn) as hub:
        authorization = await left(hub)
        once = Idempotent("test", "an old key", "the body")
        asked = request(money=Money(100_000, "NGN"), dues=None, authorization=authorization)
        await hub.app.desk.accept(asked, once)
        await hub.settled(2)
        await hub.rows("DELETE FROM idempotency")
        with pytest.raises(KeyReused):
            await hub.app.desk.accept(asked, once)
        assert await _charged(hub) == 1
