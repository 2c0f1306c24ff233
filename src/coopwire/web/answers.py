"""The bodies that clients get, beside the views of the read side."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Generic

from coopwire.application.accounts import Stored
from coopwire.application.fees import JudgedFee
from coopwire.domain.states import EffectState, SettlementState
from coopwire.ports.gateways import LineKind, SettlementLine, SettlementSnapshot
from coopwire.ports.keys import ApiKey, Scope
from coopwire.ports.queries import (
    BatchLineView,
    BatchView,
    MandateView,
    PaymentView,
    PayoutView,
    ViewT,
    VirtualAccountView,
)
from coopwire.ports.stores import Lot


@dataclass(frozen=True, slots=True)
class Listed(Generic[ViewT]):
    """One part of a list, the newest first; `next` is the cursor of the next part, null at the end."""

    items: Sequence[ViewT]
    next: str | None = None


@dataclass(frozen=True, slots=True)
class PaymentAnswer:
    """A payment with its latest attempt, null where it came with its money from elsewhere. `checkout_url` is the
    member's page: null until the gateway has answered, when it cannot be paid any more, and for keys that may only
    read."""

    payment: PaymentView
    attempt: str | None
    checkout_url: str | None = field(repr=False)


@dataclass(frozen=True, slots=True)
class PaymentFeesAnswer:
    """The fees of a payment, one for each receipt that came by a gateway."""

    payment: str
    fees: Sequence[JudgedFee]


@dataclass(frozen=True, slots=True)
class AccountNameAnswer:
    """Who holds an account; `name` is null where nobody can be named, and then `reason` says why."""

    name: str | None = field(repr=False)
    reason: str


@dataclass(frozen=True, slots=True)
class VirtualAccountAnswer:
    """A member's account. `number` is what the member is told: null until the bank has assigned it, and for keys that
    may only read."""

    account: VirtualAccountView
    number: str | None = field(repr=False)


@dataclass(frozen=True, slots=True)
class MandateAnswer:
    """A member's mandate. `url` is where the member must go, `instruction` what they must do where there is no page:
    null before the gateway has told, once it is done, and for keys that may only read."""

    mandate: MandateView
    url: str | None = field(repr=False)
    instruction: str | None = field(repr=False)


@dataclass(frozen=True, slots=True)
class MovedAnswer:
    """Where an effect stands after an operator moved it."""

    id: str
    state: EffectState
    reason: str
    due_at: datetime


@dataclass(frozen=True, slots=True)
class RedriveAnswer:
    """How many dead letters go again, or would; each lot is of one consumer, cause and type."""

    letters: int
    lots: Sequence[Lot]


@dataclass(frozen=True, slots=True)
class DiscardAnswer:
    """How many dead letters were discarded."""

    letters: int


@dataclass(frozen=True, slots=True)
class BegunAnswer:
    """A comparison that has begun; read it under its id until its state is not `running`."""

    id: str
    day: date
    started_at: datetime


@dataclass(frozen=True, slots=True)
class OpenedAnswer:
    """Whether a gate was closed before it was opened."""

    was_closed: bool


@dataclass(frozen=True, slots=True)
class ClosedBreakerAnswer:
    """Whether a breaker was open before it was closed."""

    was_open: bool


@dataclass(frozen=True, slots=True)
class PayoutsAnswer:
    """The payouts of a batch, in the order of its lines."""

    payouts: Sequence[PayoutView]


@dataclass(frozen=True, slots=True)
class ImportAnswer:
    """A table of core accounts that was taken in: lines per result, and every line."""

    counts: dict[str, int]
    lines: Sequence[Stored]


@dataclass(frozen=True, slots=True)
class BatchAnswer:
    """A batch of receipts from elsewhere, and what its sender should know of how it was read."""

    batch: BatchView
    notes: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class BatchLinesAnswer:
    """A batch with a part of its lines, in their order; `next` is the cursor of the next part, null at the end."""

    batch: BatchView
    lines: Sequence[BatchLineView]
    next: str | None = None


@dataclass(frozen=True, slots=True)
class EvidencePlaceAnswer:
    """Where a file of evidence is put (PUT its bytes there), and its name for the answer."""

    evidence_file: str
    url: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class SettlementAnswer:
    """A payout of the gateway, as it says itself; minor units. gross - fee - deductions = net, but for `gap_minor`."""

    id: str
    state: SettlementState
    settled_on: date | None
    currency: str
    gross_minor: int
    fee_minor: int
    deductions_minor: int
    net_minor: int
    gap_minor: int
    reason: str


@dataclass(frozen=True, slots=True)
class SettlementLineAnswer:
    """A line of a settlement; minor units. `fee_exact` is the fee as decimal text, before it was rounded.

    `subject` is the gateway's id of the refund or the dispute that it is about, empty for a charge.
    """

    kind: LineKind
    subject: str
    charge: str
    reference: str
    currency: str
    gross_minor: int
    fee_minor: int
    fee_exact: str
    paid_at: datetime | None


@dataclass(frozen=True, slots=True)
class SettlementLinesAnswer:
    """A settlement with every line in it."""

    settlement: SettlementAnswer
    lines: Sequence[SettlementLineAnswer]


def settlement_answer(one: SettlementSnapshot) -> SettlementAnswer:
    """A settlement as it is answered."""
    return SettlementAnswer(
        one.provider_ref,
        one.state,
        one.settled_on,
        one.currency,
        one.gross_minor,
        one.fee_minor,
        one.deductions_minor,
        one.net_minor,
        one.gap_minor,
        one.reason,
    )


def settlement_line_answer(one: SettlementLine) -> SettlementLineAnswer:
    """A charge in a settlement as it is answered."""
    return SettlementLineAnswer(
        one.kind,
        one.subject,
        one.charge,
        one.reference,
        one.currency,
        one.gross_minor,
        one.fee_minor,
        one.fee_exact,
        one.paid_at,
    )


@dataclass(frozen=True, slots=True)
class KeyAnswer:
    """An API key; the secret is not kept and cannot be shown again."""

    id: str
    name: str
    scopes: Sequence[Scope]
    created_at: datetime
    revoked_at: datetime | None


@dataclass(frozen=True, slots=True)
class NewKeyAnswer:
    """A key that was just made, with its secret for this one time."""

    key: KeyAnswer
    secret: str = field(repr=False)


def key_answer(key: ApiKey) -> KeyAnswer:
    """A key as it is answered."""
    return KeyAnswer(key.id, key.name, sorted(key.scopes), key.created_at, key.revoked_at)


@dataclass(frozen=True, slots=True)
class HealthAnswer:
    """The process runs."""

    status: str = "ok"


@dataclass(frozen=True, slots=True)
class ReadyAnswer:
    """The hub can answer requests; `workers` is how many were heard lately (without one, nothing moves)."""

    ready: bool
    schema: str | None
    workers: int
