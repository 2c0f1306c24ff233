"""Card numbers in free text are found however they are written, and other numbers are left alone."""

from __future__ import annotations

import pytest

from coopwire.domain.cards import holds_card_number, key_holds_card_number

VISA = "4111111111111111"


@pytest.mark.parametrize(
    "text",
    [
        VISA,
        f"card{VISA}please",
        "4111 1111 1111 1111",
        "4111-1111-1111-1111",
        "4111.1111.1111.1111 2 times",
        "room 12 4111 1111 1111 1111",
        "4111 – 1111 – 1111 – 1111",
        "４１１１１１１１１１１１１１１１",
        "378282246310005",
        "5555555555554444",
        "2223003122003222",
        "6011111111111117",
        "30569309025904",
        "3530111333300000",
        "5060990580000217499",
        "4222222222222",
    ],
)
def test_a_card_number_is_found(text: str) -> None:
    assert holds_card_number(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "4111111111111112",
        "1111111111111117",
        "0123456789",
        "2348012345678",
        "+234 801 234 5678",
        "INV-2026-000123",
        "411111111111",
        f"00{VISA}99",
        "2026-01-31T09:15:00.123456+01:00",
        "550e8400-e29b-41d4-a716-446655440000",
    ],
)
def test_other_numbers_are_left_alone(text: str) -> None:
    assert not holds_card_number(text)


@pytest.mark.parametrize(
    "key",
    [
        "9f4111111111111111c0ffee9f411111",
        "41111111-1111-4111-8111-111111111116",
        "41111111-1111-1111-8111-abcdefabcdef",
        "a4111111111111111",
        "loan-7-2026-11",
    ],
)
def test_digits_that_a_random_key_has_by_chance_are_no_card_number(key: str) -> None:
    assert not key_holds_card_number(key)


@pytest.mark.parametrize("key", [VISA, f"pay-{VISA}", "4111-1111-1111-1111", f"loan:7:{VISA}:2"])
def test_a_card_number_as_a_key_is_found(key: str) -> None:
    assert key_holds_card_number(key)
