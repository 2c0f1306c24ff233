"""What a provider is: its data sheet, its capabilities with the trust we put in each, and its connections."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from importlib import import_module
from typing import Any, Protocol
from zoneinfo import ZoneInfo

from coopwire.domain.budgets import UNLIMITED, Budget
from coopwire.domain.fees import FeeSchedule
from coopwire.domain.payments import Mode
from coopwire.ports.books import ChartOfAccounts, Journals
from coopwire.ports.clock import Clock
from coopwire.ports.corebank import Accounts, BusinessDate, Postings, Reversals, Statements
from coopwire.ports.gateways import (
    AccountClosings,
    AccountNames,
    Balances,
    Charges,
    Checkouts,
    Deactivations,
    Disputes,
    MandateChanges,
    Mandates,
    Recipients,
    Refunds,
    SavedCharges,
    Settlements,
    Transfers,
    VirtualAccounts,
)
from coopwire.ports.http import Http
from coopwire.ports.lms import Callbacks
from coopwire.ports.tokens import TokenStore
from coopwire.ports.webhooks import Webhooks


class Role(StrEnum):
    """On which side of the hub a provider stands."""

    GATEWAY = "gateway"
    BOOKS = "books"
    CORE_BANK = "core_bank"
    LMS = "lms"


class Capability(StrEnum):
    """One socket; a profile lists those that `connect` returns."""

    CHECKOUTS = "checkouts"
    CHARGES = "charges"
    CHART_OF_ACCOUNTS = "chart_of_accounts"
    JOURNALS = "journals"
    ACCOUNTS = "accounts"
    POSTINGS = "postings"
    REVERSALS = "reversals"
    STATEMENTS = "statements"
    BUSINESS_DATE = "business_date"
    REFUNDS = "refunds"
    SETTLEMENTS = "settlements"
    DISPUTES = "disputes"
    RECIPIENTS = "recipients"
    TRANSFERS = "transfers"
    ACCOUNT_NAMES = "account_names"
    BALANCES = "balances"
    VIRTUAL_ACCOUNTS = "virtual_accounts"
    ACCOUNT_CLOSINGS = "account_closings"
    SAVED_CHARGES = "saved_charges"
    DEACTIVATIONS = "deactivations"
    MANDATES = "mandates"
    MANDATE_CHANGES = "mandate_changes"
    CALLBACKS = "callbacks"
    WEBHOOKS = "webhooks"


class Lookup(StrEnum):
    """How the outcome of a write can be found out afterwards."""

    NONE = "none"
    BY_REFERENCE = "by_reference"
    BY_MARKER = "by_marker"
    CENSUS = "census"


@dataclass(frozen=True, slots=True)
class Trust:
    """What an operation's provider guarantees.

    `idempotent_for`: within this time of the first send the same body may be sent again. `lookup`: how an
    unknown outcome is found out. `absence_counts_after`: time after the last possible end of the send from
    which "not there" proves that it was not done; None means never. `look_every`: least distance of two
    look-ups. All read through `Timings.of_provider`.
    """

    idempotent_for: timedelta | None = None
    lookup: Lookup = Lookup.NONE
    absence_counts_after: timedelta | None = None
    look_every: timedelta = timedelta(seconds=30)


@dataclass(frozen=True, slots=True)
class SettingField:
    """One setting of a connection; a secret is never printed."""

    name: str
    help: str
    secret: bool = False
    required: bool = True
    default: str = ""


@dataclass(frozen=True, slots=True)
class Profile:
    """What a provider is and can do. `writes` maps each writing capability to the trust in it."""

    name: str
    title: str
    role: Role
    reads: frozenset[Capability]
    writes: Mapping[Capability, Trust]
    settings: tuple[SettingField, ...]
    short_references: bool = False
    """True where our references may have 12 characters at most."""
    tells_time_of_payment: bool = True
    """False where they tell only when a charge was begun: times of payment are then approximate."""
    budget: Budget = UNLIMITED
    """How often they say that one account may call them; the connections file may say otherwise."""

    @property
    def capabilities(self) -> frozenset[Capability]:
        """All sockets that `connect` returns (and webhooks, where the provider sends any)."""
        return self.reads | frozenset(self.writes)


class ConfigurationError(Exception):
    """A connection's settings are wrong; the message names the connection, the field and the remedy."""


@dataclass(frozen=True, slots=True)
class Connection:
    """One configured use of a provider; `settings` holds secrets too and is never shown.

    `fees` is the price list that a gateway's charges are held against; None: nothing is expected of them.
    """

    name: str
    provider: str
    mode: Mode
    settings: Mapping[str, str] = field(repr=False)
    zone: ZoneInfo = field(default_factory=lambda: ZoneInfo("Africa/Lagos"))
    budget: Budget = UNLIMITED
    fees: FeeSchedule | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Outside:
    """What an adapter is given to reach the outside."""

    http: Http
    tokens: TokenStore
    clock: Clock


@dataclass(frozen=True, slots=True)
class Sockets:
    """The capabilities of one connection, each None unless the profile declares it."""

    checkouts: Checkouts | None = None
    charges: Charges | None = None
    chart_of_accounts: ChartOfAccounts | None = None
    journals: Journals | None = None
    accounts: Accounts | None = None
    postings: Postings | None = None
    reversals: Reversals | None = None
    statements: Statements | None = None
    business_date: BusinessDate | None = None
    refunds: Refunds | None = None
    settlements: Settlements | None = None
    disputes: Disputes | None = None
    recipients: Recipients | None = None
    transfers: Transfers | None = None
    account_names: AccountNames | None = None
    balances: Balances | None = None
    virtual_accounts: VirtualAccounts | None = None
    account_closings: AccountClosings | None = None
    saved_charges: SavedCharges | None = None
    deactivations: Deactivations | None = None
    mandates: Mandates | None = None
    mandate_changes: MandateChanges | None = None
    callbacks: Callbacks | None = None

    def has(self, capability: Capability) -> bool:
        """Whether this socket is there (webhooks stand apart: see ProviderSheet)."""
        return getattr(self, capability.value, None) is not None


@dataclass(frozen=True, slots=True)
class Connected:
    """A connection that is ready for use."""

    connection: Connection
    profile: Profile
    sockets: Sockets
    webhooks: Webhooks | None


class Connect(Protocol):
    """The adapter's entry: pure construction, no I/O; ConfigurationError for bad settings."""

    def __call__(self, connection: Connection, outside: Outside) -> Sockets: ...


class Consent(Protocol):
    """How a person lets the hub in (OAuth): the page where they say yes, and what it sends them back with."""

    def page(self, connection: Connection, redirect_uri: str, state: str) -> str:
        """The address of the page; ConfigurationError for bad settings."""
        ...

    async def accept(
        self, connection: Connection, outside: Outside, redirect_uri: str, answer: Mapping[str, str]
    ) -> None:
        """Buy and store the first tokens; `answer` is the query with which they came back, state checked.

        Refused when the person said no; ConfigurationError for another account; BadCredentials, TryLater.
        """
        ...


@dataclass(frozen=True, slots=True)
class Inspection:
    """How the hub reads one object of a payload; members that do not apply are None and left out."""

    object: str
    event: str | None = None
    reference: str | None = None
    provider_ref: str | None = None
    amount_minor: int | None = None
    currency: str | None = None
    status: str | None = None
    channel: str | None = None
    fee_minor: int | None = None
    failure_reason: str | None = None
    occurred_at: str | None = None
    error: str | None = None
    code: str | None = None
    message: str | None = None
    retry_after: float | None = None


class InspectionError(Exception):
    """The payload cannot be read; the message says what is wrong with it, without quoting it."""


Inspect = Callable[[bytes, Mapping[str, str]], list[Inspection]]
"""(body, lower-case headers) → what the hub reads. InspectionError on hostile or unknown input.

An error payload's HTTP status arrives as the pseudo header `:status` where the caller gave one."""


@dataclass(frozen=True, slots=True)
class ProviderSheet:
    """The data sheet `PROVIDER` of a provider's folder; the parts are "module:name", loaded when first used.

    `inspectors` maps a KIND of `coopwire inspect` to an Inspect; `consent` names a Consent, where a person has
    to give one (`coopwire connect`). `fees` is a price list as an example, "package:file.csv" as docs/fees.md has it.
    """

    profile: Profile
    connect: str
    simulator: str
    webhooks: str | None = None
    inspectors: Mapping[str, str] = field(default_factory=dict)
    consent: str | None = None
    fees: str | None = None

    def load(self, part: str) -> Any:
        """The object behind "module:name"."""
        module, _, name = part.partition(":")
        return getattr(import_module(module), name)
