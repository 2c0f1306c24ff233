"""A receipt becomes rows: where its value goes, what is doubted, what is told and written because of it.

The one way by which money is booked, whoever told of it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from coopwire.application import announce
from coopwire.application.fees import fee_doubt
from coopwire.application.network import Network
from coopwire.application.receipt_effects import OURS, Received, receipt_effects, receipt_facts
from coopwire.domain.allocation import allocate, whole_to
from coopwire.domain.breaks import Break, BreakType
from coopwire.domain.events import PAYMENT_INITIALIZED, PAYMENT_MOVED, RECEIPT_RECORDED
from coopwire.domain.fees import FeeFacts
from coopwire.domain.money import Money
from coopwire.domain.payments import AllocationMode, Component, Payment, PaymentKind, is_agreed
from coopwire.domain.receipts import AllocationLine, AllocationState, Receipt
from coopwire.domain.states import PAYMENT_MOVES, PaymentState, may_move
from coopwire.ports.stores import Changes, NewPayment, NewReceipt, PaymentMove


@dataclass(frozen=True, slots=True)
class Ledger:
    """What this transaction has read under its locks: allocations per payment's loan, and lane tails.

    Payments that stand under the same dues share what is allocated to these.
    """

    allocated: Mapping[str, dict[str, int]]
    tails: dict[str, str]

    def count(self, payment: Payment, lines: Sequence[AllocationLine]) -> None:
        """Count what was just allocated for those that are booked behind it."""
        taken = self.allocated.get(payment.reference, {})
        for line in lines:
            if line.due is not None:
                taken[line.due] = taken.get(line.due, 0) + line.amount_minor


@dataclass(frozen=True, slots=True)
class Owner:
    """Whose the money is, as far as anybody knows: the payment, what was asked for, whether it came before."""

    payment: Payment | None
    asked: Money | None
    core_account: int | None
    paid_before: bool
    doubt: BreakType | None = None
    """What is to be doubted whatever the amounts say."""
    facts: Mapping[str, object] = field(default_factory=dict)
    """What a person should know who resolves a doubt; nothing personal."""
    at_least_minor: int | None = None
    """So much is enough, where it was agreed that a part may be taken."""


NOBODY = Owner(None, None, None, paid_before=False)
"""No payment asked for the money."""


@dataclass(frozen=True, slots=True)
class Booked:
    """All rows of a receipt; `ours` when it is certain whose money it is."""

    changes: Changes
    ours: bool


def book(
    receipt: Receipt,
    owner: Owner,
    ledger: Ledger,
    network: Network,
    now: datetime,
    fee: FeeFacts | None = None,
) -> Booked:
    """Receipt, allocation, event, effects and, where there is a doubt, its break; `fee` where a gateway took one."""
    payment = owner.payment
    doubt = _doubt(receipt, owner)
    lines = _lines(receipt, payment, doubt, ledger, now)
    awaiting = payment is not None and payment.allocation is AllocationMode.LMS and doubt is None
    new = NewReceipt(
        receipt,
        payment.account_key if payment else f"unmatched:{receipt.id}",
        AllocationState.AWAITING_LMS if awaiting else AllocationState.ALLOCATED,
        lines,
        payment.dues.version if payment and payment.dues else None,
        fee,
    )
    key = payment.account_key if payment else receipt.id
    recorded = announce.event(RECEIPT_RECORDED, receipt.id, key, receipt_facts(receipt, lines), now)
    received = Received(receipt, lines, doubt, awaiting, payment, owner.core_account)
    changes = Changes(
        receipts=[new],
        events=[recorded],
        effects=list(receipt_effects(received, network, ledger.tails, now)),
    )
    opened = _break(receipt, owner, doubt, lines, awaiting)
    if opened is not None:
        changes.breaks.append(opened)
    if fee is not None:
        changes.breaks += fee_doubt(receipt, fee)
    return Booked(changes, doubt in OURS)


def arrived(new: NewPayment) -> Changes:
    """A payment that comes with its money, announced."""
    payment = new.payment
    facts = {
        "payment": payment.reference,
        "kind": payment.kind.value,
        "member": payment.member,
        "amount_minor": payment.money.minor,
        "currency": payment.money.currency,
    }
    event = announce.event(
        PAYMENT_INITIALIZED, payment.reference, payment.account_key, facts, payment.created_at
    )
    return Changes(new_payments=[new], events=[event])


def paid(payment: Payment, *, ours: bool, now: datetime) -> Changes:
    """Money came for this payment. Money in doubt does not close it: a person decides whose it is."""
    return moved(payment, PaymentState.SUCCEEDED if ours else PaymentState.PROCESSING, "", now)


def moved(payment: Payment, state: PaymentState, reason: str, now: datetime) -> Changes:
    """The payment moves, and that is announced; nothing when its table does not allow it."""
    if state is payment.state or not may_move(PAYMENT_MOVES, payment.state, state):
        return Changes()
    facts = {
        "payment": payment.reference,
        "state": state.value,
        "was": payment.state.value,
        "reason": reason,
    }
    event = announce.event(PAYMENT_MOVED, payment.reference, payment.account_key, facts, now)
    return Changes(payments=[PaymentMove(payment.reference, state, reason)], events=[event])


def _doubt(receipt: Receipt, owner: Owner) -> BreakType | None:
    """Why this money cannot simply be taken for what was asked; None when it can."""
    if owner.doubt is not None:
        return owner.doubt
    if owner.payment is None or owner.asked is None:
        return BreakType.RECEIPT_WITHOUT_PAYMENT
    if receipt.currency != owner.asked.currency:
        return BreakType.CURRENCY_DIFFERS
    told = [receipt.value_minor, *([] if receipt.requested_minor is None else [receipt.requested_minor])]
    if not all(is_agreed(minor, owner.asked.minor, owner.at_least_minor) for minor in told):
        return BreakType.AMOUNT_DIFFERS
    return BreakType.SECOND_CHARGE if owner.paid_before else None


def _lines(
    receipt: Receipt, payment: Payment | None, doubt: BreakType | None, ledger: Ledger, now: datetime
) -> tuple[AllocationLine, ...]:
    if doubt is BreakType.SECOND_CHARGE:
        return whole_to(Component.OVERPAYMENT, receipt.value_minor)
    if doubt is not None or payment is None or payment.allocation is AllocationMode.LMS:
        return whole_to(Component.SUSPENSE, receipt.value_minor)
    return allocate(payment, receipt.value_minor, ledger.allocated.get(payment.reference, {}), now)


def _break(
    receipt: Receipt,
    owner: Owner,
    doubt: BreakType | None,
    lines: Sequence[AllocationLine],
    awaiting: bool,
) -> Break | None:
    payment = owner.payment
    if doubt is not None:
        return _opened(doubt, receipt, {**_differences(receipt, owner.asked), **owner.facts})
    if payment is not None and not awaiting and _expired(payment, lines):
        facts: dict[str, object] = {"dues_version": payment.dues.version if payment.dues else None}
        return _opened(BreakType.DUES_EXPIRED, receipt, facts)
    return None


def _opened(type_: BreakType, receipt: Receipt, evidence: Mapping[str, object]) -> Break:
    return Break(
        type_,
        receipt.id,
        once=f"{type_.value}:{receipt.connection}:{receipt.charge}",
        payment=receipt.payment,
        receipt=receipt.id,
        evidence={"connection": receipt.connection, "charge": receipt.charge, **evidence},
        amount_minor=receipt.gross_minor,
        currency=receipt.currency,
    )


def _differences(receipt: Receipt, asked: Money | None) -> dict[str, object]:
    facts: dict[str, object] = {"value_minor": receipt.value_minor, "currency": receipt.currency}
    if asked is not None:
        facts |= {"asked_minor": asked.minor, "asked_currency": asked.currency}
    return facts


def _expired(payment: Payment, lines: Sequence[AllocationLine]) -> bool:
    return payment.kind is PaymentKind.LOAN_REPAYMENT and any(
        line.component is Component.SUSPENSE for line in lines
    )
