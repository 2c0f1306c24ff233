"""Money that goes back to a member, and how much of a receipt may still go back."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from coopwire.domain.receipts import Receipt
from coopwire.domain.states import UNDONE_REFUND, RefundState


@dataclass(frozen=True, slots=True)
class Refund:
    """A refund of a part of one receipt, `amount_minor` in minor units of the receipt's currency.

    `debit` is the effect that takes a banked receipt's money out of the core before the refund is sent, `effect`
    the one that asks the gateway; `provider_ref` is the gateway's id of it.
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


def refundable_minor(receipt: Receipt, refunds: Iterable[Refund]) -> int:
    """What may still be refunded: the receipt's value less every refund that is done or may be (design law 12)."""
    taken = sum(refund.amount_minor for refund in refunds if refund.state not in UNDONE_REFUND)
    return receipt.value_minor - taken
