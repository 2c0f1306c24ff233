"""Amounts between minor units and Flutterwave's major ones: exact both ways, and never a float."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coopwire.domain.errors import InvalidOrder
from coopwire.domain.money import exponent
from coopwire.providers.flutterwave.wire.amounts import exact_minor, to_major, to_minor
from coopwire.transport.reading import plain, rounded

MINOR = st.integers(min_value=1, max_value=10**12)
CURRENCY = st.sampled_from(
    ["NGN", "GHS", "KES", "ZAR", "USD", "EUR", "GBP", "XOF", "XAF", "RWF", "UGX", "KWD"]
)
THOUSANDTHS = st.integers(min_value=0, max_value=10**12)


@given(minor=MINOR, code=CURRENCY)
def test_what_was_asked_in_any_currency_comes_back_to_the_minor_unit(minor: int, code: str) -> None:
    said = to_major(minor, code)
    assert to_minor(said, code) == minor
    assert to_minor(json.loads(said, parse_float=Decimal), code) == minor


@given(minor=MINOR, code=CURRENCY)
def test_a_major_amount_has_no_more_digits_than_its_currency(minor: int, code: str) -> None:
    assert -int(Decimal(to_major(minor, code)).as_tuple().exponent) <= exponent(code)


@given(fee=THOUSANDTHS)
def test_a_fee_in_thousandths_is_kept_exact_and_rounded_once_half_to_even(fee: int) -> None:
    naira = Decimal(fee).scaleb(-3)
    exact = exact_minor(naira, "NGN")
    assert exact is not None
    assert Decimal(plain(exact)) == Decimal(fee) / 10
    assert abs(rounded(exact) - exact) <= Decimal("0.5")
    tens, rest = divmod(fee, 10)
    if rest == 5:
        assert rounded(exact) == tens + tens % 2


@given(minor=MINOR, code=CURRENCY, finer=st.integers(min_value=1, max_value=9))
def test_what_is_finer_than_the_currency_is_never_silently_rounded(minor: int, code: str, finer: int) -> None:
    assert to_minor(Decimal(to_major(minor, code)) + Decimal(finer).scaleb(-exponent(code) - 1), code) is None


@pytest.mark.parametrize(
    ("minor", "code", "said"),
    [(5_250_000, "NGN", "52500"), (5, "NGN", "0.05"), (1_005_057, "NGN", "10050.57"), (2_500, "XOF", "2500")],
)
def test_the_number_is_in_major_units_as_json_writes_it(minor: int, code: str, said: str) -> None:
    assert to_major(minor, code) == said


@pytest.mark.parametrize("minor", [0, -1, 2**63, True, 1.5])
def test_nothing_less_than_nothing_and_what_is_no_amount_is_refused(minor: object) -> None:
    with pytest.raises(InvalidOrder) as refused:
        to_major(minor, "NGN")  # type: ignore[arg-type]
    assert refused.value.field == "amount_minor"


def test_a_currency_in_small_letters_is_refused() -> None:
    with pytest.raises(InvalidOrder):
        to_major(1, "ngn")


@pytest.mark.parametrize("told", [None, True, "", "1e3", "12,50", "NaN", -1, "-1", [], Decimal("1e30")])
def test_what_is_no_amount_is_none(told: object) -> None:
    assert to_minor(told, "NGN") is None
