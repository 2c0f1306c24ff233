"""What the gateway pays out to the lender's bank: settlements, and the charges in each."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Protocol

from coopwire.domain.payments import Mode
from coopwire.domain.settlements import LineKind
from coopwire.domain.states import SettlementState


@dataclass(frozen=True, slots=True)
class SettlementSnapshot:
    """One settlement as the gateway tells it; amounts in minor units of `currency`.

    `gross_minor` is what the charges in it brought in, `net_minor` what goes to the bank. `deductions_minor` is
    what they kept beside their fees: refunds, disputes that were lost. `fee_exact` is the sum of fees in minor
    units as decimal text, `fee_minor` the same rounded half-even, once.
    """

    provider_ref: str
    state: SettlementState
    currency: str
    gross_minor: int
    fee_minor: int
    fee_exact: str
    deductions_minor: int
    net_minor: int
    settled_on: date | None
    """The day of the payout, as the gateway dates it."""
    created_at: datetime | None
    mode: Mode
    reason: str = ""
    raw: bytes = field(default=b"", repr=False)
    gap_minor: int = 0
    """What is missing for gross − fee − deductions = net, of the exact amounts and rounded once; 0: it adds up."""
    refunds_minor: int | None = None
    """The part of the deductions that was refunded; None where they tell one sum alone."""
    disputes_minor: int | None = None
    """The part that was taken for disputes; None where they tell one sum alone."""
    duty_minor: int = 0
    """The part that is a levy of the state."""


@dataclass(frozen=True, slots=True)
class SettlementLine:
    """One line of a settlement; amounts in minor units, `gross_minor` below nought for what is taken away.

    A charge is tied to ours by `charge` (their id) and `reference`; a refund or a dispute by `subject`, its own id
    at theirs, and by `charge`, the one that it is about, where they tell it. `charge` is empty for a line that is
    about none. What a line adds to the payout is gross less fee.

    `fee_exact` is the fee in minor units as decimal text, `fee_minor` the same rounded half-even, once: sums of
    lines are made of the exact ones.
    """

    charge: str
    reference: str
    currency: str
    gross_minor: int
    fee_minor: int
    fee_exact: str
    fee_known: bool
    paid_at: datetime | None
    raw: bytes = field(default=b"", repr=False)
    kind: LineKind = LineKind.CHARGE
    subject: str = ""


class Settlements(Protocol):
    """Reads of what is paid out. Errors: TryLater, BadCredentials, ContractBroken."""

    def list_window(self, first: date, last: date) -> AsyncIterator[SettlementSnapshot]:
        """Settlements of these days, both included, whatever their state, each once even if pages shift.

        One that does not say its day is told rather than lost.
        """
        ...

    async def fetch(self, provider_ref: str) -> SettlementSnapshot:
        """The settlement of this id; ContractBroken also when they do not know it."""
        ...

    def lines(self, provider_ref: str) -> AsyncIterator[SettlementLine]:
        """Every line in it that they tell, each once even if pages shift; some tell charges alone."""
        ...
