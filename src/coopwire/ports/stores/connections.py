"""What the hub keeps per connection: gates, mappings, core accounts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Protocol

from coopwire.domain.gates import Gate, GateKind, Traffic


@dataclass(frozen=True, slots=True)
class CoreAccount:
    """A member's account in a core bank (for one loan, or for all of the member's money)."""

    id: int
    connection: str
    member: str
    loan: str | None
    number: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class AccountMapping:
    """One version of a books connection's mapping: neutral key → their account id."""

    connection: str
    version: int
    entries: Mapping[str, str]
    active: bool
    created_at: datetime


class Connections(Protocol):
    """What the hub keeps per connection: gates, mapping, core accounts."""

    async def close_gate(self, gate: Gate, now: datetime) -> bool:
        """Close (or prolong); True if it was open before."""
        ...

    async def stop_credentials(
        self, connection: str, traffic: Traffic, reason: str, asked_at: datetime, now: datetime
    ) -> None:
        """Close until a person lets us in again, unless one did since `asked_at`, when the refused call began."""
        ...

    async def accept_credentials(self, connection: str, traffic: Traffic, now: datetime) -> bool:
        """Open the credentials gate, against calls that began before too; True if it was closed."""
        ...

    async def closed(self, connection: str, traffic: Traffic, now: datetime) -> str | None:
        """Why this traffic may not pass now; None when every gate is open."""
        ...

    async def open_gate(self, connection: str, kind: GateKind, traffic: Traffic) -> bool:
        """Open; True if it was closed."""
        ...

    async def pause(self, connection: str, until: datetime, reason: str, now: datetime) -> None:
        """Close the budget gates until then, unless they are closed for longer."""
        ...

    async def open_breaker(
        self, connection: str, traffic: Traffic, until: datetime | None, reason: str, now: datetime
    ) -> bool:
        """Let nothing pass until then (None: until somebody closes it); True if it was closed before."""
        ...

    async def close_breaker(self, connection: str, traffic: Traffic, now: datetime) -> bool:
        """Let everything pass again, counting from nothing; True if it was open before."""
        ...

    async def is_open(self, connection: str, traffic: Traffic, now: datetime) -> bool:
        """Whether all gates are open."""
        ...

    async def mapping(self, connection: str, version: int | None = None) -> AccountMapping | None:
        """The active mapping of a books connection, or the one of this version."""
        ...

    async def core_account(self, connection: str, member: str, loan: str | None) -> CoreAccount | None:
        """The account for this loan, else the member's."""
        ...

    async def core_accounts(self, ids: Sequence[int]) -> dict[int, CoreAccount]:
        """Accounts by id, numbers unsealed."""
        ...

    async def linked_accounts(self, connection: str) -> list[CoreAccount]:
        """Every account that is linked at this core bank, numbers unsealed."""
        ...

    async def see_business_date(self, connection: str, on: date, at: datetime) -> bool:
        """Keep that the core booked under `on` at `at`, when it is another date than before; whether it is."""
        ...

    async def business_dates(self, connection: str, start: datetime, end: datetime) -> set[date]:
        """The business dates that were in force at any time in [start, end], as far as anybody looked.

        A change is seen up to `business_date_every` after it was made: ask for a longer time where that counts.
        """
        ...
