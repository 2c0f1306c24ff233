"""How a checkout is said to Stripe, and what its sessions say became of it."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import parse_qsl

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coopwire.domain.errors import ContractBroken, InvalidOrder, OutcomeUnknown
from coopwire.domain.payments import Mode, Payer
from coopwire.ports.gateways import CheckoutOrder
from coopwire.ports.writes import FindingWord
from coopwire.providers.stripe.wire.account import Account
from coopwire.providers.stripe.wire.checkouts import checkout_form, found, opened
from coopwire.providers.stripe.wire.form import encoded

Orders = Callable[..., CheckoutOrder]
Accounts = Callable[..., Account]
BACK = "https://lender.example/back?session_id={CHECKOUT_SESSION_ID}"


def said(order: CheckoutOrder, account: Account) -> dict[str, str]:
    pairs = parse_qsl(checkout_form(order, account).decode(), keep_blank_values=True)
    assert len({name for name, _ in pairs}) == len(pairs)
    return dict(pairs)


def test_an_order_is_a_form_with_brackets(an_order: Orders, an_account: Accounts) -> None:
    told = said(an_order(facts=(("payment", "p-1"),)), an_account(product_name="Loan"))
    assert told == {
        "mode": "payment",
        "client_reference_id": "ref00000000000000001",
        "success_url": BACK,
        "line_items[0][price_data][currency]": "ngn",
        "line_items[0][price_data][unit_amount]": "150000",
        "line_items[0][price_data][product_data][name]": "Loan",
        "line_items[0][quantity]": "1",
        "metadata[reference]": "ref00000000000000001",
        "metadata[payment]": "p-1",
        "payment_intent_data[capture_method]": "automatic",
        "payment_intent_data[metadata][reference]": "ref00000000000000001",
        "payment_intent_data[metadata][payment]": "p-1",
        "customer_email": "member@example.com",
    }


def test_our_reference_stands_on_the_payment_intent_too_for_they_copy_no_metadata(
    an_order: Orders, an_account: Accounts
) -> None:
    told = said(an_order(), an_account())
    assert told["payment_intent_data[metadata][reference]"] == told["metadata[reference]"]


def test_a_way_to_pay_is_kept_where_the_order_says_so(an_order: Orders, an_account: Accounts) -> None:
    plain = said(an_order(), an_account())
    assert "customer_creation" not in plain
    one = an_order()
    keeping = CheckoutOrder(
        one.reference, one.amount_minor, one.currency, one.payer, one.return_url, save=True
    )
    told = said(keeping, an_account())
    assert told["payment_intent_data[setup_future_usage]"] == "off_session"
    assert told["payment_intent_data[metadata][reference]"] == one.reference
    assert told["customer_creation"] == "always"


def test_a_chosen_way_to_pay_is_asked_for(an_order: Orders, an_account: Accounts) -> None:
    told = said(an_order(), an_account(allowed_payment_method_types="card, sepa_debit"))
    names = ("allowed_payment_method_types[0]", "allowed_payment_method_types[1]")
    assert [told[name] for name in names] == ["card", "sepa_debit"]


@pytest.mark.parametrize(
    ("url", "back"),
    [
        ("https://l.example/back", "https://l.example/back?session_id={CHECKOUT_SESSION_ID}"),
        ("https://l.example/b?a=1", "https://l.example/b?a=1&session_id={CHECKOUT_SESSION_ID}"),
        ("https://l.example/b#top", "https://l.example/b?session_id={CHECKOUT_SESSION_ID}#top"),
    ],
)
def test_the_member_comes_back_with_the_sessions_id(
    an_order: Orders, an_account: Accounts, url: str, back: str
) -> None:
    assert said(an_order(return_url=url), an_account())["success_url"] == back


def test_the_connections_address_stands_in_for_one_that_the_order_lacks(
    an_order: Orders, an_account: Accounts
) -> None:
    told = said(an_order(return_url=None), an_account(return_url="https://lender.example/back"))
    assert told["success_url"] == BACK


def test_without_any_address_to_go_back_to_nothing_is_sent(an_order: Orders, an_account: Accounts) -> None:
    with pytest.raises(InvalidOrder, match="set return_url"):
        said(an_order(return_url=None), an_account())


def test_an_address_that_is_no_e_mail_is_left_out(an_order: Orders, an_account: Accounts) -> None:
    assert "customer_email" not in said(an_order(email="nobody"), an_account())


@pytest.mark.parametrize(
    ("facts", "why"),
    [
        ((("a", "1"), ("a", "2")), "same name"),
        ((("reference", "mine"),), "same name"),
        ((("a[b]", "1"),), "brackets"),
        ((("x" * 41, "1"),), "1 to 40"),
        ((("a", "x" * 501),), "500"),
        ((("a", "nul \x00"),), "NUL"),
        ((("a", "half \ud800"),), "NUL"),
        (tuple((f"n{number}", "1") for number in range(50)), "49 facts"),
    ],
)
def test_facts_that_they_would_refuse_or_change_are_not_sent(
    an_order: Orders, an_account: Accounts, facts: tuple[tuple[str, str], ...], why: str
) -> None:
    with pytest.raises(InvalidOrder, match=why):
        said(an_order(facts=facts), an_account())


def test_a_fact_without_a_value_is_not_kept_there(an_order: Orders, an_account: Accounts) -> None:
    assert "metadata[note]" not in said(an_order(facts=(("note", ""),)), an_account())


@given(value=st.text(min_size=1, max_size=500))
def test_any_text_arrives_as_it_is_or_is_refused(value: str) -> None:
    payer = Payer("M-1", "N", "+1", "m@example.com")
    url = "https://lender.example/back"
    order = CheckoutOrder("ref1", 1, "NGN", payer, url, (("note", value),))
    account = Account("https://api.example.com", "sk_test_x", Mode.TEST)
    try:
        told = said(order, account)
    except InvalidOrder:
        return
    assert told["metadata[note]"] == value


def test_a_form_is_written_name_by_name() -> None:
    assert (
        encoded({"a": [{"b": 1}, "x y"], "c": {"d": True}}) == "a%5B0%5D%5Bb%5D=1&a%5B1%5D=x+y&c%5Bd%5D=true"
    )


def session(**changes: object) -> dict[str, object]:
    return {
        "id": "cs_test_1",
        "object": "checkout.session",
        "client_reference_id": "ref00000000000000001",
        "amount_total": 150_000,
        "currency": "ngn",
        "livemode": False,
        "status": "open",
        "payment_status": "unpaid",
        "url": "https://checkout.example/c/pay/cs_test_1#secret",
        **changes,
    }


def test_an_opened_page_is_told_with_its_address(an_order: Orders, an_account: Accounts) -> None:
    page = opened(an_order(), an_account(), session())
    assert (page.reference, page.provider_ref) == ("ref00000000000000001", "cs_test_1")
    assert page.url == "https://checkout.example/c/pay/cs_test_1#secret"
    assert "secret" not in repr(page)


@pytest.mark.parametrize(
    "changes",
    [
        {"url": None},
        {"url": "javascript:alert(1)"},
        {"client_reference_id": "another"},
        {"amount_total": 150_001},
        {"currency": "usd"},
        {"livemode": True},
        {"livemode": None},
    ],
)
def test_a_yes_about_anything_else_is_unknown(
    an_order: Orders, an_account: Accounts, changes: dict[str, object]
) -> None:
    with pytest.raises(OutcomeUnknown):
        opened(an_order(), an_account(), session(**changes))


def test_no_session_under_the_reference_is_absence(an_order: Orders) -> None:
    assert found(an_order(), []).word is FindingWord.ABSENT


def test_a_page_that_is_over_is_found_without_its_address(an_order: Orders) -> None:
    there = found(an_order(), [session(status="expired", url=None)])
    assert (there.word, there.snapshots[0].url) == (FindingWord.EXECUTED, None)


def test_other_money_under_our_reference_is_no_answer(an_order: Orders) -> None:
    with pytest.raises(ContractBroken):
        found(an_order(), [session(), session(amount_total=1)])
