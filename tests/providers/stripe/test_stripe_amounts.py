"""Amounts between minor units and Stripe's integers: exact both ways in every currency of its table."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coopwire.domain.errors import InvalidOrder
from coopwire.domain.money import exponent
from coopwire.providers.stripe.wire.amounts import code_of, decimals, exact_minor, to_minor, to_stripe

ZERO = ["BIF", "CLP", "DJF", "GNF", "JPY", "KMF", "KRW", "PYG", "RWF", "VND", "VUV", "XAF", "XOF", "XPF"]
TWO = ["NGN", "GHS", "KES", "ZAR", "USD", "EUR", "GBP", "HUF", "TWD"]
THREE = ["BHD", "JOD", "KWD", "OMR", "TND"]
MINOR = st.integers(min_value=1, max_value=10**12)


@given(minor=MINOR, code=st.sampled_from([*ZERO, *TWO, "UGX", "ISK"]))
def test_what_was_asked_comes_back_to_the_minor_unit(minor: int, code: str) -> None:
    assert to_minor(to_stripe(minor, code), code) == minor


@given(minor=MINOR, code=st.sampled_from(ZERO + TWO))
def test_a_currency_of_no_and_of_two_decimals_is_written_in_its_own_minor_units(
    minor: int, code: str
) -> None:
    assert to_stripe(minor, code) == minor


@given(minor=MINOR, code=st.sampled_from(["UGX", "ISK"]))
def test_ugandan_shillings_and_icelandic_kronur_are_written_in_hundredths(minor: int, code: str) -> None:
    assert exponent(code) == 0
    assert to_stripe(minor, code) == minor * 100


@given(minor=MINOR, code=st.sampled_from(THREE))
def test_of_three_decimals_the_last_must_be_nought(minor: int, code: str) -> None:
    assert to_minor(to_stripe(minor * 10, code), code) == minor * 10
    if minor % 10:
        with pytest.raises(InvalidOrder):
            to_stripe(minor, code)


@given(minor=MINOR)
def test_malagasy_ariary_has_two_decimals_for_us_and_none_for_them(minor: int) -> None:
    assert to_stripe(minor * 100, "MGA") == minor
    assert to_minor(minor, "MGA") == minor * 100
    if minor % 100:
        with pytest.raises(InvalidOrder):
            to_stripe(minor, "MGA")


@given(amount=st.integers(min_value=-(10**12), max_value=10**12), code=st.sampled_from([*ZERO, *TWO, "ISK"]))
def test_a_fee_is_read_exactly_whatever_its_sign(amount: int, code: str) -> None:
    exact = exact_minor(amount, code)
    places = decimals(code)
    assert exact is not None
    assert places is not None
    assert exact == Decimal(amount).scaleb(exponent(code) - places)


def test_a_fraction_of_a_whole_currency_is_no_amount() -> None:
    assert to_minor(150, "ISK") is None
    assert exact_minor(150, "ISK") == Decimal("1.5")


@pytest.mark.parametrize("code", ["IQD", "LYD", "UYI"])
def test_a_currency_of_which_nothing_is_agreed_is_refused(code: str) -> None:
    with pytest.raises(InvalidOrder):
        to_stripe(1_000, code)
    assert to_minor(1_000, code) is None


@pytest.mark.parametrize("minor", [0, -1, 2**63, True, 1.5])
def test_nothing_less_than_nothing_and_what_is_no_amount_is_refused(minor: object) -> None:
    with pytest.raises(InvalidOrder) as refused:
        to_stripe(minor, "NGN")  # type: ignore[arg-type]
    assert refused.value.field == "amount_minor"


@pytest.mark.parametrize("code", ["ngn", "NG", "", "N1N"])
def test_what_is_no_currency_is_refused(code: str) -> None:
    with pytest.raises(InvalidOrder):
        to_stripe(1, code)


@pytest.mark.parametrize("told", [None, True, "", "100", -1, [], Decimal("1.5"), Decimal("1e30")])
def test_what_is_no_amount_is_none(told: object) -> None:
    assert to_minor(told, "NGN") is None


@pytest.mark.parametrize(
    ("told", "code"), [("ngn", "NGN"), ("NGN", None), ("Ngn", None), ("", None), (5, None)]
)
def test_currencies_are_told_in_small_letters(told: object, code: str | None) -> None:
    assert code_of(told) == code
