"""After a payment over Stripe: what the member left is charged once, and a claim of the bank is answered once.

And before one: a mandate is debited once the bank has activated it.
"""

from __future__ import annotations

import json
import secrets
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from rigs.canaries import Canaries, every_value
from rigs.gateways import STRIPE
from rigs.mandates import begun, debit, until
from rigs.refunds import received, unbanked
from rigs.river import River, request, river

from coopwire.application.dispute_desk import DisputeDesk, Wanted
from coopwire.application.paying import Accepted, Idempotent, Rejected
from coopwire.application.people import Person
from coopwire.domain.disputes import DisputeVerdict
from coopwire.domain.mandates import MandateChange
from coopwire.domain.money import Money
from coopwire.domain.timings import DEMO

WHOLE = 5_250_000
ASKER, CHECKER = Person("key k1", "key k1 (desk)"), Person("key k2", "key k2 (office)")
MESSAGE = "The member has signed for this repayment"
NEVER = replace(DEMO, dispute_look_every=timedelta(hours=1), dispute_look_daily=timedelta(hours=1))
"""Only a hint makes a look due: whatever moves was moved by it."""
EFFECT = "SELECT state FROM effects WHERE kind = 'dispute_answer'"

# -- what the member left -------------------------------------------------------------------------------------


async def left(hub: River) -> str:
    """Our id of what a member left by paying a page."""
    asked = await hub.accept(save_authorization=True)
    told = await hub.pay(asked.attempt)
    await hub.hint(asked.attempt, told["charges"][0]["id"])
    await hub.until("SELECT count(*) FROM authorizations WHERE payment = $1", asked.payment, expected=1)
    found: str = await hub.value("SELECT id FROM authorizations WHERE payment = $1", asked.payment)
    return found


async def charge(hub: River, authorization: str, minor: int = 100_000) -> Accepted:
    """A payment of a fee that is taken from what the member left."""
    once = Idempotent("test", secrets.token_hex(8), secrets.token_hex(8))
    asked = request(money=Money(minor, "NGN"), dues=None, authorization=authorization)
    return await hub.app.desk.accept(asked, once)


async def taken(hub: River, minor: int = 100_000) -> int:
    """How often this amount was taken at the gateway."""
    charges = (await hub.outside.truth("stripe"))["charges"]
    return sum(1 for one in charges if (one["amount_minor"], one["status"]) == (minor, "succeeded"))


def method(hub: River) -> Any:
    """The payment intent that left a payment method."""
    [intent] = [one for one in hub.outside.made["stripe"].vendor.account.intents if one.future_use]
    return intent


async def test_what_the_member_left_is_charged_once(database_dsn: str) -> None:
    async with river(database_dsn, gateway=STRIPE) as hub:
        await charge(hub, await left(hub))
        await hub.settled(2)
        assert await taken(hub) == 1
        assert await hub.value("SELECT count(*) FROM breaks WHERE type <> 'dues_expired'") == 0


@pytest.mark.parametrize("fault", ["drop_after", "drop_before"])
async def test_a_charge_whose_answer_got_lost_is_taken_once(database_dsn: str, fault: str) -> None:
    """It is found by the reference in its metadata; where there is none, the same form goes under the same key."""
    async with river(database_dsn, gateway=STRIPE) as hub:
        authorization = await left(hub)
        await hub.outside.fault("stripe", "create_intent", fault)
        await charge(hub, authorization)
        await hub.settled(2)
        assert await taken(hub) == 1
        assert await hub.value("SELECT count(*) FROM effects WHERE kind = 'saved_charge'") == 1


async def test_a_bank_that_wants_the_member_there_is_a_decline_with_its_reason(database_dsn: str) -> None:
    async with river(database_dsn, gateway=STRIPE) as hub:
        authorization = await left(hub)
        plan = {"method": method(hub).payment_method, "outcome": "authentication_required"}
        await hub.outside.control("stripe", "plan", **plan)
        with pytest.raises(Rejected) as rejected:
            await charge(hub, authorization)
        assert rejected.value.code == "gateway_refused" and "authentication" in rejected.value.message
        await hub.until(
            "SELECT state FROM payments WHERE reference = $1", rejected.value.payment, expected="failed"
        )
        assert await taken(hub) == 0


async def test_what_was_ended_is_taken_from_its_customer(database_dsn: str) -> None:
    async with river(database_dsn, gateway=STRIPE) as hub:
        authorization = await left(hub)
        await hub.app.authorization_desk.end(authorization, "a desk", "the member asked for it")
        await hub.until("SELECT count(*) FROM authorization_codes", expected=0)
        assert hub.outside.made["stripe"].vendor.wallet.ended == {method(hub).payment_method}


# -- disputes -------------------------------------------------------------------------------------------------


def desk(hub: River) -> DisputeDesk:
    return DisputeDesk(hub.app.network, hub.app.database, hub.app.clock)


async def claimed(hub: River) -> tuple[str, str]:
    """(our id, theirs) of a dispute of a receipt that is booked, told of by a webhook."""
    receipt = await received(hub)
    reference = await hub.value("SELECT reference FROM receipts WHERE id = $1", receipt)
    # The first read of the list must be over, or it would find what only a hint shall tell of.
    await hub.until("SELECT count(*) FROM dispute_looks WHERE provider_ref = '' AND looks > 0", expected=1)
    made = await hub.outside.control("stripe", "dispute", reference=reference)
    await told_last(hub, "charge.dispute.created")
    await hub.until("SELECT count(*) FROM disputes WHERE receipt = $1", receipt, expected=1)
    return await hub.value("SELECT id FROM disputes"), made["dispute"]["id"]


async def told_last(hub: River, event: str) -> None:
    """The last webhook of this event arrives."""
    events = hub.outside.made["stripe"].vendor.desk.events
    told = next(one for one in reversed(events) if one["type"] == event)
    await hub.notify(json.dumps(told).encode())


async def at_stripe(hub: River) -> Any:
    [dispute] = (await hub.outside.truth("stripe"))["disputes"]
    return dispute


async def test_who_contests_is_heard_once_and_a_victory_ends_it(database_dsn: str) -> None:
    async with river(database_dsn, gateway=STRIPE, change=unbanked, lengths=NEVER) as hub:
        ours, theirs = await claimed(hub)
        await desk(hub).answer(ours, Wanted(DisputeVerdict.CONTEST, MESSAGE), ASKER)
        await hub.until("SELECT state FROM disputes", expected="under_review")
        there = await at_stripe(hub)
        assert (there["submissions"], there["message"]) == (1, MESSAGE)
        await hub.outside.control("stripe", "dispute_moves", id=theirs, status="won")
        await told_last(hub, "charge.dispute.closed")
        await hub.until("SELECT state FROM disputes", expected="won")
        assert await hub.value("SELECT answer FROM disputes") == "contest"


@pytest.mark.parametrize("fault", [None, "drop_after", "drop_before"])
async def test_a_claim_is_accepted_whole_and_once_whatever_becomes_of_the_answer(
    database_dsn: str, fault: str | None
) -> None:
    async with river(database_dsn, gateway=STRIPE, change=unbanked, lengths=NEVER) as hub:
        ours, _ = await claimed(hub)
        if fault is not None:
            await hub.outside.fault("stripe", "close_dispute", fault, times=1)
        await desk(hub).answer(ours, Wanted(DisputeVerdict.ACCEPT, MESSAGE), ASKER)
        await desk(hub).approve(ours, CHECKER, "the member was right")
        await hub.until("SELECT state FROM dispute_answers", expected="given", seconds=40)
        assert (await at_stripe(hub))["closed"]
        assert await hub.value("SELECT state FROM disputes") == "lost"
        assert await hub.value("SELECT amount_minor FROM breaks WHERE type = 'dispute_lost'") == WHOLE


async def test_a_part_of_a_claim_is_refused_at_the_desk_and_never_closes_the_whole(database_dsn: str) -> None:
    async with river(database_dsn, gateway=STRIPE, change=unbanked, lengths=NEVER) as hub:
        ours, _ = await claimed(hub)
        with pytest.raises(Rejected, match="all that is claimed") as refused:
            await desk(hub).answer(ours, Wanted(DisputeVerdict.ACCEPT, MESSAGE, 1_000), ASKER)
        assert refused.value.field == "refund_minor"
        assert await hub.value("SELECT count(*) FROM effects WHERE kind = 'dispute_answer'") == 0
        assert (await at_stripe(hub))["status"] == "needs_response"


async def test_an_appeal_after_a_loss_is_told_to_a_person_and_may_still_be_won(database_dsn: str) -> None:
    """What was lost is open again there, not here: the evidence of an appeal is given in their dashboard."""
    async with river(database_dsn, gateway=STRIPE, change=unbanked, lengths=NEVER) as hub:
        _, theirs = await claimed(hub)
        for status, event, stands in (
            ("lost", "charge.dispute.closed", "lost"),
            ("appeal_needs_response", "charge.dispute.updated", "lost"),
            ("won", "charge.dispute.closed", "won"),
        ):
            await hub.outside.control("stripe", "dispute_moves", id=theirs, status=status)
            looks = await hub.value("SELECT looks FROM dispute_looks WHERE provider_ref = $1", theirs)
            await told_last(hub, event)
            await hub.until(
                "SELECT looks FROM dispute_looks WHERE provider_ref = $1", theirs, expected=looks + 1
            )
            assert await hub.value("SELECT state FROM disputes") == stands
        found = await hub.rows("SELECT type, state FROM breaks WHERE type <> 'dues_expired' ORDER BY id")
        assert [tuple(row.values()) for row in found] == [
            ("dispute_open", "resolved"),
            ("dispute_lost", "resolved"),
            ("forbidden_move", "open"),
        ]


# -- mandates -------------------------------------------------------------------------------------------------


async def test_a_mandate_is_approved_on_its_page_and_debited_once_the_money_is_there(
    database_dsn: str,
) -> None:
    """A debit takes the bank its days: it is processing until the look-up says that it is paid."""
    slow = {"stripe": {"mandate_ends": "stays", "debit_ends": "stays"}}
    async with river(database_dsn, gateway=STRIPE, simulated=slow) as hub:
        mandate = await begun(hub)
        page = await hub.value("SELECT provider_ref FROM mandates")
        for verb in ("approve", "activate"):
            await hub.outside.control("stripe", f"{verb}_mandate", reference=page)
        await told_last(hub, "checkout.session.completed")
        await until(hub, mandate, "active")
        accepted = await debit(hub, mandate)
        state = await hub.value("SELECT state FROM payments WHERE reference = $1", accepted.payment)
        assert (state, await taken(hub, 60_000)) == ("processing", 0)
        vendor = hub.outside.made["stripe"].vendor
        [intent] = vendor.account.of(accepted.attempt)
        vendor.wallet.end_debit(intent, "succeeded")
        await hub.hint(accepted.attempt, intent.id)
        await hub.settled(1)
        assert await taken(hub, 60_000) == 1
        await hub.app.mandate_desk.change(mandate, MandateChange.END, "a desk", "the member wants it so")
        await until(hub, mandate, "ended")
        await hub.until("SELECT count(*) FROM effects WHERE state <> 'done'", expected=0)
        [there] = (await hub.outside.truth("stripe"))["mandates"]
        assert not there["usable"]


# -- secrets --------------------------------------------------------------------------------------------------


async def test_no_way_to_pay_and_no_words_of_an_answer_leave_the_sealed_columns(
    database_dsn: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """With which a member could be debited, and what the lender wrote of one."""
    canaries = Canaries()
    canaries.plant("words of an answer", "Zuwaira Canary has signed")
    async with river(database_dsn, gateway=STRIPE, change=unbanked, lengths=NEVER) as hub:
        await charge(hub, await left(hub))
        await hub.settled(2)
        canaries.plant("payment method", method(hub).payment_method)
        mandate = await begun(hub)
        vendor = hub.outside.made["stripe"].vendor
        [page] = vendor.setups.all
        canaries.plant("page of the mandate", page.secret)
        canaries.plant("bank account of the mandate", page.method)
        vendor.setups.approve(page)
        await told_last(hub, "checkout.session.completed")
        await until(hub, mandate, "active")
        await debit(hub, mandate)
        await hub.outside.control("stripe", "dispute", reference=method(hub).reference)
        for event in vendor.desk.events:
            await hub.notify(json.dumps(event).encode())
        await hub.until("SELECT count(*) FROM disputes", expected=1)
        ours = await hub.value("SELECT id FROM disputes")
        answer = Wanted(DisputeVerdict.CONTEST, canaries.planted["words of an answer"])
        await desk(hub).answer(ours, answer, ASKER)
        await hub.until("SELECT state FROM disputes", expected="under_review")
        rows = await every_value(hub)
    logged = capsys.readouterr()
    texts = [*rows, ("standard output", logged.out), ("standard error", logged.err)]
    assert canaries.leaks(texts) == []
    assert "effect_answered" in logged.out
