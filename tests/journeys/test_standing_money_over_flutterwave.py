"""Accounts, saved cards and chargebacks with the other gateway in the first one's place: references that are no keys,
accounts that nothing lists, claims that are accepted whole or not at all."""

from __future__ import annotations

import json
import secrets
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from rigs.accounts import deposit, fresh, opened, wanted
from rigs.gateways import FLUTTERWAVE
from rigs.refunds import received, unbanked
from rigs.river import River, dues, request, river

from coopwire import app as composition
from coopwire.application.dispute_desk import DisputeDesk, Wanted
from coopwire.application.paying import Accepted, Idempotent, Rejected
from coopwire.application.people import Person
from coopwire.domain.disputes import DisputeVerdict
from coopwire.domain.money import Money
from coopwire.domain.payments import PaymentKind
from coopwire.domain.timings import DEMO
from coopwire.providers.flutterwave.simulator.telling import token

NEVER = replace(DEMO, dispute_look_every=timedelta(hours=1), dispute_look_daily=timedelta(hours=1))
"""Only a hint makes a look due: whatever moves was moved by it."""
ASKER, CHECKER = Person("key k1", "key k1 (desk)"), Person("key k2", "key k2 (office)")
WHOLE = 5_250_000


async def _allocated(hub: River) -> dict[str, int]:
    sql = "SELECT component, sum(amount_minor)::bigint AS amount FROM allocations GROUP BY component"
    return {row["component"]: row["amount"] for row in await hub.rows(sql)}


async def _truth(hub: River, what: str) -> Any:
    return (await hub.outside.truth("flutterwave"))[what]


# -- accounts -------------------------------------------------------------------------------------------------


async def test_each_transfer_bears_the_accounts_reference_and_is_the_members_payment_of_its_own(
    database_dsn: str,
) -> None:
    async with river(database_dsn, gateway=FLUTTERWAVE) as hub:
        account, number = await opened(hub)
        first, second = await deposit(hub, number, 50_000), await deposit(hub, number, 50_000)
        await hub.settled(2)
        assert (
            first["reference"]
            == second["reference"]
            == await hub.value("SELECT effect FROM virtual_accounts")
        )
        payments = await hub.rows("SELECT member, metadata, state FROM payments")
        assert [tuple(row.values()) for row in payments] == [
            ("M-1029", {"virtual_account": account}, "succeeded")
        ] * 2
        assert await _allocated(hub) == {"savings": 100_000}
        assert await hub.breaks() == []


async def test_transfers_that_one_look_finds_together_fall_over_the_dues_one_after_the_other(
    database_dsn: str,
) -> None:
    """The first one's webhook was lost: the look for the second finds both, and neither due is paid twice."""
    async with river(database_dsn, gateway=FLUTTERWAVE) as hub:
        owed = dues(("D1", "interest", 60_000), ("D2", "principal", 90_000))
        asked = await hub.accept(dues=owed, money=Money(50_000, "NGN"), loan="LN-7")
        told = await hub.pay(asked.attempt)
        await hub.hint(asked.attempt, told["charges"][0]["id"])
        await hub.settled(1)
        _, number = await opened(hub, kind=PaymentKind.LOAN_REPAYMENT, loan="LN-7")
        await deposit(hub, number, 30_000, hint=False)
        await deposit(hub, number, 80_000)
        await hub.settled(3)
        assert await _allocated(hub) == {"interest": 60_000, "principal": 90_000, "overpayment": 10_000}
        assert await hub.breaks() == []


async def test_an_account_whose_answer_was_lost_is_asked_for_again_and_either_is_the_members(
    database_dsn: str,
) -> None:
    """Nothing lists accounts; both bear the reference of the one order."""
    async with river(database_dsn, gateway=FLUTTERWAVE) as hub:
        await hub.outside.fault("flutterwave", "open_account", "drop_after", times=1)
        await opened(hub)
        lost, told = await _truth(hub, "accounts")
        assert lost["reference"] == told["reference"]
        for number in (lost["number"], told["number"]):
            await deposit(hub, number, 20_000)
        await hub.settled(2)
        assert await _allocated(hub) == {"savings": 40_000}
        assert await hub.value("SELECT count(*) FROM virtual_accounts") == 1
        assert await hub.breaks() == []


async def test_a_transfer_to_a_closed_account_waits_for_a_person(database_dsn: str) -> None:
    async with river(database_dsn, gateway=FLUTTERWAVE) as hub:
        account, number = await opened(hub)
        with pytest.raises(Rejected, match="cannot be asked"):
            await hub.app.account_desk.requery(account, date(2026, 3, 2), "a desk")
        await hub.outside.fault("flutterwave", "close_account", "drop_after", times=1)
        await hub.app.account_desk.close(account, "a desk", "the member left")
        await hub.until("SELECT state FROM virtual_accounts", expected="closed")
        assert [one["open"] for one in await _truth(hub, "accounts")] == [False]
        await deposit(hub, number, 33_000)
        await hub.until("SELECT count(*) FROM receipts", expected=1)
        assert await _allocated(hub) == {"suspense": 33_000}
        assert await hub.breaks() == ["deposit_on_closed_account"]


async def test_a_transfer_that_no_webhook_told_of_is_found_by_the_days_list(database_dsn: str) -> None:
    async with river(database_dsn, gateway=FLUTTERWAVE) as hub:
        _, number = await opened(hub)
        await deposit(hub, number, 64_000, hint=False)
        today = hub.app.network.routes.business_day(hub.app.clock.now())
        await composition.reconciler(hub.app).run(today, "a test", patience=timedelta(seconds=5))
        await hub.settled(1)
        assert await _allocated(hub) == {"savings": 64_000}


async def test_money_under_a_reference_that_is_no_accounts_is_a_strangers(database_dsn: str) -> None:
    async with river(database_dsn, gateway=FLUTTERWAVE) as hub:
        await opened(hub)
        stranger = "s" * 20
        told = await hub.outside.control("flutterwave", "deposit", reference=stranger, amount=12_000)
        await hub.hint(stranger, told["charges"][0]["id"])
        await hub.until("SELECT count(*) FROM receipts", expected=1)
        assert await hub.breaks() == ["receipt_without_payment"]


async def test_an_account_in_another_currency_or_at_a_chosen_bank_is_refused_before_anything_is_sent(
    database_dsn: str,
) -> None:
    async with river(database_dsn, gateway=FLUTTERWAVE) as hub:
        for change, field in (({"currency": "GHS"}, "currency"), ({"bank": "wema-bank"}, "bank")):
            with pytest.raises(Rejected) as refused:
                await hub.app.account_desk.open(wanted(**change), fresh(), "a test")
            assert refused.value.field == field
        assert await hub.value("SELECT count(*) FROM effects") == 0


# -- saved cards ----------------------------------------------------------------------------------------------


async def _left(hub: River) -> str:
    asked = await hub.accept(save_authorization=True)
    told = await hub.pay(asked.attempt)
    await hub.hint(asked.attempt, told["charges"][0]["id"])
    await hub.until("SELECT count(*) FROM authorizations", expected=1)
    found: str = await hub.value("SELECT id FROM authorizations")
    return found


async def _charge(hub: River, authorization: str) -> Accepted:
    once = Idempotent("test", secrets.token_hex(8), secrets.token_hex(8))
    asked = request(money=Money(100_000, "NGN"), dues=None, authorization=authorization)
    return await hub.app.desk.accept(asked, once)


async def _taken(hub: River) -> list[str]:
    charges = await _truth(hub, "charges")
    return [one["status"] for one in charges if one["amount_minor"] == 100_000]


async def _plan(hub: River, outcome: str) -> None:
    first = hub.outside.made["flutterwave"].vendor.account.charges[0]
    await hub.outside.control("flutterwave", "plan", token=token(first), outcome=outcome)


async def test_a_saved_card_is_charged_once_though_the_answer_was_lost(database_dsn: str) -> None:
    """A second charge under the reference would be taken: what is under it is looked up instead."""
    async with river(database_dsn, gateway=FLUTTERWAVE) as hub:
        authorization = await _left(hub)
        await hub.outside.fault("flutterwave", "charge_token", "drop_after", times=1)
        accepted = await _charge(hub, authorization)
        await hub.settled(2)
        assert await _taken(hub) == ["successful"]
        state = await hub.value("SELECT state FROM payments WHERE reference = $1", accepted.payment)
        assert state == "succeeded"
        row = await hub.rows("SELECT channel, brand, expires FROM authorizations")
        assert (row[0]["channel"], row[0]["brand"]) == ("card", "VISA")
        assert row[0]["expires"] is not None


async def test_a_saved_card_that_never_arrived_is_not_charged_again_by_itself(database_dsn: str) -> None:
    """That nothing stands there proves nothing where a reference is no key: a person decides."""
    async with river(database_dsn, gateway=FLUTTERWAVE) as hub:
        authorization = await _left(hub)
        await hub.outside.fault("flutterwave", "charge_token", "drop_before", times=1)
        await _charge(hub, authorization)
        sql = "SELECT count(*) FROM effects WHERE kind = 'saved_charge' AND state = 'unknown' AND looks >= 2"
        await hub.until(sql, expected=1)
        assert await _taken(hub) == []
        assert await hub.value("SELECT tries FROM effects WHERE kind = 'saved_charge'") == 1


async def test_a_declined_card_and_one_that_waits_for_the_member_are_told(database_dsn: str) -> None:
    async with river(database_dsn, gateway=FLUTTERWAVE) as hub:
        authorization = await _left(hub)
        await _plan(hub, "failed")
        with pytest.raises(Rejected, match="Insufficient Funds"):
            await _charge(hub, authorization)
        await _plan(hub, "redirect")
        accepted = await _charge(hub, authorization)
        assert accepted.url is not None
        told = await hub.pay(accepted.attempt)
        await hub.hint(accepted.attempt, told["charges"][0]["id"])
        await hub.until("SELECT count(*) FROM receipts", expected=2)
        assert await _taken(hub) == ["failed", "successful"]


# -- chargebacks ----------------------------------------------------------------------------------------------


def _desk(hub: River) -> DisputeDesk:
    return DisputeDesk(hub.app.network, hub.app.database, hub.app.clock)


async def _claimed(hub: River) -> Any:
    receipt = await received(hub)
    reference = await hub.value("SELECT reference FROM receipts WHERE id = $1", receipt)
    await hub.until("SELECT count(*) FROM dispute_looks WHERE provider_ref = '' AND looks > 0", expected=1)
    made = await hub.outside.control("flutterwave", "chargeback", reference=reference, amount=WHOLE)
    await _hint(hub, made["chargeback"], "initiated")
    await hub.until("SELECT count(*) FROM disputes", expected=1)
    return made["chargeback"]


async def _hint(hub: River, chargeback: Any, word: str) -> None:
    """Their webhook; what it says of amount and state is a lie, and only its id counts."""
    data = {"id": chargeback["id"], "status": "won", "amount": 1, "flw_ref": "FLW-MOCK-1"}
    await hub.notify(json.dumps({"event": f"chargeback.{word}", "data": data}).encode())


async def test_a_contested_chargeback_is_answered_once_and_won(database_dsn: str) -> None:
    async with river(database_dsn, gateway=FLUTTERWAVE, change=unbanked, lengths=NEVER) as hub:
        chargeback = await _claimed(hub)
        [row] = await hub.rows("SELECT * FROM disputes")
        assert (row["state"], row["amount_minor"], row["currency"]) == ("open", WHOLE, "NGN")
        assert row["receipt"] == await hub.value("SELECT id FROM receipts")
        assert (row["category"], row["deadline_at"] is not None) == ("new", True)
        with pytest.raises(Rejected, match="dashboard"):
            await _desk(hub).evidence_place(row["id"])
        await _desk(hub).answer(row["id"], Wanted(DisputeVerdict.CONTEST, "It was theirs"), ASKER)
        await hub.until("SELECT state FROM disputes", expected="under_review")
        await hub.outside.control("flutterwave", "chargeback_moves", id=chargeback["id"], status="won")
        # A victory has no event: any word about the chargeback makes it be read.
        await _hint(hub, chargeback, "lost")
        await hub.until("SELECT state FROM disputes", expected="won")
        assert await hub.value("SELECT answer FROM disputes") == "contest"


async def test_accepting_gives_back_all_that_is_claimed_or_nothing_is_sent(database_dsn: str) -> None:
    """They take no amount. The answer to the acceptance is lost: the chargeback itself says that it was given."""
    async with river(database_dsn, gateway=FLUTTERWAVE, change=unbanked, lengths=NEVER) as hub:
        await _claimed(hub)
        id = await hub.value("SELECT id FROM disputes")
        part = Wanted(DisputeVerdict.ACCEPT, "The member was right", WHOLE - 1)
        with pytest.raises(Rejected, match="no part") as refused:
            await _desk(hub).answer(id, part, ASKER)
        assert refused.value.field == "refund_minor"
        await hub.outside.fault("flutterwave", "answer_chargeback", "drop_after", times=1)
        await _desk(hub).answer(id, replace(part, refund_minor=None), ASKER)
        await _desk(hub).approve(id, CHECKER, "the member was right")
        await hub.until("SELECT state FROM disputes", expected="lost")
        await hub.until("SELECT state FROM dispute_answers", expected="given")
        assert [one["status"] for one in await _truth(hub, "chargebacks")] == ["accepted"]
        assert await hub.value("SELECT tries FROM effects WHERE kind = 'dispute_answer'") == 1


async def test_an_answer_after_the_due_time_is_refused_in_their_words(database_dsn: str) -> None:
    async with river(database_dsn, gateway=FLUTTERWAVE, change=unbanked, lengths=NEVER) as hub:
        await _claimed(hub)
        words = {"message": "Error: Chargeback due time has passed"}
        await hub.outside.fault("flutterwave", "answer_chargeback", "decline", params=words, times=1)
        id = await hub.value("SELECT id FROM disputes")
        await _desk(hub).answer(id, Wanted(DisputeVerdict.CONTEST, "It was theirs"), ASKER)
        await hub.until("SELECT state FROM dispute_answers", expected="failed")
        reason = await hub.value("SELECT reason FROM effects WHERE kind = 'dispute_answer'")
        assert "due time has passed" in reason
