"""What members left at Stripe: which payment left it, the forms, and what every answer means."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coopwire.domain.errors import ContractBroken, InvalidOrder, OutcomeUnknown, Refused
from coopwire.domain.states import PaymentState
from coopwire.ports.gateways import DeactivationOrder, SavedChargeOrder
from coopwire.ports.providers import Sockets
from coopwire.ports.writes import FindingWord
from coopwire.providers.stripe.wire.authorizations import authorization_of, parts
from coopwire.providers.stripe.wire.saved import charge_form

CODE = "cus_QXg1o8vcGmoR32:pm_1Pgc75B7WZ01zgkWlHVgdEGJ"
METHOD = CODE.partition(":")[2]
REFERENCE = "ref00000000000000001"
SENT_AT = datetime(2026, 3, 2, tzinfo=UTC)


def order(**changes: Any) -> SavedChargeOrder:
    values: dict[str, Any] = {
        "reference": REFERENCE,
        "authorization": CODE,
        "email": "member@example.com",
        "amount_minor": 150_000,
        "currency": "USD",
    }
    return SavedChargeOrder(**{**values, **changes})


def an_intent(**changes: object) -> dict[str, object]:
    return {
        "id": "pi_1PgafuB7WZ01zgkW",
        "object": "payment_intent",
        "amount": 150_000,
        "amount_received": 150_000,
        "created": 1_772_409_601,
        "currency": "usd",
        "customer": "cus_QXg1o8vcGmoR32",
        "payment_method": METHOD,
        "last_payment_error": None,
        "latest_charge": a_charge(),
        "livemode": False,
        "metadata": {"reference": REFERENCE},
        "next_action": None,
        "setup_future_usage": "off_session",
        "status": "succeeded",
        **changes,
    }


def a_charge(**changes: object) -> dict[str, object]:
    return {
        "id": "ch_1",
        "object": "charge",
        "billing_details": {"email": "member@example.com", "name": None},
        "payment_method_details": {
            "type": "card",
            "card": {"brand": "visa", "exp_month": 12, "exp_year": 2030, "last4": "4242"},
        },
        **changes,
    }


def declined(**changes: object) -> dict[str, object]:
    error = {"type": "card_error", "code": "card_declined", "message": "Your card has insufficient funds."}
    left = {"status": "requires_payment_method", "amount_received": 0, "last_payment_error": error}
    return an_intent(**{**left, **changes})


def page(*rows: object, more: bool = False) -> str:
    return json.dumps({"object": "list", "data": rows, "has_more": more, "url": "/v1/payment_intents"})


@pytest.fixture
def sockets(server: Any) -> Sockets:
    return server.sockets  # type: ignore[no-any-return]


async def answered(server: Any, sockets: Sockets, told: object, status: int = 200) -> Any:
    server.will_say(json.dumps(told), status=status)
    assert sockets.saved_charges is not None
    return await sockets.saved_charges.send(order(), sockets.saved_charges.say(order()))


async def found(server: Any, sockets: Sockets, *rows: object) -> Any:
    server.will_say(page(*rows))
    assert sockets.saved_charges is not None
    return await sockets.saved_charges.find(order(), SENT_AT)


# -- what was left ------------------------------------------------------------------------------------------------


def test_a_payment_that_was_set_up_for_it_leaves_customer_and_method_in_one_code() -> None:
    left = authorization_of(an_intent())
    assert left is not None
    assert (left.code, left.email, left.channel, left.brand, left.expires) == (
        CODE,
        "member@example.com",
        "card",
        "visa",
        (2030, 12),
    )
    assert parts(left.code) == ("cus_QXg1o8vcGmoR32", METHOD)
    assert METHOD not in repr(left) and "member@" not in repr(left)


@pytest.mark.parametrize(
    "changes",
    [
        {"setup_future_usage": None},
        {"setup_future_usage": "on_session"},
        {"customer": None},
        {"payment_method": None},
        {"payment_method": "pm_../../refunds"},
        {"latest_charge": a_charge(billing_details={"email": None})},
        {"latest_charge": "ch_1"},
    ],
)
def test_a_payment_that_was_not_set_up_for_it_leaves_nothing(changes: dict[str, object]) -> None:
    assert authorization_of(an_intent(**changes)) is None


@given(st.recursive(st.none() | st.text() | st.integers(), lambda inner: st.dictionaries(st.text(), inner)))
def test_nothing_that_they_tell_of_a_method_breaks_the_reading_of_the_money(told: Any) -> None:
    for name in ("customer", "payment_method", "latest_charge", "setup_future_usage"):
        authorization_of(an_intent(**{name: told}))


@pytest.mark.parametrize("code", ["", "cus_1", "cus_1:", ":pm_1", "cus_1:pm_1/detach", "cus_1:pm_1\n"])
def test_what_is_no_code_is_never_put_into_a_path_or_a_form(code: str) -> None:
    assert parts(code) is None


# -- the forms ----------------------------------------------------------------------------------------------------


def test_a_charge_names_amount_currency_customer_method_and_our_reference() -> None:
    assert dict(parse_qsl(charge_form(order()).decode(), strict_parsing=True)) == {
        "amount": "150000",
        "currency": "usd",
        "customer": "cus_QXg1o8vcGmoR32",
        "payment_method": METHOD,
        "automatic_payment_methods[enabled]": "true",
        "automatic_payment_methods[allow_redirects]": "never",
        "off_session": "true",
        "confirm": "true",
        "capture_method": "automatic",
        "metadata[reference]": REFERENCE,
    }


@pytest.mark.parametrize(
    ("field", "changes"),
    [
        ("authorization", {"authorization": "AUTH_1"}),
        ("amount_minor", {"amount_minor": 0}),
        ("amount_minor", {"amount_minor": -1}),
        ("currency", {"currency": "usd"}),
        ("at_least_minor", {"at_least_minor": 1}),
        ("reference", {"reference": ""}),
    ],
)
def test_a_charge_that_they_would_refuse_is_not_said(field: str, changes: dict[str, Any]) -> None:
    with pytest.raises(InvalidOrder) as refused:
        charge_form(order(**changes))
    assert refused.value.field == field


# -- every answer -------------------------------------------------------------------------------------------------


async def test_a_charge_is_sent_once_under_our_reference_as_its_key(server: Any, sockets: Sockets) -> None:
    told = await answered(server, sockets, an_intent())
    assert (told.state, told.taken_minor, told.provider_ref) == (
        PaymentState.SUCCEEDED,
        150_000,
        "pi_1PgafuB7WZ01zgkW",
    )
    assert REFERENCE in server.asked[0].headers["Idempotency-Key"]
    assert server.asked[0].path == "/v1/payment_intents"


async def test_trap_18_a_debit_is_under_way_for_days_and_has_taken_nothing(
    server: Any, sockets: Sockets
) -> None:
    told = await answered(server, sockets, an_intent(status="processing", amount_received=0))
    assert (told.state, told.taken_minor, told.url) == (PaymentState.PROCESSING, 0, None)


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("authentication_required", "Your card was declined. This transaction requires authentication."),
        ("card_declined", "Your card has insufficient funds."),
    ],
)
async def test_a_402_with_the_intent_inside_is_a_decline_in_their_words(
    server: Any, sockets: Sockets, code: str, words: str
) -> None:
    error = {"type": "card_error", "code": code, "message": words, "payment_intent": declined()}
    with pytest.raises(Refused) as refused:
        await answered(server, sockets, {"error": error}, status=402)
    assert refused.value.message.startswith(words.rstrip("."))
    assert refused.value.code == code


async def test_trap_30_what_waits_for_the_member_looks_like_a_yes_and_has_taken_nothing(
    server: Any, sockets: Sockets
) -> None:
    url = "https://hooks.stripe.com/redirect/authenticate/src_1?client_secret=src_secret"
    action = {"type": "redirect_to_url", "redirect_to_url": {"url": url, "return_url": None}}
    told = await answered(
        server, sockets, an_intent(status="requires_action", amount_received=0, next_action=action)
    )
    assert (told.state, told.taken_minor, told.url) == (PaymentState.PENDING, 0, url)
    assert url not in repr(told)


@pytest.mark.parametrize(
    "changes",
    [
        {"metadata": {"reference": "another"}},
        {"metadata": {}},
        {"amount": 15_000},
        {"currency": "eur"},
        {"status": None},
        {"object": "charge"},
        {"amount_received": None},
    ],
)
async def test_a_yes_about_something_else_is_no_answer(
    server: Any, sockets: Sockets, changes: dict[str, object]
) -> None:
    with pytest.raises((ContractBroken, OutcomeUnknown)):
        await answered(server, sockets, an_intent(**changes))


async def test_a_word_never_seen_before_takes_nothing(server: Any, sockets: Sockets) -> None:
    told = await answered(server, sockets, an_intent(status="under_quantum_review"))
    assert (told.state, told.taken_minor) == (PaymentState.PENDING, 0)


# -- the look-up --------------------------------------------------------------------------------------------------


async def test_a_charge_is_found_by_its_reference_among_all_of_its_time(
    server: Any, sockets: Sockets
) -> None:
    server.will_say(
        page(an_intent(id="pi_9", metadata={}), an_intent(id="pi_8", amount=1, metadata={}), more=True)
    )
    finding = await found(server, sockets, an_intent())
    assert (finding.word, [one.taken_minor for one in finding.snapshots]) == (FindingWord.EXECUTED, [150_000])
    asked = [dict(parse_qsl(urlsplit(one.path).query)) for one in server.asked]
    assert asked[1]["starting_after"] == "pi_8"
    start, end = (int(asked[0][f"created[{word}]"]) for word in ("gte", "lt"))
    assert start < SENT_AT.timestamp() and end > (SENT_AT + timedelta(hours=24)).timestamp()


async def test_a_look_up_needs_no_code_because_it_may_be_forgotten_by_then(
    server: Any, sockets: Sockets
) -> None:
    server.will_say(page(an_intent()))
    assert sockets.saved_charges is not None
    forgotten = order(authorization="", email="")
    assert (await sockets.saved_charges.find(forgotten, SENT_AT)).word is FindingWord.EXECUTED


async def test_a_declined_intent_of_our_reference_is_a_decline(server: Any, sockets: Sockets) -> None:
    finding = await found(server, sockets, declined())
    assert (finding.word, "insufficient funds" in finding.reason) == (FindingWord.REFUSED, True)


async def test_one_that_was_paid_counts_more_than_one_that_was_declined(
    server: Any, sockets: Sockets
) -> None:
    finding = await found(server, sockets, declined(), an_intent(id="pi_2"))
    assert (finding.word, [one.provider_ref for one in finding.snapshots]) == (FindingWord.EXECUTED, ["pi_2"])


async def test_what_nobody_lists_is_absent(server: Any, sockets: Sockets) -> None:
    assert (await found(server, sockets)).word is FindingWord.ABSENT


async def test_other_money_under_our_reference_is_broken(server: Any, sockets: Sockets) -> None:
    with pytest.raises(ContractBroken):
        await found(server, sockets, an_intent(amount=1))


# -- the end ------------------------------------------------------------------------------------------------------


def a_method(**changes: object) -> str:
    return json.dumps({"id": METHOD, "object": "payment_method", "customer": None, **changes})


NOT_ATTACHED = json.dumps(
    {"error": {"type": "invalid_request_error", "message": "The payment method is not attached."}}
)


async def end(sockets: Sockets) -> Any:
    assert sockets.deactivations is not None
    one = DeactivationOrder("r1", CODE)
    return await sockets.deactivations.send(one, sockets.deactivations.say(one))


async def test_an_end_takes_the_method_from_its_customer(server: Any, sockets: Sockets) -> None:
    server.will_say(a_method())
    assert (await end(sockets)).reference == "r1"
    assert server.asked[0].path == f"/v1/payment_methods/{METHOD}/detach"
    assert server.asked[0].headers["Idempotency-Key"].endswith("r1")


async def test_what_belongs_to_nobody_any_more_is_ended(server: Any, sockets: Sockets) -> None:
    server.will_say(NOT_ATTACHED, status=400)
    server.will_say(a_method())
    assert (await end(sockets)).reference == "r1"


async def test_what_still_belongs_to_somebody_is_not_ended(server: Any, sockets: Sockets) -> None:
    server.will_say(NOT_ATTACHED, status=400)
    server.will_say(a_method(customer="cus_1"))
    with pytest.raises(Refused, match="not attached"):
        await end(sockets)


@pytest.mark.parametrize("answer", [a_method(customer="cus_1"), a_method(id="pm_2"), "{}"])
async def test_a_yes_after_which_it_still_belongs_to_somebody_is_none(
    server: Any, sockets: Sockets, answer: str
) -> None:
    server.will_say(answer)
    with pytest.raises((ContractBroken, OutcomeUnknown)):
        await end(sockets)
