"""Corrections end to end: what two persons decide is done once, and the books' and the bank's truth says so."""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from datetime import timedelta
from typing import Any

import pytest
from rigs.corrections import (
    ADA,
    EVE,
    OBI,
    WHY,
    balances,
    banked,
    closed,
    corrected,
    desk,
    effect_of,
    history,
    journals,
    last_text,
    lms_told,
    repaid,
    stranger,
    the_break,
)
from rigs.crashing import Died, world
from rigs.elsewhere import arrival, tell
from rigs.proof import quick
from rigs.refunds import approve, back_at_the_gateway, received, unbanked
from rigs.river import MAPPING, River, dues, river

from coopwire.application.operating import Operator
from coopwire.application.paying import Rejected
from coopwire.application.people import Person
from coopwire.domain.breaks import Break, BreakType
from coopwire.domain.corrections import (
    Allocate,
    Correction,
    CreditAgain,
    PostJournalAgain,
    PostPostingAgain,
    RefundReceipt,
    ReverseJournal,
    ReversePosting,
    WriteOff,
)
from coopwire.domain.money import Money
from coopwire.domain.payments import Component, PaymentKind
from coopwire.domain.receipts import AllocationLine

WHOLE = 5_250_000
CLEARING, CHARGES, LOANS, SUSPENSE, WRITTEN_OFF = "91", "64", "120", "202", "71"
NO_MARKED_LOSS = {"bankone": {"status_interval_seconds": "1"}}


async def _requested(hub: River, subject: str) -> int:
    return (await desk(hub).open_request(subject, ADA, "it belongs elsewhere")).id


async def _live(hub: River, receipt: str) -> dict[str, int]:
    found = await hub.rows(
        "SELECT component, sum(amount_minor)::bigint AS minor FROM allocations "
        "WHERE receipt = $1 AND replaced_at IS NULL GROUP BY component",
        receipt,
    )
    return {row["component"]: row["minor"] for row in found}


async def _number(hub: River, effect: str) -> dict[str, Any]:
    """The entry of an effect, as the books have it."""
    reference = await hub.value("SELECT reference FROM effects WHERE id = $1", effect)
    [entry] = [one for one in await journals(hub) if one["doc_number"] == reference]
    return entry


# -- whose money it is -------------------------------------------------------------------------------------


async def test_a_strangers_money_is_given_to_the_payment_that_waits_for_it(database_dsn: str) -> None:
    async with river(database_dsn) as hub:
        accepted = await hub.accept()
        receipt, id_ = await stranger(hub, WHOLE)
        await corrected(hub, id_, Allocate(receipt, payment=accepted.payment))
        await closed(hub, id_)
        await hub.until("SELECT count(*) FROM effects WHERE state <> 'done'", expected=0)
        assert await _live(hub, receipt) == {
            "penalty": 150_000,
            "interest": 1_100_000,
            "principal": 4_000_000,
        }
        books = await balances(hub)
        assert (books.get(SUSPENSE), books[LOANS]) == (None, -4_000_000)
        assert await banked(hub) == WHOLE
        payment = await hub.value("SELECT state FROM payments WHERE reference = $1", accepted.payment)
        linked = await hub.value("SELECT payment FROM receipts WHERE id = $1", receipt)
        assert (payment, linked) == ("succeeded", accepted.payment)
        await hub.until("SELECT count(*) FROM effects WHERE kind = 'callback' AND state = 'done'", expected=3)
        assert (await lms_told(hub, "receipt.allocated"), await lms_told(hub, "receipt.settled")) == (1, 1)
        who = [("coopwire", "opened"), ("ada", "proposed"), ("obi", "approved"), ("coopwire", "resolved")]
        assert await history(hub, id_) == who
        assert await hub.value("SELECT count(*) FROM outbox WHERE type = 'coopwire.break.closed.v1'") == 1
        verbs = [row["action"] for row in await hub.rows("SELECT action FROM operator_actions ORDER BY id")]
        assert verbs == ["propose allocate", "approve allocate"]


async def test_money_in_suspense_is_given_to_a_loan_line_by_line(database_dsn: str) -> None:
    async with river(database_dsn, members=2) as hub:
        receipt, id_ = await stranger(hub, 300_000)
        lines = (
            AllocationLine(Component.INTEREST, 100_000, "D7"),
            AllocationLine(Component.PRINCIPAL, 200_000, "D8"),
        )
        wanted = Allocate(
            receipt,
            member="M-1030",
            kind=PaymentKind.LOAN_REPAYMENT,
            loan="LN-7",
            branch="IKEJA",
            lines=lines,
        )
        await corrected(hub, id_, wanted)
        await closed(hub, id_)
        assert await _live(hub, receipt) == {"interest": 100_000, "principal": 200_000}
        assert (await banked(hub, "1100000001"), await banked(hub)) == (300_000, 0)
        assert SUSPENSE not in await balances(hub)
        key = await hub.value("SELECT account_key FROM receipts WHERE id = $1", receipt)
        assert key == "loan:LN-7"


async def test_the_waterfall_over_given_dues_never_satisfies_a_due_twice(database_dsn: str) -> None:
    snapshot = dues(("D1", "interest", 100_000), ("D2", "principal", 250_000))
    async with river(database_dsn) as hub:
        await repaid(hub, money=Money(200_000, "NGN"), dues=snapshot)
        receipt, id_ = await stranger(hub, 300_000)
        wanted = Allocate(
            receipt, member="M-1029", kind=PaymentKind.LOAN_REPAYMENT, loan="LN-00457", dues=snapshot
        )
        await corrected(hub, id_, wanted)
        await closed(hub, id_)
        assert await _live(hub, receipt) == {"principal": 150_000, "overpayment": 150_000}


async def test_money_that_the_bank_has_credited_is_only_moved_in_the_books(database_dsn: str) -> None:
    async with river(database_dsn, members=2) as hub:
        receipt = await repaid(hub, dues=None)
        id_ = await the_break(hub, "dues_expired", receipt)
        loan = {"kind": PaymentKind.LOAN_REPAYMENT, "loan": "LN-00457"}
        lines = (AllocationLine(Component.PRINCIPAL, WHOLE),)
        with pytest.raises(Rejected, match="another account has its credit"):
            await desk(hub).propose(id_, ADA, Allocate(receipt, member="M-1030", lines=lines, **loan), WHY)
        await corrected(hub, id_, Allocate(receipt, member="M-1029", lines=lines, **loan))
        await closed(hub, id_)
        assert (await balances(hub))[LOANS] == -WHOLE
        assert await banked(hub) == WHOLE
        assert len((await hub.outside.truth("bankone"))["postings"]) == 1


# -- the books ---------------------------------------------------------------------------------------------


async def test_a_journal_is_reversed_once_on_the_accounts_that_it_used(database_dsn: str) -> None:
    async with river(database_dsn) as hub:
        journal = await effect_of(hub, await repaid(hub), "journal")
        await hub.rows("UPDATE mappings SET active = false")
        await hub.rows(
            "INSERT INTO mappings (connection, version, entries, created_at, activated_at, active) "
            "VALUES ('quickbooks', 2, $1, now(), now(), true)",
            {**MAPPING, "loan_principal": "121"},
        )
        id_ = await _requested(hub, journal)
        await corrected(hub, id_, ReverseJournal(journal))
        await closed(hub, id_)
        assert await balances(hub) == {}
        assert len(await journals(hub)) == 2
        again = await _requested(hub, journal)
        with pytest.raises(Rejected, match="reversed already"):
            await desk(hub).propose(again, ADA, ReverseJournal(journal), WHY)


async def test_an_entry_that_was_deleted_is_posted_again_and_one_that_stands_is_not(
    database_dsn: str,
) -> None:
    async with river(database_dsn) as hub:
        journal = await effect_of(hub, await repaid(hub), "journal")
        before = await balances(hub)
        id_ = await _requested(hub, journal)
        await desk(hub).propose(id_, ADA, PostJournalAgain(journal), WHY)
        with pytest.raises(Rejected, match="not certain that it does not stand there"):
            await desk(hub).approve(id_, OBI, WHY)
        assert len(await journals(hub)) == 1
        await hub.outside.control("quickbooks", "delete", id=(await _number(hub, journal))["id"])
        assert await journals(hub) == []
        await desk(hub).approve(id_, OBI, WHY)
        await closed(hub, id_)
        assert await balances(hub) == before
        assert len(await journals(hub)) == 1
        asked = await hub.value("SELECT facts -> 'asked' FROM break_moves WHERE move = 'approved'")
        assert asked[journal].startswith("absent")
        with pytest.raises(Rejected, match="it was posted again already"):
            await desk(hub).propose(await _requested(hub, journal), ADA, ReverseJournal(journal), WHY)


async def test_an_entry_in_the_wrong_month_is_reversed_and_posted_again_under_another_day(
    database_dsn: str,
) -> None:
    async with river(database_dsn) as hub:
        journal = await effect_of(hub, await repaid(hub), "journal")
        before = await balances(hub)
        id_ = await _requested(hub, journal)
        await corrected(hub, id_, ReverseJournal(journal))
        await closed(hub, id_)
        again = await _requested(hub, journal)
        yesterday = hub.app.network.routes.business_day(hub.app.clock.now()) - timedelta(days=1)
        await corrected(hub, again, PostJournalAgain(journal, on=yesterday))
        await closed(hub, again)
        assert await balances(hub) == before
        assert sorted(one["date"] for one in await journals(hub))[0] == yesterday.isoformat()


async def test_a_mirror_in_a_closed_period_is_held_and_goes_on_when_it_is_opened(database_dsn: str) -> None:
    async with river(database_dsn) as hub:
        journal = await effect_of(hub, await repaid(hub), "journal")
        id_ = await _requested(hub, journal)
        await hub.outside.control("quickbooks", "settings", book_close_date="2999-12-31")
        await corrected(hub, id_, ReverseJournal(journal))
        await hub.until("SELECT count(*) FROM effects WHERE state = 'held'", expected=1)
        assert await hub.value("SELECT state FROM breaks WHERE id = $1", id_) == "approved"
        await hub.outside.control("quickbooks", "settings", book_close_date="")
        mirror = await hub.value("SELECT id FROM effects WHERE state = 'held'")
        await Operator(hub.app.network, hub.app.database, hub.app.clock).resume(mirror, "obi", "open again")
        await closed(hub, id_)
        assert await balances(hub) == {}


# -- the core bank -----------------------------------------------------------------------------------------


async def test_a_credit_is_reversed_once_and_never_while_it_is_unknown(database_dsn: str) -> None:
    async with river(database_dsn) as hub:
        receipt = await repaid(hub)
        posting = await effect_of(hub, receipt, "posting")
        id_ = await _requested(hub, receipt)
        await corrected(hub, id_, ReversePosting(posting))
        await closed(hub, id_)
        assert await banked(hub) == 0
        again = await _requested(hub, posting)
        with pytest.raises(Rejected, match="reversed already"):
            await desk(hub).propose(again, ADA, ReversePosting(posting), WHY)
        await hub.outside.fault("bankone", "credit", "drop_before", times=1)
        accepted = await hub.accept(loan="LN-2")
        told = await hub.pay(accepted.attempt)
        await hub.hint(accepted.attempt, told["charges"][0]["id"])
        await hub.until(
            "SELECT count(*) FROM effects WHERE state = 'unknown' AND kind = 'posting'", expected=1
        )
        unknown = await hub.value("SELECT id FROM effects WHERE state = 'unknown' AND kind = 'posting'")
        other = await _requested(hub, unknown)
        with pytest.raises(Rejected, match="it is unknown"):
            await desk(hub).propose(other, ADA, ReversePosting(unknown), WHY)


@pytest.mark.parametrize("accident", ["remove", "reverse"])
async def test_a_credit_that_the_bank_lost_or_undid_is_posted_again(database_dsn: str, accident: str) -> None:
    async with river(database_dsn) as hub:
        receipt = await repaid(hub)
        posting = await effect_of(hub, receipt, "posting")
        reference = await hub.value("SELECT reference FROM effects WHERE id = $1", posting)
        id_ = await _requested(hub, posting)
        await desk(hub).propose(id_, ADA, PostPostingAgain(posting), WHY)
        with pytest.raises(Rejected, match="not certain that it does not stand there"):
            await desk(hub).approve(id_, OBI, WHY)
        await hub.outside.control("bankone", accident, reference=reference)
        assert await banked(hub) == 0
        await _until_accepted(hub, id_)
        await closed(hub, id_)
        assert await banked(hub) == WHOLE


async def _until_accepted(hub: River, id_: int, who: Person = OBI) -> None:
    """Approve; the bank may say that it was asked too often."""
    for _ in range(10):
        try:
            await desk(hub).approve(id_, who, WHY)
        except Rejected as rejected:
            assert "not certain" in rejected.message
            await asyncio.sleep(1.1)
        else:
            return
    raise AssertionError("never approved")


async def test_a_refused_credit_is_posted_again_and_the_receipt_is_settled(database_dsn: str) -> None:
    async with river(database_dsn) as hub:
        await hub.outside.fault("bankone", "credit", "decline", times=1)
        accepted = await hub.accept()
        told = await hub.pay(accepted.attempt)
        await hub.hint(accepted.attempt, told["charges"][0]["id"])
        await hub.until("SELECT state FROM effects WHERE kind = 'posting'", expected="refused")
        receipt = str(await hub.value("SELECT id FROM receipts"))
        posting = await effect_of(hub, receipt, "posting")
        id_ = await the_break(hub, "effect_refused", posting)
        await desk(hub).propose(id_, ADA, PostPostingAgain(posting), WHY)
        await _until_accepted(hub, id_)
        await closed(hub, id_)
        assert await banked(hub) == WHOLE
        settled = "SELECT count(*) FROM effects WHERE \"order\" -> 'payload' ->> 'type' = 'receipt.settled'"
        await hub.until(settled, expected=1)


async def test_an_unknown_credit_is_given_up_only_when_the_bank_does_not_know_it(database_dsn: str) -> None:
    async with river(database_dsn, simulated=NO_MARKED_LOSS) as hub:
        await hub.outside.fault("bankone", "credit", "drop_before", times=1)
        accepted = await hub.accept()
        told = await hub.pay(accepted.attempt)
        await hub.hint(accepted.attempt, told["charges"][0]["id"])
        await hub.until("SELECT state FROM effects WHERE kind = 'posting'", expected="unknown")
        posting = str(await hub.value("SELECT id FROM effects WHERE kind = 'posting'"))
        id_ = await _requested(hub, posting)
        wanted = PostPostingAgain(posting)
        with pytest.raises(Rejected, match="it may still arrive"):
            await desk(hub).propose(id_, ADA, wanted, WHY)
        await hub.until("SELECT count(*) >= 2 FROM looks WHERE answer = 'absent'", seconds=40)
        await _proposed(hub, id_, wanted)
        await _until_accepted(hub, id_)
        assert await hub.value("SELECT state FROM effects WHERE id = $1", posting) == "cancelled"
        await closed(hub, id_)
        assert await banked(hub) == WHOLE
        assert len((await hub.outside.truth("bankone"))["postings"]) == 1


async def _proposed(hub: River, id_: int, wanted: Correction) -> None:
    """Propose as soon as nothing can arrive any more."""
    for _ in range(40):
        try:
            await desk(hub).propose(id_, ADA, wanted, WHY)
        except Rejected as rejected:
            assert "may still arrive" in rejected.message
            await asyncio.sleep(0.5)
        else:
            return
    raise AssertionError("never proposed")


# -- money that goes back, and money that is given up ------------------------------------------------------


async def test_a_part_is_refunded_and_the_break_waits_for_the_gateways_last_word(database_dsn: str) -> None:
    async with river(database_dsn) as hub:
        receipt = await repaid(hub)
        id_ = await _requested(hub, receipt)
        await corrected(hub, id_, RefundReceipt(receipt, 1_000_000))
        await hub.until("SELECT state FROM effects WHERE kind = 'refund'", expected="done")
        await closed(hub, id_)
        assert await hub.value("SELECT state FROM refunds") == "succeeded"
        assert await banked(hub) == WHOLE - 1_000_000
        assert await hub.value("SELECT asked_by FROM refunds") == ADA.shown
        with pytest.raises(Rejected, match=r"42,500\.00 NGN of this receipt can still be refunded"):
            other = await _requested(hub, receipt)
            await desk(hub).propose(other, ADA, RefundReceipt(receipt, WHOLE), WHY)


async def test_a_refund_that_fails_opens_the_break_again_and_the_member_is_credited_again(
    database_dsn: str,
) -> None:
    async with river(database_dsn, simulated={"paystack": {"refund_ends": "failed"}}) as hub:
        receipt = await repaid(hub)
        id_ = await _requested(hub, receipt)
        await corrected(hub, id_, RefundReceipt(receipt, 1_000_000))
        await closed(hub, id_, "open")
        assert "failed" in await last_text(hub, id_)
        assert await banked(hub) == WHOLE - 1_000_000
        refund = str(await hub.value("SELECT id FROM refunds"))
        failed = await the_break(hub, "refund_failed", refund)
        await corrected(hub, failed, CreditAgain(refund))
        await closed(hub, failed)
        assert await banked(hub) == WHOLE
        with pytest.raises(Rejected, match="credited again already"):
            await desk(hub).propose(id_, ADA, CreditAgain(refund), WHY)


async def test_a_debit_that_was_undone_for_a_failed_refund_is_taken_again_by_the_next_one(
    database_dsn: str,
) -> None:
    failing = {"paystack": {"refund_ends": "failed"}, "bankone": {"status_interval_seconds": "1"}}
    async with river(database_dsn, simulated=failing) as hub:
        receipt = await repaid(hub)
        first = await hub.app.refunding.refund(
            receipt, 1_000_000, asked_by="ada", approved_by="obi", reason=WHY
        )
        failed = await the_break(hub, "refund_failed", first.id)
        debit = str(await hub.value("SELECT debit FROM refunds WHERE id = $1", first.id))
        credit = await effect_of(hub, receipt, "posting")
        with pytest.raises(Rejected, match="only 4250000 minor units of it are in the account"):
            await corrected(hub, await _requested(hub, credit), ReversePosting(credit))
        await corrected(hub, await _requested(hub, debit), ReversePosting(debit))
        await hub.until("SELECT state FROM effects WHERE kind = 'reversal'", expected="done")
        assert await banked(hub) == WHOLE
        with pytest.raises(Rejected, match="nothing is missing"):
            await desk(hub).propose(failed, ADA, CreditAgain(first.id), WHY)
        await hub.outside.control("paystack", "settings", refund_ends="processed")
        await corrected(hub, failed, RefundReceipt(receipt, 1_000_000))
        await closed(hub, failed)
        assert await banked(hub) == WHOLE - 1_000_000


async def test_a_refund_is_judged_when_it_is_proposed_and_its_debit_is_told_to_who_approves(
    database_dsn: str,
) -> None:
    async with river(database_dsn) as hub:
        told = await tell(hub, arrival("IKJ-1"))
        counter = await _requested(hub, str(told.receipt))
        with pytest.raises(Rejected, match="no gateway of ours has this money: pay it back by hand"):
            await desk(hub).propose(counter, ADA, RefundReceipt(str(told.receipt), 1), WHY)
        receipt = await repaid(hub)
        id_ = await _requested(hub, receipt)
        await desk(hub).propose(id_, ADA, RefundReceipt(receipt, 1_000_000), WHY)
        proposal = await hub.value("SELECT proposal FROM breaks WHERE id = $1", id_)
        written = [(one["write"], one.get("side"), one["amount_minor"]) for one in proposal["plan"]]
        assert written == [("posting", "debit", 1_000_000), ("refund", None, 1_000_000)]


async def test_what_is_out_of_the_books_is_not_given_back(database_dsn: str) -> None:
    async with river(database_dsn) as hub:
        receipt = await repaid(hub)
        journal = await effect_of(hub, receipt, "journal")
        id_ = await _requested(hub, receipt)
        await desk(hub).propose(id_, ADA, RefundReceipt(receipt, 1), WHY)
        await corrected(hub, await _requested(hub, journal), ReverseJournal(journal))
        with pytest.raises(Rejected, match="its entry in the books is reversed"):
            await desk(hub).approve(id_, OBI, WHY)
        assert await hub.value("SELECT count(*) FROM refunds") == 0


async def test_a_refund_that_was_refused_is_asked_for_again_from_its_own_break(database_dsn: str) -> None:
    async with river(database_dsn, change=unbanked) as hub:
        receipt = await received(hub)
        await hub.outside.fault("paystack", "create_refund", "decline", times=1)
        await approve(hub, receipt, 1_000_000)
        await hub.until("SELECT state FROM effects WHERE kind = 'refund'", expected="refused")
        id_ = await the_break(hub, "effect_refused", await effect_of(hub, receipt, "refund"))
        await corrected(hub, id_, RefundReceipt(receipt, 1_000_000))
        await closed(hub, id_)
        assert await back_at_the_gateway(hub) == [1_000_000]


async def test_what_nobody_claims_is_written_off_and_the_rest_stays(database_dsn: str) -> None:
    async with river(database_dsn) as hub:
        receipt, id_ = await stranger(hub, 300_000)
        with pytest.raises(Rejected, match="only 300000 minor units"):
            await desk(hub).propose(id_, ADA, WriteOff(300_001, receipt=receipt), WHY)
        await corrected(hub, id_, WriteOff(120_000, receipt=receipt))
        await closed(hub, id_, "written_off")
        assert await _live(hub, receipt) == {"suspense": 180_000, "written_off": 120_000}
        books = await balances(hub)
        assert (books[SUSPENSE], books[WRITTEN_OFF]) == (-180_000, -120_000)


async def test_what_the_member_has_at_the_bank_is_not_written_off(database_dsn: str) -> None:
    async with river(database_dsn) as hub:
        receipt = await repaid(hub, dues=None)
        id_ = await the_break(hub, "dues_expired", receipt)
        with pytest.raises(Rejected, match="reverse that posting first"):
            await desk(hub).propose(id_, ADA, WriteOff(1_000, receipt=receipt), WHY)
        posting = await effect_of(hub, receipt, "posting")
        await corrected(hub, await _requested(hub, posting), ReversePosting(posting))
        await hub.until("SELECT state FROM effects WHERE kind = 'reversal'", expected="done")
        await corrected(hub, id_, WriteOff(WHOLE, receipt=receipt))
        await closed(hub, id_, "written_off")
        books = await balances(hub)
        assert (await banked(hub), books.get(SUSPENSE), books[WRITTEN_OFF]) == (0, None, -WHOLE)


async def test_money_that_the_gateway_does_not_have_is_written_off_the_clearing_account(
    database_dsn: str,
) -> None:
    async with river(database_dsn) as hub:
        receipt = await repaid(hub)
        found = Break(
            BreakType.RECEIPT_NOT_AT_GATEWAY,
            receipt,
            "test",
            receipt=receipt,
            evidence={"connection": "paystack"},
            amount_minor=40_000,
            currency="NGN",
        )
        async with hub.app.database.begin("test") as tx:
            await tx.open_breaks([found], hub.app.clock.now())
        id_ = await the_break(hub, "receipt_not_at_gateway", receipt)
        before = (await balances(hub))[CLEARING]
        with pytest.raises(Rejected, match="is about 40000"):
            await desk(hub).propose(id_, ADA, WriteOff(40_001, connection="paystack"), WHY)
        await corrected(hub, id_, WriteOff(40_000, connection="paystack"))
        await closed(hub, id_, "written_off")
        books = await balances(hub)
        assert (books[CLEARING], books[WRITTEN_OFF]) == (before - 40_000, 40_000)


# -- bad days ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", quick(["drop_after"], "empty", "drop_before"))
async def test_a_mirror_whose_answer_got_lost_is_looked_up_and_stands_once(
    database_dsn: str, kind: str
) -> None:
    async with river(database_dsn) as hub:
        journal = await effect_of(hub, await repaid(hub), "journal")
        id_ = await _requested(hub, journal)
        await hub.outside.fault("quickbooks", "create_journal_entry", kind, times=1)
        await corrected(hub, id_, ReverseJournal(journal))
        await closed(hub, id_, seconds=60)
        assert await hub.outside.fired("quickbooks") == 1
        assert await balances(hub) == {}
        assert len(await journals(hub)) == 2


async def test_a_bank_reversal_whose_answer_got_lost_is_found_by_what_came_since(database_dsn: str) -> None:
    async with river(database_dsn, simulated=NO_MARKED_LOSS) as hub:
        receipt = await repaid(hub)
        posting = await effect_of(hub, receipt, "posting")
        id_ = await _requested(hub, posting)
        await hub.outside.fault("bankone", "reversal", "drop_after", times=1)
        await corrected(hub, id_, ReversePosting(posting))
        await closed(hub, id_, seconds=60)
        assert await hub.outside.fired("bankone") == 1
        assert await banked(hub) == 0


async def test_a_correction_that_is_refused_opens_the_break_again_with_the_reason(database_dsn: str) -> None:
    async with river(database_dsn, members=2) as hub:
        receipt, id_ = await stranger(hub, 300_000)
        await hub.outside.fault("bankone", "credit", "decline", times=1)
        wanted = Allocate(receipt, member="M-1029", kind=PaymentKind.SAVINGS, loan="SV-1")
        await corrected(hub, id_, wanted)
        await closed(hub, id_, "open")
        assert "posting" in await last_text(hub, id_) and "refused" in await last_text(hub, id_)
        who = [move for _, move in await history(hub, id_)]
        assert who == ["opened", "proposed", "approved", "reopened"]
        # What was done stays done, and what was refused can be done again.
        posting = await effect_of(hub, receipt, "posting")
        await desk(hub).propose(id_, OBI, PostPostingAgain(posting), WHY)
        await _until_accepted(hub, id_, ADA)
        await closed(hub, id_)
        assert await banked(hub) == 300_000
        assert await _live(hub, receipt) == {"savings": 300_000}


async def test_a_correction_that_is_skipped_opens_the_break_again(database_dsn: str) -> None:
    async with river(database_dsn) as hub:
        journal = await effect_of(hub, await repaid(hub), "journal")
        id_ = await _requested(hub, journal)
        await hub.outside.control("quickbooks", "settings", book_close_date="2999-12-31")
        await corrected(hub, id_, ReverseJournal(journal))
        await hub.until("SELECT count(*) FROM effects WHERE state = 'held'", expected=1)
        mirror = await hub.value("SELECT id FROM effects WHERE state = 'held'")
        await Operator(hub.app.network, hub.app.database, hub.app.clock).skip(mirror, "obi", "done by hand")
        await closed(hub, id_, "open")
        assert "cancelled (skipped: done by hand)" in await last_text(hub, id_)
        await hub.outside.control("quickbooks", "settings", book_close_date="")
        await corrected(hub, id_, ReverseJournal(journal))
        await closed(hub, id_)
        assert await balances(hub) == {}


# -- facts that change -------------------------------------------------------------------------------------


async def test_a_proposal_that_would_now_write_something_else_is_not_approved(database_dsn: str) -> None:
    snapshot = dues(("D1", "interest", 100_000), ("D2", "principal", 250_000))
    async with river(database_dsn) as hub:
        receipt, id_ = await stranger(hub, 300_000)
        wanted = Allocate(
            receipt, member="M-1029", kind=PaymentKind.LOAN_REPAYMENT, loan="LN-00457", dues=snapshot
        )
        await desk(hub).propose(id_, ADA, wanted, WHY)
        await repaid(hub, money=Money(200_000, "NGN"), dues=snapshot)
        with pytest.raises(Rejected, match="has changed since it was proposed"):
            await desk(hub).approve(id_, OBI, WHY)
        assert await _live(hub, receipt) == {"suspense": 300_000}
        await desk(hub).reject(id_, OBI, "propose it again")
        await corrected(hub, id_, wanted)
        await closed(hub, id_)
        assert await _live(hub, receipt) == {"principal": 150_000, "overpayment": 150_000}


async def test_of_two_proposals_about_one_thing_only_one_is_done(database_dsn: str) -> None:
    async with river(database_dsn) as hub:
        receipt, first = await stranger(hub, 300_000)
        second = await _requested(hub, receipt)
        wanted = Allocate(receipt, member="M-1029", kind=PaymentKind.SAVINGS, loan="SV-1")
        await desk(hub).propose(first, ADA, wanted, WHY)
        await desk(hub).propose(second, ADA, WriteOff(300_000, receipt=receipt), WHY)
        done = await asyncio.gather(
            desk(hub).approve(first, OBI, WHY), desk(hub).approve(second, OBI, WHY), return_exceptions=True
        )
        assert sum(isinstance(one, Rejected) for one in done) == 1, done
        await hub.until("SELECT count(*) FROM effects WHERE state <> 'done'", expected=0)
        assert SUSPENSE not in await balances(hub)
        assert sum((await _live(hub, receipt)).values()) == 300_000


async def test_two_operators_at_once_never_both_decide(database_dsn: str) -> None:
    async with river(database_dsn) as hub:
        receipt, _ = await stranger(hub, 300_000)
        wanted = WriteOff(1_000, receipt=receipt)
        for round_ in range(20):
            id_ = await _break_about(hub, receipt, round_)
            await desk(hub).propose(id_, ADA, wanted, WHY)
            done = await asyncio.gather(
                desk(hub).approve(id_, OBI, WHY),
                desk(hub).approve(id_, EVE, WHY),
                desk(hub).reject(id_, EVE, "not now"),
                desk(hub).withdraw(id_, ADA, "my mistake"),
                return_exceptions=True,
            )
            lost = [one for one in done if isinstance(one, Rejected)]
            assert len(lost) == 3, done
            assert all(one.code == "conflict" for one in lost)
            assert any(" at 20" in one.message for one in lost), "the second is told who did what when"
            await hub.until("SELECT state <> 'approved' FROM breaks WHERE id = $1", id_)
        off = (await _live(hub, receipt)).get("written_off", 0)
        approved = await hub.value("SELECT count(*) FROM break_moves WHERE move = 'approved'")
        assert off == 1_000 * approved
        assert (await balances(hub)).get(WRITTEN_OFF, 0) == -off


async def _break_about(hub: River, receipt: str, n: int) -> int:
    found = Break(BreakType.CORRECTION_REQUESTED, receipt, f"round {n}", receipt=receipt)
    async with hub.app.database.begin("test") as tx:
        await tx.open_breaks([found], hub.app.clock.now())
        return (await tx.breaks.known([found.once]))[found.once].id


async def test_two_proposals_at_once_are_one(database_dsn: str) -> None:
    async with river(database_dsn) as hub:
        receipt, id_ = await stranger(hub, 300_000)
        for _ in range(20):
            done = await asyncio.gather(
                *(
                    desk(hub).propose(id_, who, WriteOff(1_000, receipt=receipt), WHY)
                    for who in (ADA, OBI, EVE)
                ),
                return_exceptions=True,
            )
            lost = [one for one in done if isinstance(one, Rejected)]
            assert len(lost) == 2, done
            assert all("proposed a correction at" in one.message for one in lost)
            [won] = [one for one in done if not isinstance(one, BaseException)]
            other = ADA if won.proposer != ADA.id else OBI
            await desk(hub).reject(id_, other, "again")


# -- crashes -----------------------------------------------------------------------------------------------

_PLACES = (
    "before commit approve correction",
    "after commit approve correction",
    "after commit claim effects",
    "before send journal",
    "after send journal",
    "before commit record outcomes",
    "after commit record outcomes",
    "before commit consume settle-receipts",
)


@pytest.mark.whole
@pytest.mark.parametrize("place", _PLACES)
async def test_a_hub_killed_on_the_way_of_a_correction_books_it_once(database_dsn: str, place: str) -> None:
    async with world(database_dsn) as outside:
        first = await outside.start()
        await first.ask(accept=0)
        await outside.pay_everything(first)
        await outside.quiet()
        journal = await outside.db.fetchval("SELECT id FROM effects WHERE kind = 'journal'")
        opened = await first.ask(desk="open_request", of=journal, by="ada")
        await first.ask(desk="propose", id=opened["break"], journal=journal, by="ada")
        await first.kill()
        second = await outside.start(fail_at=place)
        with contextlib.suppress(Died):
            await second.ask(desk="approve", id=opened["break"], by="obi")
        await asyncio.wait_for(second.process.wait(), 15)
        third = await outside.start()
        if await outside.db.fetchval("SELECT state FROM breaks WHERE id = $1", opened["break"]) == "proposed":
            await third.ask(desk="approve", id=opened["break"], by="obi")
        await outside.quiet()
        assert (
            await outside.db.fetchval("SELECT state FROM breaks WHERE id = $1", opened["break"]) == "resolved"
        )
        entries = (await outside.outside.truth("quickbooks"))["journals"]
        assert len(entries) == 2
        assert sum(line["amount_minor"] for entry in entries for line in entry["lines"]) == 0
        accounts = Counter[str]()
        for entry in entries:
            for line in entry["lines"]:
                accounts[line["account"]] += line["amount_minor"]
        assert set(accounts.values()) == {0}
        await third.end()
