"""What the hub itself has of a business day, read at one moment, to be compared with the outside."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Protocol

from coopwire.domain.books import Side
from coopwire.domain.receipts import ReceiptSource
from coopwire.domain.reconciliation import DayReport
from coopwire.domain.states import EffectState, PayoutState, RefundState


@dataclass(frozen=True, slots=True)
class OurReceipt:
    """A receipt as far as it is compared. Minor units."""

    id: str
    connection: str
    source: ReceiptSource
    reference: str
    charge: str
    currency: str
    gross_minor: int
    fee_minor: int
    paid_at: datetime
    recorded_at: datetime
    expected_fee_minor: int | None = None
    fee_known: bool = True


@dataclass(frozen=True, slots=True)
class OurJournal:
    """An entry that the hub ordered: lines as (account, side, minor units) in the accounts it was sent to.

    One that was never said has the neutral keys: no mapping turned them into accounts. `mirrors`: the effect whose
    entry this one undoes; `brings`: whether it books that the receipt's money came in, not what became of it later.
    """

    effect: str
    reference: str
    state: EffectState
    on: date
    currency: str
    lines: tuple[tuple[str, str, int], ...]
    receipt: str | None
    provider_ref: str | None
    finished_at: datetime | None
    mirrors: str | None = None
    brings: bool = True


@dataclass(frozen=True, slots=True)
class OurPosting:
    """A posting that the hub ordered. Minor units; `relinked`: the account's number changed since it was sent.

    `undone`: a reversal of it by the hub is done, under way or unknown.
    """

    effect: str
    reference: str
    state: EffectState
    core_account: int
    side: Side
    amount_minor: int
    currency: str
    value_on: date
    receipt: str | None
    provider_ref: str | None
    first_sent_at: datetime | None
    finished_at: datetime | None
    relinked: bool
    undone: bool


@dataclass(frozen=True, slots=True)
class OurRefund:
    """A refund that the hub ordered. Minor units."""

    id: str
    receipt: str
    connection: str
    charge: str
    state: RefundState
    amount_minor: int
    currency: str
    provider_ref: str | None
    created_at: datetime


@dataclass(frozen=True, slots=True)
class OurPayout:
    """A payout whose transfer the hub ordered. Minor units; `reference` is ours, of the effect that pays.

    `sent_at` is when it was sent first, `accepted_at` when the gateway was known to have it, `moved_at` when its
    state last changed.
    """

    id: str
    connection: str
    reference: str
    state: PayoutState
    effect_state: EffectState
    amount_minor: int
    currency: str
    provider_ref: str | None
    loan: str | None
    member: str | None
    sent_at: datetime | None
    accepted_at: datetime | None
    moved_at: datetime


@dataclass(frozen=True, slots=True)
class Unsettled:
    """A receipt that no settlement of the day's end has; minor units. The fee of one that nobody knew is nought."""

    connection: str
    reference: str
    charge: str
    currency: str
    net_minor: int
    fee_known: bool
    paid_at: datetime
    recorded_at: datetime


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A refund that the gateway confirmed and that no settlement has at the day's end. Minor units."""

    connection: str
    id: str
    currency: str
    amount_minor: int


@dataclass(frozen=True, slots=True)
class Clearing:
    """What our journals have on the clearing account of a gateway at the day's end, minor units.

    `standing_minor` stands in the books, `ordered_minor` is on its way there.
    """

    connection: str
    currency: str
    entries: int
    standing_minor: int
    ordered: int
    ordered_minor: int


@dataclass(frozen=True, slots=True)
class Owed:
    """Ours of what gateways owe at the day's end. `settled` are charges (connection, id) that a payout has, by what the
    gateway told of it; `unbooked` are payouts (connection, id) that are paid and not in the books."""

    unsettled: tuple[Unsettled, ...] = ()
    refunded: tuple[Outgoing, ...] = ()
    clearing: tuple[Clearing, ...] = ()
    settled: frozenset[tuple[str, str]] = frozenset()
    unbooked: frozenset[tuple[str, str]] = frozenset()


@dataclass(frozen=True, slots=True)
class Ours:
    """Everything of ours that a day's comparison touches: of the day itself, and what the outside named."""

    receipts: tuple[OurReceipt, ...] = ()
    journals: tuple[OurJournal, ...] = ()
    postings: tuple[OurPosting, ...] = ()
    refunds: tuple[OurRefund, ...] = ()
    payments: frozenset[str] = frozenset()
    """Of the references asked about, those that are payments of ours."""
    owed: Owed = Owed()
    payouts: tuple[OurPayout, ...] = ()


@dataclass(frozen=True, slots=True)
class DayQuestion:
    """Which of ours are wanted: those of the day [start, end) and `day`, and those that the outside named.

    `charges` and `refunds` by gateway connection; `journals` and `postings` are references.
    """

    day: date
    start: datetime
    end: datetime
    books: str | None
    core_bank: str | None
    charges: Mapping[str, Collection[str]] = field(default_factory=dict)
    refunds: Mapping[str, Collection[str]] = field(default_factory=dict)
    journals: Collection[str] = ()
    postings: Collection[str] = ()
    payments: Collection[str] = ()
    owed: Mapping[str, Collection[str]] = field(default_factory=dict)
    """By gateway connection that tells of settlements, the charges that it says were paid."""
    transfers: Mapping[str, Collection[str]] = field(default_factory=dict)
    """By gateway connection that pays out, the references under which it has transfers."""


@dataclass(frozen=True, slots=True)
class RunView:
    """A reconciliation as it is kept; `report` is None until it ended."""

    id: str
    day: date
    actor: str
    state: str
    started_at: datetime
    finished_at: datetime | None
    inputs_digest: str | None
    outcome_digest: str | None
    holds: bool | None
    report: DayReport | None


class Days(Protocol):
    """Reads of ours for a comparison, and of comparisons that were made."""

    async def ours(self, question: DayQuestion) -> Ours:
        """Everything asked for, read at one moment."""
        ...

    async def unsettled_since(
        self, connections: Collection[str], day: date, end: datetime
    ) -> Mapping[str, datetime]:
        """When the oldest receipt was paid that no settlement of this day or before has; absent where there is none."""
        ...

    async def answered(
        self, wishes: Sequence[tuple[str, str]], since: datetime
    ) -> frozenset[tuple[str, str]]:
        """Of these (connection, reference), those that were looked up since then."""
        ...

    async def run(self, id: str) -> RunView | None:
        """One comparison."""
        ...

    async def latest(self, day: date) -> RunView | None:
        """The newest comparison of a day that ended."""
        ...
