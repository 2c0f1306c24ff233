"""Translates rows into the views that can be read from outside."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any

from coopwire.domain.books import Side
from coopwire.domain.breakers import BreakerState
from coopwire.domain.effects import EffectKind
from coopwire.domain.fees import ExpectedTotal, expected_total
from coopwire.domain.letters import cause_shape
from coopwire.domain.payments import PaymentKind
from coopwire.domain.states import EffectState
from coopwire.ports.queries import (
    ActionView,
    AllocationView,
    AttemptView,
    BatchLineView,
    BatchView,
    BreakerView,
    BreakMoveView,
    BreakView,
    CoreAccountView,
    DisputeAnswerView,
    DisputeView,
    EffectView,
    FeeView,
    GateView,
    JournalView,
    LetterGroupView,
    LetterMoveView,
    LetterView,
    LineView,
    LookupView,
    LookView,
    NoticeView,
    PaymentView,
    PayoutView,
    PostingView,
    ReceiptView,
    ReconciliationView,
    RefundPartView,
    RefundView,
    SettlementLineView,
    SettlementView,
    TryView,
    VirtualAccountView,
)
from coopwire.storage import rows
from coopwire.storage.breakers import breaker_of
from coopwire.storage.rows import Row, shaped

_WITH_ACCOUNT = {PaymentKind.SAVINGS, PaymentKind.SHARES}
_MOVES_BY_ITSELF = {EffectState.INTENDED, EffectState.UNKNOWN}
_NEVER = timedelta(days=3650)
"""A due time further away than this means that no try or look-up is planned."""


def payment(row: Row) -> PaymentView:
    """A payment; what its row calls `loan` is an account for savings and shares."""
    dues, of_account = row["dues"], PaymentKind(row["kind"]) in _WITH_ACCOUNT
    return shaped(
        PaymentView,
        row,
        loan=None if of_account else row["loan"],
        account=row["loan"] if of_account else None,
        dues_version=dues["version"] if dues else None,
    )


def reconciliation(row: Row) -> ReconciliationView:
    """A comparison, without its report."""
    return shaped(ReconciliationView, row)


def attempt(row: Row) -> AttemptView:
    """An attempt."""
    return shaped(AttemptView, row)


def receipt(row: Row, allocation: Iterable[Row]) -> ReceiptView:
    """A receipt with the rows of its allocation, in order."""
    new = rows.receipt(row)
    lines = tuple(shaped(AllocationView, line) for line in allocation)
    return shaped(ReceiptView, row, net_minor=new.net_minor, value_minor=new.value_minor, allocation=lines)


def fee(row: Row) -> FeeView:
    """What a receipt cost, and what was expected."""
    kept = rows.fee_facts(row)
    return shaped(
        FeeView,
        row,
        receipt=row["id"],
        value_minor=rows.receipt(row).value_minor,
        expected=kept.expected if kept is not None else None,
        card_country=kept.card_country if kept is not None else None,
        card_brand=kept.card_brand if kept is not None else None,
    )


def refund(row: Row) -> RefundView:
    """A refund, its row beside the payment of its receipt."""
    taken = tuple(shaped(RefundPartView, part) for part in row["taken"])
    return shaped(RefundView, row, taken=taken)


def dispute(row: Row) -> DisputeView:
    """A dispute, its row beside the next look at it."""
    return shaped(DisputeView, row)


def dispute_answer(row: Row) -> DisputeAnswerView:
    """An answer to a dispute, without its words."""
    return shaped(DisputeAnswerView, row)


def settlement(row: Row) -> SettlementView:
    """A settlement, its row beside the next look at it."""
    return shaped(SettlementView, row)


def expected_of(receipts: Sequence[Row]) -> ExpectedTotal | None:
    """What these receipts should have cost together; None of no receipt."""
    if not receipts:
        return None
    kept = (rows.fee_facts(row) for row in receipts)
    return expected_total(None if facts is None else facts.expected for facts in kept)


def settlement_line(row: Row) -> SettlementLineView:
    """A line of a settlement."""
    return shaped(SettlementLineView, row)


def payout(row: Row) -> PayoutView:
    """A payout, without its beneficiary."""
    return shaped(PayoutView, row)


def virtual_account(row: Row) -> VirtualAccountView:
    """A virtual account; what its row calls `loan` is an account for savings and shares."""
    of_account = PaymentKind(row["kind"]) in _WITH_ACCOUNT
    return shaped(
        VirtualAccountView,
        row,
        loan=None if of_account else row["loan"],
        account=row["loan"] if of_account else None,
    )


def effect(row: Row) -> EffectView:
    """An effect."""
    state = EffectState(row["state"])
    planned = state in _MOVES_BY_ITSELF and row["due_at"] - row["created_at"] < _NEVER
    return shaped(
        EffectView,
        row,
        due_at=row["due_at"] if planned else None,
        about=_about(EffectKind(row["kind"]), row["order"]),
        instead_of=row["order"].get("instead_of"),
    )


def _about(kind: EffectKind, order: Mapping[str, Any]) -> str:
    if kind is EffectKind.JOURNAL:
        return str(order["kind"])
    return str(order["payload"]["type"]) if kind is EffectKind.CALLBACK else ""


def journal(row: Row) -> JournalView:
    """An effect of kind journal, with its lines on neutral keys."""
    order = row["order"]
    return JournalView(
        effect=effect(row),
        entry=order["kind"],
        on=date.fromisoformat(order["on"]),
        currency=order["currency"],
        narrative=order["narrative"],
        branch=order["branch"],
        lines=tuple(LineView(key, Side(side), amount) for key, side, amount in order["lines"]),
    )


def posting(row: Row) -> PostingView:
    """An effect of kind posting; the account is named by the number of its row."""
    order = row["order"]
    return PostingView(
        effect=effect(row),
        core_account=order["core_account"],
        gl=order["gl"],
        amount_minor=order["amount_minor"],
        currency=order["currency"],
        value_on=date.fromisoformat(order["value_on"]),
        narration=order["narration"],
    )


def made_try(row: Row) -> TryView:
    """A try, without the body."""
    return shaped(TryView, row, detail=row["detail"] or None)


def look(row: Row) -> LookView:
    """A look-up that was done."""
    return shaped(LookView, row)


def lookup(row: Row) -> LookupView:
    """A look-up that is planned; while one is under way its lease is the time."""
    return shaped(LookupView, row)


def notice(row: Row) -> NoticeView:
    """A notice with the time at which its webhook came."""
    return shaped(NoticeView, row)


def opened_break(row: Row) -> BreakView:
    """A break."""
    return shaped(BreakView, row)


def break_move(row: Row) -> BreakMoveView:
    """One line of a break's history."""
    return shaped(BreakMoveView, row, break_id=row["break"])


def gate(row: Row) -> GateView:
    """A gate."""
    return shaped(GateView, row)


def breaker(row: Row, now: datetime) -> BreakerView:
    """A breaker as it stands at `now`, with the calls that count."""
    shared = breaker_of(row)
    state = shared.state(now)
    return BreakerView(
        shared.connection,
        shared.traffic,
        state,
        shared.reason,
        shared.opened_at,
        shared.open_until,
        row["attempts"],
        row["failures"],
        state is BreakerState.HALF_OPEN and shared.probe_until is not None and now < shared.probe_until,
    )


def core_account(row: Row) -> CoreAccountView:
    """A line of the table of core accounts."""
    return shaped(CoreAccountView, row)


def batch(row: Row) -> BatchView:
    """A batch of receipts from elsewhere, with the counts of its lines."""
    return shaped(BatchView, row)


def batch_line(row: Row) -> BatchLineView:
    """A line of a batch, without its dues."""
    told = rows.arrival(row["facts"])
    of = told.purpose
    return shaped(
        BatchLineView,
        row,
        amount_minor=told.money.minor,
        currency=told.money.currency,
        received_at=told.received_at,
        payment=told.payment,
        member=of.member if of else None,
        kind=of.kind if of else None,
        loan=of.loan if of else None,
    )


def letter(row: Row) -> LetterView:
    """A delivery that was given up at some time."""
    return shaped(LetterView, row)


def letter_move(row: Row) -> LetterMoveView:
    """What a person did about a letter."""
    return shaped(LetterMoveView, row)


def letter_group(row: Row) -> LetterGroupView:
    """Letters with one cause; the row has the cause of one of them."""
    return shaped(LetterGroupView, row, cause=cause_shape(row["cause"]))


def action(row: Row) -> ActionView:
    """What an operator did."""
    return shaped(ActionView, row)
