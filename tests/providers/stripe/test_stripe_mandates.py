"""Stripe's mandates: the page on which a member leaves a bank account, and how far what was left is."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qsl

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coopwire.domain.errors import ContractBroken, InvalidOrder
from coopwire.domain.mandates import Address, DebitedAccount, MandateChange
from coopwire.domain.notices import NoticeVerdict
from coopwire.domain.payments import Mode, Payer
from coopwire.domain.states import MandateState, PaymentState
from coopwire.ports.gateways import MandateChangeOrder, MandateKey, MandateOrder, SavedChargeOrder
from coopwire.ports.providers import ConfigurationError, Connection
from coopwire.providers.stripe.inspectors import mandate
from coopwire.providers.stripe.webhooks import StripeWebhooks
from coopwire.providers.stripe.wire.account import Account, account
from coopwire.providers.stripe.wire.mandates import mandate_of, start_form

PAGE = "cs_test_a1b2c3"
CODE = "cus_1:pm_1"
CARD = {"id": "pm_1", "customer": "cus_1", "type": "card", "card": {"last4": "4242"}}
EVERYDAY = {
    "reference": "m0a9n8d7a6t5e4b3e2g1",
    "payer": Payer("M-1", "Ngozi Example", "+2348000000000", "member@example.com"),
    "currency": "EUR",
    "account": DebitedAccount("0690000032", "044"),
    "address": Address("1 Road", "Ikeja", "Lagos"),
    "return_url": "https://lender.example/back",
    "ceiling_minor": 500_000,
}


def an_order(**changes: Any) -> MandateOrder:
    return MandateOrder(**{**EVERYDAY, **changes})


def an_account(**settings: str) -> Account:
    given_ = {"secret_key": "sk_test_x", "base_url": "https://api.example.com", **settings}
    return account(Connection("s", "stripe", Mode.TEST, given_))


def a_page(intent: dict[str, object] | None = None, **changes: object) -> dict[str, object]:
    return {
        "id": PAGE,
        "object": "checkout.session",
        "mode": "setup",
        "client_reference_id": EVERYDAY["reference"],
        "customer": "cus_1",
        "livemode": False,
        "setup_intent": an_intent(**(intent or {})),
        "status": "complete",
        "url": None,
        **changes,
    }


def an_intent(**changes: object) -> dict[str, object]:
    method = {
        "id": "pm_1",
        "object": "payment_method",
        "customer": "cus_1",
        "us_bank_account": {"bank_name": "STRIPE TEST BANK"},
    }
    return {
        "id": "seti_1",
        "object": "setup_intent",
        "last_setup_error": None,
        "mandate": {"id": "mandate_1", "object": "mandate", "status": "active"},
        "payment_method": method,
        "status": "succeeded",
        **changes,
    }


def the_mandate(word: str) -> dict[str, object]:
    return {"mandate": {"id": "mandate_1", "object": "mandate", "status": word}}


# -- the form -------------------------------------------------------------------------------------------------


def test_a_start_names_the_way_of_its_currency_and_our_reference_twice_and_no_account() -> None:
    said = dict(parse_qsl(start_form(an_order(), an_account()).decode(), strict_parsing=True))
    assert said == {
        "mode": "setup",
        "client_reference_id": EVERYDAY["reference"],
        "currency": "eur",
        "success_url": "https://lender.example/back?session_id={CHECKOUT_SESSION_ID}",
        "allowed_payment_method_types[0]": "sepa_debit",
        "metadata[reference]": EVERYDAY["reference"],
        "setup_intent_data[metadata][reference]": EVERYDAY["reference"],
        "customer_creation": "always",
        "customer_email": "member@example.com",
    }


def test_a_customer_whom_they_know_is_named() -> None:
    said = dict(parse_qsl(start_form(an_order(customer="cus_1"), an_account()).decode()))
    assert said["customer"] == "cus_1" and "customer_creation" not in said and "customer_email" not in said


@pytest.mark.parametrize(
    ("field", "changes"),
    [
        ("email", {"payer": Payer("M-1", "Ngozi", "", "")}),
        ("currency", {"currency": "NGN"}),
        ("customer", {"customer": "181873746"}),
        ("return_url", {"return_url": None}),
    ],
)
def test_a_start_that_they_would_refuse_is_not_said(field: str, changes: dict[str, Any]) -> None:
    """Trap 18: there is no direct debit in naira."""
    with pytest.raises(InvalidOrder) as refused:
        start_form(an_order(**changes), an_account())
    assert refused.value.field == field


@pytest.mark.parametrize("told", ["EUR", "EUR:", "eur:sepa_debit", "EUR:SEPA", "EUR=sepa_debit"])
def test_a_setting_that_names_no_way_is_refused_at_the_start(told: str) -> None:
    with pytest.raises(ConfigurationError, match="mandate_methods"):
        an_account(mandate_methods=told)


# -- how it stands --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("page", "state"),
    [
        ({"status": "open", "setup_intent": "seti_1", "customer": None}, MandateState.PENDING),
        ({"status": "expired", "setup_intent": "seti_1", "customer": None}, MandateState.FAILED),
        ({"status": "a_new_word"}, MandateState.PENDING),
        ({"intent": {"status": "processing"}}, MandateState.APPROVED),
        ({"intent": {"status": "requires_action"}}, MandateState.APPROVED),
        ({"intent": {"status": "a_new_word"}}, MandateState.APPROVED),
        ({"intent": {"status": "canceled"}}, MandateState.FAILED),
        (
            {
                "intent": {
                    "status": "requires_payment_method",
                    "last_setup_error": {"message": "No such account"},
                }
            },
            MandateState.FAILED,
        ),
        ({"intent": the_mandate("pending")}, MandateState.APPROVED),
        ({"intent": the_mandate("active")}, MandateState.ACTIVE),
        ({"intent": the_mandate("inactive")}, MandateState.ENDED),
        ({"intent": the_mandate("a_new_word")}, MandateState.APPROVED),
        ({"intent": {"mandate": None}}, MandateState.APPROVED),
        ({"intent": {"mandate": None, "payment_method": CARD}}, MandateState.ACTIVE),
        ({"intent": {"status": "processing", "payment_method": CARD}}, MandateState.APPROVED),
        ({"intent": {"payment_method": {"id": "pm_1", "customer": None}}}, MandateState.ENDED),
    ],
)
def test_only_an_active_mandate_of_a_customer_can_be_debited(page: Any, state: MandateState) -> None:
    assert mandate_of(a_page(**page), b"").state is state


def test_an_active_mandate_has_the_code_of_its_bank_account_and_hides_it() -> None:
    told = mandate_of(a_page(), b"")
    assert (told.provider_ref, told.code, told.bank, told.customer) == (
        PAGE,
        CODE,
        "STRIPE TEST BANK",
        "cus_1",
    )
    assert CODE not in repr(told)


@given(st.text(max_size=30), st.text(max_size=30), st.text(max_size=30))
def test_no_word_of_tomorrow_debits_anybody(status: str, intent: str, standing: str) -> None:
    told = a_page({"status": intent, **the_mandate(f"{standing}!")}, status=status)
    try:
        seen = mandate_of(told, b"")
    except ContractBroken:
        return
    assert seen.state is not MandateState.ACTIVE


@pytest.mark.parametrize(
    "changes", [{"object": "setup_intent"}, {"mode": "payment"}, {"id": None}, {"status": None}]
)
def test_what_is_no_page_for_a_mandate_is_broken_never_guessed(changes: dict[str, object]) -> None:
    with pytest.raises(ContractBroken):
        mandate_of(a_page(**changes), b"")


# -- over the wire --------------------------------------------------------------------------------------------


@pytest.fixture
def sockets(server: Any) -> Any:
    return server.sockets


async def test_the_same_start_goes_under_the_same_key_and_its_page_is_told(server: Any, sockets: Any) -> None:
    url = "https://checkout.stripe.com/c/pay/cs_test_a1b2c3#fid"
    server.will_say(json.dumps(a_page(status="open", url=url)))
    told = await sockets.mandates.send(an_order(), sockets.mandates.say(an_order()))
    assert (told.provider_ref, told.state, told.url) == (PAGE, MandateState.PENDING, url)
    assert url not in repr(told)
    assert an_order().reference in server.asked[0].headers["Idempotency-Key"]


@pytest.mark.parametrize(
    "changes", [{"url": None}, {"client_reference_id": "another"}, {"livemode": True}, {"mode": "payment"}]
)
async def test_a_yes_about_something_else_is_no_page(
    server: Any, sockets: Any, changes: dict[str, object]
) -> None:
    server.will_say(json.dumps(a_page(**{"status": "open", "url": "https://stripe.example/p", **changes})))
    with pytest.raises(ContractBroken):
        await sockets.mandates.send(an_order(), sockets.mandates.say(an_order()))


async def test_a_page_that_they_do_not_know_is_none(server: Any, sockets: Any) -> None:
    error = {"type": "invalid_request_error", "code": "resource_missing", "message": "No such session"}
    server.will_say(json.dumps({"error": error}), status=404)
    assert await sockets.mandates.fetch(MandateKey(PAGE)) is None


@pytest.mark.parametrize("wanted", ["", "..", "cs_../x", "seti_1"])
async def test_an_id_that_is_none_of_theirs_asks_for_nothing(server: Any, sockets: Any, wanted: str) -> None:
    with pytest.raises(ContractBroken):
        await sockets.mandates.fetch(MandateKey(wanted))
    assert server.asked == []


def change(what: MandateChange, code: str | None = CODE) -> MandateChangeOrder:
    return MandateChangeOrder("c1", what, MandateKey(PAGE, code))


@pytest.mark.parametrize(
    ("field", "order"),
    [
        ("change", change(MandateChange.SUSPEND)),
        ("change", change(MandateChange.RESUME)),
        ("change", change(MandateChange.RETRY)),
        ("mandate", change(MandateChange.END, None)),
        ("mandate", change(MandateChange.END, "AUTH_x")),
    ],
)
def test_a_change_that_they_do_not_make_is_not_said(
    server: Any, field: str, order: MandateChangeOrder
) -> None:
    with pytest.raises(InvalidOrder) as refused:
        server.sockets.mandate_changes.say(order)
    assert refused.value.field == field


# -- what is told of it ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["checkout.session.completed", "checkout.session.expired"])
def test_a_page_for_a_mandate_that_is_over_is_a_hint_at_the_mandate_and_never_at_money(kind: str) -> None:
    event = {"id": "evt_1", "object": "event", "type": kind, "livemode": False, "data": {"object": a_page()}}
    door = StripeWebhooks(Connection("s", "stripe", Mode.TEST, {"secret_key": "sk_test_x"}))
    [notice] = door.read(json.dumps(event).encode())
    assert (notice.verdict, notice.reference, notice.charge) == (NoticeVerdict.MANDATE, PAGE, None)


def test_a_page_for_a_mandate_is_shown_without_its_code() -> None:
    [seen] = mandate(json.dumps(a_page()).encode(), {})
    assert (seen.object, seen.provider_ref, seen.status) == ("mandate", PAGE, "active")
    assert "pm_1" not in repr(seen)


async def test_a_member_approves_on_the_page_and_the_bank_account_is_taken_once_it_is_ended(
    stripe: Callable[..., Any],
) -> None:
    bench = await stripe({"mandate_methods": "NGN:bacs_debit"}, mandate_ends="stays")
    order = an_order(currency="NGN")
    begun = await bench.sockets.mandates.send(order, bench.sockets.mandates.say(order))
    key = MandateKey(begun.provider_ref)
    states = []
    for verb in ("approve_mandate", "activate_mandate"):
        states.append((await bench.sockets.mandates.fetch(key)).state)
        bench.control(verb, reference=begun.provider_ref)
    told = await bench.sockets.mandates.fetch(key)
    assert [*states, told.state] == [MandateState.PENDING, MandateState.APPROVED, MandateState.ACTIVE]
    for reference in ("c1", "c2"):
        end = MandateChangeOrder(reference, MandateChange.END, MandateKey(PAGE, told.code))
        await bench.sockets.mandate_changes.send(end, bench.sockets.mandate_changes.say(end))
    assert (await bench.sockets.mandates.fetch(key)).state is MandateState.ENDED
    assert [one["type"] for one in bench.simulator.vendor.desk.events] == [
        "checkout.session.completed",
        "setup_intent.succeeded",
        "mandate.updated",
        "payment_method.detached",
    ]


async def test_a_card_that_is_kept_without_a_payment_can_be_charged_at_once(
    stripe: Callable[..., Any],
) -> None:
    bench = await stripe({"mandate_methods": "NGN:card"})
    order = an_order(currency="NGN")
    begun = await bench.sockets.mandates.send(order, bench.sockets.mandates.say(order))
    bench.control("approve_mandate", reference=begun.provider_ref)
    told = await bench.sockets.mandates.fetch(MandateKey(begun.provider_ref))
    assert told.state is MandateState.ACTIVE
    debit = SavedChargeOrder("d1", told.code, "member@example.com", 50_000, "NGN", of_mandate=True)
    saved = bench.sockets.saved_charges
    assert (await saved.send(debit, saved.say(debit))).state is PaymentState.SUCCEEDED
