"""Money that no gateway saw, as a source tells of it: over the counter, on a bank statement, off a payroll."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from coopwire.domain.money import Money
from coopwire.domain.payments import AllocationMode, Dues, Payment, PaymentKind
from coopwire.domain.receipts import FeeBearer, Receipt, Source, receipt_id
from coopwire.domain.references import derived_reference
from coopwire.domain.states import PaymentState


class BatchState(StrEnum):
    """Where a batch of lines stands."""

    PROPOSED = "proposed"
    BOOKING = "booking"
    DONE = "done"
    REJECTED = "rejected"


class LineState(StrEnum):
    """What became of one line: `known` was booked before with the same content, `refused` says why."""

    WAITING = "waiting"
    BOOKED = "booked"
    KNOWN = "known"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Purpose:
    """Whose money it is and what for, where no payment asked for it. `loan` is the account for savings, shares."""

    member: str
    kind: PaymentKind
    loan: str | None
    branch: str | None
    dues: Dues | None


@dataclass(frozen=True, slots=True)
class Arrival:
    """One arrival of money under the id that it has at its source.

    It belongs to a `payment` that was asked for, or has a `purpose` of its own, or neither: then nobody knows
    whose it is.
    """

    external_id: str
    money: Money
    received_at: datetime
    payment: str | None = None
    purpose: Purpose | None = None


def arrival_payment(source: Source, arrival: Arrival, allocation: AllocationMode, now: datetime) -> Payment:
    """The payment that comes with money of a known purpose; named after the arrival (ADR 0011)."""
    assert arrival.purpose is not None
    return Payment(
        reference=_payment_reference(source.name, arrival),
        kind=arrival.purpose.kind,
        money=arrival.money,
        member=arrival.purpose.member,
        loan=arrival.purpose.loan,
        branch=arrival.purpose.branch,
        dues=arrival.purpose.dues,
        state=PaymentState.INTENDED,
        allocation=allocation,
        callback_url=None,
        created_at=now,
    )


def arrival_receipt(source: Source, arrival: Arrival, payment: Payment | None, now: datetime) -> Receipt:
    """The receipt of an arrival: no fee, no attempt, received when the source says."""
    return Receipt(
        id=receipt_id(source.name, arrival.external_id),
        connection=source.name,
        reference=arrival.external_id,
        charge=arrival.external_id,
        attempt=None,
        payment=payment.reference if payment else None,
        currency=arrival.money.currency,
        requested_minor=None,
        gross_minor=arrival.money.minor,
        fee_minor=0,
        fee_exact="0",
        fee_bearer=FeeBearer.LENDER,
        channel=source.kind.value,
        paid_at=arrival.received_at,
        recorded_at=now,
        source=source.kind,
    )


def arrival_of(receipt: Receipt, payment: Payment | None) -> Arrival:
    """What was told when this receipt of a source was recorded; `payment` is the receipt's."""
    money = Money(receipt.gross_minor, receipt.currency)
    told = Arrival(receipt.charge, money, receipt.paid_at, receipt.payment)
    if payment is None or payment.reference != _payment_reference(receipt.connection, told):
        return told
    purpose = Purpose(payment.member, payment.kind, payment.loan, payment.branch, payment.dues)
    return replace(told, payment=None, purpose=purpose)


def differing_field(one: Arrival, other: Arrival) -> str | None:
    """The first field in which two tellings under one id differ; None when they say the same.

    A snapshot of dues is the same when its version and its lines are.
    """
    facts = {
        "currency": one.money.currency == other.money.currency,
        "amount": one.money.minor == other.money.minor,
        "received_at": one.received_at == other.received_at,
        "payment": one.payment == other.payment,
        "member": (one.purpose is None) == (other.purpose is None),
    }
    if one.purpose is not None and other.purpose is not None:
        facts |= {
            "member": one.purpose.member == other.purpose.member,
            "kind": one.purpose.kind is other.purpose.kind,
            "loan": one.purpose.loan == other.purpose.loan,
            "branch": one.purpose.branch == other.purpose.branch,
            "dues": _of_dues(one.purpose.dues) == _of_dues(other.purpose.dues),
        }
    return next((field for field, same in facts.items() if not same), None)


def _of_dues(dues: Dues | None) -> tuple[object, ...]:
    return (dues.version, dues.lines) if dues is not None else ()


def _payment_reference(source: str, arrival: Arrival) -> str:
    return derived_reference("payment", source, arrival.external_id)
