"""Bank accounts in members' names at a gateway: whose money a transfer to one is, and what it is for."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from coopwire.domain.money import Money
from coopwire.domain.payments import AllocationMode, Dues, Payer, Payment, PaymentKind
from coopwire.domain.references import derived_reference
from coopwire.domain.states import AccountState, PaymentState


@dataclass(frozen=True, slots=True)
class Identity:
    """What a bank wants to know before it assigns an account; all of it personal, each empty where it is not told."""

    bvn: str = field(default="", repr=False)
    account_number: str = field(default="", repr=False)
    bank_code: str = field(default="", repr=False)
    nin: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Holder:
    """In whose name an account is asked for: kept sealed, and only until the account is open."""

    payer: Payer
    identity: Identity | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class VirtualAccount:
    """An account of a member and what money on it is for; the number is kept sealed beside it.

    `loan` is the loan of a repayment or a fee, the account for savings and shares. `effect` is the write that
    asks for it, `closing` the one that closes it; `provider_ref` is the gateway's id, told when it was assigned.
    """

    id: str
    connection: str
    member: str
    kind: PaymentKind
    loan: str | None
    branch: str | None
    currency: str
    core_account: int | None
    callback_url: str | None
    state: AccountState
    reason: str
    bank: str
    provider_ref: str | None
    effect: str
    closing: str | None
    created_at: datetime
    asked_at: datetime | None = None
    """When the gateway took the order on."""
    opened_at: datetime | None = None
    closed_at: datetime | None = None

    @property
    def account_key(self) -> str:
        """The key under which allocations of this loan (else of the member's product) are serialised."""
        return f"loan:{self.loan}" if self.loan else f"member:{self.member}:{self.kind}"

    def takes(self, paid_at: datetime) -> bool:
        """Whether money that was paid then is the member's; a closed number may be somebody else's by now."""
        if self.state is AccountState.CLOSED:
            return self.closed_at is not None and paid_at < self.closed_at
        return self.state is AccountState.ACTIVE


def deposit_payment(
    account: VirtualAccount,
    charge: str,
    money: Money,
    dues: Dues | None,
    allocation: AllocationMode,
    now: datetime,
) -> Payment:
    """The payment that comes with a transfer to an account, named after the charge (ADR 0011)."""
    return Payment(
        reference=derived_reference("payment", account.connection, charge),
        kind=account.kind,
        money=money,
        member=account.member,
        loan=account.loan,
        branch=account.branch,
        dues=dues if account.kind is PaymentKind.LOAN_REPAYMENT else None,
        state=PaymentState.INTENDED,
        allocation=allocation,
        callback_url=account.callback_url,
        created_at=now,
    )
