"""What members' banks claim back: disputes, and the lender's answer to each."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from coopwire.domain.disputes import DisputeVerdict
from coopwire.domain.payments import Mode
from coopwire.domain.states import ENDED_DISPUTE, DisputeState
from coopwire.ports.writes import Finding, FindingWord


@dataclass(frozen=True, slots=True)
class DisputeOrder:
    """Answer a dispute: accept it and give `refund_minor` (minor units) back, or contest it (`refund_minor` 0).

    `whole`: that is all that is claimed. `message` is the lender's reason, `evidence_file` the name that the gateway
    gave to an uploaded file; both may tell of a person.
    """

    reference: str
    dispute: str
    verdict: DisputeVerdict
    refund_minor: int
    currency: str
    message: str = field(repr=False)
    evidence_file: str | None = field(default=None, repr=False)
    whole: bool = False


@dataclass(frozen=True, slots=True)
class DisputeSnapshot:
    """A dispute as the gateway tells it: `amount_minor` (minor units of `currency`) of `charge` is claimed back.

    `answer` is what the lender has said there, None before; `deadline_at` when silence counts as a yes.
    """

    provider_ref: str
    charge: str
    reference: str | None
    state: DisputeState
    amount_minor: int
    currency: str
    mode: Mode
    answer: DisputeVerdict | None = None
    category: str = ""
    deadline_at: datetime | None = None
    created_at: datetime | None = None
    resolved_at: datetime | None = None
    reason: str = ""
    raw: bytes = field(default=b"", repr=False)


@dataclass(frozen=True, slots=True)
class EvidencePlace:
    """Where a file of evidence is put by whoever has it, and the name by which an answer refers to it."""

    name: str
    url: str = field(repr=False)


def same_answer(order: DisputeOrder, found: DisputeSnapshot) -> bool:
    """Whether what was answered there is what the order says: this dispute, this verdict, and this money."""
    if (found.provider_ref, found.answer) != (order.dispute, order.verdict):
        return False
    money = (found.amount_minor, found.currency) == (order.refund_minor, order.currency)
    return money or order.verdict is DisputeVerdict.CONTEST


def answer_found(dispute: DisputeSnapshot) -> Finding[DisputeSnapshot]:
    """What a read of the dispute says of an answer: it takes one, and none once it has ended."""
    if dispute.answer is not None:
        return Finding(FindingWord.EXECUTED, (dispute,))
    if dispute.state in ENDED_DISPUTE:
        return Finding(FindingWord.REFUSED, reason="the dispute ended before an answer came")
    return Finding(FindingWord.ABSENT, reason="nobody has answered this dispute")


class Disputes(Protocol):
    """Claims for money back. Errors of reads: TryLater, BadCredentials, ContractBroken."""

    def list_window(self, start: datetime, end: datetime) -> AsyncIterator[DisputeSnapshot]:
        """Disputes made in [start, end), whatever their state, each once even if pages shift."""
        ...

    async def fetch(self, provider_ref: str) -> DisputeSnapshot:
        """The dispute of this id; ContractBroken also when they do not know it."""
        ...

    async def of_charge(self, charge: str) -> tuple[DisputeSnapshot, ...]:
        """Every dispute of a charge (their id); empty when there is none."""
        ...

    async def evidence_place(self, provider_ref: str) -> EvidencePlace:
        """Where to put a file of evidence for a dispute. Unsupported where they tell no such place."""
        ...

    def say(self, order: DisputeOrder) -> bytes:
        """The body exactly as it will be sent; InvalidOrder when the gateway is known to refuse it."""
        ...

    async def send(self, order: DisputeOrder, said: bytes) -> DisputeSnapshot:
        """Answer once. Refused, TryLater, OutcomeUnknown, BadCredentials, ContractBroken."""
        ...

    async def find(self, order: DisputeOrder, sent_at: datetime) -> Finding[DisputeSnapshot]:
        """EXECUTED with the dispute once it is answered, by whomever (`same_answer` tells); ABSENT before."""
        ...
