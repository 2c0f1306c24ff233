"""What can be read of the hub: views of every noun in pages, and all facts about one payment.

No view holds a secret or a personal datum: no payer, no account number, no body, no page address.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Generic, Protocol, TypeVar

from coopwire.domain.arrivals import BatchState, LineState
from coopwire.domain.books import Side
from coopwire.domain.breakers import BreakerState
from coopwire.domain.breaks import BreakType
from coopwire.domain.budgets import Budget
from coopwire.domain.disputes import AnswerState, DisputeVerdict
from coopwire.domain.effects import EffectKind
from coopwire.domain.fees import ExpectedFee, ExpectedTotal
from coopwire.domain.gates import GateKind, Traffic
from coopwire.domain.mandates import Approach
from coopwire.domain.notices import NoticeVerdict
from coopwire.domain.payments import AllocationMode, Component, PaymentKind
from coopwire.domain.receipts import AllocationState, FeeBearer, ReceiptSource
from coopwire.domain.settlements import LineKind
from coopwire.domain.states import (
    AccountState,
    AuthorizationState,
    BreakState,
    DeliveryState,
    DisputeState,
    EffectState,
    MandateState,
    PaymentState,
    PayoutState,
    RefundState,
    SettlementStand,
    SettlementState,
)
from coopwire.ports.stores.breaks import BreakMove

ViewT = TypeVar("ViewT")


@dataclass(frozen=True, slots=True)
class Filter:
    """Which rows a list shows; None lets everything pass. `since` is inclusive, `until` exclusive."""

    state: str | None = None
    type: str | None = None
    kind: str | None = None
    member: str | None = None
    loan: str | None = None
    connection: str | None = None
    payment: str | None = None
    receipt: str | None = None
    batch: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    owner: str | None = None
    closed: bool | None = None
    day: date | None = None
    consumer: str | None = None
    group: str | None = None


@dataclass(frozen=True, slots=True)
class Position:
    """The last row of a page: the next page goes on behind it. `at` is None where a number is the order."""

    at: datetime | None
    key: str


@dataclass(frozen=True, slots=True)
class Page(Generic[ViewT]):
    """Rows, the newest first (but lines of a batch in their order), and where the next page begins: None at the end."""

    items: tuple[ViewT, ...]
    next: Position | None


@dataclass(frozen=True, slots=True)
class PaymentView:
    """A payment; `loan` for repayments and fees, `account` for savings and shares. Minor units.

    `due_minor` is what of it has not come: more than nothing also where a part was taken, as it was agreed.
    """

    reference: str
    kind: PaymentKind
    state: PaymentState
    reason: str
    amount_minor: int
    currency: str
    member: str
    loan: str | None
    account: str | None
    branch: str | None
    allocation: AllocationMode
    dues_version: str | None
    metadata: Mapping[str, object]
    created_at: datetime
    updated_at: datetime
    disputed: bool = False
    """Whether a bank claims a charge of it back, or has won that."""
    due_minor: int = 0


@dataclass(frozen=True, slots=True)
class AttemptView:
    """One try of a payment at one connection. Minor units.

    `at_least_minor` is what is enough where a part may be taken, None where it is the whole or nothing.
    """

    reference: str
    payment: str
    connection: str
    amount_minor: int
    currency: str
    state: PaymentState
    reason: str
    created_at: datetime
    updated_at: datetime
    at_least_minor: int | None = None


@dataclass(frozen=True, slots=True)
class AllocationView:
    """A part of a receipt; `replaced_at` tells when a decision of the loan system or a refund took its place."""

    component: Component
    amount_minor: int
    due: str | None
    recorded_at: datetime
    replaced_at: datetime | None


@dataclass(frozen=True, slots=True)
class ReceiptView:
    """Money that arrived, and where each part of it goes. Minor units; exact fees are decimal text.

    The expected fee is that of the connection's price list, null where the list has no rule for such a charge.
    """

    id: str
    connection: str
    charge: str
    reference: str
    attempt: str | None
    payment: str | None
    currency: str
    requested_minor: int | None
    gross_minor: int
    fee_minor: int
    fee_exact: str
    fee_bearer: FeeBearer
    net_minor: int
    value_minor: int
    channel: str
    source: ReceiptSource
    paid_at: datetime
    recorded_at: datetime
    allocation_state: AllocationState
    allocation: tuple[AllocationView, ...]
    expected_fee_minor: int | None = None
    expected_fee_exact: str | None = None


@dataclass(frozen=True, slots=True)
class FeeView:
    """What a gateway took for a receipt, and what it should have taken by the price list of then. Minor units.

    `fee_known` says whether it told its fee when the receipt was recorded.
    """

    receipt: str
    connection: str
    charge: str
    channel: str
    paid_at: datetime
    currency: str
    gross_minor: int
    value_minor: int
    fee_minor: int
    fee_exact: str
    fee_bearer: FeeBearer
    fee_known: bool
    expected: ExpectedFee | None
    card_country: str | None
    card_brand: str | None


@dataclass(frozen=True, slots=True)
class EffectView:
    """An outgoing write. `due_at` is its next try or look-up, None when none is planned.

    `about` is the kind of a journal's entry or the type of a message, empty for others. `instead_of` is the
    effect whose place it takes, because that one was not done or is gone.
    """

    id: str
    kind: EffectKind
    connection: str
    reference: str
    state: EffectState
    reason: str
    lane: str | None
    after: str | None
    payment: str | None
    receipt: str | None
    tries: int
    looks: int
    created_at: datetime
    due_at: datetime | None
    first_sent_at: datetime | None
    unknown_since: datetime | None
    finished_at: datetime | None
    provider_ref: str | None
    about: str
    instead_of: str | None


@dataclass(frozen=True, slots=True)
class TryView:
    """One try of an effect; `outcome` is None while it is under way, `late` when it came too late to count."""

    claimed_at: datetime
    ended_at: datetime | None
    outcome: str | None
    detail: str | None
    late: bool
    mapping_version: int | None


@dataclass(frozen=True, slots=True)
class LookView:
    """One look-up and what was answered."""

    connection: str
    reference: str
    at: datetime
    answer: str


@dataclass(frozen=True, slots=True)
class EffectDetail:
    """An effect with its tries and look-ups, the oldest first."""

    effect: EffectView
    tries_made: tuple[TryView, ...]
    looks_made: tuple[LookView, ...]


@dataclass(frozen=True, slots=True)
class LineView:
    """One side of an entry on a neutral key. Minor units."""

    key: str
    side: Side
    amount_minor: int


@dataclass(frozen=True, slots=True)
class JournalView:
    """An entry in the books: what is to be written, and how far that is."""

    effect: EffectView
    entry: str
    on: date
    currency: str
    narrative: str
    branch: str | None
    lines: tuple[LineView, ...]


@dataclass(frozen=True, slots=True)
class PostingView:
    """A credit in the core bank: what is to be written, and how far that is. Minor units."""

    effect: EffectView
    core_account: int
    gl: str
    amount_minor: int
    currency: str
    value_on: date
    narration: str


@dataclass(frozen=True, slots=True)
class VirtualAccountView:
    """A member's own account at a gateway, without its number; `loan` for repayments and fees, `account` for savings
    and shares.

    `effect` asks the gateway for it, `closing` closes it; `provider_ref` is the gateway's id of it. `look_at` is when
    the gateway is asked next, None when no look is planned.
    """

    id: str
    connection: str
    member: str
    kind: PaymentKind
    loan: str | None
    account: str | None
    branch: str | None
    currency: str
    state: AccountState
    reason: str
    bank: str
    provider_ref: str | None
    effect: str
    closing: str | None
    asked_by: str
    looks: int
    look_at: datetime | None
    created_at: datetime
    updated_at: datetime
    opened_at: datetime | None
    closed_at: datetime | None


@dataclass(frozen=True, slots=True)
class AuthorizationView:
    """A way to pay that a member left with a gateway, without its code. `payment` asked to keep it, `expires` is the
    last month of a card (YYYY-MM), `ending` the effect that ends it at the gateway."""

    id: str
    connection: str
    member: str
    channel: str
    brand: str
    expires: str | None
    payment: str
    state: AuthorizationState
    ending: str | None
    created_at: datetime
    ended_at: datetime | None


@dataclass(frozen=True, slots=True)
class MandateView:
    """A member's leave to debit their bank account, without its code. Minor units.

    `ceiling_minor` is the most that one debit may take, None where none was set. `effect` starts it, `changing` is the
    latest write that changes it, and `change` what that one asks for; `provider_ref` is the gateway's reference,
    `customer` its id of the member. `look_at` is when the gateway is asked next, None when no look is planned.
    """

    id: str
    connection: str
    member: str
    currency: str
    ceiling_minor: int | None
    starts_on: date | None
    ends_on: date | None
    state: MandateState
    reason: str
    bank: str
    provider_ref: str | None
    customer: str | None
    effect: str
    changing: str | None
    change: str | None
    asked_by: str
    looks: int
    look_at: datetime | None
    created_at: datetime
    updated_at: datetime
    approved_at: datetime | None
    active_at: datetime | None
    ended_at: datetime | None


@dataclass(frozen=True, slots=True)
class RefundPartView:
    """A part of a receipt from which a refund was taken. Minor units."""

    component: Component
    amount_minor: int
    due: str | None


@dataclass(frozen=True, slots=True)
class DisputeView:
    """Money that a member's bank claims back. Minor units.

    `provider_ref` and `charge` are the gateway's ids; `answer` is what stands there as the lender's answer. Silence
    counts as a yes from `deadline_at` on. `look_at` is when the gateway is asked next, None when no look is planned.
    """

    id: str
    connection: str
    provider_ref: str
    charge: str
    receipt: str | None
    payment: str | None
    state: DisputeState
    amount_minor: int
    currency: str
    answer: DisputeVerdict | None
    category: str
    reason: str
    opened_at: datetime
    deadline_at: datetime | None
    resolved_at: datetime | None
    updated_at: datetime
    look_at: datetime | None


@dataclass(frozen=True, slots=True)
class DisputeAnswerView:
    """An answer that somebody asked for, without its words. Minor units; `effect` is the write that gives it."""

    id: str
    verdict: DisputeVerdict
    refund_minor: int
    state: AnswerState
    asked_by: str
    approved_by: str | None
    effect: str | None
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class DisputeDetail:
    """A dispute with every answer that was asked for, the newest first."""

    dispute: DisputeView
    answers: tuple[DisputeAnswerView, ...]


@dataclass(frozen=True, slots=True)
class SettlementView:
    """A payout of a gateway to the lender's bank, as it was read last. Minor units; `fee_exact` is decimal text.

    `state` is the gateway's word, `stand` where it is here: `differs` was paid and does not tie, `tied` waits for its
    entry. `effect` is that entry, `suspense_minor` what a person let go to suspense (a debit above nought).
    """

    id: str
    connection: str
    provider_ref: str
    state: SettlementState
    stand: SettlementStand
    currency: str
    gross_minor: int
    fee_minor: int
    fee_exact: str
    deductions_minor: int
    net_minor: int
    gap_minor: int
    settled_on: date | None
    reason: str
    effect: str | None
    suspense_minor: int
    recorded_at: datetime
    updated_at: datetime
    look_at: datetime | None


@dataclass(frozen=True, slots=True)
class SettlementLineView:
    """A line of a settlement and what of ours it is tied to. Minor units, `gross_minor` below nought for what is taken.

    `told` is false for a part of a sum that the hub has parted itself.
    """

    kind: LineKind
    charge: str
    reference: str
    subject: str
    currency: str
    gross_minor: int
    fee_minor: int
    fee_exact: str
    paid_at: datetime | None
    told: bool
    receipt: str | None
    refund: str | None
    dispute: str | None


@dataclass(frozen=True, slots=True)
class SettlementDetail:
    """A settlement with its lines in their order.

    `expected_fee` is what its charges should have cost by the price list, None while none is tied.
    """

    settlement: SettlementView
    lines: tuple[SettlementLineView, ...]
    expected_fee: ExpectedTotal | None = None


@dataclass(frozen=True, slots=True)
class PayoutView:
    """Money that is paid out; minor units. The account and its holder are not shown, `bank` is a code.

    `hold` says why it waits, or waited, for a second person; `name_score` how well the names agree, 0 to 100.
    `recipient` and `transfer` are its effects, the latter's id our reference at the gateway. `look_at` is when it is
    looked at next, None when no look is planned.
    """

    id: str
    connection: str
    amount_minor: int
    currency: str
    bank: str
    purpose: str
    member: str | None
    loan: str | None
    state: PayoutState
    hold: str | None
    reason: str
    name_score: int | None
    fee_minor: int
    recipient: str | None
    transfer: str | None
    provider_ref: str | None
    asked_by: str
    released_by: str | None
    looks: int
    look_at: datetime | None
    created_at: datetime
    updated_at: datetime
    accepted_at: datetime | None


@dataclass(frozen=True, slots=True)
class RefundView:
    """Money that goes back to a member. Minor units.

    `debit` is the effect that takes it out of the core bank first, `effect` the one that asks the gateway,
    `provider_ref` the gateway's id of it, told since `accepted_at`. `look_at` is when the gateway is asked next,
    None when no look is planned.
    """

    id: str
    receipt: str
    payment: str | None
    connection: str
    amount_minor: int
    currency: str
    state: RefundState
    reason: str
    debit: str | None
    effect: str | None
    provider_ref: str | None
    taken: tuple[RefundPartView, ...]
    asked_by: str
    approved_by: str
    looks: int
    look_at: datetime | None
    created_at: datetime
    updated_at: datetime
    accepted_at: datetime | None


@dataclass(frozen=True, slots=True)
class BreakView:
    """A difference that a person or a rule must resolve; its age counts from `opened_at`. Minor units.

    `proposal` holds the proposed correction (`action`) and what it will write (`plan`); `refund` is the one
    that an approval began, `run` the reconciliation that found it.
    """

    id: int
    type: BreakType
    subject: str
    payment: str | None
    receipt: str | None
    effect: str | None
    evidence: Mapping[str, object]
    amount_minor: int | None
    currency: str | None
    state: BreakState
    owner: str | None
    proposal: Mapping[str, object] | None
    proposed_by: str | None
    approved_by: str | None
    resolution: str | None
    refund: str | None
    run: str | None
    opened_at: datetime
    closed_at: datetime | None


@dataclass(frozen=True, slots=True)
class BreakMoveView:
    """One line of a break's history: who did what, and with which facts."""

    break_id: int
    at: datetime
    actor: str
    move: BreakMove
    text: str
    facts: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class BreakDetail:
    """A break with its history and its correcting effects, the oldest first, and what may be proposed."""

    difference: BreakView
    history: tuple[BreakMoveView, ...]
    effects: tuple[EffectView, ...]
    corrections: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class GateView:
    """A closed gate; `until` is None when somebody must open it."""

    connection: str
    kind: GateKind
    traffic: Traffic
    reason: str
    closed_at: datetime
    until: datetime | None


@dataclass(frozen=True, slots=True)
class BreakerView:
    """A breaker over all workers, with the calls that count now; `until` None and open: until it is closed."""

    connection: str
    traffic: Traffic
    state: BreakerState
    reason: str
    opened_at: datetime | None
    until: datetime | None
    attempts: int
    failures: int
    probing: bool


@dataclass(frozen=True, slots=True)
class BudgetView:
    """What one limit of a connection has left, over all workers.

    `span` is second, minute, day or at_once. `used` counts what workers have leased, made or not; `until` is
    when it begins anew (None for at_once).
    """

    connection: str
    span: str
    limit: int
    used: int
    left: int
    until: datetime | None


@dataclass(frozen=True, slots=True)
class CoreAccountView:
    """A line of the table of core accounts, without the number."""

    id: int
    connection: str
    member: str
    loan: str | None
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class BatchView:
    """A batch of receipts from elsewhere. `waiting` and `refused` of its `lines`; the others are booked.

    `reason` is that of a rejection.
    """

    id: str
    source: str
    name: str
    state: BatchState
    reason: str
    lines: int
    waiting: int
    refused: int
    created_by: str
    created_at: datetime
    approved_by: str | None
    approved_at: datetime | None
    finished_at: datetime | None


@dataclass(frozen=True, slots=True)
class BatchLineView:
    """A line of a batch: what it tells, and its receipt or the problem that keeps it from being one. Minor units.

    `loan` is the account for savings and shares. `known` means that it was booked before.
    """

    line: int
    external_id: str
    amount_minor: int
    currency: str
    received_at: datetime
    payment: str | None
    member: str | None
    kind: PaymentKind | None
    loan: str | None
    state: LineState
    receipt: str | None
    problem: str


@dataclass(frozen=True, slots=True)
class NoticeView:
    """What a webhook told about a reference; `open` until a look-up agrees. Minor units."""

    webhook: int
    connection: str
    event: str
    verdict: NoticeVerdict
    reference: str | None
    charge: str | None
    status: str | None
    amount_minor: int | None
    currency: str | None
    reason: str
    open: bool
    received_at: datetime
    closed_at: datetime | None


@dataclass(frozen=True, slots=True)
class LookupView:
    """What the hub asks a gateway, and when it asks next (None: never again)."""

    connection: str
    reference: str
    looks: int
    look_at: datetime | None


@dataclass(frozen=True, slots=True)
class ActionView:
    """What an operator did."""

    at: datetime
    actor: str
    action: str
    subject: str
    reason: str


@dataclass(frozen=True, slots=True)
class LetterGroupView:
    """Letters of one consumer with one cause, ids and numbers in it as `#`.

    `dead` ones wait for a person, `waiting` ones are on their way again until `last_due_at`.
    """

    id: str
    consumer: str
    cause: str
    types: Sequence[str]
    dead: int
    waiting: int
    discarded: int
    first_failed_at: datetime
    last_due_at: datetime | None


@dataclass(frozen=True, slots=True)
class LetterView:
    """An event that a consumer could not take, under the id `CONSUMER:EVENT`; `cause` is what it raised last.

    `due_at` is when it is delivered again, None unless it waits for that. `tries` counts since the last redrive.
    """

    id: str
    consumer: str
    event: str
    type: str
    subject: str
    state: DeliveryState
    group: str
    cause: str
    tries: int
    redrives: int
    occurred_at: datetime
    first_failed_at: datetime
    redriven_at: datetime | None
    due_at: datetime | None
    finished_at: datetime | None


@dataclass(frozen=True, slots=True)
class LetterMoveView:
    """What a person did about a letter: `redriven` or `discarded`, and the cause that it had then."""

    move: str
    at: datetime
    actor: str
    reason: str
    cause: str | None


@dataclass(frozen=True, slots=True)
class LetterFacts:
    """A letter with what its event tells, the payment that it is about, and what persons did about it."""

    letter: LetterView
    data: Mapping[str, object]
    payment: str | None
    moves: tuple[LetterMoveView, ...]


@dataclass(frozen=True, slots=True)
class ReconciliationView:
    """A comparison of a business day; `holds` is None until it ended, `differences` counts what it found."""

    id: str
    day: date
    actor: str
    state: str
    started_at: datetime
    finished_at: datetime | None
    holds: bool | None
    differences: int | None
    inputs_digest: str | None
    outcome_digest: str | None


@dataclass(frozen=True, slots=True)
class PaymentFacts:
    """Everything about one payment at one moment, each list the oldest first.

    `waits_for` holds the predecessors of its effects that belong to other payments.
    """

    payment: PaymentView
    attempts: tuple[AttemptView, ...]
    notices: tuple[NoticeView, ...]
    lookups: tuple[LookupView, ...]
    looks: tuple[LookView, ...]
    receipts: tuple[ReceiptView, ...]
    refunds: tuple[RefundView, ...]
    effects: tuple[EffectDetail, ...]
    waits_for: tuple[EffectView, ...]
    gates: tuple[GateView, ...]
    breaks: tuple[BreakView, ...]
    break_moves: tuple[BreakMoveView, ...]
    actions: tuple[ActionView, ...]


@dataclass(frozen=True, slots=True)
class AuditHeadView:
    """The end of the audit trail: its last place, the hash there in hex, and when that entry was made.

    `waiting` is how many entries have no place yet. Position 0 and an empty hash: no worker has run yet.
    """

    position: int
    hash: str
    at: datetime | None
    waiting: int


@dataclass(frozen=True, slots=True)
class Readiness:
    """Whether the hub can work: the schema is the one that this code knows, and how many workers live."""

    schema: str | None
    expected_schema: str
    workers: int

    @property
    def ready(self) -> bool:
        """Whether requests can be answered."""
        return self.schema == self.expected_schema


class Queries(Protocol):
    """Reads. Every one raises StorageUnavailable when the database is away."""

    async def payment(self, reference: str) -> PaymentView | None: ...
    async def payments(self, which: Filter, limit: int, after: Position | None) -> Page[PaymentView]: ...
    async def attempts(self, which: Filter, limit: int, after: Position | None) -> Page[AttemptView]: ...
    async def page_address(self, attempt: str) -> str | None:
        """The address of an attempt's page: a secret of the member, for the client that asked for it."""
        ...

    async def receipt(self, id: str) -> ReceiptView | None: ...
    async def fees(self, payment: str) -> tuple[FeeView, ...]:
        """What gateways took for the receipts of a payment, the first receipt first."""
        ...

    async def receipts(self, which: Filter, limit: int, after: Position | None) -> Page[ReceiptView]: ...
    async def refund(self, id: str) -> RefundView | None: ...
    async def dispute(self, id: str) -> DisputeDetail | None: ...
    async def disputes(self, which: Filter, limit: int, after: Position | None) -> Page[DisputeView]: ...
    async def settlement(self, id: str) -> SettlementDetail | None: ...
    async def settlements(
        self, which: Filter, limit: int, after: Position | None
    ) -> Page[SettlementView]: ...
    async def stands(self, connection: str, provider_refs: Collection[str]) -> Mapping[str, SettlementView]:
        """Settlements of a connection that were read, by the gateway's ids of them."""
        ...

    async def refunds(self, which: Filter, limit: int, after: Position | None) -> Page[RefundView]: ...
    async def payout(self, id: str) -> PayoutView | None: ...
    async def payouts(self, which: Filter, limit: int, after: Position | None) -> Page[PayoutView]: ...
    async def virtual_account(self, id: str) -> VirtualAccountView | None: ...
    async def virtual_accounts(
        self, which: Filter, limit: int, after: Position | None
    ) -> Page[VirtualAccountView]: ...
    async def account_number(self, id: str) -> str | None:
        """The number of a member's account: for the client that has to tell it to the member."""
        ...

    async def authorization(self, id: str) -> AuthorizationView | None: ...
    async def mandate(self, id: str) -> MandateView | None: ...
    async def mandate_approach(self, id: str) -> Approach | None:
        """What the member must do before anything can be debited, unsealed; None once it is done."""
        ...

    async def mandates(self, which: Filter, limit: int, after: Position | None) -> Page[MandateView]: ...
    async def authorizations(
        self, which: Filter, limit: int, after: Position | None
    ) -> Page[AuthorizationView]: ...
    async def effect(self, id: str) -> EffectDetail | None: ...
    async def effects(self, which: Filter, limit: int, after: Position | None) -> Page[EffectView]: ...
    async def journals(self, which: Filter, limit: int, after: Position | None) -> Page[JournalView]: ...
    async def postings(self, which: Filter, limit: int, after: Position | None) -> Page[PostingView]: ...
    async def breaks(self, which: Filter, limit: int, after: Position | None) -> Page[BreakView]: ...
    async def difference(self, id: int) -> BreakDetail | None:
        """One break with everything about it."""
        ...

    async def reconciliations(
        self, which: Filter, limit: int, after: Position | None
    ) -> Page[ReconciliationView]: ...
    async def gates(self, now: datetime) -> tuple[GateView, ...]:
        """Gates that are closed now."""
        ...

    async def breakers(
        self, connections: Collection[str], now: datetime, window: timedelta
    ) -> tuple[BreakerView, ...]:
        """The breakers of these connections, reads and writes, with the calls of the last `window`."""
        ...

    async def budgets(
        self, budgets: Mapping[str, Budget], now: datetime, heard_since: datetime
    ) -> tuple[BudgetView, ...]:
        """What is left of these budgets by connection; calls of workers silent since then are over."""
        ...

    async def core_accounts(
        self, which: Filter, limit: int, after: Position | None
    ) -> Page[CoreAccountView]: ...
    async def batch(self, id: str) -> BatchView | None: ...
    async def batches(self, which: Filter, limit: int, after: Position | None) -> Page[BatchView]: ...
    async def batch_lines(self, which: Filter, limit: int, after: Position | None) -> Page[BatchLineView]:
        """Lines of the batch of the filter, in their order."""
        ...

    async def letter_groups(self) -> tuple[LetterGroupView, ...]:
        """Dead letters by their cause, those with most of them first."""
        ...

    async def letters(self, which: Filter, limit: int, after: Position | None) -> Page[LetterView]: ...
    async def letter(self, id: str) -> LetterFacts | None:
        """One letter with what is known of it beside its payment."""
        ...

    async def facts(self, payment: str, now: datetime) -> PaymentFacts | None:
        """Everything about one payment, read at one moment; None when there is no such payment."""
        ...

    async def audit_head(self) -> AuditHeadView:
        """The end of the audit trail."""
        ...

    async def readiness(self, heard_since: datetime) -> Readiness:
        """Whether the hub can work, counting the workers that were heard since then."""
        ...
