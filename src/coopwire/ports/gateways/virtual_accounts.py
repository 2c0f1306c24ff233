"""Bank accounts that the gateway keeps for single members: whatever is transferred to one is that member's money."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Protocol

from coopwire.domain.payments import Payer
from coopwire.domain.states import AccountState
from coopwire.domain.virtual_accounts import Identity
from coopwire.ports.writes import Finding, FindingWord


@dataclass(frozen=True, slots=True)
class VirtualAccountOrder:
    """Ask for an account in the holder's name; the gateway knows the holder by the e-mail.

    `bank` is the gateway's own word for a bank, empty for the connection's usual one. `census`: the gateway's
    ids of all accounts of the holder right before the send; none of them is ours.
    """

    reference: str
    holder: Payer
    currency: str
    bank: str = ""
    identity: Identity | None = field(default=None, repr=False)
    census: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class AccountSnapshot:
    """An account as the gateway tells it; `provider_ref` and `number` are None while it is being assigned."""

    provider_ref: str | None
    state: AccountState
    currency: str
    bank: str
    number: str | None = field(default=None, repr=False)
    name: str = field(default="", repr=False)
    """In whose name it stands, as the bank shows it to whoever pays in."""
    holder: str | None = None
    """The gateway's id of the holder, where it tells."""
    created_at: datetime | None = None
    raw: bytes = field(default=b"", repr=False)


@dataclass(frozen=True, slots=True)
class AccountClosingOrder:
    """Close the account of this id at the gateway."""

    reference: str
    account: str


class VirtualAccounts(Protocol):
    """Accounts of members.

    Where an order takes no reference of ours, what the holder has is counted before a send. Where it does, each
    transfer to the account bears that reference.
    """

    async def count(self, order: VirtualAccountOrder) -> tuple[str, ...]:
        """Their ids of all accounts of the holder now; none where they take our reference. TryLater,
        BadCredentials, ContractBroken."""
        ...

    def say(self, order: VirtualAccountOrder) -> bytes:
        """The body exactly as it will be sent; InvalidOrder when the gateway is known to refuse it."""
        ...

    async def send(self, order: VirtualAccountOrder, said: bytes) -> AccountSnapshot:
        """Ask once; what is asked for may be assigned later. Refused, TryLater, OutcomeUnknown,
        BadCredentials, ContractBroken."""
        ...

    async def find(self, order: VirtualAccountOrder, sent_at: datetime) -> Finding[AccountSnapshot]:
        """EXECUTED with the account that came to the census; ABSENT while none did."""
        ...

    async def fetch(self, provider_ref: str) -> AccountSnapshot:
        """The account of this id. TryLater, BadCredentials, ContractBroken (also when they do not know it)."""
        ...

    async def requery(self, provider_ref: str, on: date) -> None:
        """Let them look for transfers to the account that they missed on that day; what they find they tell by
        webhook. TryLater, BadCredentials, ContractBroken; Unsupported where they cannot be asked."""
        ...


def closing_found(account: AccountSnapshot) -> Finding[AccountSnapshot]:
    """What became of a closing, by how the account stands."""
    if account.state is AccountState.CLOSED:
        return Finding(FindingWord.EXECUTED, (account,))
    return Finding(FindingWord.ABSENT, reason="the account is still open")


class AccountClosings(Protocol):
    """Ends of accounts. Closing one twice is closing it once."""

    def say(self, order: AccountClosingOrder) -> bytes:
        """The body exactly as it will be sent; InvalidOrder for what is no id of an account."""
        ...

    async def send(self, order: AccountClosingOrder, said: bytes) -> AccountSnapshot:
        """Close it. Refused, TryLater, OutcomeUnknown, BadCredentials, ContractBroken."""
        ...

    async def find(self, order: AccountClosingOrder, sent_at: datetime) -> Finding[AccountSnapshot]:
        """EXECUTED when it is closed, ABSENT while it is not."""
        ...
