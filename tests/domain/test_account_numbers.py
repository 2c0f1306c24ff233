"""NUBAN: the check digit of an account number with its bank's code."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coopwire.domain import nuban

SERIALS = st.text("0123456789", min_size=9, max_size=9)
BANKS = st.one_of(*(st.text("0123456789", min_size=n, max_size=n) for n in (3, 5, 6)))


@pytest.mark.parametrize(("account", "bank"), [("0000014579", "011"), ("0000000220", "011")])
def test_the_central_banks_own_examples_fit(account: str, bank: str) -> None:
    assert nuban.fits(account, bank) is True


@given(BANKS, SERIALS)
def test_exactly_one_digit_fits_a_serial_of_a_bank(bank: str, serial: str) -> None:
    fitting = [digit for digit in "0123456789" if nuban.fits(serial + digit, bank)]
    assert fitting == [nuban.check_digit(bank, serial)]


@given(BANKS, SERIALS, st.integers(0, 8), st.integers(1, 9))
def test_one_wrong_digit_is_always_noticed(bank: str, serial: str, place: int, by: int) -> None:
    right = serial + str(nuban.check_digit(bank, serial))
    wrong = str((int(right[place]) + by) % 10)
    assert nuban.fits(right[:place] + wrong + right[place + 1 :], bank) is False


@given(SERIALS, st.text("0123456789", min_size=5, max_size=5), st.text("0123456789", min_size=3, max_size=3))
def test_a_short_code_counts_as_its_long_form(serial: str, microfinance: str, deposit: str) -> None:
    assert nuban.check_digit(microfinance, serial) == nuban.check_digit(f"9{microfinance}", serial)
    assert nuban.check_digit(deposit, serial) == nuban.check_digit(f"000{deposit}", serial)


@pytest.mark.parametrize("bank", ["", "MTN", "12", "1234", "1234567", "０１１"])
def test_a_code_that_is_none_of_the_standards_says_nothing(bank: str) -> None:
    assert nuban.fits("0000014579", bank) is None


@pytest.mark.parametrize("account", ["", "14579", "00000145790", "000001457x", "٠000014579"])
def test_what_has_not_ten_digits_fits_no_bank(account: str) -> None:
    assert nuban.fits(account, "011") is False
    assert not nuban.is_number(account)
