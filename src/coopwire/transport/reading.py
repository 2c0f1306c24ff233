"""Reads single members of somebody else's JSON; a reader answers None for what is absent or unreadable."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import ROUND_HALF_EVEN, Decimal
from typing import TypeVar

from coopwire.domain.errors import ContractBroken
from coopwire.transport.wording import safe_words

LONGEST_LABEL = 200

_CURRENCY = re.compile(r"[A-Z]{3}\Z")
_COUNTRY = re.compile(r"(?:.{0,60} )?([A-Z]{2})\Z", re.IGNORECASE)
_ID = re.compile(r"[0-9]{1,20}\Z")
_ACCOUNT = re.compile(r"[0-9]{5,20}\Z")
_NUMBER = re.compile(r"-?[0-9]{1,27}(\.[0-9]{1,10})?\Z")
_MOST_DIGITS = 27
"""Within the 28 digits of the decimal context, so that scaling never rounds."""
_EXPONENTS = range(-10, 21)

_T = TypeVar("_T")


def members(value: object) -> Mapping[str, object]:
    """The object's members; none when it is not an object (some write [], null and "" for an empty one)."""
    return value if isinstance(value, dict) else {}


def at(document: object, *paths: str) -> object:
    """The first member that is there and not null or empty, by dotted path."""
    for path in paths:
        found = document
        for name in path.split("."):
            found = members(found).get(name)
        if found not in (None, ""):
            return found
    return None


def label(value: object) -> str | None:
    """A short printable text: a reference, a status word, a channel."""
    if isinstance(value, str) and 0 < len(value) <= LONGEST_LABEL and value.isprintable():
        return value
    return None


def digits(value: object) -> str | None:
    """The number of a bank account: text, since it may begin with noughts."""
    return value if isinstance(value, str) and _ACCOUNT.match(value) else None


def words(value: object) -> str:
    """A sentence of theirs, safe to show; empty when none."""
    return safe_words(value) if isinstance(value, str) else ""


def identifier(value: object) -> str | None:
    """An unsigned 64-bit id as text, sent as a number or a string. Source: payments contract, trap 23."""
    if isinstance(value, bool) or not isinstance(value, int | str):
        return None
    if isinstance(value, str) and not _ID.match(value):
        return None
    number = int(value)
    return str(number) if 0 <= number < 2**64 else None


def currency(value: object) -> str | None:
    """An ISO 4217 code; None for anything else."""
    return value if isinstance(value, str) and _CURRENCY.match(value) else None


def country(value: object) -> str | None:
    """An ISO 3166 code in capitals, told alone or behind the country's name: `NG`, `NIGERIA NG`."""
    found = _COUNTRY.match(value) if isinstance(value, str) else None
    return found[1].upper() if found else None


def number(value: object) -> Decimal | None:
    """An exact number, sent as a number or a string; None beyond any amount of money."""
    if isinstance(value, str):
        return Decimal(value) if _NUMBER.match(value) else None
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        return None
    if isinstance(value, int):
        return Decimal(value) if abs(value) < 10**_MOST_DIGITS else None
    _, digits, exponent = value.as_tuple()
    return value if len(digits) <= _MOST_DIGITS and exponent in _EXPONENTS else None


def rounded(exact: Decimal) -> int:
    """A whole number, half to even: once, at booking. Source: payments contract, trap 27."""
    return int(exact.to_integral_value(ROUND_HALF_EVEN))


def plain(exact: Decimal) -> str:
    """Decimal text without exponent and without needless zeros: 26.8750 → 26.875."""
    text = format(exact, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def instant(value: object) -> datetime | None:
    """An ISO 8601 time as aware UTC; one without a zone is UTC. Source: payments contract, trap 16."""
    if not isinstance(value, str):
        return None
    try:
        told = datetime.fromisoformat(value)
        return (told if told.tzinfo else told.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def instant_at(document: object, *paths: str) -> datetime | None:
    """An instant that may be absent, by dotted path; ContractBroken when it is there and unreadable."""
    told = at(document, *paths)
    return None if told is None else needed(instant(told), paths[0])


def needed(value: _T | None, name: str) -> _T:
    """The value; ContractBroken naming the member when it could not be read."""
    if value is None:
        raise ContractBroken(f"member {name} is missing or unreadable")
    return value
