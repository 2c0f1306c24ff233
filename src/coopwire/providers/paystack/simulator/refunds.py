"""Refunds of the simulated integration: queued, moved to their end, never above what a charge brought in.

Source: payments contract 1.1 (refund, refund fetch / list), 1.2 (words), 1.4 (events).
"""

from __future__ import annotations

import itertools
from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from coopwire.providers.paystack.simulator.account import REVERSED, SUCCESS, Charge
from coopwire.providers.paystack.simulator.reading import refused
from coopwire.providers.paystack.simulator.telling import stamp
from coopwire.simulation.sums import per_currency

PENDING: Final = "pending"
PROCESSED: Final = "processed"
FAILED: Final = "failed"
NEEDS_ATTENTION: Final = "needs-attention"
STAYS: Final = "stays"
ENDS: Final = (PROCESSED, FAILED, NEEDS_ATTENTION, STAYS)
EVENTS: Final = frozenset({PENDING, "processing", PROCESSED, FAILED, NEEDS_ATTENTION})
"""Words that an event tells of."""
_FIRST_ID: Final = 3_018_284
_INTEGRATION: Final = 412_829
_SOMEBODY: Final = "desk@lender.example"
_MONEY_WAS_THERE: Final = (SUCCESS, REVERSED)


@dataclass(frozen=True, slots=True)
class Ask:
    """What somebody wants back: `amount` in subunits, None for all that is left; a note None is theirs."""

    amount: int | None
    currency: str | None
    customer_note: str | None = None
    merchant_note: str | None = None


@dataclass(slots=True)
class Refund:
    """One refund of a charge; `amount` in subunits."""

    id: int
    charge: Charge
    amount: int
    currency: str
    customer_note: str
    merchant_note: str
    created_at: datetime
    updated_at: datetime
    status: str = PENDING
    reason: str | None = None


class Refunds:
    """Every refund, in the order of their creation."""

    def __init__(self) -> None:
        self._ids = itertools.count(_FIRST_ID)
        self.by_id: dict[int, Refund] = {}
        self.all: list[Refund] = []

    def queue(self, charge: Charge, ask: Ask, now: datetime) -> Refund:
        """Queue a refund. TurnedAway unless the charge was paid and has so much left."""
        if charge.status not in _MONEY_WAS_THERE:
            raise refused("Transaction has not been paid for", "transaction_not_paid")
        left = charge.amount - self.taken(charge)
        if left <= 0:
            raise refused("Transaction has been fully reversed", "transaction_reversed")
        amount = left if ask.amount is None else ask.amount
        if amount > left:
            raise refused("Refund amount cannot be more than the transaction amount", "invalid_amount")
        if ask.currency not in (None, charge.currency):
            raise refused("Currency does not match the transaction's", "invalid_currency")
        usual = f"Refund for transaction {charge.page.reference}"
        refund = Refund(
            id=next(self._ids),
            charge=charge,
            amount=amount,
            currency=charge.currency,
            customer_note=usual if ask.customer_note is None else ask.customer_note,
            merchant_note=f"{usual} by {_SOMEBODY}" if ask.merchant_note is None else ask.merchant_note,
            created_at=now,
            updated_at=now,
        )
        self.by_id[refund.id] = refund
        self.all.append(refund)
        return refund

    def move(self, refund: Refund, status: str, reason: str | None, now: datetime) -> None:
        """A refund comes to another word; a charge that is given back whole is `reversed`."""
        refund.status, refund.reason, refund.updated_at = status, reason, now
        charge = refund.charge
        back = sum(one.amount for one in self.all if one.charge is charge and one.status == PROCESSED)
        charge.status = REVERSED if back >= charge.amount else SUCCESS

    def taken(self, charge: Charge) -> int:
        """What is given back of a charge or may be, in subunits; a failed refund takes nothing."""
        return sum(one.amount for one in self.all if one.charge is charge and one.status != FAILED)

    def listed(self, charge: str | None, start: datetime | None, end: datetime | None) -> Sequence[Refund]:
        """Refunds created in [start, end], of one charge (by id or reference) or all, newest first."""
        low = bisect_left(self.all, start, key=_created) if start else 0
        high = bisect_right(self.all, end, key=_created) if end else len(self.all)
        rows = self.all[low:high][::-1]
        if charge is None:
            return rows
        return [one for one in rows if charge in (str(one.charge.id), one.charge.page.reference)]

    def back_minor(self) -> Mapping[str, int]:
        """What is given back or may be, per currency."""
        return per_currency((one.currency, one.amount) for one in self.all if one.status != FAILED)


def _created(refund: Refund) -> datetime:
    return refund.created_at


def as_queued(refund: Refund) -> dict[str, object]:
    """`data` of POST /refund: the transaction is an object there."""
    charge = refund.charge
    nested = {
        "id": charge.id,
        "domain": charge.domain,
        "reference": charge.page.reference,
        "amount": charge.amount,
        "paid_at": stamp(charge.paid_at),
        "channel": charge.channel,
        "currency": charge.currency,
        "authorization": {"exp_month": None, "exp_year": None, "account_name": None},
        "customer": {"international_format_phone": None},
    }
    return {**as_read(refund), "transaction": nested, "deducted_amount": 0, "fully_deducted": False}


def as_read(refund: Refund) -> dict[str, object]:
    """`data` of GET /refund/{id} and one row of GET /refund: the transaction is its id."""
    back = refund.status == PROCESSED
    return {
        "integration": _INTEGRATION,
        "transaction": refund.charge.id,
        "dispute": None,
        "settlement": None,
        "id": refund.id,
        "domain": refund.charge.domain,
        "currency": refund.currency,
        "amount": refund.amount,
        "status": refund.status,
        "refunded_at": stamp(refund.updated_at) if back else None,
        "refunded_by": _SOMEBODY,
        "customer_note": refund.customer_note,
        "merchant_note": refund.merchant_note,
        "deducted_amount": refund.amount if back else 0,
        "fully_deducted": back,
        "bank_reference": None,
        "reason": refund.reason,
        "channel": refund.charge.channel,
        "createdAt": stamp(refund.created_at),
        "updatedAt": stamp(refund.updated_at),
    }


def as_webhook(refund: Refund) -> dict[str, object]:
    """`data` of a refund event: amounts are text but for an end without success, and no id tells which it is."""
    stopped = refund.status in (FAILED, NEEDS_ATTENTION)
    known = {PROCESSED: str(132_013_000_000 + refund.id), FAILED: f"TRF_{refund.id:x}"}
    return {
        "status": refund.status,
        "transaction_reference": refund.charge.page.reference,
        "refund_reference": known.get(refund.status),
        "amount": refund.amount if stopped else str(refund.amount),
        "currency": refund.currency,
        "processor": "instant-transfer",
        "customer": {"first_name": None, "last_name": None, "email": refund.charge.page.email},
        "integration": _INTEGRATION,
        "domain": refund.charge.domain,
    }


def as_truth(refund: Refund) -> dict[str, object]:
    """The refund for a checker; amount in subunits."""
    return {
        "id": refund.id,
        "charge": refund.charge.id,
        "reference": refund.charge.page.reference,
        "status": refund.status,
        "amount_minor": refund.amount,
        "currency": refund.currency,
        "merchant_note": refund.merchant_note,
        "created_at": stamp(refund.created_at),
    }
