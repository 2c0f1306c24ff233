"""A gateway's payout to the lender's bank, and how each part of it is tied to ours, to the minor unit."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from enum import StrEnum
from fractions import Fraction

from coopwire.domain.books import (
    DISPUTED,
    GATEWAY_CHARGES,
    ROUNDING,
    STAMP_DUTY,
    SUSPENSE,
    clearing_key,
    settlement_key,
)
from coopwire.domain.breaks import BreakType
from coopwire.domain.references import derived_reference
from coopwire.domain.states import SettlementStand, SettlementState

_MOST_SUMS = 20_000
"""So many sums of what is open are tried to explain one that the gateway told; more is a person's work."""


class LineKind(StrEnum):
    """What a line of a settlement is about."""

    CHARGE = "charge"
    REFUND = "refund"
    DISPUTE = "dispute"
    """Taken for a dispute."""
    DISPUTE_REVERSAL = "dispute_reversal"
    """Given back when a dispute was won."""
    FEE = "fee"
    """A fee that belongs to no single charge."""
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Settlement:
    """A settlement as it was read last; minor units of `currency`, `fee_exact` decimal text of the same.

    `refunds_minor` and `disputes_minor` part the deductions where the gateway parts them, `duty_minor` is a levy.
    `effect` is the entry in the books. Once that is ordered, nothing of a settlement changes here any more.
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
    refunds_minor: int | None
    disputes_minor: int | None
    duty_minor: int
    net_minor: int
    gap_minor: int
    settled_on: date | None
    reason: str
    recorded_at: datetime
    effect: str | None = None
    suspense_minor: int = 0
    """What a person let go to suspense, a debit above nought."""

    @property
    def facts(self) -> tuple[object, ...]:
        """What must not change any more once the entry is ordered."""
        told = (self.gross_minor, self.fee_exact, self.deductions_minor, self.net_minor, self.gap_minor)
        return (self.state, self.currency, *told, self.settled_on)


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a settlement with what it is tied to; minor units, `gross_minor` below nought for what is taken.

    `told` is False for a part of a sum that the hub has parted itself, where the gateway tells sums alone.
    """

    n: int
    kind: LineKind
    charge: str
    reference: str
    subject: str
    currency: str
    gross_minor: int
    fee_minor: int
    fee_exact: str
    fee_known: bool
    paid_at: datetime | None
    told: bool = True
    receipt: str | None = None
    refund: str | None = None
    dispute: str | None = None


@dataclass(frozen=True, slots=True)
class SettledReceipt:
    """A receipt of ours as far as it is tied; minor units.

    `corrected_minor` is what corrections have put on clearing for it, beside its own entry and its refunds.
    `settled_in` is another settlement that has it.
    """

    id: str
    charge: str
    currency: str
    gross_minor: int
    fee_minor: int
    fee_known: bool
    corrected_minor: int
    settled_in: str | None

    @property
    def standing_minor(self) -> int:
        """What stands for it on clearing, but for its refunds."""
        return self.gross_minor - self.fee_minor + self.corrected_minor


@dataclass(frozen=True, slots=True)
class SettledDeduction:
    """A refund of ours that went back, or a dispute; minor units. `settled_in` is another settlement that has it."""

    kind: LineKind
    id: str
    provider_ref: str
    charge: str
    amount_minor: int
    currency: str
    settled_in: str | None = None


@dataclass(frozen=True, slots=True)
class Known:
    """What the hub has of the things that a settlement may be about.

    `deductions` are those that lines name; `open` those of the connection that no settlement has, the oldest first.
    """

    receipts: Mapping[str, SettledReceipt] = field(default_factory=dict)
    deductions: Sequence[SettledDeduction] = ()
    open: Sequence[SettledDeduction] = ()


@dataclass(frozen=True, slots=True)
class Difference:
    """One cause for which a settlement does not tie."""

    type: BreakType
    cause: str
    amount_minor: int
    facts: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Tied:
    """What comes of tying: lines with their ties, parts of the entry by key (debits above nought), what differs.

    With a difference the parts do not balance: what is missing would be suspense.
    """

    lines: tuple[Line, ...]
    parts: Mapping[str, int]
    differences: tuple[Difference, ...]

    @property
    def missing_minor(self) -> int:
        """What the parts lack to balance, as a debit."""
        return -sum(self.parts.values())

    @property
    def with_suspense(self) -> dict[str, int]:
        """The parts, balanced by suspense."""
        return {**self.parts, SUSPENSE: self.missing_minor}


def settlement_id(connection: str, provider_ref: str) -> str:
    """The same settlement has the same id, also in a hub that was restored and reads of it again."""
    return derived_reference("settlement", connection, provider_ref)


def tie(settlement: Settlement, lines: Sequence[Line], known: Known) -> Tied:
    """Tie every line to ours, and the whole to its sum.

    What counts is exact: gross less exact fees of all lines, rounded once, is what goes to the bank. What is booked
    is rounded line by line; the residue is rounding.
    """
    books, differences, tied = Counter[str](), list[Difference](), list[Line]()
    books[settlement_key(settlement.connection)] = settlement.net_minor
    for line in (*lines, *_parted(settlement, lines, known, differences)):
        tied.append(_tie_line(settlement, line, known, books, differences))
    if settlement.duty_minor:
        books[STAMP_DUTY] += settlement.duty_minor
    differences += _sums(settlement, tied, known, explained=not differences)
    missing = -sum(books.values())
    if not differences and missing:
        books[ROUNDING] += missing
    return Tied(tuple(tied), books, tuple(differences))


# -- one line ----------------------------------------------------------------------------------------------


def _tie_line(
    settlement: Settlement, line: Line, known: Known, books: Counter[str], differences: list[Difference]
) -> Line:
    if line.currency != settlement.currency:
        facts: dict[str, object] = {"line": line.currency, "settlement": settlement.currency}
        differences.append(_differs(BreakType.SETTLEMENT_LINE_DIFFERS, line, "currency", facts))
        return line
    if line.kind is LineKind.CHARGE:
        return _tie_charge(settlement, line, known, books, differences)
    books[GATEWAY_CHARGES] += line.fee_minor
    if line.kind is LineKind.FEE:
        books[GATEWAY_CHARGES] -= line.gross_minor
        return line
    if line.kind is LineKind.OTHER:
        facts = {"gross_minor": line.gross_minor, "subject": line.subject}
        differences.append(_differs(BreakType.SETTLEMENT_LINE_DIFFERS, line, "kind", facts))
        return line
    return _tie_deduction(settlement, line, known, books, differences)


def _tie_charge(
    settlement: Settlement, line: Line, known: Known, books: Counter[str], differences: list[Difference]
) -> Line:
    receipt = known.receipts.get(line.charge)
    if receipt is None:
        facts: dict[str, object] = {"charge": line.charge, "gross_minor": line.gross_minor}
        differences.append(_differs(BreakType.SETTLEMENT_CHARGE_UNKNOWN, line, "unknown", facts))
        return line
    if receipt.settled_in is not None:
        facts = {"charge": line.charge, "receipt": receipt.id, "settled_in": receipt.settled_in}
        differences.append(_differs(BreakType.SETTLED_TWICE, line, "twice", facts))
        return line
    if receipt.currency != line.currency:
        facts = {"charge": line.charge, "ours": receipt.currency, "theirs": line.currency}
        differences.append(_differs(BreakType.SETTLEMENT_LINE_DIFFERS, line, "currency", facts))
        return line
    books[clearing_key(settlement.connection)] -= receipt.standing_minor
    fee = line.fee_minor if line.fee_known else receipt.fee_minor
    # A fee that nobody knew at the look-up is booked here, and only then.
    late = 0 if receipt.fee_known else fee
    books[GATEWAY_CHARGES] += late
    if receipt.gross_minor != line.gross_minor or receipt.standing_minor - late != line.gross_minor - fee:
        facts = {
            "charge": line.charge,
            "receipt": receipt.id,
            "ours": {"gross_minor": receipt.gross_minor, "net_minor": receipt.standing_minor - late},
            "theirs": {"gross_minor": line.gross_minor, "net_minor": line.gross_minor - fee},
        }
        minor = line.gross_minor - fee - receipt.standing_minor + late
        differences.append(
            Difference(BreakType.SETTLEMENT_LINE_DIFFERS, f"amount:{line.charge}", minor, facts)
        )
    return replace(line, receipt=receipt.id)


def _tie_deduction(
    settlement: Settlement, line: Line, known: Known, books: Counter[str], differences: list[Difference]
) -> Line:
    """Refunds are off clearing since they went back; money of disputes is booked here."""
    ours = (*known.deductions, *known.open)
    found = next((one for one in ours if (one.kind, one.provider_ref) == (line.kind, line.subject)), None)
    if found is None:
        facts: dict[str, object] = {"subject": line.subject, "gross_minor": line.gross_minor}
        differences.append(_differs(BreakType.SETTLEMENT_LINE_DIFFERS, line, "unknown", facts))
        return line
    if found.settled_in is not None:
        facts = {"subject": line.subject, "settled_in": found.settled_in}
        differences.append(_differs(BreakType.SETTLED_TWICE, line, "twice", facts))
        return line
    if line.kind is LineKind.REFUND:
        books[clearing_key(settlement.connection)] += found.amount_minor
        if -line.gross_minor != found.amount_minor:
            facts = {"subject": line.subject, "ours": found.amount_minor, "theirs": -line.gross_minor}
            minor = -line.gross_minor - found.amount_minor
            differences.append(
                Difference(BreakType.SETTLEMENT_LINE_DIFFERS, f"amount:{line.subject}", minor, facts)
            )
        return replace(line, refund=found.id)
    books[DISPUTED] -= line.gross_minor
    return replace(line, dispute=found.id)


def _differs(type_: BreakType, line: Line, cause: str, facts: Mapping[str, object]) -> Difference:
    about = line.charge if line.kind is LineKind.CHARGE else f"{line.kind.value}:{line.subject or line.n}"
    return Difference(type_, f"{cause}:{about}", line.gross_minor - line.fee_minor, facts)


# -- the whole ---------------------------------------------------------------------------------------------


def _sums(
    settlement: Settlement, lines: Iterable[Line], known: Known, *, explained: bool
) -> Iterator[Difference]:
    if settlement.settled_on is None:
        yield Difference(BreakType.SETTLEMENT_SUM_DIFFERS, "day", settlement.net_minor, {"settled_on": None})
    if settlement.gap_minor:
        facts: dict[str, object] = {"gap_minor": settlement.gap_minor}
        yield Difference(BreakType.SETTLEMENT_SUM_DIFFERS, "gap", settlement.gap_minor, facts)
        return
    exact = sum((_exact(line, known) for line in lines), Fraction(0)) - settlement.duty_minor
    if explained and round(exact) != settlement.net_minor:
        facts = {"lines_minor": round(exact), "net_minor": settlement.net_minor}
        minor = settlement.net_minor - round(exact)
        yield Difference(BreakType.SETTLEMENT_SUM_DIFFERS, "sum", minor, facts)


def _exact(line: Line, known: Known) -> Fraction:
    """What a line adds to the payout; a fee that it does not tell is the one that was told before."""
    receipt = known.receipts.get(line.charge) if line.kind is LineKind.CHARGE else None
    if not line.fee_known and receipt is not None:
        return Fraction(line.gross_minor - receipt.fee_minor)
    return line.gross_minor - Fraction(line.fee_exact)


def _parted(
    settlement: Settlement, lines: Sequence[Line], known: Known, differences: list[Difference]
) -> Iterator[Line]:
    """Lines for deductions that the gateway tells as sums alone, made of what is open here, the oldest first."""
    if any(line.kind is not LineKind.CHARGE for line in lines):
        return
    n = len(lines)
    for name, kinds, told in _told_sums(settlement):
        candidates = [one for one in known.open if one.kind in kinds and one.currency == settlement.currency]
        parts = explained(told, candidates)
        if parts is None:
            facts: dict[str, object] = {
                "told_minor": told,
                "open": {f"{one.kind.value} {one.id}": one.amount_minor for one in candidates[:50]},
            }
            differences.append(Difference(BreakType.SETTLEMENT_SUM_DIFFERS, name, told, facts))
        for part in parts or ():
            yield _made(n, part)
            n += 1


def _told_sums(settlement: Settlement) -> Iterator[tuple[str, tuple[LineKind, ...], int]]:
    refunds, disputes = settlement.refunds_minor, settlement.disputes_minor
    if refunds is None or disputes is None:
        yield (
            "deductions",
            (LineKind.REFUND, LineKind.DISPUTE),
            settlement.deductions_minor - settlement.duty_minor,
        )
        return
    yield "refunds", (LineKind.REFUND,), refunds
    yield "disputes", (LineKind.DISPUTE,), disputes


def explained(told_minor: int, candidates: Sequence[SettledDeduction]) -> tuple[SettledDeduction, ...] | None:
    """Those of the candidates that make up the sum, the oldest first; None when none do, or it is ambiguous.

    Which of two refunds it was makes no difference to any account; how much of the sum was disputes does.
    """
    reached: dict[tuple[int, int], tuple[SettledDeduction, ...]] = {(0, 0): ()}
    for one in candidates:
        disputed = one.amount_minor if one.kind is LineKind.DISPUTE else 0
        for (total, disputes), parts in list(reached.items()):
            if total + one.amount_minor <= told_minor:
                reached.setdefault((total + one.amount_minor, disputes + disputed), (*parts, one))
        if len(reached) > _MOST_SUMS:
            return None
    found = [parts for (total, _), parts in reached.items() if total == told_minor]
    return found[0] if len(found) == 1 else None


def _made(n: int, part: SettledDeduction) -> Line:
    return Line(
        n=n,
        kind=part.kind,
        charge=part.charge,
        reference="",
        subject=part.provider_ref,
        currency=part.currency,
        gross_minor=-part.amount_minor,
        fee_minor=0,
        fee_exact="0",
        fee_known=True,
        paid_at=None,
        told=False,
    )
