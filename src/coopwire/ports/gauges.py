"""How a hub stands at one moment, as its database tells it: what waits, how long, and how much money it is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from coopwire.domain.budgets import Period
from coopwire.domain.effects import EffectKind
from coopwire.domain.gates import GateKind, Traffic
from coopwire.domain.states import EffectState


@dataclass(frozen=True, slots=True)
class Pile:
    """Things that wait: how many, and since when the oldest one does (None: there is none)."""

    count: int = 0
    oldest_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Unanswered:
    """Disputes that wait for the lender's answer; `nearest_at` is the first of their deadlines, None where none is."""

    count: int
    nearest_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class MoneyPile:
    """Receipts that have not arrived somewhere, in minor units of one currency."""

    amount_minor: int
    receipts: Pile


@dataclass(frozen=True, slots=True)
class Gauges:
    """One moment of the whole hub, whichever process reads it."""

    at: datetime
    effects: Mapping[tuple[EffectKind, str, EffectState], Pile] = field(default_factory=dict)
    """Not finished, by kind, connection and state. What is unknown waits since it is unknown."""
    waiting: Mapping[tuple[str, GateKind], int] = field(default_factory=dict)
    """Effects that are due and wait for a closed gate of their connection; behind two gates they count twice."""
    closed_gates: frozenset[tuple[str, GateKind, Traffic]] = frozenset()
    budgets_left: Mapping[tuple[str, Period], int] = field(default_factory=dict)
    """Calls of this minute and this day that no worker has leased, where a connection has so many and no more."""
    outbox: Pile = Pile()
    deliveries: Mapping[str, Pile] = field(default_factory=dict)
    """Events that wait for a consumer, those on its ladder among them."""
    dead_letters: Mapping[str, int] = field(default_factory=dict)
    webhooks: Pile = Pile()
    lookups: Mapping[str, Pile] = field(default_factory=dict)
    """Look-ups that are due, by connection."""
    breaks: Mapping[str, Pile] = field(default_factory=dict)
    """Breaks that are not closed, by type."""
    disputes: Mapping[str, Unanswered] = field(default_factory=dict)
    """By connection."""
    unbooked: Mapping[str, MoneyPile] = field(default_factory=dict)
    unbanked: Mapping[str, MoneyPile] = field(default_factory=dict)
    entries: Pile = Pile()
    """Entries of the audit trail that have no place in the chain yet."""
    workers: int = 0
    workers_lost: int = 0
    """Workers that were last heard within `LOST_WITHIN`, and not since `worker_lost_after`."""


class GaugeReader(Protocol):
    """Reads the gauges; what is old and finished costs nothing."""

    async def read(self) -> Gauges:
        """The hub as it stands. StorageUnavailable when the database is away or does not answer in time."""
        ...
