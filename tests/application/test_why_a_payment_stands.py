"""The sentence that says why a payment is in its state, for every state that it can be in."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from coopwire.application.standing import why
from coopwire.application.timeline import timeline
from coopwire.domain.breaks import BreakType
from coopwire.domain.effects import EffectKind
from coopwire.domain.gates import GateKind, Traffic
from coopwire.domain.notices import NoticeVerdict
from coopwire.domain.payments import AllocationMode, Component, PaymentKind
from coopwire.domain.receipts import AllocationState, FeeBearer, ReceiptSource
from coopwire.domain.states import BreakState, EffectState, PaymentState, RefundState
from coopwire.ports.queries import (
    AllocationView,
    AttemptView,
    BreakView,
    EffectDetail,
    EffectView,
    GateView,
    LookupView,
    LookView,
    NoticeView,
    PaymentFacts,
    PaymentView,
    ReceiptView,
    RefundPartView,
    RefundView,
    TryView,
)

NOW = datetime(2026, 3, 2, 10, 0, tzinfo=UTC)
AGO = NOW - timedelta(minutes=5)
SOON = NOW + timedelta(minutes=5)
P, E = PaymentState, EffectState


def facts(state: PaymentState = P.PENDING, **changes: Any) -> PaymentFacts:
    """A payment with one attempt, its page open, and nothing else."""
    payment = PaymentView(
        "payment1", PaymentKind.LOAN_REPAYMENT, state, "", 5_250_000, "NGN", "M-1", "LN-1", None, None,
        AllocationMode.HUB, "1", {}, AGO, AGO,
    )  # fmt: skip
    values: dict[str, Any] = {
        "payment": payment,
        "attempts": (attempt(state),),
        "notices": (),
        "lookups": (LookupView("gate", "attempt1", 1, SOON),),
        "looks": (),
        "receipts": (),
        "refunds": (),
        "effects": (checkout(E.DONE),),
        "waits_for": (),
        "gates": (),
        "breaks": (),
        "break_moves": (),
        "actions": (),
    }
    return PaymentFacts(**{**values, **changes})


def attempt(state: PaymentState, reason: str = "") -> AttemptView:
    return AttemptView("attempt1", "payment1", "gate", 5_250_000, "NGN", state, reason, AGO, AGO)


def effect(kind: EffectKind, state: EffectState, connection: str, **changes: Any) -> EffectDetail:
    view = EffectView(
        f"{kind.value}1", kind, connection, f"{kind.value}1", state, "", None, None, "payment1", "receipt1",
        1, 0, AGO, None, AGO, None, None, None, "", None,
    )  # fmt: skip
    return EffectDetail(replace(view, **changes), (), ())


def checkout(state: EffectState, **changes: Any) -> EffectDetail:
    changes = {"receipt": None, "reference": "attempt1", **changes}
    return effect(EffectKind.CHECKOUT, state, "gate", **changes)


def receipt(**changes: Any) -> ReceiptView:
    line = AllocationView(Component.PRINCIPAL, 5_250_000, "D1", AGO, None)
    view = ReceiptView(
        "receipt1", "gate", "charge1", "attempt1", "attempt1", "payment1", "NGN", 5_250_000, 5_250_000, 100, "100",
        FeeBearer.LENDER, 5_249_900, 5_250_000, "card", ReceiptSource.GATEWAY, AGO, AGO,
        AllocationState.ALLOCATED, (line,),
    )  # fmt: skip
    return replace(view, **changes)


def paid(journal: EffectDetail | None, posting: EffectDetail | None, **changes: Any) -> PaymentFacts:
    effects = tuple(e for e in (checkout(E.DONE), journal, posting) if e is not None)
    return facts(P.SUCCEEDED, **{"receipts": (receipt(),), "effects": effects, **changes})


def journal(state: EffectState, **changes: Any) -> EffectDetail:
    return effect(EffectKind.JOURNAL, state, "books", **changes)


def posting(state: EffectState, **changes: Any) -> EffectDetail:
    return effect(EffectKind.POSTING, state, "core", **changes)


def gate(connection: str, traffic: Traffic, until: datetime | None = None) -> GateView:
    return GateView(connection, GateKind.CREDENTIALS, traffic, "the key was refused", AGO, until)


def opened(type_: BreakType) -> BreakView:
    return BreakView(
        7, type_, "receipt1", "payment1", "receipt1", None, {}, 100, "NGN", BreakState.OPEN, None, None, None,
        None, None, None, None, AGO, None,
    )  # fmt: skip


def notice(open_: bool) -> NoticeView:
    closed = None if open_ else NOW
    return NoticeView(
        3,
        "gate",
        "charge.success",
        NoticeVerdict.PAID,
        "attempt1",
        "1",
        "success",
        1,
        "NGN",
        "",
        open_,
        AGO,
        closed,
    )


LOOK = LookView("gate", "attempt1", AGO, "pending 5250000 NGN")
ASKED = "; asked at 2026-03-02T09:55:00Z they said: pending 5250000 NGN"


@pytest.mark.parametrize(
    ("known", "sentence"),
    [
        (facts(), "the page at gate is open and not paid; next look-up at 2026-03-02T10:05:00Z"),
        (
            facts(looks=(LOOK,), lookups=(LookupView("gate", "attempt1", 9, None),)),
            f"the page at gate is open and not paid{ASKED}; no further look-up is planned",
        ),
        (
            facts(notices=(notice(True),), lookups=(LookupView("gate", "attempt1", 9, AGO),)),
            "the page at gate is open and not paid; a webhook says that it is paid, which their look-up has not "
            "confirmed; next look-up now",
        ),
        (
            facts(gates=(gate("gate", Traffic.READ),), lookups=(LookupView("gate", "attempt1", 9, AGO),)),
            "the page at gate is open and not paid; the next look-up waits for the closed gate of gate "
            "(credentials (the key was refused))",
        ),
        (
            facts(lookups=(), attempts=(attempt(P.PROCESSING),)),
            "the page at gate was used, and the money is under way",
        ),
        (
            facts(lookups=(), attempts=(attempt(P.FAILED, "insufficient funds"),)),
            "the page at gate was used, and paying failed (insufficient funds)",
        ),
        (facts(lookups=(), attempts=(attempt(P.ABANDONED),)), "the page at gate was left without paying"),
        (
            facts(P.FAILED, lookups=(), effects=(checkout(E.REFUSED, reason="Refused: no"),)),
            "gate refused to open the page (Refused: no)",
        ),
        (facts(attempts=()), "nothing was tried yet"),
        (facts(effects=()), "the page was never asked for"),
        (
            facts(P.INTENDED, effects=(checkout(E.SENDING),)),
            "the page at gate is not open: the checkout at gate is being sent",
        ),
        (
            facts(P.INTENDED, effects=(checkout(E.INTENDED),), gates=(gate("gate", Traffic.WRITE, SOON),)),
            "the page at gate is not open: the checkout at gate waits for the closed gate of gate "
            "(credentials (the key was refused), until 2026-03-02T10:05:00Z)",
        ),
        (
            facts(
                P.INTENDED,
                effects=(checkout(E.UNKNOWN, unknown_since=AGO, due_at=SOON, reason="no answer"),),
            ),
            "the page at gate is not open: the outcome of the checkout at gate is unknown since "
            "2026-03-02T09:55:00Z (no answer), next look-up at 2026-03-02T10:05:00Z",
        ),
        (
            facts(P.INTENDED, effects=(checkout(E.HELD, reason="InvalidOrder: e-mail"),)),
            "the page at gate is not open: the checkout at gate is held (InvalidOrder: e-mail), an operator must "
            "resume or skip it",
        ),
    ],
)
def test_why_a_payment_is_not_paid(known: PaymentFacts, sentence: str) -> None:
    assert why(known, NOW) == sentence


@pytest.mark.parametrize(
    ("known", "sentence"),
    [
        (paid(journal(E.DONE), posting(E.DONE)), "booked and banked"),
        (
            paid(journal(E.DONE), posting(E.UNKNOWN, unknown_since=AGO, due_at=SOON)),
            "booked, not banked: the outcome of the posting at core is unknown since 2026-03-02T09:55:00Z, "
            "next look-up at 2026-03-02T10:05:00Z",
        ),
        (
            paid(
                journal(E.DONE),
                posting(E.UNKNOWN, unknown_since=AGO, due_at=None, reason="a day of look-ups"),
            ),
            "booked, not banked: the outcome of the posting at core is unknown since 2026-03-02T09:55:00Z "
            "(a day of look-ups), no further look-up is planned, an operator must resume or skip it",
        ),
        (
            paid(journal(E.HELD, reason="no account for 'x'"), posting(E.DONE)),
            "banked, not booked: the journal at books is held (no account for 'x'), an operator must resume or skip it",
        ),
        (
            paid(journal(E.INTENDED, due_at=SOON, reason="TryLater: 503"), posting(E.SENDING)),
            "neither booked nor banked: the journal at books is tried again at 2026-03-02T10:05:00Z (TryLater: 503); "
            "the posting at core is being sent",
        ),
        (
            paid(journal(E.DONE), posting(E.INTENDED, due_at=AGO)),
            "booked, not banked: the posting at core is due and waits for a worker",
        ),
        (
            paid(
                journal(E.DONE),
                posting(E.INTENDED, after="other1"),
                waits_for=(posting(E.HELD, id="other1").effect,),
            ),
            "booked, not banked: the posting at core waits for effect other1 before it in its lane, which is held",
        ),
        (
            paid(
                journal(E.DONE),
                posting(E.INTENDED, after="other1", due_at=AGO),
                waits_for=(posting(E.REFUSED, id="other1").effect,),
            ),
            "booked, not banked: the posting at core is due and waits for a worker",
        ),
        (
            paid(journal(E.DONE), posting(E.REFUSED, reason="Refused [06]: dormant account")),
            "booked, not banked: the posting at core was refused (Refused [06]: dormant account)",
        ),
        (
            paid(journal(E.DONE), posting(E.CANCELLED, reason="skipped: done by hand")),
            "booked, not banked: the posting at core was cancelled (skipped: done by hand)",
        ),
        (
            paid(
                journal(E.DONE, about="loan_repayment"),
                posting(E.DONE),
                receipts=(receipt(allocation_state=AllocationState.AWAITING_LMS),),
            ),
            "booked and banked, in suspense until the loan system says where it belongs",
        ),
        (
            replace(
                paid(journal(E.DONE), None, breaks=(opened(BreakType.AMOUNT_DIFFERS),)),
                payment=facts(P.PROCESSING).payment,
            ),
            "money arrived that is not what was asked (break amount_differs), a person must decide whose it is: "
            "booked, not banked: no credit is intended because of the break amount_differs",
        ),
        (
            paid(None, None),
            "neither booked nor banked: no books are connected; no credit is intended",
        ),
    ],
)
def test_how_far_the_money_is(known: PaymentFacts, sentence: str) -> None:
    assert why(known, NOW) == sentence


def test_a_message_that_was_not_told_is_said_too() -> None:
    told = effect(EffectKind.CALLBACK, E.INTENDED, "lms", due_at=SOON, about="receipt.recorded")
    known = paid(journal(E.DONE), posting(E.DONE))
    sentence = why(replace(known, effects=(*known.effects, told)), NOW)
    assert sentence == (
        "booked and banked, the message to the loan system (receipt.recorded) at lms is tried again "
        "at 2026-03-02T10:05:00Z"
    )


def refunded(state: RefundState, **changes: Any) -> RefundView:
    view = RefundView(
        "refund1", "receipt1", "payment1", "gate", 250_000, "NGN", state, "", None, "refundeffect", "3018284", (),
        "a teller", "an officer", 1, SOON, AGO, AGO, AGO,
    )  # fmt: skip
    return replace(view, **changes)


BANKED = "booked and banked; the refund of 2,500.00 NGN "


@pytest.mark.parametrize(
    ("refund", "sentence"),
    [
        (
            refunded(RefundState.PROCESSING),
            "is under way at the gateway, next look-up at 2026-03-02T10:05:00Z",
        ),
        (
            refunded(RefundState.PENDING, look_at=None),
            "waits at the gateway for somebody, no further look-up is planned",
        ),
        (refunded(RefundState.SUCCEEDED, look_at=None), "is with the member"),
        (refunded(RefundState.FAILED, reason="account closed"), "failed (account closed)"),
        (refunded(RefundState.CANCELLED, reason="skipped"), "was cancelled (skipped)"),
        (refunded(RefundState.INTENDED, effect=None), "is approved"),
        (
            refunded(RefundState.INTENDED, effect=None, debit="debit1"),
            "is approved: the posting at core is being sent",
        ),
    ],
)
def test_how_far_a_refund_is(refund: RefundView, sentence: str) -> None:
    debit = posting(E.SENDING, id="debit1")
    known = paid(journal(E.DONE), posting(E.DONE), refunds=(refund,))
    if refund.debit is not None:
        known = replace(known, effects=(*known.effects, debit))
    assert why(known, NOW) == BANKED + sentence


def test_an_entry_of_a_refund_that_stands_still_does_not_unbook_the_receipt() -> None:
    entry = journal(E.HELD, id="journal2", about="refund", reason="closed period")
    known = paid(journal(E.DONE), posting(E.DONE), refunds=(refunded(RefundState.SUCCEEDED),))
    known = replace(known, effects=(*known.effects, entry))
    assert why(known, NOW).startswith(BANKED + "is with the member, the journal (refund) at books is held")


def test_a_refund_has_its_place_in_the_timeline() -> None:
    part = RefundPartView(Component.PRINCIPAL, 250_000, "D1")
    whole = AllocationView(Component.PRINCIPAL, 5_250_000, "D1", AGO, NOW)
    rest = AllocationView(Component.PRINCIPAL, 5_000_000, "D1", NOW, None)
    refund = refunded(RefundState.SUCCEEDED, taken=(part,), updated_at=NOW)
    known = paid(
        journal(E.DONE), posting(E.DONE), refunds=(refund,), receipts=(receipt(allocation=(whole, rest)),),
        looks=(LookView("gate", "refund1", NOW, "succeeded 250000 NGN"),),
    )  # fmt: skip
    told = [(one.kind, one.text) for one in timeline(known, NOW).entries]
    assert ("refund.approved", "a teller asked for a refund of 2,500.00 NGN, an officer approved it") in told
    assert ("refund.accepted", "gate took the refund of 2,500.00 NGN on as 3018284") in told
    assert ("look", "asked gate about refund refund1: succeeded 250000 NGN") in told
    assert ("receipt.allocated", "a refund leaves: principal 50,000.00 NGN (due D1)") in told
    end = "the refund of 2,500.00 NGN succeeded, taken from principal 2,500.00 NGN (due D1)"
    assert ("refund.succeeded", end) in told


def test_each_of_two_receipts_has_its_own_part_of_the_sentence() -> None:
    second = receipt(id="receipt2", value_minor=100)
    known = paid(journal(E.DONE), posting(E.DONE), receipts=(receipt(), second))
    assert why(known, NOW) == (
        "receipt receipt1 of 52,500.00 NGN is booked and banked; receipt receipt2 of 1.00 NGN is neither booked nor "
        "banked: no books are connected; no credit is intended"
    )


def test_the_timeline_is_in_order_and_says_what_replaced_what() -> None:
    made = TryView(AGO, AGO + timedelta(seconds=3), "unknown", "no answer", False, None)
    late = TryView(AGO + timedelta(seconds=1), AGO + timedelta(seconds=9), "done", None, True, 2)
    look = LookView("core", "posting1", AGO + timedelta(seconds=8), "pending")
    suspense = AllocationView(Component.SUSPENSE, 5_250_000, None, AGO, NOW)
    decided = AllocationView(Component.PRINCIPAL, 5_250_000, "D1", NOW, None)
    banked = replace(
        posting(E.DONE, finished_at=NOW, provider_ref="A1"), tries_made=(made, late), looks_made=(look,)
    )
    known = paid(
        journal(E.DONE),
        banked,
        receipts=(receipt(allocation=(suspense, decided)),),
        notices=(notice(False),),
        looks=(LOOK,),
        gates=(gate("core", Traffic.WRITE, SOON),),
        breaks=(opened(BreakType.DUES_EXPIRED),),
    )
    told = timeline(known, NOW)
    assert [e.at for e in told.entries] == sorted(e.at for e in told.entries)
    assert [(e.kind, e.text) for e in told.entries if e.kind.startswith(("receipt", "posting.", "gate"))] == [
        (
            "receipt.recorded",
            "52,500.00 NGN arrived at gate as charge charge1, paid 2026-03-02T09:55:00Z, fee 1.00 NGN borne by the "
            "lender",
        ),
        ("receipt.allocated", "allocated: suspense 52,500.00 NGN"),
        ("posting.intended", "the posting at core was intended"),
        ("posting.sent", "try 1 of the posting at core was claimed for sending"),
        (
            "gate.closed",
            "the credentials gate of core closed for writes (the key was refused), until 2026-03-02T10:05:00Z",
        ),
        ("posting.sent", "try 2 of the posting at core was claimed for sending"),
        ("posting.answered", "try 1 of the posting at core: unknown (no answer)"),
        ("posting.looked", "looked up the posting at core: pending"),
        ("posting.answered", "try 2 of the posting at core: done, too late to count"),
        ("receipt.allocated", "allocated: principal 52,500.00 NGN (due D1)"),
        ("posting.done", "the posting at core is done, their reference A1"),
    ]
    kinds = {e.kind for e in told.entries}
    assert {"payment.accepted", "webhook.received", "webhook.confirmed", "look", "break.opened"} <= kinds


@pytest.mark.parametrize("kind", EffectKind)
def test_a_timeline_has_a_name_for_every_kind_of_effect(kind: EffectKind) -> None:
    told = timeline(facts(effects=(effect(kind, E.DONE, "gate"),)), NOW)
    assert any(e.kind == f"{kind.value}.intended" and " at gate was intended" in e.text for e in told.entries)
