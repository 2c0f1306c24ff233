"""Money that a member's bank claims back, and how the lender answers."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from coopwire.domain.states import ENDED_DISPUTE, DisputeState


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


@dataclass(frozen=True, slots=True)
class Claim:
    """A dispute of a charge, with the lender's answer that counts, if there is one."""

    dispute: Dispute
    answer: DisputeAnswer | None = None

    @property
    def taken_minor(self) -> int:
        """What it has taken of the charge, or will by what the lender has said, in minor units."""
        dispute, answer = self.dispute, self.answer
        if dispute.state is DisputeState.WON:
            return 0
        if dispute.state is DisputeState.LOST or dispute.answer is DisputeVerdict.ACCEPT:
            return dispute.amount_minor
        said = answer is not None and answer.state is not AnswerState.PROPOSED
        return answer.refund_minor if said and answer is not None else 0

    @property
    def contested(self) -> bool:
        """Whether the lender says that nothing is to go back, and nobody has decided yet."""
        dispute, answer = self.dispute, self.answer
        if dispute.state in ENDED_DISPUTE:
            return False
        ours = answer is not None and answer.verdict is DisputeVerdict.CONTEST
        return ours or dispute.answer is DisputeVerdict.CONTEST


def taken_minor(claims: Iterable[Claim]) -> int:
    """What these disputes take of their charge, in minor units."""
    return sum(claim.taken_minor for claim in claims)
