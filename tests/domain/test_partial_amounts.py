"""A part is what was asked for only where that was agreed, and never less than that."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from coopwire.domain.payments import is_agreed

MINOR = st.integers(1, 10**12)


@given(MINOR, MINOR)
def test_without_an_agreement_nothing_but_the_whole_is_what_was_asked_for(minor: int, asked: int) -> None:
    assert is_agreed(minor, asked, None) == (minor == asked)


@given(MINOR, MINOR, MINOR)
def test_with_an_agreement_it_is_anything_from_the_least_to_the_whole(
    minor: int, asked: int, least: int
) -> None:
    assert is_agreed(minor, asked, least) == (least <= minor <= asked)


@given(MINOR, st.integers(0, 10**6))
def test_less_than_the_least_is_never_accepted(least: int, more: int) -> None:
    assert not is_agreed(least - 1, least + more, least)
    assert is_agreed(least, least + more, least)
