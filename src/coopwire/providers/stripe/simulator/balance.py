"""The balance of the simulated account: everything that moved it, one row each, and the payout that took it along.

Source: payments contract 3.1 (list for a day, settlement): `amount - fee = net`, `reporting_category`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from coopwire.providers.stripe.simulator import disputes, refunds, telling
from coopwire.providers.stripe.simulator.account import Account, Charge
from coopwire.providers.stripe.simulator.disputes import Dispute, Disputes
from coopwire.providers.stripe.simulator.objects import Link, Told, new_id
from coopwire.providers.stripe.simulator.refunds import Refund, Refunds
from coopwire.providers.stripe.simulator.settings import StripeSettings

_UNDONE: Final = frozenset({"failed", "canceled"})
CHARGE: Final = "charge"
PAYOUT: Final = "payout"


@dataclass(slots=True)
class Row:
    """A balance transaction; amounts as Stripe writes them. `payout` is the id of the one that it went out with."""

    id: str
    category: str
    type: str
    amount: int
    fee: int
    currency: str
    created_at: datetime
    source: Link | None = field(repr=False)
    charge: Charge | None = field(default=None, repr=False)
    payout: str | None = None

    @property
    def net(self) -> int:
        """What it adds to the balance."""
        return self.amount - self.fee


class Balance:
    """Every row, the oldest first. What happened elsewhere is written down when somebody looks."""

    def __init__(self, account: Account, given_back: Refunds, claims: Disputes) -> None:
        self._account = account
        self._refunds = given_back
        self._disputes = claims
        self._rows: dict[str, Row] = {}

    def reset(self) -> None:
        """Forget every row."""
        self._rows.clear()

    def rows(self, settings: StripeSettings) -> list[Row]:
        """Every row by now."""
        for key, row in self._happened(settings):
            self._rows.setdefault(key, row)
        return sorted(self._rows.values(), key=lambda row: row.created_at)

    def open(self, settings: StripeSettings) -> list[Row]:
        """Rows that went out with no payout yet."""
        return [row for row in self.rows(settings) if row.payout is None]

    def add(self, row: Row) -> Row:
        """Write down a row of its own: a correction, a payout."""
        return self._rows.setdefault(row.id, row)

    def _happened(self, settings: StripeSettings) -> Iterator[tuple[str, Row]]:
        for intent in self._account.intents:
            yield from ((charge.id, _of_charge(charge)) for charge in intent.charges if charge.entry)
        for refund in self._refunds.all:
            yield refund.id, _of_refund(refund)
            if refund.status in _UNDONE:
                yield f"back {refund.id}", _of_failed_refund(refund)
        for dispute in self._disputes.all:
            if dispute.withdrawn_at is not None:
                yield dispute.id, _of_dispute(dispute, settings.dispute_fee, dispute.withdrawn_at)
            if dispute.reinstated_at is not None:
                yield f"back {dispute.id}", _of_reversal(dispute, settings.dispute_fee, dispute.reinstated_at)


def as_told(row: Row) -> Told:
    """The object."""
    status = "available" if row.payout else "pending"
    told = {"id": row.id, "reporting_category": row.category, "type": row.type, "source": row.source}
    return {**told, **telling.moved(row.amount, row.fee, row.currency, row.created_at, status)}


def _of_charge(one: Charge) -> Row:
    source = telling.link_charge(one)
    return Row(
        one.entry, CHARGE, CHARGE, one.amount, one.fee, one.intent.currency, one.created_at, source, one
    )


def _of_refund(one: Refund) -> Row:
    return _row("refund", "refund", -one.amount, 0, one.charge, one.created_at, _link_refund(one))


def _of_failed_refund(one: Refund) -> Row:
    kind = "refund_failure"
    return _row(kind, kind, one.amount, 0, one.charge, one.created_at, _link_refund(one))


def _of_dispute(one: Dispute, fee: int, at: datetime) -> Row:
    return _row("dispute", "adjustment", -one.amount, fee, one.charge, at, _link_dispute(one))


def _of_reversal(one: Dispute, fee: int, at: datetime) -> Row:
    return _row("dispute_reversal", "adjustment", one.amount, -fee, one.charge, at, _link_dispute(one))


def _row(category: str, type_: str, amount: int, fee: int, charge: Charge, at: datetime, source: Link) -> Row:
    return Row(new_id("txn_"), category, type_, amount, fee, charge.intent.currency, at, source)


def _link_refund(one: Refund) -> Link:
    return Link(one.id, lambda: refunds.as_told(one))


def _link_dispute(one: Dispute) -> Link:
    return Link(one.id, lambda: disputes.as_told(one))
