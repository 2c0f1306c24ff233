"""One thing a provider told us: a hint where to look, never a truth."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class NoticeVerdict(StrEnum):
    """What a notice claims."""

    PAID = "paid"
    FAILED = "failed"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Notice:
    """What one webhook carries: the charge to look up, or facts kept with the reason why nothing is done.

    `reference` is ours as the provider repeats it, `charge` the provider's own id; `reason` says why a notice
    that is not about a charge is only stored.
    """

    event: str
    verdict: NoticeVerdict
    reference: str | None
    charge: str | None
    amount_minor: int | None = None
    currency: str | None = None
    status: str | None = None
    reason: str = ""
