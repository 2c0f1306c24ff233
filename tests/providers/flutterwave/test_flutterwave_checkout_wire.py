"""An order for a page as Flutterwave gets it, and what its answers say of it."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coopwire.domain.errors import ContractBroken, InvalidOrder, OutcomeUnknown
from coopwire.domain.payments import Mode, Payer
from coopwire.ports.gateways import CheckoutOrder
from coopwire.ports.providers import Connection
from coopwire.ports.writes import FindingWord
from coopwire.providers.flutterwave.wire.account import Account, account
from coopwire.providers.flutterwave.wire.answers import Said
from coopwire.providers.flutterwave.wire.checkouts import checkout_body, found, opened

Order = Callable[..., CheckoutOrder]
Accounts = Callable[..., Account]
TEST = account(Connection("f", "flutterwave", Mode.TEST, {"secret_key": "FLWSECK_TEST-x"}))


def said(data: object) -> Said:
    return Said(yes=True, message="", data=data, meta={})


def test_the_amount_is_text_in_major_units_and_the_currency_is_always_said(an_order: Order) -> None:
    body = json.loads(checkout_body(an_order(amount_minor=5_250_050), TEST))
    assert (body["amount"], body["currency"], body["tx_ref"]) == ("52500.5", "NGN", "ref00000000000000001")
    assert json.loads(checkout_body(an_order(amount_minor=2_500, currency="XOF"), TEST))["amount"] == "2500"


def test_of_the_member_nothing_but_the_e_mail_is_told(an_order: Order) -> None:
    body = checkout_body(an_order(), TEST)
    assert json.loads(body)["customer"] == {"email": "member@example.com"}
    assert b"Ngozi" not in body
    assert b"+234" not in body


def test_ways_to_pay_and_the_way_back_are_told_where_they_are_set(
    an_order: Order, an_account: Accounts
) -> None:
    of = an_account(payment_options="card,ussd", redirect_url="https://lender.example/back")
    body = json.loads(checkout_body(an_order(), of))
    assert (body["payment_options"], body["redirect_url"]) == ("card, ussd", "https://lender.example/back")
    own = json.loads(checkout_body(an_order(return_url="https://lender.example/own"), of))
    assert own["redirect_url"] == "https://lender.example/own"
    assert "redirect_url" not in json.loads(checkout_body(an_order(), TEST))


@given(
    name=st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=50),
    value=st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=200),
)
def test_any_fact_arrives_unchanged(name: str, value: str) -> None:
    order = CheckoutOrder("r", 100, "NGN", Payer("M", "", "", "a@example.com"), None, ((name, value),))
    assert json.loads(checkout_body(order, TEST))["meta"] == {name: value}


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"facts": (("a", "nul \x00"),)}, "facts"),
        ({"facts": (("half \ud800", "b"),)}, "facts"),
        ({"facts": (("a", "1"), ("a", "2"))}, "facts"),
        ({"reference": "with blank"}, "reference"),
        ({"reference": ""}, "reference"),
        ({"reference": "x" * 101}, "reference"),
        ({"reference": "🙂"}, "reference"),
        ({"reference": "a\x00b"}, "reference"),
        ({"reference": "a&status=successful"}, "reference"),
        ({"email": "nobody"}, "email"),
        ({"amount_minor": 0}, "amount_minor"),
        ({"currency": "ngn"}, "currency"),
        ({"return_url": "javascript:alert(1)"}, "return_url"),
    ],
)
def test_what_they_could_not_keep_is_refused_before_it_is_sent(
    an_order: Order, changes: dict[str, object], field: str
) -> None:
    with pytest.raises(InvalidOrder) as refused:
        checkout_body(an_order(**changes), TEST)
    assert refused.value.field == field


def test_a_page_has_an_address_and_no_id(an_order: Order) -> None:
    page = opened(an_order(), said({"link": "https://pay.example/v3/hosted/pay/abc"}))
    assert (page.reference, page.provider_ref) == ("ref00000000000000001", None)
    assert "hosted" not in repr(page)


@pytest.mark.parametrize("data", [None, {}, {"link": 5}, {"link": ""}, {"link": "no address"}, []])
def test_a_yes_without_an_address_is_unknown(an_order: Order, data: object) -> None:
    with pytest.raises(OutcomeUnknown):
        opened(an_order(), said(data))


def test_no_transaction_says_nothing_about_the_page(an_order: Order) -> None:
    finding = found(an_order(), None)
    assert finding.word is FindingWord.ABSENT
    assert "cannot be seen" in finding.reason


def test_a_transaction_of_our_money_says_that_the_page_is_there(
    an_order: Order, a_transaction: Callable[..., dict[str, object]]
) -> None:
    assert found(an_order(), said(a_transaction(status="failed"))).word is FindingWord.EXECUTED


@pytest.mark.parametrize(
    "other",
    [{"amount": "1500.01"}, {"currency": "GHS"}, {"tx_ref": "another"}, {"status": None}, {"amount": None}],
)
def test_a_transaction_of_other_money_is_not_ours(
    an_order: Order, a_transaction: Callable[..., dict[str, object]], other: dict[str, object]
) -> None:
    with pytest.raises(ContractBroken):
        found(an_order(), said(a_transaction(**other)))


def test_what_was_asked_is_compared_not_what_was_charged(
    an_order: Order, a_transaction: Callable[..., dict[str, object]]
) -> None:
    told = a_transaction(charged_amount=1521)
    assert found(an_order(), said(told)).word is FindingWord.EXECUTED
