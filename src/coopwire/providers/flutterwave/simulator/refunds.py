"""Refunds of the simulated account: made, moved to their end, never above what a transaction brought in.

Source: payments contract 2.1 (refund, refunds list) and 2.2 (words).
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from coopwire.domain.money import Money
from coopwire.providers.flutterwave.simulator.account import FAILED, SUCCESSFUL, Charge
from coopwire.providers.flutterwave.simulator.reading import refused
from coopwire.providers.flutterwave.simulator.telling import ACCOUNT_ID, stamp
from coopwire.simulation.sums import per_currency

COMPLETED: Final = "completed"
STAYS: Final = "stays"
_FIRST_ID: Final = 74_896
_WALLET: Final = 74_639
_TOO_MUCH: Final = (
    "Error: Transaction Already Refunded or Sum of total refunds cannot be greater than the charged amount"
)


@dataclass(slots=True)
class Refund:
    """One refund of a transaction; `amount` in minor units."""

    id: int
    charge: Charge
    amount: int
    comment: str | None
    created_at: datetime
    status: str


class Refunds:
    """Every refund, in the order of their creation."""

    def __init__(self) -> None:
        self._ids = itertools.count(_FIRST_ID)
        self.by_id: dict[int, Refund] = {}
        self.all: list[Refund] = []

    def make(
        self, charge: Charge, amount: int | None, comment: str | None, status: str, now: datetime
    ) -> Refund:
        """Make a refund (None: of all that is left). TurnedAway unless the charge has so much left.

        Their refusals of a refund come as HTTP 200.
        """
        left = charge.charged - self.taken(charge) if charge.status == SUCCESSFUL else 0
        wanted = left if amount is None else amount
        if left <= 0 or wanted > left:
            raise refused(_TOO_MUCH, status=200)
        refund = Refund(next(self._ids), charge, wanted, comment, now, status)
        self.by_id[refund.id] = refund
        self.all.append(refund)
        return refund

    def taken(self, charge: Charge) -> int:
        """What is given back of a transaction or may be, in minor units; a failed refund takes nothing."""
        return sum(one.amount for one in self.all if one.charge is charge and one.status != FAILED)

    def created_on(self, first: date | None, last: date | None) -> Sequence[Refund]:
        """Refunds made on these days (UTC), both included, newest first."""
        low, high = first or date.min, last or date.max
        return [one for one in reversed(self.all) if low <= one.created_at.date() <= high]

    def back_minor(self) -> Mapping[str, int]:
        """What is given back or may be, per currency."""
        return per_currency((one.charge.currency, one.amount) for one in self.all if one.status != FAILED)


def as_made(refund: Refund) -> dict[str, object]:
    """`data` of POST /transactions/{id}/refund: the transaction is `tx_id` there."""
    return {
        "id": refund.id,
        "account_id": ACCOUNT_ID,
        "tx_id": refund.charge.id,
        "flw_ref": f"URF_{refund.id}",
        "wallet_id": _WALLET,
        "amount_refunded": Money(refund.amount, refund.charge.currency).major(),
        "status": refund.status,
        "destination": "payment_source",
        "meta": {"source": "availablebalance"},
        "created_at": stamp(refund.created_at),
    }


def as_listed(refund: Refund, *, echo: bool) -> dict[str, object]:
    """One row of GET /refunds: the transaction is `transaction_id`, and meta is JSON within a text."""
    return {
        "id": refund.id,
        "amount_refunded": Money(refund.amount, refund.charge.currency).major(),
        "status": refund.status,
        "flw_ref": f"URF_{refund.id}",
        "comment": refund.comment if echo else None,
        "settlement_id": "NEW",
        "meta": '{"source":"ledgerbalance","uniquereference":"simulated"}',
        "created_at": stamp(refund.created_at),
        "account_id": ACCOUNT_ID,
        "transaction_id": refund.charge.id,
    }


def as_truth(refund: Refund) -> dict[str, object]:
    """The refund for a checker; amount in minor units."""
    return {
        "id": refund.id,
        "charge": refund.charge.id,
        "reference": refund.charge.tx_ref,
        "status": refund.status,
        "amount_minor": refund.amount,
        "currency": refund.charge.currency,
        "comment": refund.comment,
        "created_at": stamp(refund.created_at),
    }
