"""JSON in which a number keeps every digit: decimals in and out, a float never."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal

_quoted = json.encoder.encode_basestring_ascii


def loads(body: bytes | str) -> object:
    """Parse; fractions become Decimal. ValueError for anything that is not strict JSON."""
    try:
        return json.loads(body, parse_float=Decimal, parse_constant=_refuse_constant)
    except RecursionError:
        raise ValueError("the document is nested too deeply") from None


def dumps(value: object) -> str:
    """Write compactly; a Decimal without exponent and without trailing zeros. TypeError for a float."""
    return "".join(_pieces(value))


def _refuse_constant(word: str) -> object:
    raise ValueError(f"{word} is not JSON")


def _pieces(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield _quoted(value)
    elif value is None or isinstance(value, bool):
        yield {None: "null", True: "true", False: "false"}[value]
    elif isinstance(value, int):
        yield str(value)
    elif isinstance(value, Decimal):
        yield plain(value)
    elif isinstance(value, Mapping):
        yield from _members(value)
    elif isinstance(value, Sequence):
        yield from _elements(value)
    else:
        raise TypeError(f"{type(value).__name__} cannot stand in exact JSON")


def plain(number: Decimal) -> str:
    """Decimal text without exponent and without trailing zeros: 51612.50 → 51612.5, 1E+3 → 1000."""
    text = format(number, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def _members(value: Mapping[object, object]) -> Iterator[str]:
    mark = "{"
    for name, member in value.items():
        yield mark + _quoted(str(name)) + ":"
        yield from _pieces(member)
        mark = ","
    yield "}" if value else "{}"


def _elements(value: Sequence[object]) -> Iterator[str]:
    mark = "["
    for element in value:
        yield mark
        yield from _pieces(element)
        mark = ","
    yield "]" if value else "[]"
