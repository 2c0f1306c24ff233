"""Sockets of the books: the chart of accounts, post and find a journal."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Protocol

from coopwire.domain.books import Side
from coopwire.ports.writes import Finding


@dataclass(frozen=True, slots=True)
class GlAccount:
    """An account of their chart; `postable` False for control accounts and inactive ones."""

    account: str
    name: str
    type: str
    active: bool
    postable: bool


class ChartOfAccounts(Protocol):
    """Read the chart. Errors: TryLater, BadCredentials, ContractBroken."""

    async def accounts(self) -> tuple[GlAccount, ...]:
        """Every account, inactive ones too, over all pages."""
        ...


@dataclass(frozen=True, slots=True)
class JournalOrderLine:
    """One line with their account id; amount in minor units, positive."""

    account: str
    side: Side
    amount_minor: int
    note: str = ""


@dataclass(frozen=True, slots=True)
class JournalOrder:
    """A balanced entry in their accounts under our reference."""

    reference: str
    on: date
    currency: str
    narrative: str
    lines: tuple[JournalOrderLine, ...]
    branch: str | None = None


@dataclass(frozen=True, slots=True)
class JournalSnapshot:
    """An entry as their books have it."""

    provider_ref: str
    reference: str
    on: date
    currency: str | None
    lines: tuple[JournalOrderLine, ...]
    narrative: str = ""
    raw: bytes = field(default=b"", repr=False)


class Journals(Protocol):
    """Entries in the books."""

    def say(self, order: JournalOrder) -> bytes:
        """The body exactly as it will be sent; InvalidOrder when the books are known to refuse it."""
        ...

    async def send(self, order: JournalOrder, said: bytes) -> JournalSnapshot:
        """Post once. Refused, Held (closed period, account inactive), TryLater, OutcomeUnknown, …"""
        ...

    async def find(self, order: JournalOrder, sent_at: datetime) -> Finding[JournalSnapshot]:
        """Every entry under the order's reference, with its content, for the core to compare."""
        ...

    def list_days(self, start: date, end: date) -> AsyncIterator[JournalSnapshot]:
        """Every entry dated from `start` to `end` (both included), whoever made it, each once.

        One that cannot be read hides no other: ContractBroken comes after the last entry. TryLater may come in
        the middle: then nothing is known of the rest. BadCredentials.
        """
        ...


def same_entry(order: JournalOrder, found: JournalSnapshot) -> bool:
    """Whether the entry found is the one ordered: date, currency (where told) and every line."""
    return (
        found.on == order.on
        and found.currency in (None, order.currency)
        and _content(found.lines) == _content(order.lines)
    )


def _content(lines: tuple[JournalOrderLine, ...]) -> list[tuple[str, str, int]]:
    return sorted((line.account, line.side.value, line.amount_minor) for line in lines)
