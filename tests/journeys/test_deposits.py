"""Money on members' own accounts: each transfer is one receipt of the member, whoever tells of it and how often."""

from __future__ import annotations

import asyncio
import json
from datetime import timedelta

import pytest
from rigs.accounts import BY_HAND, SWIFT, deposit, fresh, number_of, opened, wanted
from rigs.river import River, dues, river

from coopwire import app as composition
from coopwire.application.operating import Operator
from coopwire.application.paying import Idempotent, KeyReused, Rejected
from coopwire.domain.money import Money
from coopwire.domain.payments import AllocationMode, PaymentKind


async def _allocated(hub: River) -> dict[str, int]:
    sql = (
        "SELECT component, sum(amount_minor)::bigint AS amount FROM allocations "
        "WHERE replaced_at IS NULL GROUP BY component"
    )
    return {row["component"]: row["amount"] for row in await hub.rows(sql)}


async def test_a_transfer_to_a_members_account_is_the_members_and_is_booked_and_banked(
    database_dsn: str,
) -> None:
    async with river(database_dsn, simulated=SWIFT) as hub:
        account, number = await opened(hub)
        charge = await deposit(hub, number, 1_000_000)
        await hub.settled(1)
        [receipt] = await hub.rows("SELECT * FROM receipts")
        assert (receipt["reference"], receipt["charge"]) == (charge["reference"], str(charge["id"]))
        assert (receipt["gross_minor"], receipt["channel"]) == (1_000_000, "dedicated_nuban")
        [payment] = await hub.rows("SELECT * FROM payments")
        assert (payment["member"], payment["kind"], payment["loan"]) == ("M-1029", "savings", "SA-1")
        assert (payment["state"], payment["metadata"]) == ("succeeded", {"virtual_account": account})
        assert receipt["payment"] == payment["reference"]
        assert await _allocated(hub) == {"savings": 1_000_000}
        [posting] = (await hub.outside.truth("bankone"))["postings"]
        assert posting["amount_minor"] == 1_000_000
        told = (await hub.outside.truth("lms"))["callbacks"]
        assert {one["type"] for one in told} >= {"virtual_account.active", "receipt.recorded"}
        assert await hub.breaks() == []


async def test_two_deposits_of_the_same_amount_on_the_same_day_are_two_receipts(database_dsn: str) -> None:
    async with river(database_dsn, simulated=SWIFT) as hub:
        _, number = await opened(hub)
        first, second = await deposit(hub, number, 50_000), await deposit(hub, number, 50_000)
        await hub.settled(2)
        charges = [row["charge"] for row in await hub.rows("SELECT charge FROM receipts ORDER BY charge")]
        assert charges == sorted([str(first["id"]), str(second["id"])])
        assert await _allocated(hub) == {"savings": 100_000}
        assert await hub.breaks() == []


async def test_a_deposit_that_is_told_five_times_is_one_receipt(database_dsn: str) -> None:
    async with river(database_dsn, simulated=SWIFT) as hub:
        _, number = await opened(hub)
        charge = await deposit(hub, number, 70_000)
        for amount in (1, 2, 3, 4):
            data = {
                "id": charge["id"],
                "reference": charge["reference"],
                "status": "success",
                "amount": amount,
            }
            body = {"event": "charge.success", "data": {**data, "domain": "test", "currency": "NGN"}}
            await hub.notify(json.dumps(body).encode())
        await hub.settled(1)
        await hub.until("SELECT count(*) FROM webhooks WHERE drained_at IS NULL", expected=0)
        await hub.until("SELECT count(*) FROM lookups WHERE noticed", expected=0)
        assert await hub.value("SELECT count(*) FROM receipts") == 1
        assert await _allocated(hub) == {"savings": 70_000}


async def test_many_deposits_at_once_are_as_many_receipts(database_dsn: str) -> None:
    async with river(database_dsn, simulated=SWIFT) as hub:
        _, number = await opened(hub)
        await asyncio.gather(*(deposit(hub, number, 10_000 + n) for n in range(12)))
        await hub.settled(12)
        assert await _allocated(hub) == {"savings": sum(10_000 + n for n in range(12))}
        postings = (await hub.outside.truth("bankone"))["postings"]
        assert sorted(one["amount_minor"] for one in postings) == [10_000 + n for n in range(12)]


async def test_a_deposit_for_a_loan_falls_over_the_dues_that_the_hub_knows_last(database_dsn: str) -> None:
    async with river(database_dsn, simulated=SWIFT) as hub:
        owed = dues(("D1", "interest", 60_000), ("D2", "principal", 90_000))
        asked = await hub.accept(dues=owed, money=Money(50_000, "NGN"), loan="LN-7")
        told = await hub.pay(asked.attempt)
        await hub.hint(asked.attempt, told["charges"][0]["id"])
        await hub.settled(1)
        _, number = await opened(hub, kind=PaymentKind.LOAN_REPAYMENT, loan="LN-7")
        await deposit(hub, number, 110_000)
        await hub.settled(2)
        # 50,000 of the interest were paid on the page: 10,000 are left of it, then 90,000, the rest is too much.
        assert await _allocated(hub) == {"interest": 60_000, "principal": 90_000, "overpayment": 10_000}
        assert await hub.breaks() == []


async def test_a_deposit_for_a_loan_without_dues_waits_in_suspense_with_its_owner(database_dsn: str) -> None:
    async with river(database_dsn, simulated=SWIFT) as hub:
        _, number = await opened(hub, kind=PaymentKind.LOAN_REPAYMENT, loan="LN-8")
        await deposit(hub, number, 110_000)
        await hub.settled(1)
        assert await _allocated(hub) == {"suspense": 110_000}
        assert await hub.value("SELECT member || ' ' || loan FROM payments") == "M-1029 LN-8"
        assert await hub.breaks() == ["dues_expired"]


async def test_the_loan_system_says_where_a_deposit_goes(database_dsn: str) -> None:
    async with river(database_dsn, simulated=SWIFT, allocation=AllocationMode.LMS) as hub:
        _, number = await opened(hub, kind=PaymentKind.LOAN_REPAYMENT, loan="LN-9")
        await deposit(hub, number, 110_000)
        await hub.settled(1)
        await hub.until("SELECT allocation_state FROM receipts", expected="allocated")
        assert sum((await _allocated(hub)).values()) == 110_000


async def test_a_deposit_on_a_closed_account_is_booked_to_suspense_for_a_person(database_dsn: str) -> None:
    async with river(database_dsn, simulated=SWIFT) as hub:
        account, number = await opened(hub)
        await hub.app.account_desk.close(account, "a desk", "the member left")
        again = await hub.app.account_desk.close(account, "a desk", "the member left")
        await hub.until("SELECT state FROM virtual_accounts", expected="closed")
        assert again.closing is not None
        assert await hub.value("SELECT count(*) FROM effects WHERE kind = 'account_closing'") == 1
        assert [one["assigned"] for one in (await hub.outside.truth("paystack"))["accounts"]] == [False]
        await deposit(hub, number, 33_000)
        await hub.until("SELECT count(*) FROM receipts", expected=1)
        assert await _allocated(hub) == {"suspense": 33_000}
        [opened_break] = await hub.rows("SELECT type, evidence, receipt FROM breaks")
        assert opened_break["type"] == "deposit_on_closed_account"
        assert (opened_break["evidence"]["virtual_account"], opened_break["evidence"]["member"]) == (
            account,
            "M-1029",
        )
        assert await hub.value("SELECT count(*) FROM payments") == 0


async def test_a_deposit_that_was_paid_before_the_account_was_closed_is_the_members(
    database_dsn: str,
) -> None:
    async with river(database_dsn, simulated=SWIFT) as hub:
        account, number = await opened(hub)
        charge = await deposit(hub, number, 44_000, hint=False)
        await asyncio.sleep(0.1)
        await hub.app.account_desk.close(account, "a desk", "the member left")
        await hub.until("SELECT state FROM virtual_accounts", expected="closed")
        await hub.hint(charge["reference"], charge["id"])
        await hub.settled(1)
        assert await _allocated(hub) == {"savings": 44_000}


async def test_a_deposit_on_an_account_that_nobody_has_is_a_strangers(database_dsn: str) -> None:
    async with river(database_dsn, simulated=SWIFT) as hub:
        await opened(hub)
        await deposit(hub, "0000000001", 12_000)
        await hub.until("SELECT count(*) FROM receipts", expected=1)
        assert await _allocated(hub) == {"suspense": 12_000}
        assert await hub.breaks() == ["receipt_without_payment"]


async def test_a_payment_on_a_page_is_never_taken_for_a_deposit(database_dsn: str) -> None:
    async with river(database_dsn, simulated=SWIFT) as hub:
        await opened(hub)
        asked = await hub.accept()
        told = await hub.pay(asked.attempt, channel="dedicated_nuban")
        await hub.hint(asked.attempt, told["charges"][0]["id"])
        await hub.settled(1)
        assert await hub.value("SELECT payment FROM receipts") == asked.payment


async def test_a_deposit_whose_webhook_was_lost_is_found_by_the_days_list(database_dsn: str) -> None:
    async with river(database_dsn, simulated=SWIFT) as hub:
        _, number = await opened(hub)
        await deposit(hub, number, 64_000, hint=False)
        today = hub.app.network.routes.business_day(hub.app.clock.now())
        await composition.reconciler(hub.app).run(today, "a test", patience=timedelta(seconds=5))
        await hub.settled(1)
        assert await _allocated(hub) == {"savings": 64_000}
        assert await hub.breaks() == []


# -- asking for an account ------------------------------------------------------------------------------------


async def test_an_account_is_pending_until_the_bank_has_assigned_it_and_a_webhook_hastens_the_look(
    database_dsn: str,
) -> None:
    async with river(database_dsn, simulated=BY_HAND) as hub:
        account = (await hub.app.account_desk.open(wanted(), fresh(), "a test")).account
        await hub.until("SELECT state FROM virtual_accounts", expected="pending")
        await hub.app.database.pool.execute("UPDATE virtual_accounts SET look_at = now() + interval '1 day'")
        await hub.outside.control("paystack", "assign", email="member-m-1029@members.example")
        data = {"customer": {"email": "Member-M-1029@members.example"}, "dedicated_account": {"id": 987_654}}
        event = {"event": "dedicatedaccount.assign.success", "data": data}
        await hub.notify(json.dumps(event).encode())
        await hub.until("SELECT state FROM virtual_accounts", expected="active")
        assert await number_of(hub, account)
        # Whose it is stands in the row; who that is, is forgotten.
        assert await hub.value("SELECT count(*) FROM account_holders") == 0
        moves = await hub.rows(
            "SELECT data FROM outbox WHERE type = 'coopwire.virtual_account.moved.v1' ORDER BY seq"
        )
        assert [one["data"]["state"] for one in moves] == ["intended", "pending", "active"]


async def test_a_bank_that_refuses_is_told_by_webhook_and_believed_when_nothing_is_there(
    database_dsn: str,
) -> None:
    async with river(database_dsn, simulated=BY_HAND) as hub:
        await hub.app.account_desk.open(wanted(), fresh(), "a test")
        await hub.until("SELECT state FROM virtual_accounts", expected="pending")
        data = {"customer": {"email": "member-m-1029@members.example"}, "dedicated_account": None}
        await hub.notify(json.dumps({"event": "dedicatedaccount.assign.failed", "data": data}).encode())
        await hub.until("SELECT state FROM virtual_accounts", expected="failed")
        assert await hub.breaks() == ["account_not_assigned"]
        # It comes after all: the look is the truth.
        await hub.outside.control("paystack", "assign", email="member-m-1029@members.example")
        told = {**data, "dedicated_account": {"id": 987_654}}
        await hub.notify(json.dumps({"event": "dedicatedaccount.assign.success", "data": told}).encode())
        await hub.until("SELECT state FROM virtual_accounts", expected="active")


async def test_a_lost_answer_leads_to_one_account_and_no_second_order(database_dsn: str) -> None:
    async with river(database_dsn, simulated=SWIFT) as hub:
        await hub.outside.fault("paystack", "assign_account", "drop_after")
        account = (await hub.app.account_desk.open(wanted(), fresh(), "a test")).account
        await hub.until("SELECT state FROM virtual_accounts WHERE id = $1", account, expected="active")
        assert len((await hub.outside.truth("paystack"))["accounts"]) == 1


async def test_a_second_account_of_a_holder_waits_for_the_first_and_is_another_one(database_dsn: str) -> None:
    async with river(database_dsn, simulated=SWIFT) as hub:
        (_, savings), (_, loan) = (
            await opened(hub),
            await opened(hub, kind=PaymentKind.LOAN_REPAYMENT, loan="LN-1"),
        )
        assert savings != loan
        await deposit(hub, loan, 5_000)
        await deposit(hub, savings, 6_000)
        await hub.settled(2)
        assert await _allocated(hub) == {"suspense": 5_000, "savings": 6_000}


async def test_the_same_request_asks_for_one_account_and_another_body_is_refused(database_dsn: str) -> None:
    async with river(database_dsn, simulated=BY_HAND) as hub:
        once = fresh()
        first = await hub.app.account_desk.open(wanted(), once, "a test")
        second = await hub.app.account_desk.open(wanted(), once, "a test")
        assert (second.account, second.replayed) == (first.account, True)
        with pytest.raises(KeyReused):
            await hub.app.account_desk.open(wanted(), Idempotent(once.scope, once.key, "other"), "a test")
        assert await hub.value("SELECT count(*) FROM virtual_accounts") == 1


async def test_what_the_gateway_would_refuse_is_refused_before_anything_is_stored(database_dsn: str) -> None:
    async with river(database_dsn, simulated=BY_HAND) as hub:
        for field, changes in {
            "currency": {"currency": "USD"},
            "name": {"name": "Ngozi"},
            "loan": {"kind": PaymentKind.LOAN_REPAYMENT, "loan": None},
            "member": {"member": "M-unknown"},
            "gateway": {"gateway": "quickbooks"},
        }.items():
            with pytest.raises(Rejected) as rejected:
                await hub.app.account_desk.open(wanted(**changes), fresh(), "a test")
            assert rejected.value.field == field
        assert await hub.value("SELECT count(*) FROM virtual_accounts") == 0


async def test_a_refused_order_and_a_skipped_one_leave_the_account_failed(database_dsn: str) -> None:
    async with river(database_dsn, simulated=BY_HAND) as hub:
        await hub.outside.fault(
            "paystack", "assign_account", "decline", params={"message": "Ngozi Member is not verified"}
        )
        refused = (await hub.app.account_desk.open(wanted(), fresh(), "a test")).account
        await hub.until("SELECT state FROM virtual_accounts WHERE id = $1", refused, expected="failed")
        reason = await hub.value("SELECT reason FROM virtual_accounts WHERE id = $1", refused)
        assert "not verified" in reason and "Ngozi" not in reason
        # Long enough that it is not being sent again while a person skips it.
        await hub.outside.fault("paystack", "assign_account", "http_429", params={"retry_after": 600})
        skipped = (await hub.app.account_desk.open(wanted(), fresh(), "a test")).account
        effect = await hub.value("SELECT effect FROM virtual_accounts WHERE id = $1", skipped)
        waits = "SELECT tries > 0 AND state = 'intended' FROM effects WHERE id = $1"
        await hub.until(waits, effect, expected=True)
        await Operator(hub.app.network, hub.app.database, hub.app.clock).skip(effect, "an operator", "enough")
        await hub.until("SELECT state FROM virtual_accounts WHERE id = $1", skipped, expected="failed")


async def test_a_missed_transfer_is_asked_for_again_and_arrives(database_dsn: str) -> None:
    async with river(database_dsn, simulated=SWIFT) as hub:
        account, number = await opened(hub)
        await hub.outside.control("paystack", "deposit", number=number, amount=21_000, missed=True)
        today = hub.app.network.routes.business_day(hub.app.clock.now())
        await hub.app.account_desk.requery(account, today, "a desk")
        [charge] = (await hub.outside.truth("paystack"))["charges"]
        await hub.hint(charge["reference"], charge["id"])
        await hub.settled(1)
        assert await _allocated(hub) == {"savings": 21_000}
        actions = [row["action"] for row in await hub.rows("SELECT action FROM operator_actions")]
        assert actions == ["requery virtual account"]


async def test_no_number_and_no_holder_stands_in_plain_text(database_dsn: str) -> None:
    async with river(database_dsn, simulated=SWIFT) as hub:
        account, number = await opened(hub, email="canary.holder@members.example")
        await hub.app.account_desk.open(wanted(email="second.canary@members.example"), fresh(), "a test")
        await deposit(hub, number, 9_000)
        await hub.settled(1)
        for table in (
            "virtual_accounts",
            "account_holders",
            "effects",
            "tries",
            "outbox",
            "looks",
            "notices",
        ):
            for row in await hub.rows(f"SELECT * FROM {table}"):
                plain = " ".join(str(value) for value in row.values() if not isinstance(value, bytes))
                assert number not in plain and "canary" not in plain, table
        assert account


async def test_a_rejected_transfer_is_stored_with_its_reason(database_dsn: str) -> None:
    async with river(database_dsn, simulated=SWIFT) as hub:
        data = {
            "bank_transfer": {
                "amount": "30000",
                "message": "Ngozi sent too much",
                "message_type": "INCORRECT_AMOUNT",
                "transaction_id": "31",
            }
        }
        await hub.notify(json.dumps({"event": "bank.transfer.rejected", "data": data}).encode())
        await hub.until("SELECT count(*) FROM notices", expected=1)
        [notice] = await hub.rows("SELECT reason, amount_minor, open FROM notices")
        assert (notice["amount_minor"], notice["open"]) == (30_000, False)
        assert "INCORRECT_AMOUNT" in notice["reason"] and "Ngozi" not in notice["reason"]


def test_a_request_shows_nobody() -> None:
    shown = repr(wanted(name="Canary Holder", phone="+2348099911122", email="canary@members.example"))
    assert "anary" not in shown and "8099911122" not in shown
