"""The settings of a Stripe connection: a key of the right mode, secrets of the endpoint, words that can be used."""

from __future__ import annotations

import pytest

from coopwire.domain.payments import Mode
from coopwire.ports.providers import ConfigurationError, Connection
from coopwire.providers.stripe.wire.account import account

KEYS = {Mode.TEST: "sk_test_abc", Mode.LIVE: "sk_live_abc"}


def connection(mode: Mode = Mode.TEST, **settings: str) -> Connection:
    return Connection("stripe-1", "stripe", mode, {"secret_key": KEYS[mode], **settings})


@pytest.mark.parametrize("mode", Mode)
def test_a_key_fits_its_mode(mode: Mode) -> None:
    assert account(connection(mode)).mode is mode


def test_a_restricted_key_is_a_key() -> None:
    assert account(connection(secret_key="rk_test_abc")).secret_key == "rk_test_abc"


@pytest.mark.parametrize(("mode", "other"), [(Mode.TEST, Mode.LIVE), (Mode.LIVE, Mode.TEST)])
def test_a_key_of_the_other_mode_is_refused_and_not_quoted(mode: Mode, other: Mode) -> None:
    with pytest.raises(ConfigurationError, match="change the key or the mode") as refused:
        account(connection(mode, secret_key=KEYS[other]))
    assert "abc" not in str(refused.value)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("secret_key", "pk_test_abc"),
        ("secret_key", "FLWSECK_TEST-abc"),
        ("webhook_secret", "abc"),
        ("previous_webhook_secret", "whsec_with blank"),
        ("base_url", "http://api.example.com"),
        ("allowed_payment_method_types", "card;sepa"),
        ("return_url", "ftp://x"),
        ("product_name", "x" * 251),
    ],
)
def test_a_word_that_cannot_be_used_is_named_with_its_connection(name: str, value: str) -> None:
    with pytest.raises(ConfigurationError, match=f"stripe-1, setting {name}"):
        account(connection(**{name: value}))


def test_both_secrets_of_an_endpoint_count_while_it_is_rolled_the_newest_first() -> None:
    of = account(connection(webhook_secret="whsec_new", previous_webhook_secret="whsec_old"))
    assert of.webhook_secrets == ("whsec_new", "whsec_old")


def test_no_secret_stands_in_a_repr() -> None:
    shown = repr(account(connection(webhook_secret="whsec_new", previous_webhook_secret="whsec_old")))
    assert "abc" not in shown
    assert "whsec" not in shown
