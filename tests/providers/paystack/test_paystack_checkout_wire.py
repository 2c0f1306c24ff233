"""What is said to open a checkout, and what is refused before anything is sent."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coopwire.domain.errors import InvalidOrder, OutcomeUnknown
from coopwire.domain.payments import Mode, Payer
from coopwire.ports.gateways import CheckoutOrder
from coopwire.ports.providers import ConfigurationError, Connection
from coopwire.providers.paystack.wire.account import account
from coopwire.providers.paystack.wire.answers import Said
from coopwire.providers.paystack.wire.checkouts import checkout_body, opened

Order = Callable[..., CheckoutOrder]


def body_of(order: CheckoutOrder, channels: tuple[str, ...] = ()) -> dict[str, Any]:
    said = json.loads(checkout_body(order, channels))
    assert isinstance(said, dict)
    return said


def yes(**data: object) -> Said:
    return Said(yes=True, message="Authorization URL created", code="", data=data, meta={})


def test_the_body_says_what_was_ordered_and_nothing_about_the_person_but_the_email(an_order: Order) -> None:
    said = body_of(an_order(return_url="https://coop.example/back?x=1"), ("card", "ussd"))
    assert said == {
        "amount": 150_000,
        "currency": "NGN",
        "email": "member@example.com",
        "reference": "ref00000000000000001",
        "callback_url": "https://coop.example/back?x=1",
        "channels": ["card", "ussd"],
    }


def test_the_same_order_is_said_in_the_same_bytes(an_order: Order) -> None:
    facts = (("loan", "L-1"), ("branch", "Ikeja"))
    assert checkout_body(an_order(facts=facts), ()) == checkout_body(an_order(facts=facts), ())


def test_metadata_is_json_within_json_as_documented(an_order: Order) -> None:
    said = body_of(an_order(facts=(("loan", "L-1"),)))
    assert isinstance(said["metadata"], str)
    field = {"display_name": "loan", "variable_name": "loan", "value": "L-1"}
    assert json.loads(said["metadata"]) == {"custom_fields": [field]}


HOSTILE = [
    "🙂👩🏽\u200d🌾 emoji",
    "\u202eright to left\u202c עברית العربية",
    "x" * 10_240,
    '"}],"amount":1,"x":[{"',
    "line\nbreak\ttab\x07bell",
    "</script><script>alert(1)</script>",
    "'; DROP TABLE payments; --",
    "\\u0000 \\\\ %00 %s {0}",
    "e\u0301 \u1e9b\u0323 \ufeff",
]


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_facts_arrive_unchanged(an_order: Order, text: str) -> None:
    said = body_of(an_order(facts=((text, text),)))
    (field,) = json.loads(said["metadata"])["custom_fields"]
    assert field == {"display_name": text, "variable_name": text, "value": text}
    assert said["amount"] == 150_000


@pytest.mark.parametrize("text", [*HOSTILE, "a\x00b", "\ud800"], ids=range(len(HOSTILE) + 2))
def test_a_hostile_name_of_a_payer_is_never_sent_and_hurts_nothing(an_order: Order, text: str) -> None:
    order = replace(an_order(), payer=Payer(text, text, text, "member@example.com"))
    assert checkout_body(order, ()) == checkout_body(an_order(), ())


@pytest.mark.parametrize("text", ["a\x00b", "\ud800", "x\udfff"])
@pytest.mark.parametrize("at_name", [True, False])
def test_facts_that_no_text_column_keeps_are_refused_before_sending(
    an_order: Order, text: str, at_name: bool
) -> None:
    with pytest.raises(InvalidOrder) as refused:
        body_of(an_order(facts=((text, "v"),) if at_name else (("n", text),)))
    assert refused.value.field == "facts"
    assert text not in refused.value.message


@given(st.text(max_size=200), st.text(max_size=200))
def test_any_fact_arrives_unchanged_or_is_refused(name: str, value: str) -> None:
    payer = Payer("M-1", "N", "", "m@example.com")
    order = CheckoutOrder("ref00000000000000001", 100, "NGN", payer, facts=((name, value),))
    try:
        said = json.loads(checkout_body(order, ()))
    except InvalidOrder as refused:
        assert refused.field == "facts" and "\x00" in name + value
    else:
        (field,) = json.loads(said["metadata"])["custom_fields"]
        assert (field["display_name"], field["value"]) == (name, value)


@pytest.mark.parametrize(
    "reference", ["", "has space", "a/b", "a_b", "ümlaut", "x" * 101, "a\n", "..%2f", "a\x00"]
)
def test_a_reference_outside_their_alphabet_is_refused(an_order: Order, reference: str) -> None:
    """Trap 26."""
    with pytest.raises(InvalidOrder) as refused:
        body_of(an_order(reference=reference))
    assert refused.value.field == "reference"


@pytest.mark.parametrize(
    "email",
    [
        "",
        "nobody",
        "a@b",
        "a b@example.com",
        "a@exa mple.com",
        "a@b@example.com",
        "a@example.com\n",
        "é@example.com",
        "a\x00@example.com",
        "x" * 65 + "@example.com",
        "a@" + "x" * 260 + ".com",
        "a@-.\ud800",
    ],
)
def test_an_email_that_they_refuse_is_refused_before_sending(an_order: Order, email: str) -> None:
    with pytest.raises(InvalidOrder) as refused:
        body_of(an_order(email=email))
    assert refused.value.field == "email"
    assert not email or email not in refused.value.message


@pytest.mark.parametrize(
    "url", ["", "/back", "javascript:alert(1)", "ftp://x/", "https://", "https://a b/", "http://[x"]
)
def test_a_return_address_that_no_browser_can_take_is_refused(an_order: Order, url: str) -> None:
    with pytest.raises(InvalidOrder) as refused:
        body_of(an_order(return_url=url))
    assert refused.value.field == "return_url"


def test_the_page_they_opened_is_kept_and_hidden(an_order: Order) -> None:
    told = yes(
        authorization_url="https://checkout.paystack.com/3ni8kdavz",
        access_code="3ni8kdavz",
        reference="ref00000000000000001",
    )
    snapshot = opened(an_order(), told)
    assert snapshot.url == "https://checkout.paystack.com/3ni8kdavz"
    assert snapshot.provider_ref is None
    assert "3ni8kdavz" not in repr(snapshot)


@pytest.mark.parametrize(
    "data",
    [
        {},
        {"authorization_url": "https://x.example/p"},
        {"reference": "ref00000000000000001"},
        {"authorization_url": "https://x.example/p", "reference": "another"},
        {"authorization_url": "javascript:alert(1)", "reference": "ref00000000000000001"},
        {"authorization_url": 5, "reference": "ref00000000000000001"},
    ],
)
def test_a_yes_without_our_page_is_unknown(an_order: Order, data: Mapping[str, object]) -> None:
    with pytest.raises(OutcomeUnknown):
        opened(an_order(), yes(**data))


def connection(mode: Mode = Mode.TEST, **settings: str) -> Connection:
    return Connection("main", "paystack", mode, {"secret_key": "sk_test_abc", **settings})


def test_settings_have_safe_defaults() -> None:
    read = account(connection())
    assert read.base_url == "https://api.paystack.co"
    assert read.keys == ("sk_test_abc",)
    assert read.channels == ()
    assert "sk_test" not in repr(read)


def test_both_keys_count_during_a_rotation() -> None:
    assert account(connection(previous_secret_key="sk_test_old")).keys == ("sk_test_abc", "sk_test_old")


@pytest.mark.parametrize(
    ("mode", "settings", "names"),
    [
        (Mode.LIVE, {}, "secret_key"),
        (Mode.TEST, {"secret_key": "sk_live_abc"}, "secret_key"),
        (Mode.TEST, {"secret_key": ""}, "secret_key"),
        (Mode.TEST, {"secret_key": "pk_test_abc"}, "secret_key"),
        (Mode.TEST, {"secret_key": "sk_test_a\r\nX-Evil: 1"}, "secret_key"),
        (Mode.TEST, {"previous_secret_key": "sk_live_old"}, "previous_secret_key"),
        (Mode.TEST, {"base_url": "http://api.paystack.co"}, "base_url"),
        (Mode.TEST, {"base_url": "https://"}, "base_url"),
        (Mode.TEST, {"base_url": "https://x.example/?a=1"}, "base_url"),
        (Mode.TEST, {"base_url": "https://user:pw@x.example"}, "base_url"),
        (Mode.TEST, {"channels": "card,carrier_pigeon"}, "channels"),
    ],
)
def test_wrong_settings_name_the_field_and_keep_the_secret(
    mode: Mode, settings: dict[str, str], names: str
) -> None:
    with pytest.raises(ConfigurationError) as wrong:
        account(connection(mode, **settings))
    assert f"connection main, setting {names}:" in str(wrong.value)
    assert "abc" not in str(wrong.value) and "old" not in str(wrong.value)


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:8080/", "http://[::1]:1", "http://localhost:9", "https://x.example/ps/"]
)
def test_https_or_loopback_may_be_called(url: str) -> None:
    assert account(connection(base_url=url)).base_url == url.rstrip("/")
