"""What is put side by side: what the outside systems told of a day, and the parts that a comparison sorts it into."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from coopwire.domain.reconciliation import Bucket, Finding, Sum
from coopwire.ports.books import JournalSnapshot
from coopwire.ports.corebank import StatementRow
from coopwire.ports.gateways import ChargeSnapshot, RefundSnapshot, TransferSnapshot


@dataclass(frozen=True, slots=True)
class BusinessDay:
    """A calendar day of the business zone: [00:00, 24:00) there."""

    on: date
    zone: ZoneInfo

    @property
    def start(self) -> datetime:
        """Its first instant."""
        return datetime.combine(self.on, time(), self.zone)

    @property
    def end(self) -> datetime:
        """The first instant of the day after."""
        return datetime.combine(self.on + timedelta(days=1), time(), self.zone)

    def holds(self, at: datetime) -> bool:
        """Whether an instant lies in it."""
        return self.of(at) == self.on

    def of(self, at: datetime) -> date:
        """The business day of an instant."""
        return at.astimezone(self.zone).date()


@dataclass(frozen=True, slots=True)
class AccountRow:
    """A movement on a statement; `core_account` is the linked account for which it was read."""

    core_account: int
    row: StatementRow


@dataclass(slots=True)
class Theirs:
    """What the outside told, listed from `listed_at` on; by connection where there may be several.

    `problems` says, by connection, why one could not be listed whole: nothing is concluded about it. `unread` says
    the same of the statement of one core account. What a single look-up confirmed afterwards (a charge created long
    before, an entry that moved to another day) is added. `statuses` are the core's own words about postings that no
    statement shows, by our reference; `business_dates` the days on which the core booked while a posting was sent,
    by effect, for postings that a statement shows under an odd day. `reversals` says, by connection and charge, what
    their own reads of refunds and disputes tell of a charge that they call reversed.
    """

    listed_at: datetime
    charges: dict[str, list[ChargeSnapshot]] = field(default_factory=dict)
    refunds: dict[str, list[RefundSnapshot]] = field(default_factory=dict)
    journals: list[JournalSnapshot] = field(default_factory=list)
    rows: list[AccountRow] = field(default_factory=list)
    statuses: dict[str, str] = field(default_factory=dict)
    business_dates: dict[str, frozenset[date]] = field(default_factory=dict)
    reversals: dict[tuple[str, str], str] = field(default_factory=dict)
    problems: dict[str, str] = field(default_factory=dict)
    unread: dict[int, str] = field(default_factory=dict)
    accounts: dict[int, int] = field(default_factory=dict)
    """By linked core account, the one whose statement was read for it: several links may name one account."""
    owed: dict[str, list[ChargeSnapshot]] = field(default_factory=dict)
    """Charges of gateways that tell of settlements, from `owed_since` to the day; single ones were looked up."""
    owed_since: dict[str, datetime] = field(default_factory=dict)
    transfers: dict[str, list[TransferSnapshot]] = field(default_factory=dict)
    """Of gateways that pay out."""
    looked: dict[str, dict[str, TransferSnapshot]] = field(default_factory=dict)
    """Single looks at transfers, by connection and the id that was asked for."""
    transfer_problems: dict[str, str] = field(default_factory=dict)
    """Why transfers could not be listed or looked up, by connection; what came in there is compared nevertheless."""


@dataclass(slots=True)
class Parts:
    """The parts of a whole, by name and currency; whatever is put in is in exactly one of them."""

    sums: dict[tuple[str, str], list[int]] = field(default_factory=dict)

    def put(self, name: str, currency: str, minor: int) -> None:
        """One row of `minor` units belongs to the part `name`."""
        part = self.sums.setdefault((name, currency), [0, 0])
        part[0] += 1
        part[1] += minor

    def buckets(self, order: Sequence[str]) -> tuple[Bucket, ...]:
        """Every part that is not empty, in the order of the names, then by currency."""
        keys = sorted(self.sums, key=lambda key: (order.index(key[0]), key[1]))
        return tuple(Bucket(name, currency, Sum(*self.sums[name, currency])) for name, currency in keys)

    def by_currency(self) -> dict[str, int]:
        """Minor units of all parts together."""
        totals: dict[str, int] = {}
        for (_, currency), (_, minor) in self.sums.items():
            totals[currency] = totals.get(currency, 0) + minor
        return totals

    def of(self, name: str) -> dict[str, tuple[int, int]]:
        """Count and minor units of one part by currency."""
        return {currency: (n, minor) for (part, currency), (n, minor) in self.sums.items() if part == name}


@dataclass(frozen=True, slots=True)
class Wish:
    """A look-up that may mend a difference: a charge of a gateway, an effect of ours, or a payout.

    `payout` is the reference of the transfer of a payout; `reference` is the payout then, under which looks are kept.
    """

    connection: str
    reference: str
    charge: str | None = None
    effect: str | None = None
    payout: str | None = None


@dataclass(slots=True)
class Differences:
    """What a comparison found, what may mend itself by a look-up, and what to confirm before it is believed."""

    findings: list[Finding] = field(default_factory=list)
    wishes: list[Wish] = field(default_factory=list)
    contradicted: set[str] = field(default_factory=set)
    """Effects of ours that the outside does not bear out."""

    def add(self, other: Differences) -> None:
        """Everything of `other` too."""
        self.findings += other.findings
        self.wishes += other.wishes
        self.contradicted |= other.contradicted
