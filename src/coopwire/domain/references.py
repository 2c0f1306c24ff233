"""Our references: random where the hub begins something, derived where it follows from what happened outside."""

from __future__ import annotations

import hashlib
import re
import secrets

_ALPHABET = "abcdefghijklmnopqrstuvwxyz0123456789"
_SHORT_ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
REFERENCE = re.compile(r"[a-z0-9]{20}\Z")
SHORT_REFERENCE = re.compile(r"[A-Z][A-Z0-9]{11}\Z")


def ours(reference: str) -> str | None:
    """The reference if it can be one that we gave; somebody else's may be any text, and is not to be told on."""
    return reference if REFERENCE.match(reference) or SHORT_REFERENCE.match(reference) else None


def new_reference() -> str:
    """20 random characters [a-z0-9]: fits Paystack charges and transfers and QuickBooks' 21."""
    return _random_word(_ALPHABET, 20)


def new_short_reference(environment: str) -> str:
    """12 characters where that is the limit: an environment letter and 11 random; register before use."""
    letter = environment[:1].upper() or "X"
    return letter + _random_word(_SHORT_ALPHABET, 11)


def derived_reference(*what: str) -> str:
    """20 characters [a-z0-9] that are the same for the same `what`, so that a hub restored from a backup gives
    its rows and its writes the names that they had (ADR 0011)."""
    return _word(_digest(what), _ALPHABET, 20)


def derived_short_reference(environment: str, *what: str) -> str:
    """12 characters, an environment letter and 11 derived ones; the database holds them unique."""
    letter = environment[:1].upper() or "X"
    return letter + _word(_digest(what), _SHORT_ALPHABET, 11)


def _digest(what: tuple[str, ...]) -> int:
    told = "".join(f"{len(part)}:{part}" for part in what)
    return int.from_bytes(hashlib.sha256(told.encode()).digest())


def _random_word(alphabet: str, length: int) -> str:
    """Uniform up to one part in 2**40: a random number of that many more bits, written in the alphabet."""
    return _word(secrets.randbits(length * 6 + 40), alphabet, length)


def _word(number: int, alphabet: str, length: int) -> str:
    letters = []
    for _ in range(length):
        number, digit = divmod(number, len(alphabet))
        letters.append(alphabet[digit])
    return "".join(letters)
