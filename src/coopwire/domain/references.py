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
    return "".join(secrets.choice(_ALPHABET) for _ in range(20))


def new_short_reference(environment: str) -> str:
    """12 characters where that is the limit: an environment letter and 11 random; register before use."""
    letter = environment[:1].upper() or "X"
    return letter + "".join(secrets.choice(_SHORT_ALPHABET) for _ in range(11))
