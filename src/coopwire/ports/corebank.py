"""Sockets of core banks: enquire an account, credit it, find the credit."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Protocol

from coopwire.ports.writes import Finding


@dataclass(frozen=True, slots=True)
class AccountSnapshot:
    """A member's account in the core; balances in minor units. The number and name are personal data."""

    number: str = field(repr=False)
    name: str = field(repr=False)
    status: str
    can_credit: bool
    available_minor: int | None = None
    ledger_minor: int | None = None


class Accounts(Protocol):
    """Reads of accounts. Errors: TryLater, BadCredentials, ContractBroken."""

    async def enquire(self, number: str) -> AccountSnapshot | None:
        """The account, None when the core positively knows no such account."""
        ...


@dataclass(frozen=True, slots=True)
class PostingOrder:
    """Credit a member's account against a GL (`gl`) or another account (`from_account`); minor units."""

    reference: str
    account: str = field(repr=False)
    amount_minor: int
    currency: str
    narration: str
    value_on: date
    gl: str | None = None
    from_account: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class PostingSnapshot:
    """A transaction in the core."""

    provider_ref: str
    reference: str
    raw: bytes = field(default=b"", repr=False)


class Postings(Protocol):
    """Credits in the core bank."""

    def say(self, order: PostingOrder) -> bytes:
        """The body as it will be sent, token left out; InvalidOrder when the core is known to refuse it."""
        ...

    async def send(self, order: PostingOrder, said: bytes) -> PostingSnapshot:
        """Post once. Refused, TryLater, OutcomeUnknown (duplicate too), BadCredentials, ContractBroken."""
        ...

    async def find(self, order: PostingOrder, sent_at: datetime) -> Finding[PostingSnapshot]:
        """Status by reference, date, type and amount: an EXECUTED answer is about this very order."""
        ...
