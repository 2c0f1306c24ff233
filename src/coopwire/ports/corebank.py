"""Sockets of core banks: enquire an account, credit or debit it, reverse that, read its statement."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Protocol

from coopwire.domain.books import Side
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
    """Credit a member's account against a GL (`gl`) or another account (`from_account`); minor units.

    With `side` DEBIT the account is debited and the GL credited: money that goes back to where it came from.
    """

    reference: str
    account: str = field(repr=False)
    amount_minor: int
    currency: str
    narration: str
    value_on: date
    gl: str | None = None
    from_account: str | None = field(default=None, repr=False)
    side: Side = Side.CREDIT


@dataclass(frozen=True, slots=True)
class PostingSnapshot:
    """A transaction in the core."""

    provider_ref: str
    reference: str
    raw: bytes = field(default=b"", repr=False)


class Postings(Protocol):
    """Credits and debits in the core bank."""

    def say(self, order: PostingOrder) -> bytes:
        """The body as it will be sent, token left out; InvalidOrder when the core is known to refuse it."""
        ...

    async def send(self, order: PostingOrder, said: bytes) -> PostingSnapshot:
        """Post once. Refused, TryLater, OutcomeUnknown (duplicate too), BadCredentials, ContractBroken."""
        ...

    async def find(self, order: PostingOrder, sent_at: datetime) -> Finding[PostingSnapshot]:
        """Status by reference, date, type and amount: an EXECUTED answer is about this very order."""
        ...


@dataclass(frozen=True, slots=True)
class ReversalOrder:
    """Undo a posting of ours that is known to be done, whole; the original's own facts name it.

    `reference` is ours for this write, `original` that of the posting, which they want together with the day it
    was sent on (`posted_on`), its side and its amount in minor units. `census`: the core's ids of all reversals
    of the posting right before the send.
    """

    reference: str
    original: str
    account: str = field(repr=False)
    amount_minor: int
    currency: str
    posted_on: date
    side: Side = Side.CREDIT
    census: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ReversalSnapshot:
    """A reversal in the core."""

    provider_ref: str
    original: str
    raw: bytes = field(default=b"", repr=False)


class Reversals(Protocol):
    """Reversals carry no reference of ours: what stands there is counted before a send."""

    async def count(self, order: ReversalOrder) -> tuple[str, ...]:
        """The core's ids of all reversals of the posting now. TryLater, BadCredentials, ContractBroken."""
        ...

    def say(self, order: ReversalOrder) -> bytes:
        """The body as it will be sent, token left out; InvalidOrder when the core is known to refuse it."""
        ...

    async def send(self, order: ReversalOrder, said: bytes) -> ReversalSnapshot:
        """Reverse once. Refused, TryLater, OutcomeUnknown (duplicate too), BadCredentials, ContractBroken."""
        ...

    async def find(self, order: ReversalOrder, sent_at: datetime) -> Finding[ReversalSnapshot]:
        """EXECUTED with what came to the census; never ABSENT by itself unless the trust lets it count."""
        ...


@dataclass(frozen=True, slots=True)
class StatementRow:
    """One movement on an account as the core tells it; `amount_minor` positive, `side` CREDIT comes in.

    `reference` is the caller's where they repeat it, else empty. `reversed`: the core says that it was undone;
    `reverses` is the core's id, or the caller's reference, of the movement that this one undoes.
    """

    id: str
    on: date
    side: Side
    amount_minor: int
    currency: str
    reference: str
    narration: str = field(default="", repr=False)
    reversed: bool = False
    reverses: str | None = None


class Statements(Protocol):
    """What moved on an account. Errors: TryLater, BadCredentials, ContractBroken."""

    def rows(self, account: str, start: date, end: date) -> AsyncIterator[StatementRow]:
        """Every movement booked from `start` to `end` (both included), each once even if rows are added."""
        ...


class BusinessDate(Protocol):
    """The day on which the core books now. Errors: Unsupported, TryLater, BadCredentials, ContractBroken."""

    async def current(self) -> date:
        """The core's business date."""
        ...
