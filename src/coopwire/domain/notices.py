"""One thing a provider told us: a hint where to look, never a truth."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum


class NoticeVerdict(StrEnum):
    """What a notice claims."""

    PAID = "paid"
    FAILED = "failed"
    REFUND = "refund"
    DISPUTE = "dispute"
    PAYOUT = "payout"
    ACCOUNT = "account"
    ACCOUNT_FAILED = "account_failed"
    MANDATE = "mandate"
    SETTLEMENT = "settlement"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Notice:
    """What one webhook carries: the charge or the refunds to look up, or facts kept with the reason why not.

    `reference` is that of the payment as the provider repeats it, `charge` the provider's own id; `reason` says
    why a notice that is not about a charge is stored, or only makes the refunds of that charge or the payout of that
    reference be looked at. `holder` is the e-mail under which a virtual account or a mandate is held: it finds them,
    and is not kept.
    """

    event: str
    verdict: NoticeVerdict
    reference: str | None
    charge: str | None
    amount_minor: int | None = None
    currency: str | None = None
    status: str | None = None
    reason: str = ""
    dispute: str | None = None
    """The provider's id of the dispute, for a notice about one."""
    settlement: str | None = None
    """The provider's id of the settlement, for a notice about one."""
    holder: str | None = field(default=None, repr=False)
