"""Money that arrived, and where each part of it goes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from coopwire.domain.money import Money
from coopwire.domain.payments import Component
from coopwire.domain.references import derived_reference


class FeeBearer(StrEnum):
    """Who paid the gateway's fee."""

    LENDER = "lender"
    MEMBER = "member"


class ReceiptSource(StrEnum):
    """Where the hub knows of the money from."""

    GATEWAY = "gateway"
    STATEMENT = "statement"
    TELLER = "teller"
    CHECK_OFF = "check_off"


@dataclass(frozen=True, slots=True)
class Source:
    """A place that tells of money which no gateway saw. With `checker` a second person releases what it brings."""

    name: str
    kind: ReceiptSource
    checker: bool = False


class AllocationState(StrEnum):
    """Whether it is decided where a receipt goes."""

    ALLOCATED = "allocated"
    AWAITING_LMS = "awaiting_lms"


@dataclass(frozen=True, slots=True)
class Receipt:
    """One arrival of money, unique by (connection, charge); all amounts in minor units.

    Where no gateway saw it, `connection` is the name of its source and `charge` the id that it has there.

    `reference` is the one under which the gateway tells it: our attempt's, or a stranger's.

    `gross_minor` is what left the member's pocket, `fee_minor` the gateway's fee rounded once (exact text in
    `fee_exact`), `net_minor = gross_minor - fee_minor` what the gateway owes us.
    """

    id: str
    connection: str
    reference: str
    charge: str
    attempt: str | None
    payment: str | None
    currency: str
    requested_minor: int | None
    gross_minor: int
    fee_minor: int
    fee_exact: str
    fee_bearer: FeeBearer
    channel: str
    paid_at: datetime
    recorded_at: datetime
    source: ReceiptSource = ReceiptSource.GATEWAY
    fee_known: bool = True
    """False where the gateway had not told its fee when the receipt was recorded: its settlement books it."""

    @property
    def net_minor(self) -> int:
        """What the gateway owes the lender."""
        return self.gross_minor - self.fee_minor

    @property
    def value_minor(self) -> int:
        """What counts for the member: the gross, less a fee that the member bore on top."""
        return self.net_minor if self.fee_bearer is FeeBearer.MEMBER else self.gross_minor

    @property
    def value(self) -> Money:
        """`value_minor` with its currency."""
        return Money(self.value_minor, self.currency)


@dataclass(frozen=True, slots=True)
class AllocationLine:
    """A part of a receipt's value and the due (if any) that it satisfies."""

    component: Component
    amount_minor: int
    due: str | None = None


def receipt_id(connection: str, charge: str) -> str:
    """The same arrival has the same id, also in a hub that was restored and hears of it again."""
    return derived_reference("receipt", connection, charge)


class AllocationError(ValueError):
    """The parts of a receipt do not make the whole."""


def check_conserved(value_minor: int, lines: Sequence[AllocationLine]) -> None:
    """AllocationError unless every part is positive and the parts sum to the value, to the minor unit."""
    if any(line.amount_minor <= 0 for line in lines):
        raise AllocationError("every part of an allocation must be positive")
    total = sum(line.amount_minor for line in lines)
    if total != value_minor:
        raise AllocationError(f"the parts sum to {total}, the receipt's value is {value_minor} minor units")
