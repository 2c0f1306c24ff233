"""Price lists are read whole or not at all; each mistake is told with its line and its column."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from datetime import date
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coopwire.application.fee_files import COLUMNS, FeeFileError, cells, schedule_of
from coopwire.domain.fees import ChargedOn, DutyPayer, FeeRule
from coopwire.domain.money import exponent

HEAD = "valid_from,currency,percent,flat,cap,card_country,valid_until,stamp_duty_payer"


def _csv(rules: Iterable[FeeRule]) -> str:
    out = io.StringIO()
    table = csv.DictWriter(out, COLUMNS)
    table.writeheader()
    table.writerows(map(cells, rules))
    return out.getvalue()


def _mistakes(text: str) -> list[str]:
    with pytest.raises(FeeFileError) as refused:
        schedule_of(text, "prices.csv")
    return [str(mistake) for mistake in refused.value.mistakes]


words = st.text("abcdefghijklmnopqrstuvwxyz0123456789_", min_size=1, max_size=12)
percents = st.decimals(0, 40, places=6).map(Fraction)
minors = st.integers(0, 10**12)


@st.composite
def rules(draw: st.DrawFn) -> FeeRule:
    duty, least = draw(minors), draw(st.integers(0, 10**6))
    values: dict[str, Any] = {
        "valid_until": draw(st.none() | st.dates(date(2026, 1, 1), date(2040, 1, 1))),
        "channels": draw(st.frozensets(words, max_size=3)),
        "card_country": draw(st.sampled_from(["", "NG", "!NG"])),
        "card_brand": draw(st.sampled_from(["", "visa", "american express"])),
        "flat_minor": draw(minors),
        "flat_from_minor": draw(minors),
        "minimum_minor": least,
        "cap_minor": draw(st.none() | st.integers(least, 10**9)),
        "vat_percent": draw(percents),
        "duty_minor": duty,
        "duty_from_minor": draw(minors),
        "duty_payer": draw(st.sampled_from(DutyPayer)) if duty else DutyPayer.LENDER,
        "charged_on": draw(st.sampled_from(ChargedOn)),
        "note": draw(st.sampled_from(["", 'a "note", with; signs'])),
    }
    currency = draw(st.sampled_from(["NGN", "JPY", "KWD"]))
    return FeeRule(draw(st.dates(date(2000, 1, 1), date(2025, 1, 1))), currency, draw(percents), **values)


@given(rules())
def test_a_rule_that_was_written_is_read_as_the_same(rule: FeeRule) -> None:
    assert schedule_of(_csv([rule]), "prices.csv").rules == (rule,)


def test_amounts_are_major_units_of_their_currency() -> None:
    text = "valid_from,currency,percent,flat\n2026-01-01,NGN,1.5,100\n2026-01-01,JPY,3.6,100\n"
    read = schedule_of(text, "prices.csv").rules
    assert [rule.flat_minor for rule in read] == [100 * 10 ** exponent(rule.currency) for rule in read]


@pytest.mark.parametrize(
    ("row", "told"),
    [
        ("2.3.2026,NGN,1.5,,,,,", "line 2, valid_from: must be a day such as 2026-03-02"),
        (",NGN,1.5,,,,,", "line 2, valid_from: is missing"),
        ("2026-03-02,naira,1.5,,,,,", "line 2, currency: must be three capital letters such as NGN"),
        ("2026-03-02,NGN,,,,,,", "line 2, percent: is missing"),
        (
            "2026-03-02,NGN,-1,,,,,",
            "line 2, percent: must be a number from 0 to 100 such as 1.5, with at most",
        ),
        (
            "2026-03-02,NGN,1e1,,,,,",
            "line 2, percent: must be a number from 0 to 100 such as 1.5, with at most",
        ),
        (
            "2026-03-02,NGN,101,,,,,",
            "line 2, percent: must be a number from 0 to 100 such as 1.5, with at most",
        ),
        ("2026-03-02,NGN,100,,,,,", "line 2, percent: the fee and its VAT would be all that was paid"),
        (
            "2026-03-02,NGN,1.5,₦100,,,,",
            "line 2, flat: must be an amount in major units such as 2000 or 0.30",
        ),
        ("2026-03-02,NGN,1.5,,0.001,,,", "line 2, cap: has more decimals than NGN allows, or is too large"),
        (
            "2026-03-02,NGN,1.5,,,Nigeria,,",
            "line 2, card_country: must be a country such as NG, or !NG for any",
        ),
        ("2026-03-02,NGN,1.5,,,,2026-03-01,", "line 2, valid_until: is before valid_from"),
        (
            "2026-03-02,NGN,1.5,,,,,bank",
            "line 2, stamp_duty_payer: must be one of lender, settlement, member",
        ),
        ("2026-03-02,NGN,1.5", "line 2: 3 values for 8 columns"),
    ],
)
def test_a_mistake_is_told_with_its_line_and_its_column(row: str, told: str) -> None:
    [mistake] = _mistakes(f"{HEAD}\n{row}\n")
    assert mistake.startswith(told)


def test_all_mistakes_are_told_at_once() -> None:
    rows = "2026-03-02,NGN,x,y,,,,\n2026-03-02,NGN,1,,,,,\n2026-03-02,ngn,1,,,,,"
    assert [mistake.split(":")[0] for mistake in _mistakes(f"{HEAD}\n{rows}\n")] == [
        "line 2, percent",
        "line 2, flat",
        "line 4, currency",
    ]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "is empty: the first line names the columns"),
        ("valid_from,currency\n", "the first line must name the columns valid_from, valid_until, currency"),
        (f"{HEAD},fee\n", "the first line must name the columns valid_from, valid_until, currency"),
        (f"{HEAD}\n", "valid_from: there is no rule"),
        (HEAD + "\n2026-03-02,NGN,1,,,,," * 501, "has more than 500 rows"),
    ],
)
def test_a_file_that_is_no_price_list_is_refused(text: str, told: str) -> None:
    [mistake] = _mistakes(text)
    assert mistake.startswith(told)


def test_rules_that_contradict_each_other_are_told_by_the_later_line() -> None:
    rows = "2026-03-02,NGN,1,,,,,\n\n2026-03-02,NGN,2,,,,,\n2026-01-01,GHS,1,,,,,\n"
    assert _mistakes(f"{HEAD}\n{rows}") == [
        "line 4, valid_from: is that of another rule for the same charges"
    ]


@given(st.text(max_size=200))
def test_no_text_ends_in_anything_but_mistakes(text: str) -> None:
    try:
        schedule_of(f"{HEAD}\n{text}", "prices.csv")
    except FeeFileError as refused:
        assert refused.mistakes
