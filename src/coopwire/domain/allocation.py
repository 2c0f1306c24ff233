"""The hub's own decision where a receipt goes: a waterfall over dues that never satisfies a due twice."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from coopwire.domain.payments import DUE_COMPONENTS, Component, Due, Dues, Payment, PaymentKind
from coopwire.domain.receipts import AllocationLine, check_conserved

_WHOLE = {
    PaymentKind.SAVINGS: Component.SAVINGS,
    PaymentKind.SHARES: Component.SHARES,
    PaymentKind.FEE: Component.FEES,
}


def whole_to(component: Component, value_minor: int) -> tuple[AllocationLine, ...]:
    """The whole value to one component."""
    return (AllocationLine(component, value_minor),)


def whole_of(kind: PaymentKind, value_minor: int) -> tuple[AllocationLine, ...] | None:
    """The allocation of a kind that takes the whole value; None for one that falls over dues."""
    component = _WHOLE.get(kind)
    return whole_to(component, value_minor) if component is not None else None


def allocate(
    payment: Payment, value_minor: int, already: Mapping[str, int], now: datetime
) -> tuple[AllocationLine, ...]:
    """Where `value_minor` of a first, matching receipt of `payment` goes.

    `already` is what the hub has allocated per due id on this loan since the snapshot. Savings, shares and
    fees take the whole; a loan repayment falls over its dues; expired or absent dues go to suspense.
    """
    whole = whole_of(payment.kind, value_minor)
    if whole is not None:
        return whole
    if payment.dues is None or payment.dues.valid_until <= now:
        return whole_to(Component.SUSPENSE, value_minor)
    lines = waterfall(payment.dues, value_minor, already)
    check_conserved(value_minor, lines)
    return lines


def waterfall(dues: Dues, value_minor: int, already: Mapping[str, int]) -> tuple[AllocationLine, ...]:
    """`value_minor` over these dues, less what is allocated to each `already`; the rest is an overpayment."""
    left = value_minor
    lines = []
    for due in sorted(dues.lines, key=_order):
        part = min(left, max(due.amount_minor - already.get(due.id, 0), 0))
        if part > 0:
            lines.append(AllocationLine(due.component, part, due.id))
            left -= part
    if left > 0:
        lines.append(AllocationLine(Component.OVERPAYMENT, left))
    return tuple(lines)


def _order(due: Due) -> tuple[int, str, str]:
    return DUE_COMPONENTS.index(due.component), due.due_on.isoformat(), due.id
