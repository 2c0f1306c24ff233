"""What the hub asks the gateways, and what recording an answer needs to know."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from coopwire.domain.payments import Attempt, Payment
from coopwire.ports.tracing import here


@dataclass(frozen=True, slots=True)
class Lookup:
    """What we ask a gateway, and how often we did: one row per (connection, our reference)."""

    connection: str
    reference: str
    charges: tuple[str, ...]
    looks: int
    noticed_looks: int
    noticed: bool
    created_at: datetime
    token: str = ""
    traceparent: str | None = None
    """Of what asked for it last."""


@dataclass(frozen=True, slots=True)
class LookupRequest:
    """Ask for a look at `look_at` (sooner wins); `charge` is a provider id that a notice named."""

    connection: str
    reference: str
    look_at: datetime
    charge: str | None = None
    noticed: bool = False
    traceparent: str | None = field(default_factory=here)


@dataclass(frozen=True, slots=True)
class LookDone:
    """One look-up done: its answer for the timeline, and when the next one is due (None: never)."""

    lookup: Lookup
    at: datetime
    answer: str
    next_at: datetime | None
    agreed: bool
    """True when open notices of this reference may be closed."""


@dataclass(frozen=True, slots=True)
class KnownCharge:
    """A receipt that exists, to compare with what the gateway says now."""

    receipt: str
    connection: str
    charge: str
    gross_minor: int
    currency: str


@dataclass(frozen=True, slots=True)
class LookContext:
    """What recording a look-up needs to know, read under the locks of the loan and its lanes."""

    attempt: Attempt | None
    payment: Payment | None
    core_account: int | None
    known: tuple[KnownCharge, ...]
    unknown_checkout: str | None
    """The attempt's checkout effect while its outcome is unknown."""


class Lookups(Protocol):
    """What to ask the gateways."""

    async def claim(self, slots: Mapping[str, int], now: datetime, until: datetime) -> list[Lookup]:
        """Take due look-ups, at most `slots` per connection, not those of closed gates; lease to `until`."""
        ...

    async def contexts(self, lookups: Sequence[Lookup]) -> dict[str, LookContext]:
        """What recording needs, by token, payments locked in one order; absent where the lease was lost."""
        ...

    async def allocated(self, asked: Sequence[tuple[str, datetime, str]]) -> list[dict[str, int]]:
        """Per (account key, dues as_of, version): what the hub allocated per due id since then or under it."""
        ...
