"""A member's mandate: begun once, debited only while they and their bank say yes, and for no more than it allows."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from rigs.mandates import (
    BY_HAND,
    SWIFT,
    active,
    approved,
    at_the_bank,
    begun,
    debit,
    debited,
    fresh,
    tell,
    until,
    wanted,
)
from rigs.river import River, river

from coopwire import app as composition
from coopwire.application.operating import Operator
from coopwire.application.paying import Idempotent, KeyReused, Rejected
from coopwire.domain.gates import GateKind, Traffic
from coopwire.domain.mandates import Address, DebitedAccount, MandateChange
from coopwire.domain.money import Money


async def _moves(hub: River) -> list[str]:
    sql = "SELECT type FROM outbox WHERE type LIKE 'coopwire.mandate.%' ORDER BY seq"
    return [row["type"].removeprefix("coopwire.mandate.").removesuffix(".v1") for row in await hub.rows(sql)]


async def _look_now(hub: River) -> None:
    await hub.app.database.pool.execute("UPDATE mandates SET look_at = now() WHERE look_at IS NOT NULL")
    hub.app.bells.ring("mandates")


async def _change(hub: River, mandate: str, change: MandateChange) -> None:
    await hub.app.mandate_desk.change(mandate, change, "a desk", "the member wants it so")


# -- from the page to the money -------------------------------------------------------------------------------


async def test_a_mandate_is_approved_activated_and_debited_once(database_dsn: str) -> None:
    async with river(database_dsn, simulated=SWIFT) as hub:
        mandate = await begun(hub)
        approach = await composition.office(hub.app).queries.mandate_approach(mandate)
        assert approach is not None and approach.url is not None
        await at_the_bank(hub, mandate, "approve")
        await until(hub, mandate, "active")
        assert await composition.office(hub.app).queries.mandate_approach(mandate) is None
        accepted = await debit(hub, mandate)
        await hub.settled(1)
        assert (accepted.url, await debited(hub)) == (None, 1)
        [receipt] = await hub.rows("SELECT * FROM receipts")
        assert (receipt["gross_minor"], receipt["channel"]) == (60_000, "direct_debit")
        assert await hub.value("SELECT state FROM payments") == "succeeded"
        assert (await _moves(hub))[-1] == "active"
        told = {one["type"] for one in (await hub.outside.truth("lms"))["callbacks"]}
        assert {"mandate.active", "receipt.recorded"} <= told
        assert await hub.breaks() == []


async def test_a_webhook_hastens_the_look_and_is_not_believed(database_dsn: str) -> None:
    async with river(database_dsn, simulated=BY_HAND) as hub:
        mandate = await begun(hub)
        await hub.app.database.pool.execute("UPDATE mandates SET look_at = now() + interval '1 day'")
        reference = await hub.value("SELECT provider_ref FROM mandates")
        await tell(hub, "active", reference)
        await hub.until("SELECT looks FROM mandates", expected=1)
        assert await hub.value("SELECT state FROM mandates") == "pending"
        await at_the_bank(hub, mandate, "approve")
        # The first of their webhooks names the customer alone.
        await tell(hub, "created")
        await until(hub, mandate, "approved")
        await at_the_bank(hub, mandate, "activate")
        await tell(hub, "active", reference)
        await until(hub, mandate, "active")
        assert await _moves(hub) == ["approved", "active"]


async def test_a_debit_is_under_way_until_the_look_up_says_that_it_is_paid(database_dsn: str) -> None:
    async with river(database_dsn, simulated=BY_HAND) as hub:
        mandate = await approved(hub)
        await at_the_bank(hub, mandate, "activate")
        await _look_now(hub)
        await until(hub, mandate, "active")
        accepted = await debit(hub, mandate)
        state = await hub.value("SELECT state FROM payments WHERE reference = $1", accepted.payment)
        assert (state, await hub.value("SELECT count(*) FROM receipts")) == ("processing", 0)
        told = await hub.outside.control("paystack", "pay", reference=accepted.attempt)
        await hub.hint(accepted.attempt, told["charges"][0]["id"])
        await hub.settled(1)


async def test_a_debit_of_a_part_takes_what_is_there(database_dsn: str) -> None:
    async with river(database_dsn, simulated=SWIFT) as hub:
        mandate = await active(hub)
        code = hub.outside.made["paystack"].vendor.mandates.book.all[0].code
        await hub.outside.control("paystack", "plan", code=code, available=30_000)
        accepted = await debit(hub, mandate, at_least_minor=20_000)
        await hub.settled(1)
        view = await composition.office(hub.app).queries.payment(accepted.payment)
        assert view is not None and (view.state, view.due_minor) == ("succeeded", 30_000)
        assert await hub.breaks() == []


async def test_a_debit_that_the_bank_declines_fails_and_is_not_tried_again(database_dsn: str) -> None:
    settings = {"paystack": {**SWIFT["paystack"], "debit_ends": "failed"}}
    async with river(database_dsn, simulated=settings) as hub:
        mandate = await active(hub)
        accepted = await debit(hub, mandate)
        await hub.until(
            "SELECT state FROM payments WHERE reference = $1", accepted.payment, expected="failed"
        )
        assert await hub.value("SELECT count(*) FROM effects WHERE kind = 'saved_charge'") == 1
        assert await hub.value("SELECT state FROM mandates") == "active"


# -- what it does not allow -----------------------------------------------------------------------------------


async def test_what_the_mandate_does_not_allow_is_refused_before_anything_is_sent(database_dsn: str) -> None:
    async with river(database_dsn, simulated=SWIFT, members=2) as hub:
        today = hub.app.network.routes.business_day(hub.app.clock.now())
        mandate = await active(hub, ends_on=today)
        over = await active(hub, ends_on=today - timedelta(days=1))
        early = await active(hub, starts_on=today + timedelta(days=1))
        for field, which, changes in (
            ("amount_minor", mandate, {"money": Money(100_001, "NGN")}),
            ("currency", mandate, {"money": Money(60_000, "GHS")}),
            ("authorization", mandate, {"member": "M-1030"}),
            ("authorization", over, {}),
            ("authorization", early, {}),
        ):
            with pytest.raises(Rejected) as rejected:
                await debit(hub, which, **changes)
            assert rejected.value.field == field
        assert await hub.value("SELECT count(*) FROM payments") == 0
        assert await debit(hub, mandate, 100_000)


async def test_a_mandate_that_is_not_active_is_not_debited(database_dsn: str) -> None:
    async with river(database_dsn, simulated=BY_HAND) as hub:
        mandate = await begun(hub)
        with pytest.raises(Rejected) as rejected:
            await debit(hub, mandate)
        assert (rejected.value.field, rejected.value.code) == ("authorization", "conflict")
        await at_the_bank(hub, mandate, "approve")
        await _look_now(hub)
        await until(hub, mandate, "approved")
        with pytest.raises(Rejected):
            await debit(hub, mandate)
        assert await hub.value("SELECT count(*) FROM payments") == 0


# -- changes and ends -----------------------------------------------------------------------------------------


async def test_an_ended_mandate_is_debited_no_more_ended_there_and_forgotten(database_dsn: str) -> None:
    async with river(database_dsn, simulated=SWIFT) as hub:
        mandate = await active(hub)
        await _change(hub, mandate, MandateChange.END)
        again = await hub.app.mandate_desk.change(mandate, MandateChange.END, "a desk", "again")
        assert again.state == "ended"
        with pytest.raises(Rejected):
            await debit(hub, mandate)
        await hub.until("SELECT count(*) FROM mandate_codes", expected=0)
        assert [one["status"] for one in (await hub.outside.truth("paystack"))["mandates"]] == ["revoked"]
        assert await hub.value("SELECT count(*) FROM effects WHERE kind = 'mandate_change'") == 1
        assert (await _moves(hub))[-1] == "ended"
        [action] = await hub.rows("SELECT action, subject FROM operator_actions")
        assert (action["action"], action["subject"]) == ("end mandate", mandate)


async def test_a_mandate_that_the_member_revoked_is_found_out_by_looking(database_dsn: str) -> None:
    async with river(database_dsn, simulated=SWIFT) as hub:
        mandate = await active(hub)
        await at_the_bank(hub, mandate, "revoke")
        # No webhook tells of it: it is looked at every day.
        await _look_now(hub)
        await until(hub, mandate, "ended")
        with pytest.raises(Rejected):
            await debit(hub, mandate)


async def test_an_activation_is_tried_again_for_the_lender(database_dsn: str) -> None:
    async with river(database_dsn, simulated=BY_HAND) as hub:
        mandate = await approved(hub)
        await until(hub, mandate, "approved")
        await _change(hub, mandate, MandateChange.RETRY)
        await until(hub, mandate, "active")


async def test_a_change_that_the_gateway_does_not_make_is_refused_before_anything_is_stored(
    database_dsn: str,
) -> None:
    async with river(database_dsn, simulated=SWIFT) as hub:
        mandate = await active(hub)
        with pytest.raises(Rejected) as rejected:
            await _change(hub, mandate, MandateChange.SUSPEND)
        assert rejected.value.code == "conflict" and "suspends" in rejected.value.message
        for change in (MandateChange.RESUME, MandateChange.RETRY):
            with pytest.raises(Rejected):
                await _change(hub, mandate, change)
        with pytest.raises(Rejected) as rejected:
            await _change(hub, "x" * 20, MandateChange.END)
        assert rejected.value.code == "not_found"
        assert await hub.value("SELECT count(*) FROM effects WHERE kind = 'mandate_change'") == 0
        assert await hub.value("SELECT state FROM mandates") == "active"


async def test_a_mandate_that_nobody_approves_fails_in_the_end_and_may_be_approved_after_all(
    database_dsn: str,
) -> None:
    async with river(database_dsn, simulated=BY_HAND) as hub:
        mandate = await begun(hub)
        await hub.app.database.pool.execute("UPDATE mandates SET asked_at = now() - interval '30 days'")
        await _look_now(hub)
        await until(hub, mandate, "failed")
        assert await _moves(hub) == ["failed"]
        await at_the_bank(hub, mandate, "approve")
        await tell(hub, "created")
        await until(hub, mandate, "approved")


async def test_a_debit_that_waits_behind_a_gate_is_not_sent_after_the_end(database_dsn: str) -> None:
    async with river(database_dsn, simulated=SWIFT) as hub:
        mandate = await active(hub)
        operator = Operator(hub.app.network, hub.app.database, hub.app.clock)
        await operator.close_gate("paystack", [Traffic.WRITE], "an operator", "they are at it")
        accepted = await debit(hub, mandate)
        await _change(hub, mandate, MandateChange.END)
        await operator.open_gate("paystack", GateKind.MANUAL, [Traffic.WRITE], "an operator", "it is over")
        held = "SELECT state FROM effects WHERE kind = 'saved_charge' AND payment = $1"
        await hub.until(held, accepted.payment, expected="held")
        await hub.until("SELECT state FROM effects WHERE kind = 'mandate_change'", expected="done")
        assert await debited(hub) == 0


async def test_debits_and_an_end_at_once_debit_only_what_was_accepted(database_dsn: str) -> None:
    async with river(database_dsn, simulated=SWIFT) as hub:
        mandate = await active(hub)

        async def one(minor: int) -> int:
            try:
                return 1 if await debit(hub, mandate, minor) else 0
            except Rejected:
                return 0

        ended = _change(hub, mandate, MandateChange.END)
        accepted, _ = await asyncio.gather(asyncio.gather(*(one(60_000 + n) for n in range(4))), ended)
        await hub.until("SELECT state FROM effects WHERE kind = 'mandate_change'", expected="done")
        settled = "SELECT count(*) FROM payments WHERE state IN ('succeeded', 'failed')"
        held = await hub.value("SELECT count(*) FROM effects WHERE kind = 'saved_charge' AND state = 'held'")
        await hub.until(settled, expected=sum(accepted) - held)
        taken = [
            one for one in (await hub.outside.truth("paystack"))["charges"] if one["status"] == "success"
        ]
        assert len(taken) == await hub.value("SELECT count(*) FROM receipts")
        assert await hub.value("SELECT state FROM mandates") == "ended"


# -- answers that are lost ------------------------------------------------------------------------------------


async def test_a_lost_answer_opens_another_page_and_the_mandate_is_one(database_dsn: str) -> None:
    async with river(database_dsn, simulated=SWIFT) as hub:
        await hub.outside.fault("paystack", "start_mandate", "drop_after")
        mandate = await begun(hub)
        known = await hub.value("SELECT provider_ref FROM mandates")
        references = [one["reference"] for one in (await hub.outside.truth("paystack"))["mandates"]]
        # Nobody was given the page of the first one, so nobody can approve it.
        assert len(references) == 2 and known == references[1]
        await at_the_bank(hub, mandate, "approve")
        await until(hub, mandate, "active")
        assert await hub.value("SELECT count(*) FROM mandates") == 1


async def test_a_lost_answer_to_a_debit_is_verified_and_debited_once(database_dsn: str) -> None:
    async with river(database_dsn, simulated=SWIFT) as hub:
        mandate = await active(hub)
        await hub.outside.fault("paystack", "charge_authorization", "drop_after")
        await debit(hub, mandate)
        await hub.settled(1)
        assert await debited(hub) == 1


async def test_a_lost_answer_to_an_end_is_sent_again_and_ends_it(database_dsn: str) -> None:
    async with river(database_dsn, simulated=SWIFT) as hub:
        mandate = await active(hub)
        await hub.outside.fault("paystack", "deactivate_authorization", "drop_after")
        await _change(hub, mandate, MandateChange.END)
        await hub.until("SELECT state FROM effects WHERE kind = 'mandate_change'", expected="done")
        assert [one["status"] for one in (await hub.outside.truth("paystack"))["mandates"]] == ["revoked"]


async def test_a_look_that_fails_leaves_the_mandate_as_it_was(database_dsn: str) -> None:
    async with river(database_dsn, simulated=SWIFT) as hub:
        mandate = await active(hub)
        await hub.outside.fault("paystack", "verify_mandate", "http_500")
        looks = await hub.value("SELECT looks FROM mandates")
        await _look_now(hub)
        await hub.until("SELECT looks > $1 FROM mandates", looks, expected=True)
        assert await hub.value("SELECT state FROM mandates WHERE id = $1", mandate) == "active"


# -- what is stored -------------------------------------------------------------------------------------------


async def test_the_same_request_asks_for_one_mandate_and_another_body_is_refused(database_dsn: str) -> None:
    async with river(database_dsn, simulated=BY_HAND) as hub:
        once = fresh()
        first = await hub.app.mandate_desk.start(wanted(), once, "a test")
        second = await hub.app.mandate_desk.start(wanted(), once, "a test")
        assert (second.mandate, second.replayed) == (first.mandate, True)
        with pytest.raises(KeyReused):
            await hub.app.mandate_desk.start(wanted(), Idempotent(once.scope, once.key, "other"), "a test")
        assert await hub.value("SELECT count(*) FROM mandates") == 1


@pytest.mark.parametrize(
    ("field", "changes"),
    [
        ("gateway", {"gateway": "quickbooks"}),
        ("email", {"email": "nobody"}),
        ("account", {"customer": "297346561"}),
        ("customer", {"customer": "CUS_x"}),
    ],
)
async def test_what_the_gateway_would_refuse_is_refused_before_anything_is_stored(
    database_dsn: str, field: str, changes: dict[str, Any]
) -> None:
    async with river(database_dsn, simulated=BY_HAND) as hub:
        with pytest.raises(Rejected) as rejected:
            await hub.app.mandate_desk.start(wanted(**changes), fresh(), "a test")
        assert rejected.value.field == field
        assert await hub.value("SELECT count(*) FROM mandates") == 0


async def test_a_refused_start_and_a_skipped_one_leave_the_mandate_failed(database_dsn: str) -> None:
    async with river(database_dsn, simulated=BY_HAND) as hub:
        words = {"message": "Ngozi Member is not eligible"}
        await hub.outside.fault("paystack", "start_mandate", "decline", params=words)
        refused = (await hub.app.mandate_desk.start(wanted(), fresh(), "a test")).mandate
        await until(hub, refused, "failed")
        reason = await hub.value("SELECT reason FROM mandates WHERE id = $1", refused)
        assert "not eligible" in reason and "Ngozi" not in reason
        await hub.outside.fault("paystack", "start_mandate", "http_429")
        skipped = (await hub.app.mandate_desk.start(wanted(), fresh(), "a test")).mandate
        effect = await hub.value("SELECT effect FROM mandates WHERE id = $1", skipped)
        waits = "SELECT tries > 0 AND state = 'intended' FROM effects WHERE id = $1"
        await hub.until(waits, effect, expected=True)
        await Operator(hub.app.network, hub.app.database, hub.app.clock).skip(effect, "an operator", "enough")
        await until(hub, skipped, "failed")


async def test_a_known_customer_gives_a_mandate_over_an_account(database_dsn: str) -> None:
    async with river(database_dsn, simulated=SWIFT) as hub:
        await active(hub)
        customer = (await hub.outside.truth("paystack"))["mandates"][0]["customer"]
        account, address = DebitedAccount("0690000032", "044"), Address("1 Canary Road", "Ikeja", "Lagos")
        mandate = await begun(hub, customer=str(customer), account=account, address=address)
        await at_the_bank(hub, mandate, "approve")
        await until(hub, mandate, "active")


async def test_no_code_no_page_and_no_debtor_stands_in_plain_text(database_dsn: str) -> None:
    async with river(database_dsn, simulated=SWIFT) as hub:
        account, address = DebitedAccount("0690000032", "044"), Address("1 Canary Road", "Ikeja", "Lagos")
        mandate = await active(hub, email="member-m-1029@members.example", account=account, address=address)
        waiting = await begun(hub, name="Canary Member")
        await debit(hub, mandate)
        await hub.settled(1)
        book = hub.outside.made["paystack"].vendor.mandates.book.all
        secrets = [one.code for one in book if one.code]
        secrets += ["0690000032", "Canary", "@members.example", "/mandate/"]
        for table in ("mandates", "mandate_debtors", "mandate_codes", "effects", "tries", "outbox", "looks"):
            for row in await hub.rows(f"SELECT * FROM {table}"):
                plain = " ".join(str(value) for value in row.values() if not isinstance(value, bytes))
                assert not any(secret in plain for secret in secrets), table
        # Who gave it is forgotten once the code is there, and no sooner.
        assert [row["mandate"] for row in await hub.rows("SELECT mandate FROM mandate_debtors")] == [waiting]


def test_a_request_shows_nobody() -> None:
    account, address = DebitedAccount("0690000032", "044"), Address("1 Canary Road", "Ikeja", "Lagos")
    shown = repr(
        wanted(
            name="Canary", phone="+2348099911122", email="canary@x.example", account=account, address=address
        )
    )
    assert "anary" not in shown and "8099911122" not in shown and "0690000032" not in shown
