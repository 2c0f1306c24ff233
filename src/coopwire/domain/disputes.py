"""Money that a member's bank claims back, and how the lender answers."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from coopwire.domain.states import DisputeState


class DisputeVerdict(StrEnum):
    """What the lender says to a dispute: the money goes back, or the claim is wrong."""

    ACCEPT = "accept"
    CONTEST = "contest"


class AnswerState(StrEnum):
    """Where the lender's answer to a dispute stands: proposed, approved by a second person, and how it ended."""

    PROPOSED = "proposed"
    APPROVED = "approved"
    GIVEN = "given"
    REJECTED = "rejected"
    FAILED = "failed"


LIVE_ANSWER = frozenset({AnswerState.PROPOSED, AnswerState.APPROVED, AnswerState.GIVEN})
"""States in which a dispute takes no other answer."""


@dataclass(frozen=True, slots=True)
class Dispute:
    """A dispute as the hub last read it: `amount_minor` (minor units) of a charge is claimed back.

    `receipt` and `payment` are ours, None where the charge is not known here.
    """

    id: str
    connection: str
    provider_ref: str
    charge: str
    state: DisputeState
    amount_minor: int
    currency: str
    opened_at: datetime
    receipt: str | None = None
    payment: str | None = None
    answer: DisputeVerdict | None = None
    category: str = ""
    reason: str = ""
    deadline_at: datetime | None = None
    resolved_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class DisputeAnswer:
    """The lender's answer to a dispute; what it says in words is kept apart, sealed.

    `refund_minor` in minor units of the dispute's currency, 0 when it is contested.
    """

    id: str
    dispute: str
    verdict: DisputeVerdict
    refund_minor: int
    state: AnswerState
    asked_by: str
    created_at: datetime
    approved_by: str | None = None
    effect: str | None = None
