"""Account enquiries: what may be credited, in kobo, and nothing of the person."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coopwire.domain.errors import ContractBroken, InvalidOrder, TryLater
from coopwire.ports.corebank import AccountSnapshot
from coopwire.providers.bankone.wire import accounts
from coopwire.providers.bankone.wire.amounts import Unit
from coopwire.providers.bankone.wire.answers import read

NUMBER = "1100000001"
TOLD: dict[str, Any] = {
    "Name": "Ngozi Canary",
    "Nuban": NUMBER,
    "Number": "00110000000101",
    "PhoneNuber": "08031234567",
    "BVN": "22233344455",
    "AvailableBalance": 11487166.9420,
    "LedgerBalance": "11,487,166.95",
    "Status": "Active",
    "IsSuccessful": True,
    "PNDStatus": "InActive",
    "LienStatus": "Active",
    "FreezeStatus": "InActive",
    "RequestStatus": True,
}


def enquired(number: str = NUMBER, unit: Unit = Unit.NAIRA, **changes: object) -> AccountSnapshot | None:
    return accounts.account(number, read(json.dumps({**TOLD, **changes}).encode()), unit)


def known(**changes: object) -> AccountSnapshot:
    seen = enquired(**changes)  # type: ignore[arg-type]
    assert seen is not None
    return seen


def test_an_active_account_can_be_credited_and_its_balances_are_kobo() -> None:
    seen = known()
    assert (seen.status, seen.can_credit) == ("active", True)
    assert (seen.available_minor, seen.ledger_minor) == (1_148_716_694, 1_148_716_695)


def test_nothing_of_the_person_is_kept_but_name_and_number_which_no_repr_shows() -> None:
    shown = repr(known())
    for private in ("Ngozi", NUMBER, "0803", "222333"):
        assert private not in shown
    assert not hasattr(known(), "raw")


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"Status": "Closed"}, "closed"),
        ({"Status": "Dormant"}, "dormant"),
        ({"Status": "Something new"}, "something new"),
        ({"Status": None}, "unknown"),
        ({"FreezeStatus": "Active"}, "active, frozen"),
        ({"FreezeStatus": "Partially"}, "active, frozen"),
        ({"PNDStatus": "Active", "FreezeStatus": "Active"}, "active, no debit, frozen"),
    ],
)
def test_only_an_active_account_that_is_not_frozen_can_be_credited(
    changes: dict[str, object], status: str
) -> None:
    seen = known(**changes)
    assert (seen.status, seen.can_credit) == (status, False)


def test_a_lien_or_post_no_debit_does_not_stop_a_credit() -> None:
    assert known(LienStatus="Active").can_credit
    stopped = known(PNDStatus="Active")
    assert (stopped.status, stopped.can_credit) == ("active, no debit", True)


def test_the_institutions_own_number_is_the_account_too() -> None:
    seen = enquired("00110000000101")
    assert seen is not None
    assert seen.number == "00110000000101"


def test_an_answer_about_another_account_breaks_the_contract() -> None:
    with pytest.raises(ContractBroken):
        enquired("1100000002")


@pytest.mark.parametrize(
    "answer",
    [
        {"IsSuccessful": False, "ResponseCode": "14"},
        {"IsSuccessful": False, "RequestStatus": False, "ResponseDescription": "Account not found"},
        {"RequestStatus": False, "ResponseDescription": "Account number does not exist"},
        {"IsSuccessful": False, "ResponseDescription": "Invalid account"},
        {"IsSuccessful": False, "ResponseDescription": "No such account"},
        {"IsSuccessful": False, "ResponseDescription": "The account could not be found"},
    ],
)
def test_an_account_that_they_positively_do_not_know_is_none(answer: dict[str, object]) -> None:
    assert accounts.account(NUMBER, read(json.dumps(answer).encode()), Unit.NAIRA) is None


@pytest.mark.parametrize(
    "answer",
    [
        {"IsSuccessful": False},
        {"IsSuccessful": True, "RequestStatus": False},
        {"IsSuccessful": False, "ResponseDescription": "Institution not found"},
        {"IsSuccessful": False, "ResponseCode": "91", "ResponseDescription": "Switch inoperative"},
    ],
)
def test_an_enquiry_that_failed_otherwise_is_tried_later(answer: dict[str, object]) -> None:
    with pytest.raises(TryLater):
        accounts.account(NUMBER, read(json.dumps(answer).encode()), Unit.NAIRA)


def test_an_enquiry_without_yes_and_no_breaks_the_contract() -> None:
    with pytest.raises(ContractBroken):
        enquired(IsSuccessful=None, RequestStatus=None)


@pytest.mark.parametrize("number", ["", "12345", "1" * 21, "11000A0001", "1100000001\n", "١١٠٠٠٠٠٠٠١"])
def test_what_can_be_no_account_number_is_not_asked_for(number: str) -> None:
    with pytest.raises(InvalidOrder):
        accounts.question(number)


@pytest.mark.parametrize(
    ("value", "unit", "kobo"),
    [
        (None, Unit.NAIRA, None),
        ("", Unit.NAIRA, None),
        (Decimal("0.019"), Unit.NAIRA, 1),
        (Decimal("-0.011"), Unit.NAIRA, -2),
        (5, Unit.NAIRA, 500),
        ("1,234.50", Unit.NAIRA, 123_450),
        ("1,234", Unit.KOBO, 1234),
        (" 12 ", Unit.NAIRA, 1200),
    ],
)
def test_a_balance_is_read_in_its_unit_and_never_overstated(
    value: object, unit: Unit, kobo: int | None
) -> None:
    assert accounts.balance(value, unit) == kobo


@pytest.mark.parametrize(
    "value", ["abc", "1,23.4", "1.2.3", True, [], Decimal("1E+400"), "9" * 19, 10**30, "١٢"]
)
def test_what_is_no_balance_breaks_the_contract(value: object) -> None:
    with pytest.raises(ContractBroken):
        accounts.balance(value, Unit.NAIRA)


@given(st.integers(min_value=-(10**12), max_value=10**12))
def test_a_balance_to_the_kobo_is_read_as_it_was_written(kobo: int) -> None:
    naira = Decimal(kobo).scaleb(-2)
    assert accounts.balance(naira, Unit.NAIRA) == kobo
    assert accounts.balance(f"{naira:,.2f}", Unit.NAIRA) == kobo
    assert accounts.balance(kobo, Unit.KOBO) == kobo
