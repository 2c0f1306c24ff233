"""How a settlement is tied: what is consistent ties and balances, whatever else differs, and no wrong way passes."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

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
from coopwire.domain.settlements import (
    Known,
    Line,
    LineKind,
    SettledDeduction,
    SettledReceipt,
    Settlement,
    Tied,
    explained,
    settlement_id,
    tie,
)
from coopwire.domain.states import SettlementStand, SettlementState

CLEARING, BANK = clearing_key("gate"), settlement_key("gate")
_AMOUNTS = st.integers(1, 9_007_199_254_740_993)
_THOUSANDTHS = st.integers(0, 999)


@dataclass(frozen=True)
class Case:
    """A settlement that is right, and what the hub has."""

    settlement: Settlement
    lines: tuple[Line, ...]
    known: Known

    @property
    def cleared_minor(self) -> int:
        """What must leave clearing, whatever the settlement says."""
        receipts = sum(receipt.standing_minor for receipt in self.known.receipts.values())
        mine = (*self.known.deductions, *self.known.open)
        return receipts - sum(one.amount_minor for one in mine if one.kind is LineKind.REFUND)


def a_line(n: int, kind: LineKind, gross: int, fee: str = "0", **more: object) -> Line:
    values: dict[str, object] = {
        "charge": f"c{n}" if kind is LineKind.CHARGE else "",
        "reference": f"ref{n}",
        "subject": "" if kind is LineKind.CHARGE else f"s{n}",
        "currency": "NGN",
        "fee_minor": round(Decimal(fee)),
        "fee_known": True,
        "paid_at": None,
        **more,
    }
    return Line(n=n, kind=kind, gross_minor=gross, fee_exact=fee, **values)  # type: ignore[arg-type]


def a_settlement(net: int, **more: object) -> Settlement:
    values: dict[str, object] = {
        "gross_minor": 0,
        "fee_minor": 0,
        "fee_exact": "0",
        "deductions_minor": 0,
        "refunds_minor": None,
        "disputes_minor": None,
        "duty_minor": 0,
        "gap_minor": 0,
        "settled_on": date(2026, 3, 3),
        "reason": "",
        **more,
    }
    return Settlement(
        id=settlement_id("gate", "1"),
        connection="gate",
        provider_ref="1",
        state=SettlementState.PAID,
        stand=SettlementStand.WAITING,
        currency="NGN",
        net_minor=net,
        recorded_at=datetime(2026, 3, 3, 9, tzinfo=UTC),
        **values,  # type: ignore[arg-type]
    )


def a_receipt(line: Line, **more: object) -> SettledReceipt:
    values: dict[str, object] = {"fee_known": True, "corrected_minor": 0, "settled_in": None, **more}
    fee = line.fee_minor if values["fee_known"] else 0
    return SettledReceipt(f"r{line.n}", line.charge, "NGN", line.gross_minor, fee, **values)  # type: ignore[arg-type]


@st.composite
def cases(draw: st.DrawFn, lines_told: bool | None = None) -> Case:
    """Charges with exact fees, some of them not known in time, and refunds and disputes, told as lines or as sums."""
    charges, receipts = [], {}
    for n in range(draw(st.integers(1, 6))):
        # A charge is worth more than what rounding can hide.
        gross = draw(_AMOUNTS) + 2
        fee = f"{draw(st.integers(0, min(gross, 10**9) - 3))}.{draw(_THOUSANDTHS):03}"
        line = a_line(n, LineKind.CHARGE, gross, fee)
        charges.append(line)
        receipts[line.charge] = a_receipt(line, fee_known=draw(st.booleans()))
    told = draw(st.booleans()) if lines_told is None else lines_told
    kinds = draw(st.lists(st.sampled_from([LineKind.REFUND, LineKind.DISPUTE]), max_size=4))
    deductions = [
        SettledDeduction(kind, f"d{n}", f"s{n}", "", draw(_AMOUNTS), "NGN")
        for n, kind in enumerate(kinds, len(charges))
    ]
    sums = {kind: sum(d.amount_minor for d in deductions if d.kind is kind) for kind in LineKind}
    duty = draw(st.integers(0, 5_000))
    exact = sum(Decimal(line.gross_minor) - Decimal(line.fee_exact) for line in charges)
    settlement = a_settlement(
        round(exact - sum(sums.values()) - duty),
        deductions_minor=sum(sums.values()) + duty,
        duty_minor=duty,
        refunds_minor=sums[LineKind.REFUND],
        disputes_minor=sums[LineKind.DISPUTE],
    )
    if not told:
        return Case(settlement, tuple(charges), Known(receipts, (), deductions))
    taken = [
        a_line(n, d.kind, -d.amount_minor, subject=d.provider_ref)
        for n, d in enumerate(deductions, len(charges))
    ]
    return Case(settlement, (*charges, *taken), Known(receipts, deductions))


def faults(case: Case, parts: Mapping[str, int], differences: Sequence[object]) -> list[str]:
    """What is wrong with an entry for a settlement that is right."""
    found = []
    if differences:
        found.append(f"it differs: {differences}")
    if sum(parts.values()) != 0:
        found.append("it does not balance")
    if parts.get(BANK, 0) != case.settlement.net_minor:
        found.append("the bank gets what does not come")
    if parts.get(CLEARING, 0) != -case.cleared_minor:
        found.append("clearing does not return to what is owed")
    if abs(parts.get(ROUNDING, 0)) > len(case.lines):
        found.append("more than rounding is called rounding")
    if parts.get(SUSPENSE, 0):
        found.append("suspense without a person")
    return found


@given(cases())
def test_what_is_consistent_ties_and_balances(case: Case) -> None:
    tied = tie(case.settlement, case.lines, case.known)
    assert faults(case, tied.parts, tied.differences) == []
    late = sum(
        line.fee_minor
        for line in case.lines
        if (r := case.known.receipts.get(line.charge)) and not r.fee_known
    )
    assert tied.parts.get(GATEWAY_CHARGES, 0) == late, (
        "a fee that was booked with its receipt is booked again"
    )
    disputes = sum(
        d.amount_minor for d in (*case.known.deductions, *case.known.open) if d.kind is LineKind.DISPUTE
    )
    assert tied.parts.get(DISPUTED, 0) == disputes
    assert tied.parts.get(STAMP_DUTY, 0) == case.settlement.duty_minor
    assert all(line.receipt or line.refund or line.dispute for line in tied.lines)


def _charge_lost(case: Case) -> Case:
    return replace(case, lines=case.lines[1:])


def _charge_doubled(case: Case) -> Case:
    return replace(case, lines=(*case.lines, replace(case.lines[0], n=99, charge="stranger")))


def _gross_more(case: Case) -> Case:
    first = case.lines[0]
    return replace(case, lines=(replace(first, gross_minor=first.gross_minor + 1), *case.lines[1:]))


def _fee_more(case: Case) -> Case:
    first = case.lines[0]
    more = replace(first, fee_minor=first.fee_minor + 1, fee_exact=str(Decimal(first.fee_exact) + 1))
    return replace(case, lines=(more, *case.lines[1:]))


def _net_less(case: Case) -> Case:
    return replace(case, settlement=replace(case.settlement, net_minor=case.settlement.net_minor - 1))


def _gap(case: Case) -> Case:
    return replace(case, settlement=replace(case.settlement, gap_minor=1))


def _other_currency(case: Case) -> Case:
    return replace(case, lines=(replace(case.lines[0], currency="GHS"), *case.lines[1:]))


def _settled_before(case: Case) -> Case:
    first = case.lines[0].charge
    receipts = {**case.known.receipts, first: replace(case.known.receipts[first], settled_in="another")}
    return replace(case, known=replace(case.known, receipts=receipts))


def _not_ours(case: Case) -> Case:
    return replace(case, known=replace(case.known, receipts={}))


def _no_day(case: Case) -> Case:
    return replace(case, settlement=replace(case.settlement, settled_on=None))


SPOILT: Mapping[Callable[[Case], Case], set[BreakType]] = {
    _charge_lost: {BreakType.SETTLEMENT_SUM_DIFFERS},
    _charge_doubled: {BreakType.SETTLEMENT_CHARGE_UNKNOWN},
    _gross_more: {BreakType.SETTLEMENT_LINE_DIFFERS},
    _fee_more: {BreakType.SETTLEMENT_LINE_DIFFERS, BreakType.SETTLEMENT_SUM_DIFFERS},
    _net_less: {BreakType.SETTLEMENT_SUM_DIFFERS},
    _gap: {BreakType.SETTLEMENT_SUM_DIFFERS},
    _other_currency: {BreakType.SETTLEMENT_LINE_DIFFERS},
    _settled_before: {BreakType.SETTLED_TWICE},
    _not_ours: {BreakType.SETTLEMENT_CHARGE_UNKNOWN},
    _no_day: {BreakType.SETTLEMENT_SUM_DIFFERS},
}


@pytest.mark.parametrize("spoil", SPOILT, ids=lambda spoil: spoil.__name__.strip("_"))
@given(case=cases())
def test_whatever_is_not_so_differs_and_a_person_can_let_it_go_to_suspense(
    spoil: Callable[[Case], Case], case: Case
) -> None:
    spoilt = spoil(case)
    tied = tie(spoilt.settlement, spoilt.lines, spoilt.known)
    assert {one.type for one in tied.differences} & SPOILT[spoil]
    assert sum(tied.with_suspense.values()) == 0
    assert tied.with_suspense[BANK] == spoilt.settlement.net_minor
    causes = [(one.type, one.cause) for one in tied.differences]
    assert len(causes) == len(set(causes)), "a cause is told twice"


def test_a_fee_that_was_corrected_by_a_person_ties() -> None:
    """The gateway took 3 more than it had told; a person wrote that off the clearing account."""
    line = a_line(0, LineKind.CHARGE, 1_000, "18")
    receipt = replace(a_receipt(line), fee_minor=15, corrected_minor=-3)
    tied = tie(a_settlement(982), [line], Known({line.charge: receipt}))
    assert (tied.differences, tied.parts[CLEARING]) == ((), -982)


def test_a_fee_of_no_charge_and_money_that_came_back_from_a_dispute_are_booked() -> None:
    lines = [
        a_line(0, LineKind.CHARGE, 1_000, "15"),
        a_line(1, LineKind.FEE, -50, subject=""),
        a_line(2, LineKind.DISPUTE, -300, "20"),
        a_line(3, LineKind.DISPUTE_REVERSAL, 200, subject="s3"),
    ]
    known = Known(
        {"c0": a_receipt(lines[0])},
        [
            SettledDeduction(LineKind.DISPUTE, "d2", "s2", "", 300, "NGN"),
            SettledDeduction(LineKind.DISPUTE_REVERSAL, "d3", "s3", "", 200, "NGN"),
        ],
    )
    tied = tie(a_settlement(815), lines, known)
    assert tied.differences == ()
    assert tied.parts == {BANK: 815, CLEARING: -985, GATEWAY_CHARGES: 70, DISPUTED: 100}


@pytest.mark.parametrize("kind", [LineKind.OTHER, LineKind.REFUND, LineKind.DISPUTE])
def test_a_line_that_names_nothing_of_ours_differs(kind: LineKind) -> None:
    tied = tie(a_settlement(-5), [a_line(0, kind, -5)], Known())
    assert [one.type for one in tied.differences] == [BreakType.SETTLEMENT_LINE_DIFFERS]


# -- sums that are told alone ------------------------------------------------------------------------------


def _open(*amounts: tuple[LineKind, int]) -> list[SettledDeduction]:
    return [
        SettledDeduction(kind, f"d{n}", f"s{n}", "", minor, "NGN") for n, (kind, minor) in enumerate(amounts)
    ]


@given(
    st.lists(st.tuples(st.sampled_from([LineKind.REFUND, LineKind.DISPUTE]), st.integers(1, 40)), max_size=7)
)
def test_a_sum_is_explained_by_what_makes_it_and_only_when_it_is_certain_what(
    amounts: list[tuple[LineKind, int]],
) -> None:
    candidates = _open(*amounts)
    for told in range(sum(minor for _, minor in amounts) + 2):
        ways = {
            sum(one.amount_minor for one in some if one.kind is LineKind.DISPUTE)
            for size in range(len(candidates) + 1)
            for some in itertools.combinations(candidates, size)
            if sum(one.amount_minor for one in some) == told
        }
        parts = explained(told, candidates)
        assert (parts is not None) == (len(ways) == 1)
        assert parts is None or sum(one.amount_minor for one in parts) == told


def test_of_refunds_alike_the_oldest_is_taken() -> None:
    parts = explained(10, _open((LineKind.REFUND, 10), (LineKind.REFUND, 10)))
    assert parts is not None and [one.id for one in parts] == ["d0"]


# -- the suite bites ---------------------------------------------------------------------------------------


def _books_gross(case: Case, tied: Tied) -> Mapping[str, int]:
    """Debits the bank with what the charges brought in."""
    gross = sum(line.gross_minor for line in case.lines if line.kind is LineKind.CHARGE)
    return {BANK: gross, CLEARING: -gross}


def _books_every_fee(case: Case, tied: Tied) -> Mapping[str, int]:
    """Books the fees of the settlement, though the receipts have booked them."""
    fees = sum(line.fee_minor for line in case.lines)
    return {**tied.parts, GATEWAY_CHARGES: fees, CLEARING: -case.settlement.net_minor - fees}


def _ignores_a_line(case: Case, tied: Tied) -> Mapping[str, int]:
    """Clears all but the last charge, and calls the rest rounding."""
    left = max(r.standing_minor for r in case.known.receipts.values())
    return {**tied.parts, CLEARING: tied.parts[CLEARING] + left, ROUNDING: tied.parts.get(ROUNDING, 0) - left}


def _forgets_refunds(case: Case, tied: Tied) -> Mapping[str, int]:
    """Takes what was paid out for what stands on clearing: disputes and late fees stay there."""
    return {BANK: case.settlement.net_minor, CLEARING: -case.settlement.net_minor}


def _leaves_it_to_suspense(case: Case, tied: Tied) -> Mapping[str, int]:
    """Balances whatever comes without asking anybody."""
    return {BANK: case.settlement.net_minor, SUSPENSE: -case.settlement.net_minor}


@pytest.mark.parametrize(
    "wrong",
    [_books_gross, _books_every_fee, _ignores_a_line, _forgets_refunds, _leaves_it_to_suspense],
    ids=lambda wrong: wrong.__name__.strip("_"),
)
def test_a_wrong_way_to_book_a_settlement_is_seen(wrong: Callable[[Case, Tied], Mapping[str, int]]) -> None:
    """Over a settlement with a late fee, a refund and a dispute each wrong way has a fault; the right one has none."""
    lines = (a_line(0, LineKind.CHARGE, 100_000, "1500"), a_line(1, LineKind.CHARGE, 40_001, "600.015"))
    receipts = {"c0": a_receipt(lines[0]), "c1": a_receipt(lines[1], fee_known=False)}
    open_ = _open((LineKind.REFUND, 5_000), (LineKind.DISPUTE, 7_001))
    settlement = a_settlement(125_900, deductions_minor=12_001)
    case = Case(settlement, lines, Known(receipts, (), open_))
    tied = tie(settlement, lines, case.known)
    assert faults(case, tied.parts, tied.differences) == []
    assert faults(case, wrong(case, tied), ()) != []
