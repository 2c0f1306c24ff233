"""Dead letters are grouped by what is the same in their causes."""

from __future__ import annotations

import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coopwire.domain.letters import Letters, cause_group, cause_shape
from coopwire.domain.references import new_reference


@pytest.mark.parametrize(
    ("cause", "shape"),
    [
        ("KeyError: 'LN-00457'", "KeyError: '#'"),
        ("KeyError: 'receivable_gl'", "KeyError: 'receivable_gl'"),
        ("ValueError: cannot digest p1, p2, p3", "ValueError: cannot digest #"),
        ("Http2Error: stream 7 was reset", "Http2Error: stream # was reset"),
        ("RuntimeError: at 2026-03-02T09:15:00+01:00 it ended", "RuntimeError: at # it ended"),
        ("ValueError: no member 3f1d2c9e-6a0b-4c55-9d1a-7be2f4a8c610", "ValueError: no member #"),
        ("ValueError: no member qwertyuiopasdfghjklz", "ValueError: no member #"),
        ("ValueError: ada@members.example is no member", "ValueError: # is no member"),
        ("KeyError: 'a'\nrow: 99", "KeyError: 'a'"),
        ("ConnectionResetError", "ConnectionResetError"),
        ("", ""),
    ],
)
def test_ids_and_numbers_do_not_count_and_words_do(cause: str, shape: str) -> None:
    assert cause_shape(cause) == shape


@given(st.integers(), st.uuids())
def test_letters_that_differ_in_ids_and_amounts_only_are_one_group(amount: int, id: uuid.UUID) -> None:
    cause = f"ValueError: {amount} of receipt {new_reference()} was told as {id}"
    other = "ValueError: 12 of receipt a3f8h1j5k9l2z7x4c6v0 was told as 3f1d2c9e-6a0b-4c55-9d1a-7be2f4a8c610"
    assert cause_group("settling", cause) == cause_group("settling", other)


def test_another_consumer_another_error_and_other_words_are_other_groups() -> None:
    groups = {
        cause_group("one", "KeyError: 'a'"),
        cause_group("two", "KeyError: 'a'"),
        cause_group("one", "ValueError: 'a'"),
        cause_group("one", "KeyError: 'b'"),
    }
    assert len(groups) == 4


@given(st.text())
def test_every_cause_has_a_shape_that_is_its_own_shape(cause: str) -> None:
    shape = cause_shape(cause)
    assert cause_shape(shape) == shape


def test_what_is_meant_is_said_in_words_for_the_audit() -> None:
    assert str(Letters()) == "all"
    assert str(Letters(group="9c41be07d2a3", limit=5)) == "group 9c41be07d2a3, the oldest 5"
    assert str(Letters(ids=("a:1", "a:2"))) == "a:1, a:2"
