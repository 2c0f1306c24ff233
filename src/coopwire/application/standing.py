"""Says in one sentence why a payment is in its state: computed from facts, never stored."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

from coopwire.domain.books import REVERSAL
from coopwire.domain.effects import EffectKind
from coopwire.domain.gates import Traffic
from coopwire.domain.money import Money
from coopwire.domain.notices import NoticeVerdict
from coopwire.domain.receipts import AllocationState
from coopwire.domain.states import (
    ENDED_REFUND,
    FINISHED_EFFECT,
    BreakState,
    EffectState,
    PaymentState,
    RefundState,
)
from coopwire.ports.queries import (
    AttemptView,
    BreakView,
    EffectView,
    GateView,
    PaymentFacts,
    ReceiptView,
    RefundView,
)

_NAMES = {
    EffectKind.CHECKOUT: "the checkout",
    EffectKind.JOURNAL: "the journal",
    EffectKind.POSTING: "the posting",
    EffectKind.REVERSAL: "the reversal",
    EffectKind.REFUND: "the refund",
    EffectKind.DISPUTE_ANSWER: "the answer to a dispute",
    EffectKind.CALLBACK: "the message to the loan system",
    EffectKind.RECIPIENT: "the recipient",
    EffectKind.TRANSFER: "the transfer",
    EffectKind.VIRTUAL_ACCOUNT: "the order for a virtual account",
    EffectKind.ACCOUNT_CLOSING: "the closing of a virtual account",
    EffectKind.SAVED_CHARGE: "the charge of what the member left",
    EffectKind.DEACTIVATION: "the end of an authorization",
    EffectKind.MANDATE: "the start of a mandate",
    EffectKind.MANDATE_CHANGE: "the change of a mandate",
}
_BY_HAND = "an operator must resume or skip it"


def why(facts: PaymentFacts, now: datetime) -> str:
    """Why the payment is in its state at `now`, and what happens next."""
    if facts.receipts:
        landed = "; ".join(_receipt(facts, receipt, now) for receipt in facts.receipts)
        return _doubt(facts) + landed + _partly(facts) + _corrected(facts)
    if not facts.attempts:
        return "nothing was tried yet"
    return _attempt(facts, facts.attempts[-1], now)


def name_of(effect: EffectView) -> str:
    """How the sentences call an effect."""
    return f"{_NAMES[effect.kind]}{_because(effect.about)} at {effect.connection}"


def time(at: datetime) -> str:
    """An instant as the sentences show it: UTC, to the second."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


# -- before money arrived ----------------------------------------------------------------------------------


def _attempt(facts: PaymentFacts, attempt: AttemptView, now: datetime) -> str:
    checkout = next((e for e in _effects(facts) if e.reference == attempt.reference), None)
    if checkout is None:
        return "the page was never asked for"
    if checkout.state is EffectState.DONE or attempt.state is not PaymentState.INTENDED:
        return f"{_page(attempt, checkout)}{_claimed(facts, attempt)}{_asked(facts, attempt, now)}"
    return f"the page at {attempt.connection} is not open: {state_of(facts, checkout, now)}"


_PAGE = {
    PaymentState.INTENDED: "is open and not paid",
    PaymentState.PENDING: "is open and not paid",
    PaymentState.PROCESSING: "was used, and the money is under way",
    PaymentState.FAILED: "was used, and paying failed",
    PaymentState.ABANDONED: "was left without paying",
    PaymentState.CANCELLED: "is not used any more",
    PaymentState.SUCCEEDED: "was paid, and the receipt is being recorded",
}


def _page(attempt: AttemptView, checkout: EffectView) -> str:
    if checkout.state is EffectState.REFUSED:
        return f"{attempt.connection} refused to open the page{_because(checkout.reason)}"
    return f"the page at {attempt.connection} {_PAGE[attempt.state]}{_because(attempt.reason)}"


def _claimed(facts: PaymentFacts, attempt: AttemptView) -> str:
    told = [n for n in facts.notices if n.reference == attempt.reference and n.open]
    if any(n.verdict is NoticeVerdict.PAID for n in told):
        return "; a webhook says that it is paid, which their look-up has not confirmed"
    return ""


def _asked(facts: PaymentFacts, attempt: AttemptView, now: datetime) -> str:
    last = next((look for look in reversed(facts.looks) if look.reference == attempt.reference), None)
    plan = next((lookup for lookup in facts.lookups if lookup.reference == attempt.reference), None)
    said = f"; asked at {time(last.at)} they said: {last.answer}" if last else ""
    if plan is None:
        return said
    if plan.look_at is None:
        return f"{said}; no further look-up is planned"
    gates = _gates(facts, attempt.connection, Traffic.READ)
    return said + (
        f"; the next look-up {_waits_for(gates)}" if gates else f"; next look-up {_when(plan.look_at, now)}"
    )


# -- after money arrived -----------------------------------------------------------------------------------


def _doubt(facts: PaymentFacts) -> str:
    if facts.payment.state is PaymentState.SUCCEEDED:
        return ""
    every = [b for b in facts.breaks if b.receipt is not None]
    of_money = sorted({b.type.value for b in every if b.closed_at is None})
    if every and not of_money:
        return ""
    breaks = f" (break {', '.join(of_money)})" if of_money else ""
    return f"money arrived that is not what was asked{breaks}, a person must decide whose it is: "


def _partly(facts: PaymentFacts) -> str:
    """What was not taken of a payment that is closed with a part of it."""
    payment = facts.payment
    if payment.state is not PaymentState.SUCCEEDED or not payment.due_minor:
        return ""
    return f"; {Money(payment.due_minor, payment.currency)} of it is still due"


def _corrected(facts: PaymentFacts) -> str:
    """What two persons are at."""
    told = ""
    for one in facts.breaks:
        action = one.proposal.get("action") if one.proposal is not None else None
        word = str(action.get("action", "")) if isinstance(action, dict) else ""
        if one.state is BreakState.PROPOSED:
            told += f"; the correction {word} of break {one.id} is proposed, another person must approve it"
        elif one.state is BreakState.APPROVED:
            told += f"; the correction {word} of break {one.id} is approved and under way"
    return told


def _receipt(facts: PaymentFacts, receipt: ReceiptView, now: datetime) -> str:
    refunds = [r for r in facts.refunds if r.receipt == receipt.id]
    asked = {r.debit for r in refunds} | {r.effect for r in refunds}
    mine = [e for e in _effects(facts) if e.receipt == receipt.id and e.id not in asked]
    of_refunds = [e for e in mine if e.about in _ENTRIES_OF_REFUNDS]
    replaced = {e.instead_of for e in mine}
    effects = [e for e in mine if e not in of_refunds and e.id not in replaced]
    name = f"receipt {receipt.id} of {Money(receipt.value_minor, receipt.currency)} is "
    told = [name if len(facts.receipts) > 1 else "", _landed(facts, receipt, effects, now)]
    if receipt.allocation_state is AllocationState.AWAITING_LMS:
        told.append(", in suspense until the loan system says where it belongs")
    told += [f", {state_of(facts, e, now)}" for e in _open(effects, EffectKind.CALLBACK)]
    told += [f"; {_refund(facts, refund, now)}" for refund in refunds]
    told += [f", {state_of(facts, e, now)}" for e in _open(of_refunds, EffectKind.JOURNAL)]
    return "".join(told)


def _refund(facts: PaymentFacts, refund: RefundView, now: datetime) -> str:
    """How far money is that goes back."""
    name = f"the refund of {Money(refund.amount_minor, refund.currency)}"
    if refund.state is not RefundState.INTENDED:
        return f"{name} {_REFUNDED[refund.state]}{_looked(facts, refund, now)}"
    waits = next((e for e in _effects(facts) if e.id == (refund.effect or refund.debit)), None)
    if waits is None:
        return f"{name} is approved"
    return f"{name} is approved: {state_of(facts, waits, now)}"


def _looked(facts: PaymentFacts, refund: RefundView, now: datetime) -> str:
    if refund.state in ENDED_REFUND:
        return _because(refund.reason) if refund.state is not RefundState.SUCCEEDED else ""
    gates = _gates(facts, refund.connection, Traffic.READ)
    if gates:
        return f", the next look-up {_waits_for(gates)}"
    return (
        f", next look-up {_when(refund.look_at, now)}"
        if refund.look_at
        else ", no further look-up is planned"
    )


_REFUNDED = {
    RefundState.PENDING: "waits at the gateway for somebody",
    RefundState.PROCESSING: "is under way at the gateway",
    RefundState.SUCCEEDED: "is with the member",
    RefundState.FAILED: "failed",
    RefundState.CANCELLED: "was cancelled",
}
_ENTRIES_OF_REFUNDS = ("refund", "refund_undone")


def _landed(facts: PaymentFacts, receipt: ReceiptView, effects: Sequence[EffectView], now: datetime) -> str:
    open_journals, open_postings = _open(effects, EffectKind.JOURNAL), _open(effects, EffectKind.POSTING)
    kinds = {e.kind for e in effects}
    booked = EffectKind.JOURNAL in kinds and not open_journals
    banked = EffectKind.POSTING in kinds and not open_postings
    reversals = _open(effects, EffectKind.REVERSAL)
    missing = [state_of(facts, e, now) for e in (*open_journals, *open_postings, *reversals)]
    if EffectKind.JOURNAL not in kinds:
        missing.append("no books are connected")
    if EffectKind.POSTING not in kinds:
        missing.append(_never_banked(facts.breaks, receipt))
    undone = [name_of(e) for e in effects if _undoes(e) and e.state is EffectState.DONE]
    taken_back = f", taken back by {' and '.join(undone)}" if undone else ""
    return _TOGETHER[booked, banked] + taken_back + (": " + "; ".join(missing) if missing else "")


_TOGETHER = {
    (True, True): "booked and banked",
    (True, False): "booked, not banked",
    (False, True): "banked, not booked",
    (False, False): "neither booked nor banked",
}


def _never_banked(breaks: Iterable[BreakView], receipt: ReceiptView) -> str:
    types = sorted({b.type.value for b in breaks if b.receipt == receipt.id and b.closed_at is None})
    return (
        f"no credit is intended because of the break {', '.join(types)}" if types else "no credit is intended"
    )


def _undoes(effect: EffectView) -> bool:
    return effect.kind is EffectKind.REVERSAL or effect.about == REVERSAL


def _open(effects: Iterable[EffectView], kind: EffectKind) -> list[EffectView]:
    return [e for e in effects if e.kind is kind and e.state is not EffectState.DONE]


# -- one effect --------------------------------------------------------------------------------------------


def state_of(facts: PaymentFacts, effect: EffectView, now: datetime) -> str:
    """How far an effect is, and what it waits for."""
    name = name_of(effect)
    match effect.state:
        case EffectState.INTENDED:
            return f"{name} {_waiting(facts, effect, now)}"
        case EffectState.SENDING:
            return f"{name} is being sent"
        case EffectState.UNKNOWN:
            unknown = f"the outcome of {name} is unknown{_since(effect)}{_because(effect.reason)}"
            return f"{unknown}, {_next(facts, effect, now)}"
        case EffectState.HELD:
            return f"{name} is held{_because(effect.reason)}, {_BY_HAND}"
        case EffectState.REFUSED:
            return f"{name} was refused{_because(effect.reason)}"
        case EffectState.CANCELLED:
            return f"{name} was cancelled{_because(effect.reason)}"
        case EffectState.DONE:
            return f"{name} is done"


def _waiting(facts: PaymentFacts, effect: EffectView, now: datetime) -> str:
    gates = _gates(facts, effect.connection, Traffic.WRITE)
    if gates:
        return _waits_for(gates)
    before = next((e for e in (*_effects(facts), *facts.waits_for) if e.id == effect.after), None)
    if before is not None and before.state not in FINISHED_EFFECT:
        return f"waits for effect {before.id} before it in its lane, which is {before.state.value}"
    if effect.due_at is not None and effect.due_at > now:
        return f"is tried again {_when(effect.due_at, now)}{_because(effect.reason)}"
    return "is due and waits for a worker"


def _next(facts: PaymentFacts, effect: EffectView, now: datetime) -> str:
    gates = _gates(facts, effect.connection, Traffic.READ)
    if effect.due_at is None:
        return f"no further look-up is planned, {_BY_HAND}"
    if gates:
        return f"the next look-up {_waits_for(gates)}"
    return f"next look-up {_when(effect.due_at, now)}"


def _gates(facts: PaymentFacts, connection: str, traffic: Traffic) -> list[GateView]:
    return [g for g in facts.gates if g.connection == connection and g.traffic is traffic]


def _waits_for(gates: Sequence[GateView]) -> str:
    told = [
        f"{g.kind.value}{_because(g.reason)}{f', until {time(g.until)}' if g.until else ''}" for g in gates
    ]
    return f"waits for the closed gate of {gates[0].connection} ({'; '.join(told)})"


def _since(effect: EffectView) -> str:
    return f" since {time(effect.unknown_since)}" if effect.unknown_since else ""


def _when(at: datetime, now: datetime) -> str:
    return f"at {time(at)}" if at > now else "now"


def _because(reason: str) -> str:
    return f" ({reason})" if reason else ""


def _effects(facts: PaymentFacts) -> list[EffectView]:
    return [detail.effect for detail in facts.effects]
