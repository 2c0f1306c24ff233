"""Single members of somebody else's JSON: read exactly, or not at all."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coopwire.domain.errors import ContractBroken
from coopwire.transport.reading import (
    at,
    currency,
    identifier,
    instant,
    label,
    members,
    needed,
    number,
    plain,
)

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.decimals(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
)


def test_the_first_path_that_is_there_and_not_empty_counts() -> None:
    document = {"a": "", "b": None, "c": {"d": 0}}
    assert at(document, "a", "b", "x.y", "c.d") == 0
    assert at(document, "a", "c.d.e") is None


@pytest.mark.parametrize("value", [None, [], "", 0, "text"])
def test_what_is_no_object_has_no_members(value: object) -> None:
    assert members(value) == {}


@pytest.mark.parametrize(("value", "told"), [(7, "7"), ("7", "7"), (2**64 - 1, str(2**64 - 1)), (0, "0")])
def test_an_id_is_kept_as_text(value: object, told: str) -> None:
    assert identifier(value) == told


@pytest.mark.parametrize("value", [-1, 2**64, "", "x", "1.0", "٣", True, 1.0, None, [], "9" * 21])
def test_what_is_no_64_bit_id_is_none(value: object) -> None:
    assert identifier(value) is None


@pytest.mark.parametrize(
    ("value", "told"), [(5, "5"), ("26.8750", "26.875"), (Decimal("1E+3"), "1000"), ("-0.5", "-0.5")]
)
def test_a_number_is_exact_and_plain(value: object, told: str) -> None:
    assert plain(needed(number(value), "n")) == told


def test_a_time_without_a_zone_is_utc() -> None:
    expected = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
    assert instant("2026-03-02T09:00:00") == instant("2026-03-02T10:00:00+01:00") == expected


def test_what_is_needed_and_not_there_is_named() -> None:
    with pytest.raises(ContractBroken, match=r"data\.id"):
        needed(None, "data.id")


@given(value=JSON)
def test_no_reader_stumbles_over_any_value(value: object) -> None:
    for read in (identifier, number, label, instant, currency, members):
        read(value)
    at(value, "a", "a.b")
