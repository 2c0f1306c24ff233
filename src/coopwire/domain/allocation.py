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


def allocate(
    payment: Payment, value_minor: int, already: Mapping[str, int], now: datetime
) -> tuple[AllocationLine, ...]:
    """Where `value_minor` of a first, matching receipt of `payment` goes.

    `already` is what the hub has allocated per due id on this loan since the snapshot. Savings, shares and
    fees take the whole; a loan repayment falls over its dues; expired or absent dues go to suspense.
    """
    component = _WHOLE.get(payment.kind)
    if component is not None:
        return whole_to(component, value_minor)
    if payment.dues is None or payment.dues.valid_until <= now:
        return whole_to(Component.SUSPENSE, value_minor)
    lines = _waterfall(payment.dues, value_minor, already)
    check_conserved(value_minor, lines)
    return lines


def _waterfall(dues: Dues, value_minor: int, already: Mapping[str, int]) -> tuple[AllocationLine, ...]:
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
