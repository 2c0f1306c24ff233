"""Fees for all inputs: exact, rounded once, within their bounds; the rule of the day, and one rule for a case."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from decimal import ROUND_HALF_EVEN, Context, Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coopwire.domain.fees import (
    ChargedOn,
    DutyPayer,
    ExpectedFee,
    FeeCase,
    FeeRule,
    FeeRuleError,
    FeeSchedule,
    differs,
    exact_text,
    expected_total,
    fee_of,
    grossed_up,
    in_major,
    priced,
)
from coopwire.domain.receipts import FeeBearer

DAY = date(2026, 3, 2)
LOCAL = FeeRule(
    date(2020, 1, 1), "NGN", Fraction("1.5"), flat_minor=10_000, flat_from_minor=250_000, cap_minor=200_000
)
WITH_VAT = replace(LOCAL, vat_percent=Fraction("7.5"))
WITH_DUTY = replace(LOCAL, duty_minor=5_000, duty_from_minor=1_000_000)
VECTORS = [
    (LOCAL, 5_250_000, "88750"),
    (LOCAL, 249_999, "3749.985"),
    (LOCAL, 250_000, "13750"),
    (LOCAL, 12_666_666, "199999.99"),
    (LOCAL, 12_666_667, "200000"),
    (LOCAL, 1_000_000_000, "200000"),
    (WITH_VAT, 5_250_000, "95406.25"),
    (WITH_VAT, 1_000_000_000, "215000"),
    (WITH_DUTY, 999_999, "24999.985"),
    (WITH_DUTY, 1_000_000, "30000"),
    (replace(WITH_DUTY, duty_payer=DutyPayer.MEMBER), 1_000_000, "25000"),
    (replace(WITH_DUTY, duty_payer=DutyPayer.SETTLEMENT), 1_000_000, "25000"),
    (replace(LOCAL, minimum_minor=5_000), 100, "5000"),
    (FeeRule(DAY, "USD", Fraction("2.9"), flat_minor=30), 1_000, "59"),
    (FeeRule(DAY, "JPY", Fraction("3.6")), 99, "3.564"),
]
"""Worked by hand: rule, amount, exact fee; all in minor units."""

percents = st.decimals(0, 20, places=3).map(Fraction)
amounts = st.integers(0, 10**9)


@st.composite
def rules(draw: st.DrawFn, **fixed: Any) -> FeeRule:
    least = draw(st.integers(0, 5_000))
    values: dict[str, Any] = {
        "percent": draw(percents),
        "flat_minor": draw(st.integers(0, 50_000)),
        "flat_from_minor": draw(st.integers(0, 500_000)),
        "minimum_minor": least,
        "cap_minor": draw(st.none() | st.integers(least, 400_000)),
        "vat_percent": draw(percents),
        "duty_minor": draw(st.integers(0, 5_000)),
        "duty_from_minor": draw(st.integers(0, 2_000_000)),
        "duty_payer": draw(st.sampled_from(DutyPayer)),
    }
    return FeeRule(date(2020, 1, 1), "NGN", **{**values, **fixed})


@pytest.mark.parametrize(("rule", "amount", "exact"), VECTORS)
def test_a_fee_is_what_was_worked_by_hand(rule: FeeRule, amount: int, exact: str) -> None:
    assert fee_of(rule, amount).exact == exact


def _exact(rule: FeeRule, amount: int, price: Callable[[FeeRule, int], Fraction]) -> str:
    return exact_text(price(rule, amount))


def _rounds_each_step(rule: FeeRule, amount: int) -> Fraction:
    return Fraction(sum(round(Fraction(line.exact)) for line in fee_of(rule, amount).lines if line.counts))


def _caps_with_the_vat(rule: FeeRule, amount: int) -> Fraction:
    exact = Fraction(fee_of(replace(rule, cap_minor=None), amount).exact)
    return exact if rule.cap_minor is None else min(exact, Fraction(rule.cap_minor))


def _never_waives(rule: FeeRule, amount: int) -> Fraction:
    return Fraction(fee_of(replace(rule, flat_from_minor=0), amount).exact)


def _waives_at_the_threshold_too(rule: FeeRule, amount: int) -> Fraction:
    return Fraction(fee_of(replace(rule, flat_from_minor=rule.flat_from_minor + 1), amount).exact)


def _counts_every_duty(rule: FeeRule, amount: int) -> Fraction:
    return Fraction(fee_of(replace(rule, duty_payer=DutyPayer.LENDER), amount).exact)


def _forgets_the_minimum(rule: FeeRule, amount: int) -> Fraction:
    return Fraction(fee_of(replace(rule, minimum_minor=0), amount).exact)


@pytest.mark.parametrize(
    "wrong",
    [
        _rounds_each_step,
        _caps_with_the_vat,
        _never_waives,
        _waives_at_the_threshold_too,
        _counts_every_duty,
        _forgets_the_minimum,
    ],
)
def test_what_was_worked_by_hand_bites(wrong: Callable[[FeeRule, int], Fraction]) -> None:
    assert any(_exact(rule, amount, wrong) != exact for rule, amount, exact in VECTORS)


@given(rules(), amounts)
def test_a_fee_is_rounded_once_and_nothing_gets_lost(rule: FeeRule, amount: int) -> None:
    fee = fee_of(rule, amount)
    steps = sum((Fraction(line.exact) for line in fee.lines if line.counts), Fraction(0))
    assert steps == Fraction(fee.exact) == fee.minor + Fraction(fee.residue)
    assert fee.minor == int(Decimal(fee.exact).to_integral_value(ROUND_HALF_EVEN, Context(prec=60)))


@given(rules(), amounts, amounts)
def test_who_pays_more_pays_no_smaller_fee(rule: FeeRule, one: int, other: int) -> None:
    smaller, larger = sorted((one, other))
    assert Fraction(fee_of(rule, smaller).exact) <= Fraction(fee_of(rule, larger).exact)


@given(rules(vat_percent=Fraction(0), duty_minor=0), amounts)
def test_a_fee_stays_between_its_minimum_and_its_cap(rule: FeeRule, amount: int) -> None:
    exact = Fraction(fee_of(rule, amount).exact)
    assert rule.minimum_minor <= exact
    assert rule.cap_minor is None or exact <= rule.cap_minor


@given(rules(), amounts)
def test_who_bears_the_fee_pays_the_least_that_leaves_what_was_asked(rule: FeeRule, asked: int) -> None:
    paid = grossed_up(rule, asked)
    assert paid - fee_of(rule, paid).minor >= asked
    near = {paid - 1, paid - 2, (asked + paid) // 2, rule.flat_from_minor - 1, rule.duty_from_minor - 1}
    assert all(less - fee_of(rule, less).minor < asked for less in near if asked <= less < paid)


@given(rules(flat_from_minor=0, duty_from_minor=0, minimum_minor=0), amounts)
def test_what_is_grossed_up_leaves_exactly_what_was_asked_where_nothing_begins_in_between(
    rule: FeeRule, asked: int
) -> None:
    paid = grossed_up(rule, asked)
    assert paid - fee_of(rule, paid).minor == asked


@given(rules(charged_on=ChargedOn.ASKED), amounts)
def test_a_fee_on_what_was_asked_is_put_on_top_of_it(rule: FeeRule, asked: int) -> None:
    paid, fee = priced(rule, asked, FeeBearer.MEMBER)
    assert (paid, fee) == (asked + fee.minor, fee_of(rule, asked))


def test_a_rule_that_takes_everything_cannot_be_made() -> None:
    with pytest.raises(FeeRuleError):
        FeeRule(DAY, "NGN", Fraction(95), vat_percent=Fraction(10))


# -- which rule --------------------------------------------------------------------------------------------


def case(**changes: Any) -> FeeCase:
    return replace(FeeCase(DAY, "NGN", "card", 1_000_000, 1_000_000), **changes)


def _named(schedule: FeeSchedule, **changes: Any) -> str | None:
    rule = schedule.rule_of(case(**changes))
    return rule.note if rule is not None else None


def of(**members: Any) -> FeeRule:
    values: dict[str, Any] = {
        "valid_from": date(2020, 1, 1),
        "currency": "NGN",
        "percent": Fraction(1),
        **members,
    }
    return FeeRule(**{**values, "channels": frozenset(values.get("channels", "").split())})


def test_the_rule_that_says_most_about_a_charge_counts() -> None:
    schedule = FeeSchedule(
        "a list",
        (
            of(note="any"),
            of(channels="card", note="card"),
            of(channels="card", card_country="!NG", note="from abroad"),
            of(channels="card", card_country="!NG", card_brand="amex", note="amex from abroad"),
            of(card_brand="verve", note="verve"),
        ),
    )
    assert _named(schedule, channel="ussd") == "any"
    assert _named(schedule, channel="CARD") == "card"
    assert _named(schedule, card_country="NG") == "card"
    assert _named(schedule, card_country="GB") == "from abroad"
    assert _named(schedule, card_country="GB", card_brand="Amex") == "amex from abroad"
    assert _named(schedule, channel="token", card_brand="verve") == "verve"
    assert _named(schedule, currency="GHS") is None
    assert _named(schedule, on=date(2019, 12, 31)) is None


@given(st.lists(st.dates(date(2020, 1, 1), date(2027, 1, 1)), min_size=1, max_size=6, unique=True), st.data())
def test_each_day_has_the_rule_that_began_last(starts: list[date], data: st.DataObject) -> None:
    schedule = FeeSchedule("a list", tuple(of(valid_from=day, note=str(day)) for day in starts))
    on = data.draw(st.dates(date(2019, 6, 1), date(2027, 6, 1)))
    begun = [day for day in starts if day <= on]
    assert _named(schedule, on=on) == (str(max(begun)) if begun else None)


def test_a_rule_counts_on_its_last_day_and_not_on_the_next() -> None:
    schedule = FeeSchedule("a list", (of(valid_until=DAY, note="it"),))
    assert _named(schedule) == "it"
    assert _named(schedule, on=DAY + timedelta(days=1)) is None


@pytest.mark.parametrize(
    ("told", "second"),
    [
        ("that of another rule", of(valid_from=date(2020, 1, 1), percent=Fraction(2))),
        ("valid until 2020-12-31", of(valid_from=date(2020, 12, 31))),
        ("no rule for the same charges is valid on 2021-01-01", of(valid_from=date(2021, 1, 2))),
    ],
)
def test_rules_of_one_kind_that_overlap_or_leave_a_gap_are_refused(told: str, second: FeeRule) -> None:
    first = of(valid_until=date(2020, 12, 31))
    with pytest.raises(FeeRuleError, match=told) as refused:
        FeeSchedule("a list", (first, second))
    assert refused.value.row == 1
    FeeSchedule("a list", (first, of(valid_from=date(2021, 1, 1))))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"channels": "card token"}, {"channels": "card"}),
        ({"card_country": "!NG"}, {"card_country": "GB"}),
        ({"card_country": "!NG"}, {"card_country": "!GB"}),
    ],
)
def test_two_rules_that_speak_of_one_case_are_refused(one: dict[str, str], other: dict[str, str]) -> None:
    with pytest.raises(FeeRuleError, match="speaks of cases that the rule"):
        FeeSchedule("a list", (of(**one), of(**other)))
    FeeSchedule("a list", (of(**one, valid_until=DAY), of(**other, valid_from=DAY + timedelta(days=1))))


def test_a_list_without_a_rule_is_refused() -> None:
    with pytest.raises(FeeRuleError, match="there is no rule"):
        FeeSchedule("a list", ())


# -- what is compared, and what is said --------------------------------------------------------------------


@given(rules(), amounts, st.sampled_from(["ROUND_UP", "ROUND_DOWN", "ROUND_HALF_UP", "ROUND_HALF_EVEN"]))
def test_no_way_to_round_a_fee_makes_it_another_one(rule: FeeRule, amount: int, way: str) -> None:
    exact = fee_of(rule, amount).exact
    assert not differs(exact, str(Decimal(exact).to_integral_value(way, Context(prec=60))))


@given(rules(), amounts, st.integers(1, 10**6))
def test_a_whole_minor_unit_is_another_fee(rule: FeeRule, amount: int, more: int) -> None:
    exact = fee_of(rule, amount).exact
    assert differs(exact, exact_text(Fraction(exact) + more))
    assert differs(exact, exact_text(Fraction(exact) - more))


@given(st.lists(st.none() | st.builds(fee_of, rules(), amounts), max_size=8))
def test_a_settlement_is_expected_to_cost_what_its_charges_do(fees: list[ExpectedFee | None]) -> None:
    total = expected_total(fees)
    assert total.minor + Fraction(total.residue) == Fraction(total.exact)
    assert total.minor == sum(fee.minor for fee in fees if fee is not None)
    assert (total.priced, total.unpriced) == (len(fees) - fees.count(None), fees.count(None))


@given(st.decimals(-(10**12), 10**12, places=6))
def test_an_exact_text_is_the_number_itself(value: Decimal) -> None:
    assert Decimal(exact_text(Fraction(value))) == value


def test_a_number_without_an_end_is_no_decimal_text() -> None:
    with pytest.raises(ValueError, match="not a decimal number"):
        exact_text(Fraction(1, 3))


@pytest.mark.parametrize(
    ("exact", "currency", "told"),
    [
        ("88750", "NGN", "887.50 NGN"),
        ("3749.985", "NGN", "37.49985 NGN"),
        ("-123456789", "USD", "-1,234,567.89 USD"),
        ("3.564", "JPY", "3.564 JPY"),
        ("5", "KWD", "0.005 KWD"),
    ],
)
def test_exact_amounts_are_told_in_major_units(exact: str, currency: str, told: str) -> None:
    assert in_major(exact, currency) == told


def test_the_arithmetic_says_every_step() -> None:
    fee = fee_of(replace(WITH_VAT, duty_minor=5_000, duty_payer=DutyPayer.MEMBER), 20_000_000, "ours")
    assert [(line.text, line.exact, line.counts) for line in fee.lines] == [
        ("1.5 % of 200,000.00 NGN", "300000", True),
        ("100.00 NGN from 2,500.00 NGN on", "10000", True),
        ("at most 2,000.00 NGN", "-110000", True),
        ("VAT, 7.5 % of the fee", "15000", True),
        ("stamp duty from 0.00 NGN on, borne by the member, no part of the fee", "5000", False),
    ]
    assert (fee.minor, fee.rule, fee.schedule) == (215_000, "NGN any channel from 2020-01-01", "ours")
