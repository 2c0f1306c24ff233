"""The timeline of a payment, or of a dead letter: everything that happened, from every source, in one order."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from coopwire.application.standing import name_of, time, why
from coopwire.domain.effects import OF_ATTEMPTS, EffectKind
from coopwire.domain.fees import differs
from coopwire.domain.money import Money
from coopwire.domain.receipts import ReceiptSource
from coopwire.domain.states import ENDED_REFUND, DeliveryState, RefundState
from coopwire.ports.queries import (
    AllocationView,
    BreakMoveView,
    BreakView,
    EffectDetail,
    EffectView,
    GateView,
    LetterFacts,
    LetterView,
    NoticeView,
    PaymentFacts,
    PaymentView,
    ReceiptView,
    RefundPartView,
    RefundView,
    TryView,
)
from coopwire.ports.stores import BreakMove


@dataclass(frozen=True, slots=True)
class TimelineEntry:
    """One thing that happened. `kind` is stable for machines, `subject` names our row, `text` is for people."""

    at: datetime
    kind: str
    subject: str
    text: str


@dataclass(frozen=True, slots=True)
class Timeline:
    """Why a payment is in its state, what happened, and what blocks it now."""

    payment: PaymentView
    why: str
    entries: tuple[TimelineEntry, ...]
    gates: tuple[GateView, ...]
    breaks: tuple[BreakView, ...]


@dataclass(frozen=True, slots=True)
class LetterTimeline:
    """A dead letter, what its event tells, and what happened to it and to the payment that it is about."""

    letter: LetterView
    data: Mapping[str, object]
    payment: str | None
    entries: tuple[TimelineEntry, ...]


def timeline(facts: PaymentFacts, now: datetime) -> Timeline:
    """The timeline of these facts, the oldest entry first."""
    entries = sorted(_entries(facts), key=lambda entry: entry.at)
    return Timeline(facts.payment, why(facts, now), tuple(entries), facts.gates, facts.breaks)


def letter_timeline(found: LetterFacts, facts: PaymentFacts | None) -> LetterTimeline:
    """The timeline of a letter within that of its payment, where it has one; the oldest entry first."""
    entries = [*(_entries(facts) if facts is not None else ()), *_letter(found)]
    entries.sort(key=lambda entry: entry.at)
    return LetterTimeline(found.letter, found.data, found.payment, tuple(entries))


def _letter(found: LetterFacts) -> Iterator[TimelineEntry]:
    letter = found.letter
    yield TimelineEntry(letter.occurred_at, "event", letter.id, f"{letter.type} about {letter.subject}")
    first = next((move.cause for move in found.moves), letter.cause)
    failed = f"{letter.consumer} failed for the first time; it was given up with: {first}"
    yield TimelineEntry(letter.first_failed_at, "letter.failed", letter.id, failed)
    for move in found.moves:
        text = f"{move.actor}: {move.move} ({move.reason})"
        yield TimelineEntry(move.at, f"letter.{move.move}", letter.id, text)
    if letter.state is DeliveryState.DONE and letter.finished_at is not None:
        yield TimelineEntry(letter.finished_at, "letter.delivered", letter.id, f"{letter.consumer} took it")


def _entries(facts: PaymentFacts) -> Iterator[TimelineEntry]:
    """In the order of cause and effect, which decides between entries of one instant."""
    payment = facts.payment
    money = Money(payment.amount_minor, payment.currency)
    what = f"{payment.kind.value.replace('_', ' ')} of {money}"
    accepted = f"the API accepted a {what}" if facts.attempts else f"a {what} came with its money"
    yield TimelineEntry(payment.created_at, "payment.accepted", payment.reference, accepted)
    for attempt in facts.attempts:
        text = f"an attempt at {attempt.connection} under reference {attempt.reference}"
        yield TimelineEntry(attempt.created_at, "attempt.created", attempt.reference, text)
    for kind in EffectKind:
        if kind is EffectKind.JOURNAL:
            yield from _money(facts)
        for detail in facts.effects:
            if detail.effect.kind is kind:
                yield from _effect(detail)
    for action in facts.actions:
        text = f"{action.actor}: {action.action} ({action.reason})"
        yield TimelineEntry(action.at, "operator", action.subject, text)
    for opened in facts.breaks:
        text = f"break {opened.type.value} was opened"
        yield TimelineEntry(opened.opened_at, "break.opened", str(opened.id), text)
    types = {opened.id: opened.type.value for opened in facts.breaks}
    for move in facts.break_moves:
        if move.move is not BreakMove.OPENED:
            yield _moved(move, types[move.break_id])
    for gate in facts.gates:
        yield _gate(gate)


def _moved(move: BreakMoveView, type_: str) -> TimelineEntry:
    word = f" {_word(move.facts)}" if move.move is BreakMove.PROPOSED else ""
    said = f" ({move.text})" if move.text else ""
    text = f"break {type_}: {move.actor} {move.move.value.replace('_', ' ')}{word}{said}"
    return TimelineEntry(move.at, f"break.{move.move.value}", str(move.break_id), text)


def _word(facts: Mapping[str, object]) -> str:
    action = facts.get("action")
    return str(action.get("action", "")) if isinstance(action, dict) else ""


def _money(facts: PaymentFacts) -> Iterator[TimelineEntry]:
    for notice in facts.notices:
        yield from _notice(notice)
    refunds = {refund.id for refund in facts.refunds}
    for look in facts.looks:
        about = f"refund {look.reference}" if look.reference in refunds else look.reference
        text = f"asked {look.connection} about {about}: {look.answer}"
        yield TimelineEntry(look.at, "look", look.reference, text)
    for receipt in facts.receipts:
        yield from _receipt(receipt)
    for refund in facts.refunds:
        yield from _refund(refund)


def _refund(refund: RefundView) -> Iterator[TimelineEntry]:
    money = Money(refund.amount_minor, refund.currency)
    asked = f"{refund.asked_by} asked for a refund of {money}, {refund.approved_by} approved it"
    yield TimelineEntry(refund.created_at, "refund.approved", refund.id, asked)
    if refund.accepted_at is not None:
        text = f"{refund.connection} took the refund of {money} on as {refund.provider_ref}"
        yield TimelineEntry(refund.accepted_at, "refund.accepted", refund.id, text)
    if refund.state in ENDED_REFUND:
        parts = ", ".join(_part(part, refund.currency) for part in refund.taken)
        taken = f", taken from {parts}" if parts else ""
        text = f"the refund of {money} {_END[refund.state]}{taken}"
        yield TimelineEntry(refund.updated_at, f"refund.{refund.state.value}", refund.id, text)


_END = {
    RefundState.SUCCEEDED: "succeeded",
    RefundState.FAILED: "failed",
    RefundState.CANCELLED: "was cancelled",
}


def _notice(notice: NoticeView) -> Iterator[TimelineEntry]:
    subject = str(notice.webhook)
    what = f"{notice.event}, {notice.verdict.value}" + (f" ({notice.reason})" if notice.reason else "")
    text = f"a webhook of {notice.connection} about {notice.reference}: {what}"
    yield TimelineEntry(notice.received_at, "webhook.received", subject, text)
    if notice.closed_at is not None:
        text = f"the look-up of {notice.connection} agrees with webhook {subject}"
        yield TimelineEntry(notice.closed_at, "webhook.confirmed", subject, text)


def _receipt(receipt: ReceiptView) -> Iterator[TimelineEntry]:
    gross, fee = Money(receipt.gross_minor, receipt.currency), Money(receipt.fee_minor, receipt.currency)
    arrived = (
        f"{gross} arrived at {receipt.connection} as charge {receipt.charge}, paid {time(receipt.paid_at)}, "
        f"fee {fee} borne by the {receipt.fee_bearer.value}{_expected(receipt)}"
    )
    if receipt.source is not ReceiptSource.GATEWAY:
        arrived = (
            f"{gross} arrived by {receipt.source.value.replace('_', '-')}: {receipt.connection} tells it as "
            f"{receipt.charge}, received {time(receipt.paid_at)}"
        )
    yield TimelineEntry(receipt.recorded_at, "receipt.recorded", receipt.id, arrived)
    decided = {line.recorded_at for line in receipt.allocation}
    for at in sorted(decided):
        lines = [line for line in receipt.allocation if line.recorded_at == at]
        text = ", ".join(_part(line, receipt.currency) for line in lines)
        yield TimelineEntry(at, "receipt.allocated", receipt.id, f"{_how(receipt, at)}: {text}")


def _expected(receipt: ReceiptView) -> str:
    """The fee by the price list, where the one that was taken is another."""
    minor, exact = receipt.expected_fee_minor, receipt.expected_fee_exact
    if minor is None or exact is None or not differs(exact, receipt.fee_exact):
        return ""
    return f", {Money(minor, receipt.currency)} expected"


def _how(receipt: ReceiptView, at: datetime) -> str:
    """What the lines that were written at this time did to those before."""
    new = sum(line.amount_minor for line in receipt.allocation if line.recorded_at == at)
    old = sum(line.amount_minor for line in receipt.allocation if line.replaced_at == at)
    return "a refund leaves" if new < old else "allocated"


def _part(line: AllocationView | RefundPartView, currency: str) -> str:
    due = f" (due {line.due})" if line.due else ""
    return f"{line.component.value} {Money(line.amount_minor, currency)}{due}"


def _effect(detail: EffectDetail) -> Iterator[TimelineEntry]:
    effect, name = detail.effect, name_of(detail.effect)
    kind = effect.kind.value
    waits = f", after effect {effect.after}" if effect.after else ""
    yield TimelineEntry(effect.created_at, f"{kind}.intended", effect.id, f"{name} was intended{waits}")
    for number, made in enumerate(detail.tries_made, 1):
        text = f"try {number} of {name}"
        yield TimelineEntry(made.claimed_at, f"{kind}.sent", effect.id, f"{text} was claimed for sending")
        if made.ended_at is not None:
            yield TimelineEntry(made.ended_at, f"{kind}.answered", effect.id, f"{text}: {_outcome(made)}")
    if effect.kind not in OF_ATTEMPTS:  # these are looked up under their attempt's reference
        for look in detail.looks_made:
            yield TimelineEntry(look.at, f"{kind}.looked", effect.id, f"looked up {name}: {look.answer}")
    if effect.finished_at is not None:
        text = f"{name} is {effect.state.value}{_reference(effect)}"
        yield TimelineEntry(effect.finished_at, f"{kind}.{effect.state.value}", effect.id, text)


def _outcome(made: TryView) -> str:
    detail = f" ({made.detail})" if made.detail else ""
    return f"{made.outcome}{detail}{', too late to count' if made.late else ''}"


def _reference(effect: EffectView) -> str:
    theirs = effect.provider_ref
    return f", their reference {theirs}" if theirs and theirs != effect.reference else ""


def _gate(gate: GateView) -> TimelineEntry:
    until = f", until {time(gate.until)}" if gate.until else ""
    text = f"the {gate.kind.value} gate of {gate.connection} closed for {gate.traffic.value}s ({gate.reason}){until}"
    return TimelineEntry(gate.closed_at, "gate.closed", gate.connection, text)
