"""Finds card numbers in free text, so that none is ever taken in or kept."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from itertools import accumulate

_DIGIT_GROUPS = re.compile(r"[0-9]+(?:[ \t.\-_/\u2010-\u2015\u2212]{1,3}[0-9]+)*")
_UUID = re.compile(r"[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}")
_WORD_WITH_LETTERS = re.compile(r"[0-9]*[A-Za-z][0-9A-Za-z]*")
_SHORTEST, _LONGEST = 13, 19
_TO_19 = range(16, 20)

_ISSUERS: tuple[tuple[int, int, tuple[int, ...]], ...] = (
    (4, 4, (13, 16, 19)),
    (51, 55, (16,)),
    (2221, 2720, (16,)),
    (34, 34, (15,)),
    (37, 37, (15,)),
    (300, 305, (14, 16, 19)),
    (3095, 3095, (14, 16, 19)),
    (36, 36, (14, 16, 19)),
    (38, 39, (14, 16, 19)),
    (3528, 3589, tuple(_TO_19)),
    (6011, 6011, tuple(_TO_19)),
    (644, 649, tuple(_TO_19)),
    (65, 65, tuple(_TO_19)),
    (62, 62, tuple(_TO_19)),
    (81, 82, tuple(_TO_19)),
    (60, 60, (16,)),
    (508, 508, (16,)),
    (506099, 506198, (16, 18, 19)),
    (507865, 507964, (16, 18, 19)),
    (2200, 2204, tuple(_TO_19)),
    (9792, 9792, (16,)),
    (5018, 5018, tuple(range(13, 20))),
    (5020, 5020, tuple(range(13, 20))),
    (5038, 5038, tuple(range(13, 20))),
    (5893, 5893, tuple(range(13, 20))),
    (6304, 6304, tuple(range(13, 20))),
    (639, 639, tuple(range(13, 20))),
    (6759, 6763, tuple(range(13, 20))),
)
"""First digits (from, to) and lengths of the card schemes, Verve and RuPay among them. Source: ISO/IEC 7812."""


def holds_card_number(text: str) -> bool:
    """Whether a run of digits in `text`, however grouped, is in an issuer's range and passes Luhn's check."""
    plain = unicodedata.normalize("NFKC", text)
    return any(
        _in_issuer_range(digits) and _passes_luhn(digits)
        for run in _DIGIT_GROUPS.finditer(plain)
        for digits in _windows(re.findall(r"[0-9]+", run.group()))
    )


def key_holds_card_number(key: str) -> bool:
    """As `holds_card_number`, for a key that a client drew at random: digits among letters and UUIDs are chance."""
    if _UUID.fullmatch(key):
        return False
    return holds_card_number(_WORD_WITH_LETTERS.sub(" x ", key))


def _windows(groups: list[str]) -> Iterator[str]:
    """Every sequence of whole groups that is as long as a card number: other digits may stand beside it."""
    for start in range(len(groups)):
        for digits in accumulate(groups[start:]):
            if len(digits) > _LONGEST:
                break
            if len(digits) >= _SHORTEST:
                yield digits


def _in_issuer_range(digits: str) -> bool:
    return any(
        low <= int(digits[: len(str(low))]) <= high and len(digits) in lengths
        for low, high, lengths in _ISSUERS
    )


def _passes_luhn(digits: str) -> bool:
    doubled = (int(d) * 2 for d in digits[-2::-2])
    total = sum(int(d) for d in digits[::-2]) + sum(d - 9 if d > 9 else d for d in doubled)
    return total % 10 == 0
