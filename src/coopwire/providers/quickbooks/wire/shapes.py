"""Answers parsed, and their members typed: ContractBroken names what is missing and never quotes a value."""

from __future__ import annotations

import json
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation

from coopwire.domain.errors import ContractBroken


def parse(body: bytes) -> object:
    """The JSON document, fractions as Decimal; ContractBroken when it is not strict UTF-8 JSON."""
    try:
        return json.loads(body.decode(), parse_float=Decimal, parse_constant=_refuse_constant)
    except (ValueError, RecursionError, InvalidOperation):
        raise ContractBroken("QuickBooks: the body is not JSON") from None


def _refuse_constant(word: str) -> object:
    raise ValueError(f"{word} is not JSON")


def text(row: Mapping[str, object], name: str) -> str:
    """A member that must be text with something in it."""
    value = row.get(name)
    if not isinstance(value, str) or not value.strip():
        raise ContractBroken(f"QuickBooks: {name} is missing or not text")
    return value


def optional(row: Mapping[str, object], name: str) -> str:
    """A member that may be missing: then it is empty."""
    value = row.get(name)
    return value if isinstance(value, str) else ""


def mapping(value: object, what: str) -> Mapping[str, object]:
    """An object; `what` names it in the error."""
    if not isinstance(value, Mapping):
        raise ContractBroken(f"QuickBooks: {what} is not an object")
    return value
