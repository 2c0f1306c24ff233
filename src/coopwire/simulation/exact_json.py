"""JSON in which a number keeps every digit: decimals in and out, a float never."""

from __future__ import annotations

import json
from decimal import Decimal

_quoted = json.encoder.encode_basestring_ascii
_WORDS = {None: "null", True: "true", False: "false"}


def loads(body: bytes | str) -> object:
    """Parse; fractions become Decimal. ValueError for anything that is not strict JSON."""
    try:
        return json.loads(body, parse_float=Decimal, parse_constant=_refuse_constant)
    except RecursionError:
        raise ValueError("the document is nested too deeply") from None


def dumps(value: object) -> str:
    """Write compactly; a Decimal without exponent and without trailing zeros. TypeError for a float."""
    if isinstance(value, str):
        return _quoted(value)
    if isinstance(value, dict):
        members = [f"{_quoted(str(name))}:{dumps(member)}" for name, member in value.items()]
        return "{" + ",".join(members) + "}"
    if isinstance(value, list | tuple):
        return "[" + ",".join([dumps(element) for element in value]) + "]"
    if isinstance(value, Decimal):
        return plain(value)
    if value is None or isinstance(value, bool):
        return _WORDS[value]
    if isinstance(value, int):
        return str(value)
    raise TypeError(f"{type(value).__name__} cannot stand in exact JSON")


def plain(number: Decimal) -> str:
    """Decimal text without exponent and without trailing zeros: 51612.50 → 51612.5, 1E+3 → 1000."""
    text = format(number, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def _refuse_constant(word: str) -> object:
    raise ValueError(f"{word} is not JSON")
