"""Money that goes back to a member, and how much of a receipt may still go back."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from coopwire.domain.payments import Component
from coopwire.domain.receipts import AllocationError, AllocationLine, Receipt
from coopwire.domain.states import UNDONE_REFUND, RefundState

TAKEN_FIRST = (
    Component.SUSPENSE,
    Component.WRITTEN_OFF,
    Component.OVERPAYMENT,
    Component.SHARES,
    Component.SAVINGS,
    Component.PRINCIPAL,
    Component.INTEREST,
    Component.FEES,
    Component.PENALTY,
)
"""What a refund takes from first stands first: the waterfall from its end."""


@dataclass(frozen=True, slots=True)
class Refund:
    """A refund of a part of one receipt, `amount_minor` in minor units of the receipt's currency.

    `debit` is the effect that takes a banked receipt's money out of the core before the refund is sent, `effect`
    the one that asks the gateway; `provider_ref` is the gateway's id of it, told since `accepted_at`. `taken` says
    from which parts of the receipt a refund that succeeded was taken.
    """

    id: str
    receipt: str
    connection: str
    amount_minor: int
    currency: str
    state: RefundState
    created_at: datetime
    debit: str | None = None
    effect: str | None = None
    provider_ref: str | None = None
    reason: str = ""
    accepted_at: datetime | None = None
    taken: tuple[AllocationLine, ...] = ()


@dataclass(frozen=True, slots=True)
class Cut:
    """A line of an allocation, by its position, has `left_minor` after a refund (0: it is gone)."""

    position: int
    left_minor: int


@dataclass(frozen=True, slots=True)
class TakenBack:
    """What a refund takes out of an allocation, line by line, and what is cut for it."""

    lines: tuple[AllocationLine, ...]
    cuts: tuple[Cut, ...]

    @property
    def total_minor(self) -> int:
        """Minor units taken in all."""
        return sum(line.amount_minor for line in self.lines)


def refundable_minor(receipt: Receipt, refunds: Iterable[Refund], disputed_minor: int = 0) -> int:
    """What may still be refunded: the receipt's value less every refund that is done or may be (design law 12).

    Nor is `disputed_minor` there any more: minor units that disputes of the charge take, a member's fee among them.
    """
    return receipt.value_minor - live_minor(refunds) - disputed_minor


def live_minor(refunds: Iterable[Refund]) -> int:
    """What is refunded or may be, in minor units."""
    return sum(refund.amount_minor for refund in refunds if refund.state not in UNDONE_REFUND)


def take_back(allocation: Sequence[AllocationLine], amount_minor: int) -> TakenBack:
    """Take `amount_minor` out of an allocation from the end of the waterfall, the last due first.

    Takes all that is there when that is less; AllocationError when the amount is not positive.
    """
    if amount_minor <= 0:
        raise AllocationError("what is taken back must be positive")
    order = sorted(range(len(allocation)), key=lambda n: (TAKEN_FIRST.index(allocation[n].component), -n))
    lines, cuts, left = [], [], amount_minor
    for position in order:
        line = allocation[position]
        part = min(line.amount_minor, left)
        if part > 0:
            lines.append(replace(line, amount_minor=part))
            cuts.append(Cut(position, line.amount_minor - part))
            left -= part
    return TakenBack(tuple(lines), tuple(cuts))
