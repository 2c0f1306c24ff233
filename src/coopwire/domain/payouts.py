"""Money that is paid out to a bank account: to whom, what is checked first, and what it takes of the float."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from coopwire.domain.states import PayoutState


class HoldReason(StrEnum):
    """Why a payout waits for a second person."""

    NAME_MISMATCH = "name_mismatch"
    FLOAT_SHORT = "float_short"
    BAD_ACCOUNT = "bad_account"


@dataclass(frozen=True, slots=True)
class PayoutPolicy:
    """How names and account numbers are judged: the least score of a name that needs no second person, and the codes
    of banks whose numbers have no check digit of the standard (wallets that number accounts after phones)."""

    name_match: int = 85
    unchecked_banks: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Beneficiary:
    """Who is paid: `account` is text with its leading noughts, `name` the one that we expect.

    `holder` is the name that the bank tells, None before it was asked or where it knows nobody.
    """

    account: str = field(repr=False)
    name: str = field(repr=False)
    holder: str | None = field(repr=False, default=None)

    @property
    def known_as(self) -> str:
        """The name that an order says: the bank's own, else ours."""
        return self.holder or self.name


@dataclass(frozen=True, slots=True)
class Payout:
    """A payout of `amount_minor` minor units at one gateway connection; its beneficiary is a record of its own.

    `fee_minor` is what the gateway is expected to charge for it, and then what it charged. `name_score` says how
    well the names agree, 0 to 100. `recipient` and `transfer` are the effects that make the account known and that
    pay; the latter's id is our reference there. `provider_ref` is the gateway's id, told since `accepted_at`.
    `asker` tells persons apart, `asked_by` and `released_by` stand in the audit.
    """

    id: str
    connection: str
    amount_minor: int
    currency: str
    bank: str
    purpose: str
    state: PayoutState
    created_at: datetime
    asker: str
    asked_by: str
    member: str | None = None
    loan: str | None = None
    hold: str | None = None
    reason: str = ""
    name_score: int | None = None
    fee_minor: int = 0
    released_by: str | None = None
    recipient: str | None = None
    transfer: str | None = None
    provider_ref: str | None = None
    accepted_at: datetime | None = None

    @property
    def takes_minor(self) -> int:
        """What it takes of the float: itself and its fee."""
        return self.amount_minor + self.fee_minor

    @property
    def key(self) -> str:
        """What orders its events: the loan, else the member, else itself."""
        if self.loan is not None:
            return f"loan:{self.loan}"
        return f"member:{self.member}" if self.member is not None else self.id


def missing_minor(available_minor: int, committed_minor: int, payout: Payout) -> int:
    """How much the float lacks for this payout beside those that are not finished; 0: it is enough."""
    return max(committed_minor + payout.takes_minor - available_minor, 0)
