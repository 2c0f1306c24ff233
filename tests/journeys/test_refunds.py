"""Money that goes back: whole, in parts, with lost answers and strangers; never more than was received."""

from __future__ import annotations

import json
from collections import Counter
from datetime import timedelta

import pytest
from rigs.api import front_door
from rigs.proof import quick
from rigs.refunds import approve, back_at_the_gateway, banked_minor, received, refund_rows, unbanked
from rigs.river import River, dues, river

from coopwire.application.operating import Operator
from coopwire.application.paying import Rejected
from coopwire.domain.gates import GateKind, Traffic
from coopwire.domain.money import Money
from coopwire.domain.payments import AllocationMode

WHOLE = 5_250_000
QUIET = {"paystack": {"refund_ends": "stays"}}
SWIFT = {"paystack": {"refund_seconds": "0.2"}}


async def _standing(hub: River) -> dict[str, int]:
    sql = (
        "SELECT component, sum(amount_minor)::bigint AS amount FROM allocations "
        "WHERE replaced_at IS NULL GROUP BY component"
    )
    return {row["component"]: row["amount"] for row in await hub.rows(sql)}


async def test_a_whole_refund_goes_back_is_booked_and_told(database_dsn: str) -> None:
    async with river(database_dsn, simulated=SWIFT, change=unbanked) as hub:
        receipt = await received(hub)
        refund = await approve(hub, receipt, WHOLE)
        await hub.until("SELECT state FROM refunds", expected="succeeded")
        await hub.until("SELECT count(*) FROM effects WHERE state <> 'done'", expected=0)
        assert await back_at_the_gateway(hub) == [WHOLE]
        assert await _standing(hub) == {}
        [journal] = await hub.rows("SELECT \"order\" FROM effects WHERE \"order\" ->> 'kind' = 'refund'")
        assert sorted(journal["order"]["lines"]) == [
            ["gateway_clearing.paystack", "credit", WHOLE],
            ["interest_income", "debit", 1_100_000],
            ["loan_principal", "debit", 4_000_000],
            ["penalty_income", "debit", 150_000],
        ]
        told = (await hub.outside.truth("lms"))["callbacks"]
        assert [m["type"] for m in told if m["type"].startswith("refund")] == ["refund.succeeded"]
        moves = await hub.rows("SELECT data FROM outbox WHERE type = 'coopwire.refund.moved.v1' ORDER BY seq")
        assert [(m["data"]["was"], m["data"]["state"]) for m in moves] == [
            ("intended", "processing"),
            ("processing", "succeeded"),
        ]
        assert await hub.breaks() == []
        assert (await refund_rows(hub))[0]["id"] == refund.id


async def test_a_part_goes_back_from_the_end_of_the_waterfall(database_dsn: str) -> None:
    async with river(database_dsn, simulated=SWIFT, change=unbanked) as hub:
        receipt = await received(hub)
        await approve(hub, receipt, 4_500_000)
        await hub.until("SELECT state FROM refunds", expected="succeeded")
        assert await _standing(hub) == {"penalty": 150_000, "interest": 600_000}
        lines = await hub.rows("SELECT * FROM allocations ORDER BY n")
        assert [(one["component"], one["amount_minor"], one["replaced_at"] is None) for one in lines] == [
            ("penalty", 150_000, True),
            ("interest", 1_100_000, False),
            ("principal", 4_000_000, False),
            ("interest", 600_000, True),
        ]
        assert lines[3]["counts_from"] == lines[1]["recorded_at"]
        assert lines[3]["dues_version"] == lines[1]["dues_version"] == "1"


async def test_what_went_back_can_be_paid_again_on_the_same_dues(database_dsn: str) -> None:
    snapshot = dues(("D1", "interest", 100_000), ("D2", "principal", 250_000))
    async with river(database_dsn, simulated=SWIFT, change=unbanked) as hub:
        receipt = await received(hub, money=Money(350_000, "NGN"), dues=snapshot)
        await approve(hub, receipt, 80_000)
        await hub.until("SELECT state FROM refunds", expected="succeeded")
        await received(hub, money=Money(100_000, "NGN"), dues=snapshot)
        assert await _standing(hub) == {"interest": 100_000, "principal": 250_000, "overpayment": 20_000}


async def test_two_parts_and_no_kobo_more(database_dsn: str) -> None:
    async with river(database_dsn, simulated=SWIFT, change=unbanked) as hub:
        receipt = await received(hub)
        await approve(hub, receipt, 5_000_000)
        with pytest.raises(Rejected) as refused:
            await approve(hub, receipt, 250_001)
        assert (refused.value.field, refused.value.code) == ("amount_minor", "conflict")
        await approve(hub, receipt, 250_000)
        await hub.until("SELECT count(*) FROM refunds WHERE state = 'succeeded'", expected=2)
        assert await back_at_the_gateway(hub) == [5_000_000, 250_000]
        assert await _standing(hub) == {}
        with pytest.raises(Rejected):
            await approve(hub, receipt, 1)


@pytest.mark.parametrize("amount", [0, -1])
async def test_nothing_and_less_is_no_refund(database_dsn: str, amount: int) -> None:
    async with river(database_dsn, change=unbanked) as hub:
        receipt = await received(hub)
        with pytest.raises(Rejected, match="more than 0"):
            await approve(hub, receipt, amount)


async def test_who_asks_cannot_approve_and_an_unknown_receipt_is_none(database_dsn: str) -> None:
    async with river(database_dsn, change=unbanked) as hub:
        receipt = await received(hub)
        with pytest.raises(Rejected, match="cannot approve"):
            await hub.app.refunding.refund(receipt, 1, asked_by="a", approved_by="a", reason="why")
        with pytest.raises(Rejected) as refused:
            await approve(hub, "nobody-knows-it", 1)
        assert refused.value.code == "not_found"
        assert await refund_rows(hub) == []


async def test_money_whose_place_is_not_decided_is_not_given_back(database_dsn: str) -> None:
    async with river(database_dsn, allocation=AllocationMode.LMS, change=unbanked) as hub:
        await hub.outside.fault("lms", "callback", "unsigned", times=None)
        accepted = await hub.accept()
        told = await hub.pay(accepted.attempt)
        await hub.hint(accepted.attempt, told["charges"][0]["id"])
        await hub.until("SELECT count(*) FROM receipts", expected=1)
        with pytest.raises(Rejected, match="loan system"):
            await approve(hub, await hub.value("SELECT id FROM receipts"), 1)


# -- answers that get lost --------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["drop_after", "html", "truncated", "silence_after"])
async def test_a_refund_whose_answer_got_lost_is_found_by_its_marker(database_dsn: str, kind: str) -> None:
    params = {"done": True, "status": 200} if kind == "html" else {}
    async with river(database_dsn, simulated=QUIET, change=unbanked) as hub:
        receipt = await received(hub)
        await hub.outside.fault("paystack", "create_refund", kind, times=1, params=params)
        await approve(hub, receipt, 1_000_000)
        await hub.until("SELECT state FROM refunds", expected="processing", seconds=40)
        assert await back_at_the_gateway(hub) == [1_000_000]
        theirs = (await hub.outside.truth("paystack"))["refunds"]
        assert (await refund_rows(hub))[0]["provider_ref"] == str(theirs[0]["id"])


@pytest.mark.parametrize("kind", quick(["drop_before"], "http_500", "html", "empty"))
async def test_a_refund_that_may_have_been_done_is_never_sent_again(database_dsn: str, kind: str) -> None:
    async with river(database_dsn, simulated=QUIET, change=unbanked) as hub:
        receipt = await received(hub)
        await hub.outside.fault("paystack", "create_refund", kind, times=1)
        await approve(hub, receipt, 1_000_000)
        await hub.until("SELECT count(*) >= 2 FROM looks WHERE answer = 'absent'")
        assert await hub.value("SELECT state FROM effects WHERE kind = 'refund'") == "unknown"
        await approve(hub, receipt, 4_250_000)
        with pytest.raises(Rejected):
            await approve(hub, receipt, 1)
        await hub.until("SELECT count(*) >= 3 FROM looks WHERE answer = 'absent'")
        states = await hub.rows("SELECT state FROM effects WHERE kind = 'refund' ORDER BY seq")
        assert [one["state"] for one in states] == ["unknown", "intended"], "the lane must wait"
        assert await back_at_the_gateway(hub) == []


async def test_a_refund_that_lands_late_is_found_and_not_doubled(database_dsn: str) -> None:
    async with river(database_dsn, simulated=QUIET, change=unbanked) as hub:
        receipt = await received(hub)
        await hub.outside.fault("paystack", "create_refund", "late", times=1, params={"seconds": 8})
        await approve(hub, receipt, WHOLE)
        await hub.until("SELECT state FROM refunds", expected="processing", seconds=60)
        assert await hub.value("SELECT count(*) FROM looks WHERE answer = 'absent'") >= 1
        assert await back_at_the_gateway(hub) == [WHOLE]


async def test_what_is_skipped_is_given_free_again(database_dsn: str) -> None:
    async with river(database_dsn, simulated=QUIET, change=unbanked) as hub:
        receipt = await received(hub)
        await hub.outside.fault("paystack", "create_refund", "drop_before", times=1)
        await approve(hub, receipt, WHOLE)
        await hub.until("SELECT state FROM effects WHERE kind = 'refund'", expected="unknown")
        effect = await hub.value("SELECT id FROM effects WHERE kind = 'refund'")
        await _skip(hub, effect)
        assert (await refund_rows(hub))[0]["state"] == "cancelled"
        await approve(hub, receipt, WHOLE)
        await hub.until("SELECT count(*) FROM refunds WHERE state = 'processing'", expected=1)
        assert await back_at_the_gateway(hub) == [WHOLE]


async def test_what_cannot_be_counted_is_not_sent(database_dsn: str) -> None:
    async with river(database_dsn, simulated=QUIET, change=unbanked) as hub:
        receipt = await received(hub)
        await hub.outside.fault("paystack", "list_refunds", "http_500", times=2)
        await approve(hub, receipt, WHOLE)
        await hub.until("SELECT state FROM refunds", expected="processing")
        assert (
            await hub.value(
                "SELECT count(*) FROM tries t JOIN effects e ON e.id = t.effect WHERE e.kind = 'refund'"
            )
            >= 2
        )
        assert await back_at_the_gateway(hub) == [WHOLE]


async def test_a_refund_more_than_the_gateway_has_left_is_refused_and_released(database_dsn: str) -> None:
    async with river(database_dsn, simulated=QUIET, change=unbanked) as hub:
        receipt = await received(hub)
        await _from_the_dashboard(hub, 1_000_000)
        await approve(hub, receipt, WHOLE)
        await hub.until("SELECT state FROM refunds", expected="failed")
        assert await hub.breaks() == ["effect_refused"]
        await approve(hub, receipt, 4_250_000)
        await hub.until("SELECT count(*) FROM refunds WHERE state = 'processing'", expected=1)
        assert await back_at_the_gateway(hub) == [1_000_000, 4_250_000]


# -- strangers --------------------------------------------------------------------------------------------


async def test_a_refund_from_the_dashboard_is_not_taken_for_ours(database_dsn: str) -> None:
    async with river(database_dsn, simulated=QUIET, change=unbanked) as hub:
        receipt = await received(hub)
        await hub.outside.fault("paystack", "create_refund", "drop_before", times=1)
        await approve(hub, receipt, 1_000_000)
        await hub.until("SELECT state FROM effects WHERE kind = 'refund'", expected="unknown")
        await _from_the_dashboard(hub, 1_000_000)
        await hub.until("SELECT count(*) >= 2 FROM looks WHERE answer = 'pending'")
        assert (await refund_rows(hub))[0]["state"] == "intended"
        assert await back_at_the_gateway(hub) == [1_000_000]


async def test_ours_is_found_beside_one_from_the_dashboard(database_dsn: str) -> None:
    async with river(database_dsn, simulated=QUIET, change=unbanked) as hub:
        receipt = await received(hub)
        await hub.outside.fault("paystack", "create_refund", "drop_after", times=1)
        await approve(hub, receipt, 1_000_000)
        await hub.until("SELECT state FROM effects WHERE kind = 'refund'", expected="unknown")
        await _from_the_dashboard(hub, 1_000_000)
        await hub.until("SELECT state FROM refunds", expected="processing")
        ours = next(
            one
            for one in (await hub.outside.truth("paystack"))["refunds"]
            if "coopwire:" in one["merchant_note"]
        )
        assert (await refund_rows(hub))[0]["provider_ref"] == str(ours["id"])


async def test_without_its_marker_a_found_refund_stays_unknown_and_its_money_taken(database_dsn: str) -> None:
    settings = {"paystack": {"refund_ends": "stays", "echo_notes": "false"}}
    async with river(database_dsn, simulated=settings, change=unbanked) as hub:
        receipt = await received(hub)
        await hub.outside.fault("paystack", "create_refund", "drop_after", times=1)
        await approve(hub, receipt, WHOLE)
        await hub.until("SELECT count(*) >= 3 FROM looks WHERE answer = 'pending'")
        with pytest.raises(Rejected):
            await approve(hub, receipt, 1)
        assert await back_at_the_gateway(hub) == [WHOLE]


# -- the core bank ----------------------------------------------------------------------------------------


async def test_a_banked_receipt_is_debited_before_it_goes_back(database_dsn: str) -> None:
    async with river(database_dsn, simulated=SWIFT) as hub:
        receipt = await received(hub)
        assert await banked_minor(hub) == WHOLE
        await hub.outside.fault("bankone", "debit", "drop_before", times=1)
        await approve(hub, receipt, 2_000_000)
        await hub.until("SELECT state FROM effects WHERE \"order\" ->> 'side' = 'debit'", expected="unknown")
        assert await back_at_the_gateway(hub) == [], "the debit comes first"
        assert await banked_minor(hub) == WHOLE


async def test_the_refund_follows_its_debit(database_dsn: str) -> None:
    async with river(database_dsn, simulated=SWIFT) as hub:
        receipt = await received(hub)
        await approve(hub, receipt, 2_000_000)
        await hub.until("SELECT state FROM refunds", expected="succeeded")
        await hub.until("SELECT count(*) FROM effects WHERE state <> 'done'", expected=0)
        assert await banked_minor(hub) == WHOLE - 2_000_000
        order = [
            r["kind"]
            for r in await hub.rows("SELECT kind FROM effects WHERE receipt = $1 ORDER BY seq", receipt)
        ]
        assert order.index("refund") > [n for n, kind in enumerate(order) if kind == "posting"][1]
        await approve(hub, receipt, WHOLE - 2_000_000)
        await hub.until("SELECT count(*) FROM refunds WHERE state = 'succeeded'", expected=2)
        assert await banked_minor(hub) == 0
        assert sum(await back_at_the_gateway(hub)) == WHOLE
        assert await hub.breaks() == []


async def test_a_credit_that_is_not_resolved_must_be_resolved_first(database_dsn: str) -> None:
    async with river(database_dsn) as hub:
        await hub.outside.fault("bankone", "credit", "drop_before", times=1)
        accepted = await hub.accept()
        told = await hub.pay(accepted.attempt)
        await hub.hint(accepted.attempt, told["charges"][0]["id"])
        await hub.until("SELECT state FROM effects WHERE kind = 'posting'", expected="unknown")
        with pytest.raises(Rejected, match="resolve the credit first") as refused:
            await approve(hub, await hub.value("SELECT id FROM receipts"), 1)
        assert refused.value.code == "conflict"


async def test_a_debit_that_the_bank_refuses_ends_the_refund(database_dsn: str) -> None:
    async with river(database_dsn) as hub:
        receipt = await received(hub)
        await hub.outside.fault("bankone", "debit", "decline", times=1, params={"code": "51"})
        await approve(hub, receipt, WHOLE)
        await hub.until("SELECT state FROM refunds", expected="cancelled")
        assert await back_at_the_gateway(hub) == []
        assert await banked_minor(hub) == WHOLE
        await hub.until("SELECT count(*) FROM breaks", expected=1)
        assert await hub.breaks() == ["effect_refused"]
        await approve(hub, receipt, WHOLE)
        await hub.until("SELECT count(*) FROM refunds WHERE state = 'succeeded'", expected=1)
        assert (await banked_minor(hub), await back_at_the_gateway(hub)) == (0, [WHOLE])


async def test_a_refund_refused_after_its_debit_says_that_the_member_must_be_credited_again(
    database_dsn: str,
) -> None:
    async with river(database_dsn, simulated=SWIFT) as hub:
        receipt = await received(hub)
        await hub.outside.fault(
            "paystack", "create_refund", "decline", times=1, params={"message": "Refunds are disabled"}
        )
        await approve(hub, receipt, 1_000_000)
        await hub.until("SELECT state FROM refunds", expected="failed")
        await hub.until("SELECT count(*) FROM breaks", expected=2)
        assert sorted(await hub.breaks()) == ["effect_refused", "refund_failed"]
        evidence = await hub.value("SELECT evidence FROM breaks WHERE type = 'refund_failed'")
        assert evidence["credit_again_minor"] == 1_000_000
        # Proposed again, the money that is out of the account already is not taken a second time.
        await approve(hub, receipt, 1_500_000)
        await hub.until("SELECT count(*) FROM refunds WHERE state = 'succeeded'", expected=1)
        assert await banked_minor(hub) == WHOLE - 1_500_000


# -- how refunds end --------------------------------------------------------------------------------------


async def test_a_refund_that_fails_later_is_released_and_a_person_is_told(database_dsn: str) -> None:
    settings = {"paystack": {"refund_ends": "failed", "refund_seconds": "0.2"}}
    async with river(database_dsn, simulated=settings) as hub:
        receipt = await received(hub)
        await approve(hub, receipt, WHOLE)
        await hub.until("SELECT state FROM refunds", expected="failed")
        await hub.until("SELECT count(*) FROM breaks", expected=1)
        [found] = await hub.rows("SELECT * FROM breaks")
        assert (found["type"], found["amount_minor"], found["currency"]) == ("refund_failed", WHOLE, "NGN")
        assert found["evidence"]["credit_again_minor"] == WHOLE
        assert sum((await _standing(hub)).values()) == WHOLE
        await hub.outside.control("paystack", "settings", refund_ends="processed")
        await approve(hub, receipt, WHOLE)
        await hub.until("SELECT count(*) FROM refunds WHERE state = 'succeeded'", expected=1)
        assert await banked_minor(hub) == 0


async def test_a_refund_that_needs_attention_tells_a_person_once_and_goes_on(database_dsn: str) -> None:
    settings = {"paystack": {"refund_ends": "needs-attention", "refund_seconds": "0.2"}}
    async with river(database_dsn, simulated=settings, change=unbanked) as hub:
        receipt = await received(hub)
        await approve(hub, receipt, WHOLE)
        await hub.until("SELECT state FROM refunds", expected="pending")
        await hub.until("SELECT looks >= 2 FROM refunds", seconds=30)
        assert await hub.breaks() == ["refund_needs_attention"]
        theirs = (await hub.outside.truth("paystack"))["refunds"][0]["id"]
        await hub.outside.control("paystack", "refund", id=theirs, status="processed")
        await _hint(hub, "refund.processed", await _reference(hub))
        await hub.until("SELECT state FROM refunds", expected="succeeded")


async def test_a_refund_that_never_ends_is_handed_to_a_person(database_dsn: str) -> None:
    async with river(database_dsn, simulated=QUIET, change=unbanked) as hub:
        receipt = await received(hub)
        await approve(hub, receipt, WHOLE)
        await hub.until("SELECT state FROM refunds", expected="processing")
        await hub.rows("UPDATE refunds SET accepted_at = now() - interval '31 days', look_at = now()")
        await hub.until("SELECT look_at IS NULL FROM refunds")
        assert await hub.breaks() == ["refund_needs_attention"]
        assert "still processing" in await hub.value("SELECT evidence ->> 'reason' FROM breaks")
        theirs = (await hub.outside.truth("paystack"))["refunds"][0]["id"]
        await hub.outside.control("paystack", "refund", id=theirs, status="processed")
        await _hint(hub, "refund.processed", await _reference(hub))
        await hub.until("SELECT state FROM refunds", expected="succeeded")


async def test_a_failure_that_becomes_a_success_is_booked_though_its_part_is_gone(database_dsn: str) -> None:
    async with river(database_dsn, simulated=QUIET, change=unbanked) as hub:
        receipt = await received(hub)
        await approve(hub, receipt, WHOLE)
        await hub.until("SELECT state FROM refunds", expected="processing")
        first = (await hub.outside.truth("paystack"))["refunds"][0]["id"]
        await hub.outside.control("paystack", "refund", id=first, status="failed")
        await _hint(hub, "refund.failed", await _reference(hub))
        await hub.until("SELECT state FROM refunds", expected="failed")
        await approve(hub, receipt, 250_000)
        await hub.until("SELECT count(*) FROM refunds WHERE state = 'processing'", expected=1)
        second = (await hub.outside.truth("paystack"))["refunds"][1]["id"]
        for refund in (second, first):
            await hub.outside.control("paystack", "refund", id=refund, status="processed")
            await _hint(hub, "refund.processed", await _reference(hub), copy=refund)
            await hub.until(
                "SELECT state FROM refunds WHERE provider_ref = $1", str(refund), expected="succeeded"
            )
        assert await _standing(hub) == {}
        lines = await hub.value(
            "SELECT \"order\" -> 'lines' FROM effects WHERE \"order\" ->> 'kind' = 'refund' ORDER BY seq DESC LIMIT 1"
        )
        assert ["suspense", "debit", 250_000] in lines
        assert await hub.breaks() == ["refund_failed", "refund_changed"]


async def test_a_success_that_is_taken_back_is_undone(database_dsn: str) -> None:
    async with river(database_dsn, simulated=SWIFT, change=unbanked) as hub:
        receipt = await received(hub)
        await approve(hub, receipt, 4_500_000)
        await hub.until("SELECT state FROM refunds", expected="succeeded")
        theirs = (await hub.outside.truth("paystack"))["refunds"][0]["id"]
        await hub.outside.control("paystack", "refund", id=theirs, status="failed", reason="Account closed")
        await _hint(hub, "refund.failed", await _reference(hub))
        await hub.until("SELECT state FROM refunds", expected="failed")
        assert await _standing(hub) == {"penalty": 150_000, "interest": 1_100_000, "principal": 4_000_000}
        await hub.until("SELECT count(*) FROM effects WHERE state <> 'done'", expected=0)
        booked = await hub.rows(
            "SELECT \"order\" FROM effects WHERE kind = 'journal' AND \"order\" ->> 'kind' LIKE 'refund%' ORDER BY seq"
        )
        signed: Counter[str] = Counter()
        for one in booked:
            for key, side, amount in one["order"]["lines"]:
                signed[key] += amount if side == "debit" else -amount
        assert len(booked) == 2 and set(signed.values()) == {0}
        assert await hub.breaks() == ["refund_failed"]


async def test_a_look_that_brings_no_answer_is_made_again(database_dsn: str) -> None:
    async with river(database_dsn, simulated=SWIFT, change=unbanked) as hub:
        receipt = await received(hub)
        await hub.outside.fault("paystack", "fetch_refund", "http_500", times=2)
        await approve(hub, receipt, WHOLE)
        await hub.until("SELECT state FROM refunds", expected="succeeded", seconds=30)
        assert await hub.value("SELECT count(*) FROM looks WHERE answer LIKE 'no answer%'") == 2


async def test_an_answer_about_other_money_moves_nothing(database_dsn: str) -> None:
    async with river(database_dsn, simulated=SWIFT, change=unbanked) as hub:
        receipt = await received(hub)
        await hub.outside.fault("paystack", "fetch_refund", "wrong_amount", times=None)
        await approve(hub, receipt, WHOLE)
        await hub.until("SELECT looks >= 2 FROM refunds", seconds=30)
        assert (await refund_rows(hub))[0]["state"] == "processing"
        assert await hub.breaks() == ["refund_changed"]


async def test_a_closed_read_gate_holds_the_looks_back(database_dsn: str) -> None:
    async with river(database_dsn, simulated=QUIET, change=unbanked) as hub:
        receipt = await received(hub)
        await approve(hub, receipt, WHOLE)
        await hub.until("SELECT state FROM refunds", expected="processing")
        operator = Operator(hub.app.network, hub.app.database, hub.app.clock)
        await operator.close_gate("paystack", [Traffic.READ], "a person", "a quiet hour")
        before = await hub.value("SELECT looks FROM refunds")
        await _hint(hub, "refund.processed", await _reference(hub))
        await hub.until("SELECT count(*) FROM webhooks WHERE drained_at IS NULL", expected=0)
        await hub.app.clock.sleep(timedelta(seconds=1.5))
        assert await hub.value("SELECT looks FROM refunds") == before
        await operator.open_gate("paystack", GateKind.MANUAL, [Traffic.READ], "a person", "it is over")
        await hub.until("SELECT looks > $1 FROM refunds", before)


# -- webhooks ---------------------------------------------------------------------------------------------


async def test_a_webhook_makes_the_refund_due_now_and_is_not_believed(database_dsn: str) -> None:
    async with river(database_dsn, simulated=QUIET, change=unbanked, timings="default") as hub:
        receipt = await _received_slowly(hub)
        await approve(hub, receipt, WHOLE)
        await hub.until("SELECT state FROM refunds", expected="processing")
        reference = await _reference(hub)
        await _hint(hub, "refund.processed", reference)
        await hub.until("SELECT looks FROM refunds", expected=1)
        assert (await refund_rows(hub))[0]["state"] == "processing", "a webhook is a hint"
        theirs = (await hub.outside.truth("paystack"))["refunds"][0]["id"]
        await hub.outside.control("paystack", "refund", id=theirs, status="processed")
        for copy in range(3):
            await _hint(hub, "refund.processed", reference, copy=copy)
        await hub.until("SELECT state FROM refunds", expected="succeeded")
        await hub.until("SELECT count(*) FROM webhooks WHERE drained_at IS NULL", expected=0)
        assert await hub.value("SELECT count(*) FROM outbox WHERE type = 'coopwire.refund.moved.v1'") == 2
        assert await hub.value("SELECT count(*) FROM lookups WHERE noticed") == 0
        assert await hub.breaks() == []


async def test_a_webhook_about_no_refund_of_ours_changes_nothing(database_dsn: str) -> None:
    async with river(database_dsn, simulated=QUIET, change=unbanked) as hub:
        await received(hub)
        await _hint(hub, "refund.processed", await _reference(hub))
        await _hint(hub, "refund.failed", "nobody-knows-this")
        await hub.until("SELECT count(*) FROM webhooks WHERE drained_at IS NULL", expected=0)
        assert await refund_rows(hub) == []
        assert await hub.breaks() == []


async def test_a_forged_webhook_is_turned_away_at_the_door(database_dsn: str) -> None:
    async with front_door(database_dsn, simulated=QUIET) as front:
        hub = front.hub
        receipt = await received(hub)
        await approve(hub, receipt, WHOLE)
        await hub.until("SELECT state FROM refunds", expected="processing")
        body = _refund_event("refund.processed", await _reference(hub))
        headers = {"x-paystack-signature": "0" * 128, "content-type": "application/json"}
        told = await front.call("POST", "/webhooks/paystack", key=None, data=body, headers=headers)
        assert told.status == 401
        assert await hub.value("SELECT count(*) FROM notices WHERE event LIKE 'refund%'") == 0


async def _skip(hub: River, effect: str) -> None:
    operator = Operator(hub.app.network, hub.app.database, hub.app.clock)
    await operator.skip(effect, "a person", "the gateway says that it is not there")


async def _reference(hub: River) -> str:
    found: str = await hub.value("SELECT reference FROM receipts ORDER BY recorded_at DESC LIMIT 1")
    return found


async def _from_the_dashboard(hub: River, amount: int) -> None:
    await hub.outside.control("paystack", "dashboard_refund", reference=await _reference(hub), amount=amount)


def _refund_event(event: str, reference: str, copy: int = 0) -> bytes:
    data = {"status": event.partition(".")[2], "transaction_reference": reference, "amount": "5250000"}
    return json.dumps({"event": event, "data": {**data, "currency": "NGN", "copy": copy}}).encode()


async def _hint(hub: River, event: str, reference: str, copy: int = 0) -> None:
    await hub.notify(_refund_event(event, reference, copy))


async def _received_slowly(hub: River) -> str:
    """As `received`, where looks are far apart: only the webhook brings the money in."""
    accepted = await hub.accept()
    told = await hub.pay(accepted.attempt)
    await hub.hint(accepted.attempt, told["charges"][0]["id"])
    await hub.settled(1)
    found: str = await hub.value("SELECT id FROM receipts")
    return found
