"""Writes fields as Stripe wants them: a form whose names have brackets, `line_items[0][price_data][currency]=ngn`.

Source: payments contract 0 (request body) and 3.1.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from urllib.parse import urlencode

Field = str | int | bool | Mapping[str, "Field"] | Sequence["Field"]


def encoded(fields: Mapping[str, Field]) -> str:
    """The fields as a form, for a body or behind a `?`, in the order in which they are given."""
    return urlencode(list(_pairs("", fields)))


def _pairs(name: str, value: Field) -> Iterator[tuple[str, str]]:
    if isinstance(value, Mapping):
        for inner, one in value.items():
            yield from _pairs(f"{name}[{inner}]" if name else inner, one)
    elif isinstance(value, str):
        yield name, value
    elif isinstance(value, Sequence):
        for number, one in enumerate(value):
            yield from _pairs(f"{name}[{number}]", one)
    else:
        yield name, str(value).lower()
