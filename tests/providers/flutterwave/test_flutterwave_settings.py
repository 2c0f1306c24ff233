"""The settings of a Flutterwave connection: a key of the right mode, and words that can be used."""

from __future__ import annotations

import pytest

from coopwire.domain.payments import Mode
from coopwire.ports.providers import ConfigurationError, Connection
from coopwire.providers.flutterwave.wire.account import account

KEYS = {Mode.TEST: "FLWSECK_TEST-abc-X", Mode.LIVE: "FLWSECK-abc-X"}


def connection(mode: Mode = Mode.TEST, **settings: str) -> Connection:
    return Connection("flutterwave-1", "flutterwave", mode, {"secret_key": KEYS[mode], **settings})


@pytest.mark.parametrize("mode", Mode)
def test_a_key_fits_its_mode(mode: Mode) -> None:
    assert account(connection(mode)).mode is mode


@pytest.mark.parametrize(("mode", "other"), [(Mode.TEST, Mode.LIVE), (Mode.LIVE, Mode.TEST)])
def test_a_key_of_the_other_mode_is_refused_and_not_quoted(mode: Mode, other: Mode) -> None:
    with pytest.raises(ConfigurationError, match="change the key or the mode") as refused:
        account(connection(mode, secret_key=KEYS[other]))
    assert "abc" not in str(refused.value)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("secret_key", "sk_test_x"),
        ("secret_key", "FLWPUBK_TEST-abc"),
        ("secret_hash", "with blank"),
        ("previous_secret_hash", "é"),
        ("signature", "both"),
        ("base_url", "http://api.example.com"),
        ("payment_options", "card;ussd"),
        ("redirect_url", "ftp://x"),
        ("refund_completed", "Completed!"),
        ("refunds_by_date", "perhaps"),
        ("test_references", "with blank"),
    ],
)
def test_a_word_that_cannot_be_used_is_named_with_its_connection(name: str, value: str) -> None:
    with pytest.raises(ConfigurationError, match=f"flutterwave-1, setting {name}"):
        account(connection(**{name: value}))


def test_no_secret_stands_in_a_repr() -> None:
    shown = repr(account(connection(secret_hash="the-hash", previous_secret_hash="the-old-hash")))
    assert "abc" not in shown
    assert "the-hash" not in shown
    assert "the-old" not in shown
