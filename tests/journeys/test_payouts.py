"""Money that goes out: checked first, sent once, followed to its end and beyond."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from rigs.corrections import ADA
from rigs.corrections import desk as corrections_desk
from rigs.payouts import ACCOUNT, AMOUNT, CHECKER, HOLDER, MAKER, ask, events, transfers, until, wish
from rigs.river import River, river
from rigs.trail import verified

from coopwire.application.operating import Operator
from coopwire.application.paying import Idempotent, KeyReused, Rejected
from coopwire.domain.breaks import Break, BreakType
from coopwire.domain.gates import GateKind, Traffic
from coopwire.domain.money import Money

SWIFT = {"paystack": {"transfer_seconds": "0.2"}}
QUIET = {"paystack": {"transfer_ends": "stays"}}


async def _effects(hub: River) -> dict[str, str]:
    rows = await hub.rows("SELECT kind, state FROM effects WHERE kind IN ('recipient', 'transfer')")
    return {row["kind"]: row["state"] for row in rows}


async def _payout(hub: River) -> Any:
    [row] = await hub.rows("SELECT * FROM payouts")
    return row


async def test_a_payout_is_checked_sent_once_and_followed_to_its_end(database_dsn: str) -> None:
    async with river(database_dsn, simulated=SWIFT) as hub:
        payout = await ask(hub)
        await until(hub, payout, "succeeded")
        assert await transfers(hub) == [(AMOUNT, "success")]
        assert await _effects(hub) == {"recipient": "done", "transfer": "done"}
        row = await _payout(hub)
        assert (row["name_score"], row["fee_minor"], row["hold"]) == (100, 1_000, None)
        assert await events(hub, payout) == ["payout.requested", "payout.succeeded"]
        assert await hub.breaks() == []
        async with hub.app.database.unhurried() as db:
            assert (await verified(db))[0] == [], "the audit trail and the rows differ"
        await hub.rows("UPDATE payout_beneficiaries SET sealed = sealed || '\\x00'")
        async with hub.app.database.unhurried() as db:
            [changed] = (await verified(db))[0]
            assert (changed.noun, changed.key) == ("payout", payout.id), "another account is not noticed"


async def test_trap_30_a_success_in_the_answer_to_the_order_is_none(database_dsn: str) -> None:
    words = {"transfer_word": "success", "transfer_ends": "failed", "transfer_seconds": "0.2"}
    async with river(database_dsn, simulated={"paystack": words}) as hub:
        payout = await ask(hub)
        await until(hub, payout, "failed")
        assert await events(hub, payout) == ["payout.requested", "payout.failed"]
        # Nothing is resent by itself.
        assert await transfers(hub) == [(AMOUNT, "failed")]
        assert await _effects(hub) == {"recipient": "done", "transfer": "done"}


async def test_what_does_not_agree_waits_and_nothing_leaves(database_dsn: str) -> None:
    async with river(database_dsn, simulated=SWIFT) as hub:
        await hub.outside.control(
            "paystack", "account", account_number="0000000220", bank_code="011", name=""
        )
        held = {
            "name_mismatch": await ask(hub, name="Somebody Else"),
            "bad_account": await ask(hub, account="0000014578"),
            "float_short": await ask(hub, money=Money(10_000_000_001, "NGN")),
        }
        nobody = await ask(hub, account="0000000220")
        for hold, payout in held.items():
            await until(hub, payout, "held")
            assert await hub.value("SELECT hold FROM payouts WHERE id = $1", payout.id) == hold
            assert await events(hub, payout) == ["payout.requested", "payout.held"]
        await until(hub, nobody, "held")
        assert await hub.value("SELECT hold FROM payouts WHERE id = $1", nobody.id) == "bad_account"
        assert (await transfers(hub), await _effects(hub)) == ([], {})
        assert (await hub.outside.truth("paystack"))["recipients"] == 0
        told = json.dumps([dict(row) for row in await hub.rows("SELECT reason, hold FROM payouts")])
        assert not any(word in told for word in ("Somebody", "HOLDER", ACCOUNT))


async def test_a_second_person_releases_what_is_held_and_the_first_cannot(database_dsn: str) -> None:
    async with river(database_dsn, simulated=SWIFT) as hub:
        payout = await ask(hub, name="Somebody Else")
        await until(hub, payout, "held")
        with pytest.raises(Rejected) as own:
            await hub.app.payouts.release(payout.id, MAKER, "it is her maiden name")
        assert own.value.code == "conflict"
        both = [hub.app.payouts.release(payout.id, CHECKER, "it is her maiden name") for _ in range(2)]
        done = await asyncio.gather(*both, return_exceptions=True)
        assert sum(isinstance(one, Rejected) for one in done) == 1, "it was released twice"
        await until(hub, payout, "succeeded")
        assert await transfers(hub) == [(AMOUNT, "success")]
        row = await _payout(hub)
        assert (row["asked_by"], row["released_by"], row["hold"]) == ("maker", "checker", "name_mismatch")
        actions = await hub.rows("SELECT actor, action FROM operator_actions")
        assert [(one["actor"], one["action"]) for one in actions] == [
            ("checker", "release payout held for name_mismatch")
        ]


async def test_a_cancelled_payout_never_goes_out(database_dsn: str) -> None:
    async with river(database_dsn, simulated=SWIFT) as hub:
        payout = await ask(hub, name="Somebody Else")
        await until(hub, payout, "held")
        await hub.app.payouts.cancel(payout.id, MAKER, "the loan was withdrawn")
        assert await events(hub, payout) == ["payout.requested", "payout.held", "payout.cancelled"]
        with pytest.raises(Rejected):
            await hub.app.payouts.release(payout.id, CHECKER, "too late")
        assert await transfers(hub) == []


async def test_two_payouts_never_share_a_float_that_bears_one(database_dsn: str) -> None:
    short = {"paystack": {"balance": str(AMOUNT * 3 // 2), "transfer_ends": "stays"}}
    async with river(database_dsn, simulated=short) as hub:
        await asyncio.gather(*(ask(hub) for _ in range(3)))
        await hub.until("SELECT count(*) FROM payouts WHERE state IN ('held', 'processing')", expected=3)
        rows = await hub.rows("SELECT state, hold FROM payouts ORDER BY state")
        assert [(row["state"], row["hold"]) for row in rows] == [
            ("held", "float_short"),
            ("held", "float_short"),
            ("processing", None),
        ]
        assert await transfers(hub) == [(AMOUNT, "pending")]


@pytest.mark.parametrize("operation", ["create_recipient", "create_transfer"])
@pytest.mark.parametrize("fault", ["drop_after", "html"])
async def test_a_lost_answer_pays_once(database_dsn: str, operation: str, fault: str) -> None:
    async with river(database_dsn, simulated=SWIFT) as hub:
        params = {"done": True, "status": 200} if fault == "html" else {}
        await hub.outside.fault("paystack", operation, fault, params=params)
        payout = await ask(hub)
        await until(hub, payout, "succeeded", 40)
        assert await transfers(hub) == [(AMOUNT, "success")]
        assert (await hub.outside.truth("paystack"))["recipients"] == 1


async def test_trap_20_a_transfer_that_never_came_is_sent_under_the_same_reference(database_dsn: str) -> None:
    async with river(database_dsn, simulated=SWIFT) as hub:
        await hub.outside.fault("paystack", "create_transfer", "drop_before")
        payout = await ask(hub)
        # They say "Transfer not found", and it is believed after the time that the sheet states.
        await until(hub, payout, "succeeded", 60)
        assert await transfers(hub) == [(AMOUNT, "success")]
        assert await hub.value("SELECT count(*) FROM effects WHERE kind = 'transfer'") == 1
        assert await hub.value("SELECT tries FROM effects WHERE kind = 'transfer'") == 2


async def test_a_refusal_ends_it_and_nothing_is_resent(database_dsn: str) -> None:
    async with river(database_dsn, simulated=SWIFT) as hub:
        words = {"message": f"Transfers to {HOLDER} are not allowed"}
        await hub.outside.fault("paystack", "create_transfer", "decline", params=words)
        payout = await ask(hub)
        await until(hub, payout, "failed")
        assert await events(hub, payout) == ["payout.requested", "payout.failed"]
        row = await _payout(hub)
        assert "are not allowed" in row["reason"]
        assert "HOLDER" not in row["reason"], "who is paid is told"
        assert await transfers(hub) == []


async def test_an_account_that_is_not_made_known_is_never_paid(database_dsn: str) -> None:
    async with river(database_dsn, simulated=SWIFT) as hub:
        await hub.outside.fault("paystack", "create_recipient", "decline")
        payout = await ask(hub)
        await until(hub, payout, "failed")
        assert await _effects(hub) == {"recipient": "refused", "transfer": "cancelled"}
        assert await transfers(hub) == []


async def test_trap_19_money_that_came_back_is_a_break_and_an_event(database_dsn: str) -> None:
    async with river(database_dsn, simulated=QUIET) as hub:
        payout = await ask(hub)
        await until(hub, payout, "processing")
        reference = await hub.value("SELECT transfer FROM payouts")
        for status, state in (("success", "succeeded"), ("reversed", "reversed")):
            await hub.outside.control("paystack", "transfer", reference=reference, status=status)
            data = {"reference": reference, "status": status, "amount": 1, "currency": "NGN"}
            await hub.notify(json.dumps({"event": f"transfer.{status}", "data": data}).encode())
            await until(hub, payout, state)
        assert await events(hub, payout) == ["payout.requested", "payout.succeeded", "payout.reversed"]
        assert await hub.breaks() == ["payout_reversed"]


async def test_a_webhook_is_a_hint_and_moves_nothing_by_itself(database_dsn: str) -> None:
    async with river(database_dsn, simulated=QUIET) as hub:
        payout = await ask(hub)
        await until(hub, payout, "processing")
        reference = await hub.value("SELECT transfer FROM payouts")
        data = {"reference": reference, "status": "success", "amount": AMOUNT, "currency": "NGN"}
        looks = await hub.value("SELECT looks FROM payouts")
        await hub.notify(json.dumps({"event": "transfer.success", "data": data}).encode())
        await hub.until("SELECT looks > $1 FROM payouts", looks)
        assert await hub.value("SELECT state FROM payouts") == "processing"
        assert await events(hub, payout) == ["payout.requested"]


async def test_what_the_table_forbids_is_a_break_and_no_move(database_dsn: str) -> None:
    async with river(database_dsn, simulated=QUIET) as hub:
        payout = await ask(hub)
        await until(hub, payout, "processing")
        reference = await hub.value("SELECT transfer FROM payouts")
        await hub.outside.control("paystack", "transfer", reference=reference, status="failed")
        await until(hub, payout, "failed")
        await hub.outside.control("paystack", "transfer", reference=reference, status="success")
        data = {"reference": reference, "status": "success"}
        await hub.notify(json.dumps({"event": "transfer.success", "data": data}).encode())
        await hub.until("SELECT count(*) FROM breaks WHERE type = 'payout_changed'", expected=1)
        assert await hub.value("SELECT state FROM payouts") == "failed"


async def test_a_one_time_password_is_given_by_a_person_and_kept_nowhere(database_dsn: str) -> None:
    settings = {"paystack": {"otp": "92878309", "transfer_seconds": "0.2"}}
    async with river(database_dsn, simulated=settings) as hub:
        payout = await ask(hub)
        await until(hub, payout, "awaiting_otp")
        with pytest.raises(Rejected) as refused:
            await hub.app.payouts.give_otp(payout.id, "11111111", CHECKER)
        assert refused.value.field == "otp"
        assert "11111111" not in str(refused.value)
        operator = Operator(hub.app.network, hub.app.database, hub.app.clock)
        await operator.close_gate("paystack", [Traffic.WRITE], "checker", "the bank holiday")
        with pytest.raises(Rejected, match="the bank holiday"):
            await hub.app.payouts.give_otp(payout.id, "92878309", CHECKER)
        await operator.open_gate("paystack", GateKind.MANUAL, [Traffic.WRITE], "checker", "it is over")
        await hub.app.payouts.resend_otp(payout.id, CHECKER)
        # The answer is lost, and the look says that it was taken.
        await hub.outside.fault("paystack", "finalize_transfer", "drop_after")
        await hub.app.payouts.give_otp(payout.id, "92878309", CHECKER)
        await until(hub, payout, "succeeded")
        assert await transfers(hub) == [(AMOUNT, "success")]
        with pytest.raises(Rejected):
            await hub.app.payouts.give_otp(payout.id, "92878309", CHECKER)
        for table in ("operator_actions", "looks", "outbox", "payouts", "effects", "breaks"):
            rows = await hub.rows(f"SELECT t::text AS row FROM {table} t")
            assert not any("92878309" in row["row"] or "11111111" in row["row"] for row in rows), table


async def test_a_payout_waits_while_its_gateway_may_not_be_called(database_dsn: str) -> None:
    async with river(database_dsn, simulated=SWIFT) as hub:
        operator = Operator(hub.app.network, hub.app.database, hub.app.clock)
        await operator.close_gate("paystack", [Traffic.WRITE], "checker", "the bank holiday")
        payout = await ask(hub)
        await until(hub, payout, "intended")
        await asyncio.sleep(0.5)
        assert await transfers(hub) == []
        await operator.open_gate("paystack", GateKind.MANUAL, [Traffic.WRITE], "checker", "it is over")
        await until(hub, payout, "succeeded")
        assert await transfers(hub) == [(AMOUNT, "success")]


async def test_a_skipped_transfer_cancels_its_payout(database_dsn: str) -> None:
    async with river(database_dsn, simulated=SWIFT) as hub:
        operator = Operator(hub.app.network, hub.app.database, hub.app.clock)
        await operator.close_gate("paystack", [Traffic.WRITE], "checker", "the bank holiday")
        payout = await ask(hub)
        await until(hub, payout, "intended")
        recipient = await hub.value("SELECT recipient FROM payouts")
        await operator.skip(recipient, "checker", "the loan was withdrawn")
        await until(hub, payout, "cancelled")
        assert await _effects(hub) == {"recipient": "cancelled", "transfer": "cancelled"}
        assert await hub.breaks() == []


async def test_one_key_is_one_payout(database_dsn: str) -> None:
    async with river(database_dsn, simulated=SWIFT) as hub:
        once = Idempotent("test", "key", "body")
        both = [hub.app.payouts.request(wish(), once, MAKER) for _ in range(4)]
        made = await asyncio.gather(*both)
        assert len({one.payout.id for one in made}) == 1
        assert sum(one.replayed for one in made) == 3
        with pytest.raises(KeyReused):
            await hub.app.payouts.request(wish(), Idempotent("test", "key", "another body"), MAKER)
        await until(hub, made[0].payout, "succeeded")
        assert await transfers(hub) == [(AMOUNT, "success")]


async def test_looking_again_at_a_payout_asks_about_the_transfer(database_dsn: str) -> None:
    async with river(database_dsn, simulated=QUIET) as hub:
        payout = await ask(hub)
        await hub.until("SELECT provider_ref IS NOT NULL FROM payouts")
        transfer = await hub.value("SELECT transfer FROM payouts")
        overdue = Break(
            BreakType.PAYOUT_OVERDUE, payout.id, "x", effect=transfer, evidence={"connection": "paystack"}
        )
        async with hub.app.database.begin("test") as tx:
            await tx.open_breaks([overdue], hub.app.clock.now())
        id_ = await hub.value("SELECT id FROM breaks")
        looks = await hub.value("SELECT looks FROM payouts")
        said = await corrections_desk(hub).look_again(id_, ADA)
        assert said == f"payout {payout.id} is looked up at paystack"
        await hub.until("SELECT looks > $1 FROM payouts", looks)


async def test_a_key_that_has_paid_out_once_never_pays_again_also_when_it_is_forgotten(
    database_dsn: str,
) -> None:
    once = Idempotent("test", "an old key", "the body")
    async with river(database_dsn) as hub:
        first = (await hub.app.payouts.request(wish(), once, MAKER)).payout
        await until(hub, first, "succeeded")
        await hub.rows("DELETE FROM idempotency")
        with pytest.raises(KeyReused):
            await hub.app.payouts.request(wish(), once, MAKER)
        assert len(await transfers(hub)) == 1
