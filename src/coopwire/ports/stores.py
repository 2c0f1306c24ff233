"""What the hub keeps: one transaction with a store per noun, and what each message changes, as plain rows."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol

from coopwire.domain.breaks import Break
from coopwire.domain.effects import Effect, EffectKind
from coopwire.domain.events import Event
from coopwire.domain.gates import Gate, GateKind, Traffic
from coopwire.domain.notices import Notice
from coopwire.domain.payments import Attempt, Payer, Payment
from coopwire.domain.receipts import AllocationLine, AllocationState, Receipt
from coopwire.domain.states import EffectState, PaymentState


class StorageUnavailable(OSError):
    """The database cannot be reached or gave up on this transaction; nothing of it is committed."""


@dataclass(frozen=True, slots=True)
class Delivered:
    """A webhook as it came in, already verified; `digest` is the SHA-256 of the raw bytes."""

    connection: str
    digest: bytes
    body: bytes = field(repr=False)
    received_at: datetime


@dataclass(frozen=True, slots=True)
class StoredWebhook:
    """A webhook that waits to be read; `body` is None when no configured key opens it."""

    id: int
    connection: str
    body: bytes | None = field(repr=False)


@dataclass(frozen=True, slots=True)
class NoticeRow:
    """A notice with the webhook that carried it; `open` until a look-up agrees or the schedule ends."""

    webhook: int
    connection: str
    notice: Notice
    open: bool
    seen_at: datetime


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


@dataclass(frozen=True, slots=True)
class LookupRequest:
    """Ask for a look at `look_at` (sooner wins); `charge` is a provider id that a notice named."""

    connection: str
    reference: str
    look_at: datetime
    charge: str | None = None
    noticed: bool = False


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
class PaymentMove:
    """A payment or attempt moves to another state."""

    reference: str
    state: PaymentState
    reason: str = ""


@dataclass(frozen=True, slots=True)
class NewReceipt:
    """A receipt with its allocation, under the key by which its loan is locked."""

    receipt: Receipt
    account_key: str
    allocation_state: AllocationState
    lines: tuple[AllocationLine, ...]
    dues_version: str | None


@dataclass(frozen=True, slots=True)
class Reallocation:
    """The loan system's decision replaces the suspense of a receipt."""

    receipt: str
    account_key: str
    lines: tuple[AllocationLine, ...]
    at: datetime


@dataclass(frozen=True, slots=True)
class Claim:
    """A claimed effect: the token under which alone its outcome counts, and until when it may be sent."""

    effect: Effect
    token: str
    until: datetime


@dataclass(frozen=True, slots=True)
class Try:
    """One try: the body exactly as it will be sent (sealed at rest) and the mapping version behind it."""

    effect: str
    token: str
    worker: str
    body: bytes = field(repr=False)
    mapping_version: int | None
    claimed_at: datetime


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a claimed send or of a look-up of an unknown one; counts only under its token."""

    effect: str
    token: str
    state: EffectState
    at: datetime
    due_at: datetime
    provider_ref: str | None = None
    reason: str = ""
    counts_as_try: bool = True
    looked: bool = False
    word: str = ""
    """The outcome in one word for the try's row (done, refused, try_later, not_sent …)."""


@dataclass(frozen=True, slots=True)
class PageUrl:
    """The address of an attempt's payment page, sealed at rest."""

    attempt: str
    url: str = field(repr=False)


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


@dataclass(slots=True)
class Changes:
    """Everything that one message changes; written with one statement per kind of row."""

    payments: list[PaymentMove] = field(default_factory=list)
    attempts: list[PaymentMove] = field(default_factory=list)
    pages: list[PageUrl] = field(default_factory=list)
    receipts: list[NewReceipt] = field(default_factory=list)
    reallocations: list[Reallocation] = field(default_factory=list)
    effects: list[Effect] = field(default_factory=list)
    lookups: list[LookupRequest] = field(default_factory=list)
    looks: list[LookDone] = field(default_factory=list)
    notices: list[NoticeRow] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    breaks: list[Break] = field(default_factory=list)

    def add(self, other: Changes) -> None:
        """Append everything of `other`."""
        for name in self.__slots__:
            getattr(self, name).extend(getattr(other, name))


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


@dataclass(frozen=True, slots=True)
class Delivery:
    """One event on its way to one consumer."""

    seq: int
    event: Event
    tries: int


class Inbox(Protocol):
    """Webhooks as they came."""

    async def undrained(self, limit: int) -> list[StoredWebhook]:
        """Lock up to `limit` webhooks that nobody has read; skip those another worker holds."""
        ...

    async def drained(self, ids: Sequence[int], at: datetime) -> None:
        """They are read."""
        ...


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


class Effects(Protocol):
    """Outgoing writes."""

    async def claim(
        self, slots: Mapping[tuple[str, EffectKind], int], worker: str, now: datetime, until: datetime
    ) -> list[Claim]:
        """Take due effects whose predecessors are finished and gates open; they are now sending."""
        ...

    async def claim_unknown(
        self, slots: Mapping[tuple[str, EffectKind], int], worker: str, now: datetime, until: datetime
    ) -> list[Claim]:
        """Take unknown effects whose look-up is due and whose read gates are open; they stay unknown."""
        ...

    async def insert_claimed(self, effect: Effect, claim: Claim, worker: str) -> None:
        """Store an effect that this process sends itself right after the commit."""
        ...

    async def tries(self, tries: Sequence[Try]) -> None:
        """Store the bodies about to be sent."""
        ...

    async def last_body(self, effect: str) -> bytes | None:
        """The body of the latest try."""
        ...

    async def sent_mappings(self, effects: Sequence[str]) -> dict[str, AccountMapping]:
        """By effect, the mapping version with which its latest try was said."""
        ...

    async def record(self, outcomes: Sequence[Outcome]) -> list[Effect]:
        """Write outcomes that still hold their token; return the effects so moved, in their new state."""
        ...

    async def late(self, outcomes: Sequence[Outcome]) -> list[Effect]:
        """Keep stale outcomes as evidence on their tries; return those effects as they stand now."""
        ...

    async def lost(self, now: datetime, heartbeat_before: datetime, grace: timedelta) -> list[Effect]:
        """sending → unknown where the worker was not heard since `heartbeat_before` or the claim is over."""
        ...

    async def lane_tails(self, lanes: Sequence[str]) -> dict[str, str]:
        """The last effect of each lane that has one; the caller holds the lanes' locks."""
        ...

    async def reopen(self, effect: str, now: datetime, reason: str) -> bool:
        """intended, held or unknown → unknown, looked up now: a late answer says it may be done."""
        ...

    async def get(self, effect: str, *, lock: bool = False) -> Effect | None:
        """One effect."""
        ...

    async def of_receipts(self, receipts: Sequence[str]) -> dict[str, list[Effect]]:
        """The effects of each receipt."""
        ...

    async def of_payment(self, payment: str) -> list[Effect]:
        """The checkout effects of a payment's attempts."""
        ...

    async def move(self, effect: str, state: EffectState, due_at: datetime, reason: str) -> None:
        """An operator's move, already judged by the table."""
        ...


class Payments(Protocol):
    """Payments, attempts and payers."""

    async def create(
        self,
        payment: Payment,
        attempt: Attempt,
        payer: Payer,
        *,
        core_account: int | None,
        return_url: str | None,
        metadata: Mapping[str, object],
    ) -> None:
        """Store a payment with its first attempt; the payer sealed."""
        ...

    async def add_attempt(self, attempt: Attempt) -> None:
        """A further attempt of a payment."""
        ...

    async def get(self, references: Sequence[str]) -> dict[str, Payment]:
        """Payments by reference."""
        ...

    async def of_attempt(self, attempt: str) -> tuple[Attempt, Payment] | None:
        """An attempt with its payment."""
        ...

    async def first_attempt(self, payment: str) -> Attempt | None:
        """A payment's first attempt."""
        ...

    async def page(self, attempt: str) -> str | None:
        """The address of an attempt's page, unsealed."""
        ...

    async def payers(self, payments: Sequence[str]) -> dict[str, Payer]:
        """Who pays, unsealed."""
        ...

    async def return_urls(self, payments: Sequence[str]) -> dict[str, str | None]:
        """Where the member is sent after paying."""
        ...


class Receipts(Protocol):
    """Receipts and their allocation."""

    async def get(self, receipt: str, *, lock: bool = False) -> NewReceipt | None:
        """A receipt with its allocation."""
        ...


class Connections(Protocol):
    """What the hub keeps per connection: gates, mapping, core accounts."""

    async def close_gate(self, gate: Gate, now: datetime) -> bool:
        """Close (or prolong); True if it was open before."""
        ...

    async def open_gate(self, connection: str, kind: GateKind, traffic: Traffic) -> bool:
        """Open; True if it was closed."""
        ...

    async def is_open(self, connection: str, traffic: Traffic, now: datetime) -> bool:
        """Whether all gates are open."""
        ...

    async def mapping(self, connection: str) -> AccountMapping | None:
        """The active mapping of a books connection."""
        ...

    async def core_account(self, connection: str, member: str, loan: str | None) -> CoreAccount | None:
        """The account for this loan, else the member's."""
        ...

    async def core_accounts(self, ids: Sequence[int]) -> dict[int, CoreAccount]:
        """Accounts by id, numbers unsealed."""
        ...


@dataclass(frozen=True, slots=True)
class IdempotencyRow:
    """An earlier request under the same key: the digest of its body and what it made."""

    digest: str
    made: str
    created_at: datetime


class Idempotency(Protocol):
    """Idempotency keys, scoped by API key."""

    async def take(
        self, scope: str, key: str, digest: str, made: str, now: datetime
    ) -> IdempotencyRow | None:
        """Take the key for `made`; else the earlier row (waits for one that is being committed)."""
        ...


class Workers(Protocol):
    """Who is alive."""

    async def beat(self, worker: str, now: datetime) -> None:
        """This worker lives."""
        ...

    async def gone(self, worker: str) -> None:
        """This worker ended in good order."""
        ...


class Outbox(Protocol):
    """Events that wait to be published, and their deliveries on the PostgreSQL bus."""

    async def publish(self, subscribers: Mapping[str, Sequence[str]], limit: int, now: datetime) -> int:
        """Turn unpublished events into one delivery per consumer of their type; the number published.

        0 also when another relay is at it: one relay is active at a time.
        """
        ...

    async def claim(self, consumer: str, limit: int, now: datetime) -> list[Delivery]:
        """Lock due deliveries of one consumer for this transaction, skipping those another one holds."""
        ...

    async def done(self, consumer: str, deliveries: Sequence[Delivery], now: datetime) -> None:
        """They took effect in this transaction."""
        ...

    async def failed(
        self, consumer: str, delivery: Delivery, cause: str, now: datetime, retry_at: datetime | None
    ) -> None:
        """Try again at `retry_at`, or dead-letter with the cause when None."""
        ...

    async def revive(self, consumer: str, event: str, now: datetime) -> bool:
        """Deliver a dead letter again."""
        ...


class Transaction(Protocol):
    """Stores on one commit."""

    async def lock(self, keys: Collection[str]) -> None:
        """Hold these names until the end of the transaction, taken in one order everywhere."""
        ...

    @property
    def inbox(self) -> Inbox: ...
    @property
    def lookups(self) -> Lookups: ...
    @property
    def effects(self) -> Effects: ...
    @property
    def payments(self) -> Payments: ...
    @property
    def receipts(self) -> Receipts: ...
    @property
    def connections(self) -> Connections: ...
    @property
    def idempotency(self) -> Idempotency: ...
    @property
    def workers(self) -> Workers: ...
    @property
    def outbox(self) -> Outbox: ...

    async def open_breaks(self, breaks: Sequence[Break], now: datetime) -> list[Break]:
        """Open those that are new (by `once`); return them."""
        ...

    async def apply(self, changes: Changes, now: datetime) -> None:
        """Write every row of `changes` except breaks, one statement per kind.

        A payment or attempt moves only where its table allows it.
        """
        ...

    async def forget(self, raw_before: datetime, keys_before: datetime) -> None:
        """Delete raw webhook bodies and delivered events, and idempotency keys, older than this; facts stay."""
        ...

    async def audit(self, actor: str, action: str, subject: str, reason: str, now: datetime) -> None:
        """Keep what an operator did."""
        ...


class Database(Protocol):
    """Where transactions come from."""

    def begin(self, name: str) -> AbstractAsyncContextManager[Transaction]:
        """A transaction that commits at the end of the block; `name` gives its fail points."""
        ...

    async def accept(self, webhooks: Sequence[Delivered]) -> None:
        """Commit webhooks (those already known are left as they are) in one statement."""
        ...

    async def ring(self, *topics: str) -> None:
        """Wake the loops of every process that wait on these topics."""
        ...
