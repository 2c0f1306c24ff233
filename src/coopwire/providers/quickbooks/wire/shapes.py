"""Answers parsed, and their members typed: ContractBroken names what is missing and never quotes a value."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from coopwire.domain.errors import ContractBroken
from coopwire.transport import strict_json

parse = partial(strict_json.parse, whose="QuickBooks")
"""The document of a body. ContractBroken when it is not strict JSON."""


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
