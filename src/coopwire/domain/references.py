"""Our references: random, so that two hubs or two restarts can never make the same one."""

from __future__ import annotations

import re
import secrets

_ALPHABET = "abcdefghijklmnopqrstuvwxyz0123456789"
_SHORT_ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
REFERENCE = re.compile(r"[a-z0-9]{20}\Z")
SHORT_REFERENCE = re.compile(r"[A-Z][A-Z0-9]{11}\Z")


def new_reference() -> str:
    """20 random characters [a-z0-9]: fits Paystack charges and transfers and QuickBooks' 21."""
    return _random_word(_ALPHABET, 20)


def new_short_reference(environment: str) -> str:
    """12 characters where that is the limit: an environment letter and 11 random; register before use."""
    letter = environment[:1].upper() or "X"
    return letter + _random_word(_SHORT_ALPHABET, 11)


def _random_word(alphabet: str, length: int) -> str:
    """Uniform up to one part in 2**40: a random number of that many more bits, written in the alphabet."""
    number = secrets.randbits(length * 6 + 40)
    letters = []
    for _ in range(length):
        number, digit = divmod(number, len(alphabet))
        letters.append(alphabet[digit])
    return "".join(letters)
