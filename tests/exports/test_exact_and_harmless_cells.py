"""What every file relies on: amounts keep every digit, and no text is taken for a formula."""

from __future__ import annotations

import json
from datetime import date
from decimal import Decimal
from types import MappingProxyType

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rigs.reports import finding

from coopwire.domain.breaks import BreakType
from coopwire.domain.money import exponent
from coopwire.domain.reconciliation import Sum
from coopwire.exports.cells import by_type, evidence, harmless, major, one_line, places

CURRENCIES = st.sampled_from(["NGN", "USD", "JPY", "KWD"])
DANGEROUS = "=+-@\t\r"


@given(st.integers(-(10**60), 10**60), CURRENCIES)
def test_major_units_and_decimals_give_back_every_minor_unit(minor: int, currency: str) -> None:
    said = major(minor, exponent(currency))
    assert int(said.replace(".", "")) == minor
    assert len(said.partition(".")[2]) == exponent(currency)
    assert major(minor, exponent(currency), thousands=",").replace(",", "") == said


@pytest.mark.parametrize(
    ("minor", "decimals", "said"),
    [
        (0, 2, "0.00"),
        (5, 2, "0.05"),
        (-5, 2, "-0.05"),
        (-100, 2, "-1.00"),
        (99, 3, "0.099"),
        (1234567, 0, "1,234,567"),
        (1234567, 3, "1,234.567"),
        (-1234567, 2, "-12,345.67"),
    ],
)
def test_amounts_are_written_as_people_write_them(minor: int, decimals: int, said: str) -> None:
    assert major(minor, decimals, thousands=",") == said


@pytest.mark.parametrize("currency", [None, "", "naira", "NG", "=1+1", "ngn"])
def test_a_word_that_is_no_currency_has_no_decimals(currency: str | None) -> None:
    assert places(currency) is None


@given(st.text(), st.sampled_from([*DANGEROUS, "\n", " =", "＝", "\x00=", "　@"]))
def test_no_text_begins_as_a_formula_does(text: str, begin: str) -> None:
    said = harmless(begin + text)
    assert not said.startswith((*DANGEROUS, *"＝＋－＠\n"))
    assert not said.lstrip().startswith(tuple("=+-@＝＋－＠"))


@given(st.text(alphabet=st.characters(codec="utf-8", categories=["L", "N", "P", "S"])))
def test_an_ordinary_text_stays_as_it_is(text: str) -> None:
    expected = f"'{text}" if text[:1] in "=+-@＝＋－＠" and text else text
    assert harmless(text) == expected


@given(st.text())
def test_every_text_becomes_one_line_that_can_be_written(text: str) -> None:
    said = one_line(text)
    assert said.isprintable()
    assert len(said) == len(text)
    assert said.encode().decode() == said


def test_a_mark_that_turns_the_direction_is_taken_out_and_the_letters_stay() -> None:
    assert one_line("abc\u202eשלום\u2066x") == "abc\ufffdשלום\ufffdx"


def test_evidence_is_json_whatever_it_holds() -> None:
    facts = {"b": MappingProxyType({"on": date(2026, 3, 2)}), "a": Decimal("1.50"), "c": ["=1", None, "\n"]}
    assert evidence(facts) == '{"a": "1.50", "b": {"on": "2026-03-02"}, "c": ["=1", null, "\\n"]}'
    assert json.loads(evidence(facts))["c"][2] == "\n"
    assert evidence({}) == ""


def test_differences_are_counted_by_type_and_currency() -> None:
    missing, changed = BreakType.JOURNAL_MISSING, BreakType.JOURNAL_CHANGED
    told = by_type(
        [
            finding(1, type=missing),
            finding(2, type=missing),
            finding(3, type=missing, currency="JPY"),
            finding(4, type=changed, currency=None, amount_minor=None),
        ]
    )
    assert told == [(changed, None, Sum(1, 0)), (missing, "JPY", Sum(1, 300)), (missing, "NGN", Sum(2, 300))]
