"""Members' standing leave to debit their bank accounts: what was agreed, and how far it is."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum

from coopwire.domain.money import Money
from coopwire.domain.payments import Payer
from coopwire.domain.states import MandateState


class MandateChange(StrEnum):
    """What the lender asks the gateway to do with a mandate that is there."""

    SUSPEND = "suspend"
    RESUME = "resume"
    RETRY = "retry"
    """Try once more to activate what the member has approved."""
    END = "end"


STOPPING = frozenset({MandateChange.SUSPEND, MandateChange.END})
"""Changes after which nothing more is debited, from the moment that they are asked for."""


@dataclass(frozen=True, slots=True)
class DebitedAccount:
    """The bank account that is debited; `bank` is the bank's code."""

    number: str = field(repr=False)
    bank: str


@dataclass(frozen=True, slots=True)
class Address:
    """Where a member lives, for banks that want to know."""

    street: str = field(repr=False)
    city: str = field(repr=False)
    state: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Debtor:
    """Who gives the mandate, and over which account: kept sealed, and only until the mandate is there."""

    payer: Payer
    account: DebitedAccount | None = field(default=None, repr=False)
    address: Address | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Approach:
    """What the member must do before anything can be debited: a page to go to, or what to do, in words."""

    url: str | None = field(default=None, repr=False)
    instruction: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Mandate:
    """A member's leave to be debited, up to `ceiling_minor` each time (None: they set no bound), in `currency`.

    `effect` is the write that starts it, `changing` the latest one that changes it and `change` what that one asks
    for; `provider_ref` is the gateway's reference of it, `customer` their id of the member. Its code is kept sealed
    beside it.
    """

    id: str
    connection: str
    member: str
    currency: str
    ceiling_minor: int | None
    starts_on: date | None
    ends_on: date | None
    callback_url: str | None
    state: MandateState
    reason: str
    bank: str
    provider_ref: str | None
    customer: str | None
    effect: str
    changing: str | None
    change: MandateChange | None
    created_at: datetime
    asked_at: datetime | None = None
    """When the gateway took the start on."""
    approved_at: datetime | None = None
    active_at: datetime | None = None
    ended_at: datetime | None = None

    @property
    def lane(self) -> str:
        """The lane in which its writes go one after the other."""
        return f"mandate:{self.connection}:{self.id}"

    @property
    def debtor_key(self) -> str:
        """The key that orders its events."""
        return f"member:{self.member}"


def refusal(mandate: Mandate, money: Money, on: date) -> tuple[str, str] | None:
    """Why this may not be debited on that day: the field of the wish and the reason; None when it may."""
    if mandate.state is not MandateState.ACTIVE:
        return "authorization", f"the mandate is {mandate.state.value}"
    if money.currency != mandate.currency:
        return "currency", f"the mandate is for {mandate.currency}"
    if mandate.ceiling_minor is not None and money.minor > mandate.ceiling_minor:
        return (
            "amount_minor",
            f"the mandate allows {Money(mandate.ceiling_minor, mandate.currency)} each time",
        )
    if mandate.starts_on is not None and on < mandate.starts_on:
        return "authorization", f"the mandate begins on {mandate.starts_on.isoformat()}"
    if mandate.ends_on is not None and on > mandate.ends_on:
        return "authorization", f"the mandate ended on {mandate.ends_on.isoformat()}"
    return None
