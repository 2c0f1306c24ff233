"""JSON without loss."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coopwire.simulation import exact_json

numbers = st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**15), max_value=10**15, places=4)
documents = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text() | numbers,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


@given(documents)
def test_what_is_written_reads_back_as_the_same(document: object) -> None:
    assert exact_json.loads(exact_json.dumps(document)) == document


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text(), st.lists, max_leaves=10))
def test_without_decimals_it_writes_what_everybody_writes(document: object) -> None:
    assert exact_json.dumps(document) == json.dumps(document, separators=(",", ":"))


@pytest.mark.parametrize(
    ("number", "text"),
    [("51612.50", "51612.5"), ("40000.00", "40000"), ("1E+3", "1000"), ("0.00", "0"), ("100", "100")],
)
def test_a_decimal_has_no_exponent_and_no_trailing_zeros(number: str, text: str) -> None:
    assert exact_json.dumps(Decimal(number)) == text


def test_a_float_is_refused() -> None:
    with pytest.raises(TypeError):
        exact_json.dumps({"amount": 0.1})


@pytest.mark.parametrize("body", [b"NaN", b"[1", b"\xff", b"[" * 100_000])
def test_what_is_not_strict_json_is_a_value_error(body: bytes) -> None:
    with pytest.raises(ValueError):
        exact_json.loads(body)
