"""What others say is shown without the secrets and the personal data in it."""

from __future__ import annotations

import secrets

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coopwire.transport.wording import LONGEST, safe_words


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("Duplicate Transaction Reference", "Duplicate Transaction Reference"),
        ("message=AuthenticationFailed; statusCode=401", "message=AuthenticationFailed; statusCode=401"),
        ("Account 1100000001 is dormant", "Account … is dormant"),
        ("call +234 803 000 1111 or 0803-000-1111", "call … or …"),
        ("card 408408******4081 was declined", "card … was declined"),
        ("ada.obi+1@coop.example is blocked", "… is blocked"),
        ("Invalid key sk_test_ab-cd.ef", "Invalid key …"),
        ("use AUTH_72btv547 again", "use … again"),
        ("Invalid key FLWSECK_TEST-ab-X, FLWSECK-ab-X", "Invalid key … …"),
        ("Wrong token flw-t0-ab-m03k", "Wrong token …"),
        ("open https://checkout.example/0peioxfhpn now", "open … now"),
        ("Token expired: eyJlbmMiOiJBMTI4Q0JDLUhTMjU2IiwiYWxnIjoiZGlyIn0..lZn9", "Token expired: …"),
        ("token 51d0a7c2-9e0f-4c55-8f0e-6a1b2c3d4e5f is wrong", "token … is wrong"),
        ("account １１００００００１２", "account …"),
        ("two\x00\nlines\u202e", "two  lines"),
        ("AnExceedinglyLongWordWithoutAnyDigit", "AnExceedinglyLongWordWithoutAnyDigit"),
    ],
)
def test_what_is_private_is_masked_and_the_rest_stays(said: str, shown: str) -> None:
    assert safe_words(said) == shown


@given(st.text(max_size=300), st.text(max_size=300))
def test_no_words_around_a_token_keep_it_from_being_masked(before: str, after: str) -> None:
    token = secrets.token_hex(32)
    shown = safe_words(f"{before} {token} {after}")
    assert token not in shown
    assert len(shown) <= LONGEST


@given(st.text(max_size=3000))
def test_any_text_becomes_printable_and_short(said: str) -> None:
    shown = safe_words(said, 50)
    assert shown.isprintable()
    assert len(shown) <= 50
