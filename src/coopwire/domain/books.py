"""Journal entries on neutral keys, and the posting rules that turn a receipt into one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from coopwire.domain.money import exponent
from coopwire.domain.payments import Component
from coopwire.domain.receipts import AllocationLine, FeeBearer, Receipt, ReceiptSource, Source


class Side(StrEnum):
    """Debit or credit."""

    DEBIT = "debit"
    CREDIT = "credit"

    @property
    def other(self) -> Side:
        """The opposite side."""
        return Side.CREDIT if self is Side.DEBIT else Side.DEBIT


class UnbalancedEntry(ValueError):
    """An entry that does not balance cannot be built."""


@dataclass(frozen=True, slots=True)
class JournalLine:
    """One side of an entry: a neutral account key and a positive amount in minor units."""

    key: str
    side: Side
    amount_minor: int


@dataclass(frozen=True, slots=True)
class JournalEntry:
    """A balanced entry: at least two lines, positive amounts, debits equal credits to the minor unit."""

    kind: str
    on: date
    currency: str
    narrative: str
    lines: tuple[JournalLine, ...]
    branch: str | None = None
    member: str | None = None

    def __post_init__(self) -> None:
        exponent(self.currency)
        if len(self.lines) < 2:
            raise UnbalancedEntry("an entry needs at least two lines")
        if any(line.amount_minor <= 0 for line in self.lines):
            raise UnbalancedEntry("every line of an entry must be a positive amount")
        debit, credit = total(self.lines, Side.DEBIT), total(self.lines, Side.CREDIT)
        if debit != credit:
            raise UnbalancedEntry(f"debits are {debit}, credits {credit} minor units")


def total(lines: Iterable[JournalLine], side: Side) -> int:
    """Sum of one side in minor units."""
    return sum(line.amount_minor for line in lines if line.side is side)


KEY_OF_COMPONENT = {
    Component.PRINCIPAL: "loan_principal",
    Component.INTEREST: "interest_income",
    Component.PENALTY: "penalty_income",
    Component.FEES: "fee_income",
    Component.SAVINGS: "member_savings",
    Component.SHARES: "member_shares",
    Component.OVERPAYMENT: "member_overpayments",
    Component.SUSPENSE: "suspense",
    Component.WRITTEN_OFF: "write_offs",
}
HOLDING = {
    ReceiptSource.GATEWAY: "gateway_clearing",
    ReceiptSource.TELLER: "cash_in_hand",
    ReceiptSource.STATEMENT: "bank",
    ReceiptSource.CHECK_OFF: "check_off_receivable",
}
"""The account that holds the money of a receipt, by where the hub knows of it from: cash in a drawer, money that
stands on the lender's own bank account, money that an employer has withheld and still owes."""
GATEWAY_CHARGES = "gateway_charges"
STAMP_DUTY = "stamp_duty"
DISPUTED = "disputed_money"
"""What gateways took from a payout for disputes, until somebody gives it up or it comes back."""
ROUNDING = "rounding"
SUSPENSE = KEY_OF_COMPONENT[Component.SUSPENSE]
WRITE_OFFS = KEY_OF_COMPONENT[Component.WRITTEN_OFF]
TAKEN_BY_DISPUTE = "dispute"
REVERSAL = "reversal"
"""The kind of an entry that mirrors another one."""
LATER_ENTRIES = frozenset(
    {REVERSAL, TAKEN_BY_DISPUTE, "reallocation", "write_off", "refund", "refund_undone"}
)
"""Kinds of entries about a receipt that is booked already: what became of its money, not that it came in."""


def clearing_key(connection: str) -> str:
    """The clearing account of one gateway connection."""
    return holding_key(ReceiptSource.GATEWAY, connection)


def settlement_key(connection: str) -> str:
    """The lender's own bank account into which one gateway connection pays."""
    return f"settlement_bank.{connection}"


def holding_key(source: ReceiptSource, name: str) -> str:
    """The account that holds what this connection or source brought."""
    return f"{HOLDING[source]}.{name}"


def keys_needed(gateways: Iterable[str], sources: Iterable[Source] = ()) -> frozenset[str]:
    """Every neutral key that the posting rules of this file can produce for these gateway connections and
    sources."""
    names = list(gateways)
    paid_into = {settlement_key(name) for name in names}
    holding = {clearing_key(name) for name in names} | {holding_key(s.kind, s.name) for s in sources}
    always = {GATEWAY_CHARGES, *((STAMP_DUTY, DISPUTED, ROUNDING) if names else ())}
    return frozenset(KEY_OF_COMPONENT.values()) | always | holding | paid_into


def receipt_entry(
    receipt: Receipt,
    allocation: Sequence[AllocationLine],
    *,
    on: date,
    kind: str,
    narrative: str,
    branch: str | None,
    member: str | None,
) -> JournalEntry:
    """Debit what holds the money with the net and charges with a fee that we bore; credit what the allocation
    says."""
    borne = receipt.fee_minor if receipt.fee_bearer is FeeBearer.LENDER else 0
    signed: Counter[str] = Counter()
    signed[holding_key(receipt.source, receipt.connection)] += receipt.net_minor
    signed[GATEWAY_CHARGES] += borne
    for line in allocation:
        signed[KEY_OF_COMPONENT[line.component]] -= line.amount_minor
    return JournalEntry(kind, on, receipt.currency, narrative, _sides(signed), branch, member)


def refund_entry(
    receipt: Receipt,
    taken: Sequence[AllocationLine],
    *,
    on: date,
    narrative: str,
    branch: str | None,
    member: str | None,
) -> JournalEntry:
    """Debit what the receipt's allocation had credited, credit clearing; the gateway keeps its fee.

    `taken` are the parts of the allocation that a refund took back, in minor units.
    """
    signed: Counter[str] = Counter()
    for line in taken:
        signed[KEY_OF_COMPONENT[line.component]] += line.amount_minor
        signed[clearing_key(receipt.connection)] -= line.amount_minor
    return JournalEntry("refund", on, receipt.currency, narrative, _sides(signed), branch, member)


def dispute_entry(
    connection: str, amount_minor: int, *, on: date, currency: str, narrative: str, branch: str | None
) -> JournalEntry:
    """Give up money that a dispute takes: off what it takes, not off clearing, which its settlement does."""
    lines = (
        JournalLine(clearing_key(connection), Side.DEBIT, amount_minor),
        JournalLine(DISPUTED, Side.CREDIT, amount_minor),
    )
    return JournalEntry(TAKEN_BY_DISPUTE, on, currency, narrative, lines, branch)


def settlement_entry(
    parts: Mapping[str, int], *, on: date, currency: str, narrative: str
) -> JournalEntry | None:
    """The lender's bank against clearing; None when a settlement moves nothing.

    `parts`: minor units by key, debits above nought; they balance, else UnbalancedEntry.
    """
    lines = _sides(Counter(parts))
    return JournalEntry("settlement", on, currency, narrative, lines) if lines else None


def reallocation_entry(
    allocation: Sequence[AllocationLine],
    *,
    on: date,
    currency: str,
    narrative: str,
    branch: str | None,
    member: str | None,
) -> JournalEntry | None:
    """Move a value from suspense to where it belongs; None when it belongs to suspense altogether."""
    signed: Counter[str] = Counter()
    for line in allocation:
        signed[SUSPENSE] += line.amount_minor
        signed[KEY_OF_COMPONENT[line.component]] -= line.amount_minor
    lines = _sides(signed)
    if not lines:
        return None
    return JournalEntry("reallocation", on, currency, narrative, lines, branch, member)


def reversal_entry(
    lines: Sequence[JournalLine],
    *,
    on: date,
    currency: str,
    narrative: str,
    branch: str | None,
    member: str | None,
) -> JournalEntry:
    """The mirror of an entry's lines: with its original it leaves nothing on any key."""
    return JournalEntry("reversal", on, currency, narrative, _mirrored(lines), branch, member)


def refund_undone_entry(refund: JournalEntry, *, on: date, narrative: str) -> JournalEntry:
    """The mirror of a refund's entry: the gateway took a refund back that it had called done."""
    lines = _mirrored(refund.lines)
    return JournalEntry("refund_undone", on, refund.currency, narrative, lines, refund.branch, refund.member)


def _mirrored(lines: Iterable[JournalLine]) -> tuple[JournalLine, ...]:
    return tuple(JournalLine(line.key, line.side.other, line.amount_minor) for line in lines)


def write_off_entry(
    key: str, amount_minor: int, *, gain: bool, on: date, currency: str, narrative: str, branch: str | None
) -> JournalEntry:
    """Close a difference on `key` against the write-offs: as a gain (debit `key`), else as a loss (credit it)."""
    side = Side.DEBIT if gain else Side.CREDIT
    lines = (JournalLine(key, side, amount_minor), JournalLine(WRITE_OFFS, side.other, amount_minor))
    return JournalEntry("write_off", on, currency, narrative, lines, branch)


def _sides(signed: Counter[str]) -> tuple[JournalLine, ...]:
    return tuple(
        JournalLine(key, Side.DEBIT if amount > 0 else Side.CREDIT, abs(amount))
        for key, amount in signed.items()
        if amount != 0
    )
