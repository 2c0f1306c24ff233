"""Amounts between minor units and Paystack's subunits, both ways, exactly."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coopwire.domain.errors import InvalidOrder
from coopwire.providers.paystack.wire.amounts import exact_minor, to_minor, to_subunits
from coopwire.transport.reading import plain, rounded

TEN_TO_THE_12 = 10**12
AMOUNTS = st.integers(1, TEN_TO_THE_12)
TWO_DECIMALS = st.sampled_from(["NGN", "GHS", "KES", "ZAR", "USD"])
NO_DECIMALS = st.sampled_from(["XOF", "RWF", "UGX", "JPY"])
THREE_DECIMALS = st.sampled_from(["KWD", "TND", "BHD"])


@given(AMOUNTS, TWO_DECIMALS)
def test_a_minor_unit_is_a_subunit_where_iso_has_two_decimals(minor: int, currency: str) -> None:
    assert to_subunits(minor, currency) == minor
    assert to_minor(minor, currency) == minor


@given(AMOUNTS, NO_DECIMALS)
def test_a_whole_franc_is_a_hundred_subunits_and_comes_back_whole(minor: int, currency: str) -> None:
    assert to_subunits(minor, currency) == minor * 100
    assert to_minor(minor * 100, currency) == minor


@given(AMOUNTS.filter(lambda n: n % 100), NO_DECIMALS)
def test_a_fraction_of_a_franc_is_no_amount(subunits: int, currency: str) -> None:
    assert to_minor(subunits, currency) is None


@given(AMOUNTS, THREE_DECIMALS)
def test_three_decimals_go_out_only_when_they_end_in_nought(minor: int, currency: str) -> None:
    if minor % 10:
        with pytest.raises(InvalidOrder) as refused:
            to_subunits(minor, currency)
        assert refused.value.field == "amount_minor"
    else:
        assert to_minor(to_subunits(minor, currency), currency) == minor


@given(AMOUNTS, st.one_of(TWO_DECIMALS, NO_DECIMALS))
def test_every_amount_survives_the_way_there_and_back(minor: int, currency: str) -> None:
    assert to_minor(to_subunits(minor, currency), currency) == minor


@given(AMOUNTS, TWO_DECIMALS)
def test_an_amount_told_as_text_is_the_same_amount(minor: int, currency: str) -> None:
    assert to_minor(str(minor), currency) == minor


@pytest.mark.parametrize("amount", [0, -1, True, 2**63])
def test_an_amount_that_nobody_can_be_asked_for_is_refused(amount: int) -> None:
    with pytest.raises(InvalidOrder) as refused:
        to_subunits(amount, "NGN")
    assert refused.value.field == "amount_minor"


@pytest.mark.parametrize("currency", ["", "ngn", "NAIRA", "N\u0261N", "NG\n"])
def test_a_currency_that_is_none_is_refused(currency: str) -> None:
    with pytest.raises(InvalidOrder) as refused:
        to_subunits(100, currency)
    assert refused.value.field == "currency"


@pytest.mark.parametrize(
    "told",
    [
        None,
        True,
        -1,
        "",
        "1e5",
        " 5",
        "٣",
        "1,000",
        Decimal("0.5"),
        Decimal("1E+999999"),
        Decimal("NaN"),
        10**30,
        2**63,
        [],
        {},
        "9" * 5000,
    ],
)
def test_what_is_no_whole_amount_is_not_guessed(told: object) -> None:
    assert to_minor(told, "NGN") is None


def test_a_fee_with_more_decimals_is_kept_exactly_and_rounded_once_half_even() -> None:
    exact = exact_minor(Decimal("26.8750"), "NGN")
    assert exact is not None
    assert (plain(exact), rounded(exact)) == ("26.875", 27)
    assert [rounded(Decimal(text)) for text in ("0.5", "1.5", "2.5")] == [0, 2, 2]


def test_a_fee_in_francs_keeps_its_hundredths() -> None:
    exact = exact_minor(150, "XOF")
    assert exact is not None
    assert (plain(exact), rounded(exact)) == ("1.5", 2)
