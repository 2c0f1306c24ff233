"""Lists that shift while they are read: every row once, and an end only when all were seen."""

from __future__ import annotations

import pytest

from coopwire.domain.errors import ContractBroken, TryLater
from coopwire.transport.passes import Kind, Passes


def number(row: object, raw: bytes) -> int:
    if not isinstance(row, int):
        raise ContractBroken("not a number")
    return row


NUMBERS: Kind[int] = Kind("numbers", number, str)


def passes() -> Passes[int]:
    """A walk over the numbers below a hundred."""
    walk = Passes(NUMBERS, lambda row: row < 100)
    walk.begin()
    return walk


def test_a_row_that_shifted_to_the_next_page_is_told_once() -> None:
    walk = passes()
    assert [*walk.fresh([1, 2], 3), *walk.fresh([2, 3], 4)] == [1, 2, 3]


def test_a_pass_that_saw_less_than_was_counted_is_not_complete_and_the_next_tells_the_rest() -> None:
    walk = passes()
    assert list(walk.fresh([1, 2], 3)) == [1, 2]
    assert not walk.complete
    walk.begin()
    assert list(walk.fresh([1, 2, 3], 3)) == [3]
    assert walk.complete
    walk.conclude()


def test_a_list_that_never_stands_still_is_tried_later() -> None:
    walk = passes()
    list(walk.fresh([1], 2))
    with pytest.raises(TryLater, match="numbers"):
        walk.conclude()


def test_a_row_that_cannot_be_read_hides_no_other_and_is_told_at_the_end() -> None:
    walk = passes()
    assert list(walk.fresh([1, "x", 3], 3)) == [1, 3]
    assert walk.complete
    with pytest.raises(ContractBroken, match="1 rows"):
        walk.conclude()


def test_a_row_outside_is_seen_and_not_told() -> None:
    walk = passes()
    assert list(walk.fresh([1, 100], 2)) == [1]
    walk.conclude()
