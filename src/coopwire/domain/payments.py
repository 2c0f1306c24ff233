"""What we ask a member to pay, and each try of it at a connection."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum

from coopwire.domain.money import Money
from coopwire.domain.states import PaymentState


class PaymentKind(StrEnum):
    """What the money is for."""

    LOAN_REPAYMENT = "loan_repayment"
    SAVINGS = "savings"
    SHARES = "shares"
    FEE = "fee"


class Component(StrEnum):
    """Where a part of a receipt goes."""

    PENALTY = "penalty"
    FEES = "fees"
    INTEREST = "interest"
    PRINCIPAL = "principal"
    SAVINGS = "savings"
    SHARES = "shares"
    OVERPAYMENT = "overpayment"
    SUSPENSE = "suspense"
    WRITTEN_OFF = "written_off"
    """Two persons decided that nobody will claim it."""


DUE_COMPONENTS = (Component.PENALTY, Component.FEES, Component.INTEREST, Component.PRINCIPAL)
"""The waterfall (design §10): what is satisfied first stands first."""
GIVEN_TO_MEMBERS = (*DUE_COMPONENTS, Component.SAVINGS, Component.SHARES, Component.OVERPAYMENT)
"""What an allocation may give a member; suspense is not decided, and writing off takes two persons."""


class Mode(StrEnum):
    """Live money or test money; the two never meet."""

    TEST = "test"
    LIVE = "live"


class AllocationMode(StrEnum):
    """Who decides where a receipt goes."""

    HUB = "hub"
    LMS = "lms"


@dataclass(frozen=True, slots=True)
class Due:
    """One amount that the loan system says is owed; `id` is its own name for it."""

    id: str
    component: Component
    amount_minor: int
    due_on: date


@dataclass(frozen=True, slots=True)
class Dues:
    """A snapshot of what a loan owed at `as_of`, by the loan system's version `version`."""

    as_of: datetime
    version: str
    lines: tuple[Due, ...]
    valid_until: datetime


@dataclass(frozen=True, slots=True)
class Payer:
    """Who pays: personal data, kept sealed and never repeated in logs, events or answers."""

    member: str
    name: str = field(repr=False)
    phone: str = field(repr=False)
    email: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Payment:
    """One thing we asked a member to pay; amount in minor units of `currency`."""

    reference: str
    kind: PaymentKind
    money: Money
    member: str
    loan: str | None
    branch: str | None
    dues: Dues | None
    state: PaymentState
    allocation: AllocationMode
    callback_url: str | None
    created_at: datetime
    save_authorization: bool = False
    """Whether what the member pays with is to be kept, to be charged again."""

    @property
    def account_key(self) -> str:
        """The key under which allocations of one loan (else one member's product) are serialised."""
        return f"loan:{self.loan}" if self.loan else f"member:{self.member}:{self.kind}"


@dataclass(frozen=True, slots=True)
class Attempt:
    """One try of a payment at one connection, under its own reference at the provider."""

    reference: str
    payment: str
    connection: str
    money: Money
    state: PaymentState
    created_at: datetime
    at_least_minor: int | None = None
    """So much is enough, where what is there may be taken in place of the whole; None: nothing but the whole."""


def is_agreed(minor: int, asked_minor: int, at_least_minor: int | None) -> bool:
    """Whether so much is what was asked for: the whole, or a part that is enough."""
    least = asked_minor if at_least_minor is None else at_least_minor
    return least <= minor <= asked_minor
