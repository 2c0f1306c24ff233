"""Compares a clearing account by our journals with what the gateway owes by its own lists, at the end of a day.

The gateway owes every charge that was paid and that no payout has, less its fee, less what it takes from a payout
for refunds. Our journals must say the same, to the minor unit.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from coopwire.application.reconciling.gateway import paid_at
from coopwire.application.reconciling.sides import BusinessDay, Differences, Parts
from coopwire.domain.breaks import BreakType
from coopwire.domain.reconciliation import Finding, Section
from coopwire.domain.states import PaymentState
from coopwire.ports.days import Clearing, Owed, Unsettled
from coopwire.ports.gateways import ChargeSnapshot

OWED = "paid and in no settlement"
OLDER = "older, by our receipts"
NEW = "recorded after the list was made"
REFUNDED = "refunded and in no settlement"
BOOKED = "in the books"
ORDERED = "on its way to the books"
_ORDER = (OWED, OLDER, NEW, REFUNDED, BOOKED, ORDERED)


@dataclass(frozen=True, slots=True)
class ClearingDay:
    """One gateway at the end of a day; `theirs` are its charges since `since`, listed at `listed_at`."""

    connection: str
    day: BusinessDay
    listed_at: datetime
    since: datetime
    theirs: Sequence[ChargeSnapshot]
    ours: Owed

    @property
    def unsettled(self) -> Mapping[str, Unsettled]:
        """Receipts that no settlement has, by charge."""
        return {one.charge: one for one in self.ours.unsettled if one.connection == self.connection}

    @property
    def paid(self) -> Mapping[str, ChargeSnapshot]:
        """What was paid there up to the day and is in no settlement, by charge."""
        told = (c for c in self.theirs if c.state is PaymentState.SUCCEEDED)
        settled = {charge for connection, charge in self.ours.settled if connection == self.connection}
        return {
            c.charge: c
            for c in told
            if c.charge not in settled and self.since <= paid_at(c) and self.day.of(paid_at(c)) <= self.day.on
        }


def unconfirmed(side: ClearingDay) -> list[Unsettled]:
    """Receipts that the list should have and has not: a charge may be created long before it is paid."""
    told = {charge.charge for charge in side.theirs}
    return [
        one
        for one in side.unsettled.values()
        if one.charge not in told and one.paid_at >= side.since and one.recorded_at < side.listed_at
    ]


def compare_clearing(side: ClearingDay) -> tuple[Section, Differences]:
    """The section of this gateway's clearing, and a difference a currency."""
    theirs, ours = _theirs(side), Parts()
    for one in side.ours.clearing:
        if one.connection == side.connection:
            _put(ours, BOOKED, one, one.entries, one.standing_minor)
            _put(ours, ORDERED, one, one.ordered, one.ordered_minor)
    left, right = theirs.by_currency(), ours.by_currency()
    found = Differences()
    for currency in sorted(left.keys() | right.keys()):
        if left.get(currency, 0) != right.get(currency, 0):
            found.findings.append(_differs(side, currency, theirs, ours))
    told, have = theirs.buckets(_ORDER), ours.buckets(_ORDER)
    return Section("clearing", side.connection, told, have, not found.findings), found


def _theirs(side: ClearingDay) -> Parts:
    parts, unsettled, paid = Parts(), side.unsettled, side.paid
    for charge in paid.values():
        receipt = unsettled.get(charge.charge)
        # A fee that nobody knew when the receipt was booked is booked by the settlement.
        fee = charge.fee_minor if receipt is None or receipt.fee_known else 0
        parts.put(OWED, charge.currency, charge.amount_minor - fee)
    for one in unsettled.values():
        if one.paid_at < side.since:
            parts.put(OLDER, one.currency, one.net_minor)
        elif one.charge not in paid and one.recorded_at >= side.listed_at:
            parts.put(NEW, one.currency, one.net_minor)
    for refund in side.ours.refunded:
        if refund.connection == side.connection:
            parts.put(REFUNDED, refund.currency, -refund.amount_minor)
    return parts


def _put(parts: Parts, name: str, one: Clearing, count: int, minor: int) -> None:
    if count:
        part = parts.sums.setdefault((name, one.currency), [0, 0])
        part[0] += count
        part[1] += minor


def _differs(side: ClearingDay, currency: str, theirs: Parts, ours: Parts) -> Finding:
    unbooked = sorted(ref for connection, ref in side.ours.unbooked if connection == side.connection)
    left, right = (_told(parts, currency) for parts in (theirs, ours))
    return Finding(
        BreakType.CLEARING_DIFFERS,
        side.connection,
        f"{side.connection}:clearing:{currency}:{side.day.on.isoformat()}",
        currency,
        theirs.by_currency().get(currency, 0) - ours.by_currency().get(currency, 0),
        right,
        {**left, **({"settlements_not_booked": unbooked} if unbooked else {})},
    )


def _told(parts: Parts, currency: str) -> dict[str, object]:
    return {f"{name}, minor": minor for (name, of), (_, minor) in parts.sums.items() if of == currency}
