"""The connections of this deployment and the routes between them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from zoneinfo import ZoneInfo

from coopwire.domain.budgets import Budget
from coopwire.domain.effects import EffectKind
from coopwire.domain.gates import Traffic
from coopwire.domain.payments import AllocationMode
from coopwire.domain.receipts import Source
from coopwire.ports.pacing import Pace, Unpaced
from coopwire.ports.providers import Capability, Connected, Role, Trust

CAPABILITY_OF = {
    EffectKind.CHECKOUT: Capability.CHECKOUTS,
    EffectKind.JOURNAL: Capability.JOURNALS,
    EffectKind.POSTING: Capability.POSTINGS,
    EffectKind.REVERSAL: Capability.REVERSALS,
    EffectKind.REFUND: Capability.REFUNDS,
    EffectKind.DISPUTE_ANSWER: Capability.DISPUTES,
    EffectKind.CALLBACK: Capability.CALLBACKS,
    EffectKind.RECIPIENT: Capability.RECIPIENTS,
    EffectKind.TRANSFER: Capability.TRANSFERS,
    EffectKind.VIRTUAL_ACCOUNT: Capability.VIRTUAL_ACCOUNTS,
    EffectKind.ACCOUNT_CLOSING: Capability.ACCOUNT_CLOSINGS,
    EffectKind.SAVED_CHARGE: Capability.SAVED_CHARGES,
    EffectKind.DEACTIVATION: Capability.DEACTIVATIONS,
    EffectKind.MANDATE: Capability.MANDATES,
    EffectKind.MANDATE_CHANGE: Capability.MANDATE_CHANGES,
}


@dataclass(frozen=True)
class Routes:
    """Where a receipt goes on. `receivable_gl` is the core's GL per gateway connection and per source.

    `sources` tell of money that no gateway saw, by name.
    """

    gateway: str
    books: str | None
    core_bank: str | None
    lms: str | None
    allocation: AllocationMode
    receivable_gl: Mapping[str, str]
    zone: ZoneInfo
    allowed_callback_hosts: frozenset[str] = frozenset()
    sources: Mapping[str, Source] = field(default_factory=dict)

    def business_day(self, at: datetime) -> date:
        """The calendar day of `at` in the business zone."""
        return at.astimezone(self.zone).date()


@dataclass(slots=True)
class CoreDay:
    """The core's business date as it was last heard (`application.calendar` keeps it); good until `until`."""

    on: date | None = None
    until: datetime | None = None

    def at(self, moment: datetime) -> date | None:
        """The business date, None when nobody knows it by now."""
        return self.on if self.until is not None and moment < self.until else None


@dataclass(frozen=True)
class Network:
    """Every ready connection by name, and the routes."""

    connections: Mapping[str, Connected]
    routes: Routes
    concurrency: int = 10
    pace: Pace = field(default_factory=Unpaced)
    core_day: CoreDay = field(default_factory=CoreDay)
    by_kind: Mapping[EffectKind, tuple[str, ...]] = field(init=False)

    def __post_init__(self) -> None:
        by_kind = {
            kind: tuple(name for name, c in self.connections.items() if c.sockets.has(capability))
            for kind, capability in CAPABILITY_OF.items()
        }
        object.__setattr__(self, "by_kind", by_kind)

    def budget(self, connection: str) -> Budget:
        """How often it may be called."""
        return self.connections[connection].connection.budget

    def budgets(self) -> dict[str, Budget]:
        """How often each may be called, by name."""
        return {name: self.budget(name) for name in self.connections}

    def slots(self, connection: str, traffic: Traffic, busy: int, now: datetime) -> int:
        """How many calls may be started there while `busy` of the same kind are under way."""
        most = self.budget(connection).burst(self.concurrency)
        free, room = most - busy, self.pace.room(connection, traffic, now)
        return max(free if room is None else min(free, room), 0)

    def value_day(self, at: datetime) -> date:
        """The day on which the core books at `at`: its business date, else the calendar's day."""
        return self.core_day.at(at) or self.routes.business_day(at)

    def trust(self, connection: str, kind: EffectKind) -> Trust:
        """The trust in this kind of write there."""
        return self.connections[connection].profile.writes[CAPABILITY_OF[kind]]

    def asked(self, about: EffectKind | Capability) -> tuple[str, ...]:
        """Names of the connections that take this kind of effect, or have this capability."""
        capability = CAPABILITY_OF[about] if isinstance(about, EffectKind) else about
        return tuple(name for name, c in self.connections.items() if c.sockets.has(capability))

    def gateways(self) -> tuple[str, ...]:
        """Names of all gateway connections."""
        return tuple(n for n, c in self.connections.items() if c.profile.role is Role.GATEWAY)
