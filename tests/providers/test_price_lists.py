"""The price lists that come with providers: they can be used, and the simulators charge by them."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from fractions import Fraction

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from coopwire.connections import example_fees
from coopwire.domain.fees import FeeCase, FeeSchedule, differs, priced
from coopwire.domain.receipts import FeeBearer
from coopwire.providers import catalog
from coopwire.providers.flutterwave.simulator.settings import FlutterwaveSettings
from coopwire.providers.paystack.simulator.settings import PaystackSettings
from coopwire.providers.stripe.simulator.settings import StripeSettings

PAYSTACK, FLUTTERWAVE, STRIPE = PaystackSettings(), FlutterwaveSettings(), StripeSettings()
CASE = FeeCase(date(2026, 3, 2), "NGN", "card", 0, 0, "NG", "visa")
amounts = st.integers(1, 10**9)


def listed(provider: str) -> FeeSchedule:
    """Its price list."""
    found = example_fees(catalog.sheet(provider))
    assert found is not None
    return found


LISTS = {name: listed(name) for name in catalog.OURS if catalog.sheet(name).fees is not None}


@pytest.mark.parametrize("provider", LISTS)
def test_a_shipped_list_says_of_itself_that_it_is_an_example(provider: str) -> None:
    assert LISTS[provider].example
    assert all(rule.note.startswith("example") and "verify" in rule.note for rule in LISTS[provider].rules)


def _expected(provider: str, **changes: object) -> str:
    fee = LISTS[provider].expected(replace(CASE, **changes))  # type: ignore[arg-type]
    assert fee is not None
    return fee.exact


@given(amounts)
@example(249_999)
@example(250_000)
def test_the_simulated_paystack_charges_by_the_list(amount: int) -> None:
    exact = _expected("paystack", paid_minor=amount, asked_minor=amount)
    assert not differs(exact, str(PAYSTACK.fee(amount)))
    transferred = _expected("paystack", paid_minor=amount, asked_minor=amount, channel="dedicated_nuban")
    assert not differs(transferred, str(PAYSTACK.account_fee(amount)))


@given(amounts)
@example(246_250)
def test_a_customer_of_the_simulated_paystack_who_bears_the_fee_pays_by_the_list(asked: int) -> None:
    paid = PAYSTACK.grossed_up(asked)
    assert not differs(_expected("paystack", paid_minor=paid, asked_minor=asked), str(paid - asked))


@given(amounts)
def test_the_simulated_flutterwave_charges_by_the_list(amount: int) -> None:
    exact = _expected("flutterwave", paid_minor=amount, asked_minor=amount)
    assert not differs(exact, str(Fraction(FLUTTERWAVE.fee(amount, "NGN")) * 100))
    on_top = FLUTTERWAVE.on_top(amount, "NGN")
    borne = _expected("flutterwave", paid_minor=amount + on_top, asked_minor=amount)
    assert not differs(borne, str(on_top))


@given(st.integers(50, 10**9))
def test_the_simulated_stripe_charges_by_the_list(amount: int) -> None:
    case = {"currency": "USD", "paid_minor": amount, "asked_minor": amount, "card_country": "US"}
    assert not differs(_expected("stripe", **case), str(STRIPE.fee(amount)))


@pytest.mark.parametrize(
    ("provider", "currency", "home"),
    [("paystack", "NGN", "NG"), ("flutterwave", "NGN", "NG"), ("stripe", "USD", "US")],
)
def test_a_card_from_abroad_costs_more(provider: str, currency: str, home: str) -> None:
    case = replace(CASE, currency=currency)
    local, abroad = (LISTS[provider].rule_of(replace(case, card_country=c)) for c in (home, "GB"))
    assert local is not None
    assert abroad is not None
    fees = [priced(rule, 5_250_000, FeeBearer.LENDER)[1].minor for rule in (local, abroad)]
    assert fees[0] < fees[1]


def test_who_bears_the_duty_on_a_transfer_depends_on_the_day() -> None:
    days = (date(2025, 12, 31), date(2026, 1, 1))
    rules = [LISTS["paystack"].rule_of(replace(CASE, on=on, channel="dedicated_nuban")) for on in days]
    assert [rule.duty_payer.value for rule in rules if rule is not None] == ["settlement", "member"]
