"""What may be refunded, and from which parts of a receipt it is taken: rules over all amounts."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coopwire.domain.books import Side, refund_entry, refund_undone_entry, total
from coopwire.domain.payments import Component
from coopwire.domain.receipts import AllocationError, AllocationLine, FeeBearer, Receipt
from coopwire.domain.refunds import TAKEN_FIRST, Refund, refundable_minor, take_back
from coopwire.domain.states import UNDONE_REFUND, RefundState

NOW = datetime(2026, 3, 2, tzinfo=UTC)
RECEIPT = Receipt(
    id="r1", connection="gate", reference="ref", charge="c1", attempt=None, payment=None, currency="NGN",
    requested_minor=1_000, gross_minor=1_015, fee_minor=15, fee_exact="15", fee_bearer=FeeBearer.MEMBER,
    channel="card", paid_at=NOW, recorded_at=NOW,
)  # fmt: skip
LINES = st.lists(
    st.builds(
        AllocationLine, st.sampled_from(Component), st.integers(1, 10**9), st.none() | st.sampled_from("abc")
    ),
    min_size=1,
    max_size=8,
)


def refund(amount: int, state: RefundState) -> Refund:
    return Refund("f", "r1", "gate", amount, "NGN", state, NOW)


@given(st.lists(st.tuples(st.integers(1, 1_000), st.sampled_from(RefundState)), max_size=6))
def test_only_what_is_undone_may_be_refunded_again(taken: list[tuple[int, RefundState]]) -> None:
    """A fee that the member bore on top is not the receipt's value: the gateway kept it."""
    live = sum(amount for amount, state in taken if state not in UNDONE_REFUND)
    assert refundable_minor(RECEIPT, [refund(*one) for one in taken]) == 1_000 - live


def test_every_component_has_its_place_in_the_order() -> None:
    assert set(TAKEN_FIRST) == set(Component)


@given(LINES, st.integers(1, 10**10))
def test_what_is_taken_and_what_is_left_is_what_was_there(lines: list[AllocationLine], amount: int) -> None:
    back = take_back(lines, amount)
    there = sum(line.amount_minor for line in lines)
    assert back.total_minor == min(amount, there)
    left = {cut.position: cut.left_minor for cut in back.cuts}
    after = [replace(line, amount_minor=left.get(n, line.amount_minor)) for n, line in enumerate(lines)]
    assert all(line.amount_minor >= 0 for line in after)
    assert sum(line.amount_minor for line in after) == there - back.total_minor
    assert sum(0 < rest < lines[position].amount_minor for position, rest in left.items()) <= 1


@given(LINES, st.integers(1, 10**10))
def test_nothing_is_taken_from_a_part_while_one_before_it_has_something_left(
    lines: list[AllocationLine], amount: int
) -> None:
    back = take_back(lines, amount)
    left = {cut.position: cut.left_minor for cut in back.cuts}
    touched = [TAKEN_FIRST.index(lines[n].component) for n in left]
    whole = [
        TAKEN_FIRST.index(line.component) for n, line in enumerate(lines) if left.get(n, line.amount_minor)
    ]
    assert not touched or not whole or max(touched) <= min(whole)


def test_of_two_dues_the_last_is_taken_first() -> None:
    lines = [AllocationLine(Component.PRINCIPAL, 100, "old"), AllocationLine(Component.PRINCIPAL, 100, "new")]
    assert take_back(lines, 150).lines == (
        AllocationLine(Component.PRINCIPAL, 100, "new"),
        AllocationLine(Component.PRINCIPAL, 50, "old"),
    )


@pytest.mark.parametrize("amount", [0, -1])
def test_nothing_cannot_be_taken(amount: int) -> None:
    with pytest.raises(AllocationError):
        take_back([AllocationLine(Component.FEES, 5)], amount)


@given(LINES, st.integers(1, 10**10))
def test_the_entry_of_a_refund_balances_and_its_mirror_undoes_it(
    lines: list[AllocationLine], amount: int
) -> None:
    back = take_back(lines, amount)
    entry = refund_entry(RECEIPT, back.lines, on=date(2026, 3, 2), narrative="n", branch=None, member=None)
    assert total(entry.lines, Side.CREDIT) == back.total_minor
    assert [line.key for line in entry.lines if line.side is Side.CREDIT] == ["gateway_clearing.gate"]
    mirror = refund_undone_entry(entry, on=date(2026, 3, 3), narrative="n")
    assert {(line.key, line.side.other, line.amount_minor) for line in mirror.lines} == {
        (line.key, line.side, line.amount_minor) for line in entry.lines
    }
