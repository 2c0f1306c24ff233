"""What a request to the simulated BankOne says, or why it is a bad request (code 96)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Final

from coopwire.providers.bankone.simulator.core import Ask, Refusal
from coopwire.simulation.exchange import Call

_LONGEST_REFERENCE: Final = 12
_LONGEST_NARRATION: Final = 100
_MOST_DIGITS: Final = 15


def fields(call: Call) -> Mapping[str, object]:
    """The body's members."""
    given = call.members
    if given is None:
        raise Refusal("96", "Bad request")
    return given


def text(given: Mapping[str, object], name: str) -> str:
    """Text that must be there."""
    value = given.get(name)
    if not isinstance(value, str) or not value.strip():
        raise Refusal("96", f"{name} is required")
    return value.strip()


def optional_text(given: Mapping[str, object], name: str) -> str:
    """Text, empty when absent."""
    value = given.get(name)
    return value.strip() if isinstance(value, str) else ""


def kobo(given: Mapping[str, object], name: str) -> int:
    """Kobo as a string of digits (banking contract 0): a number or a point is a bad request."""
    value = given.get(name)
    if (
        not isinstance(value, str)
        or not value.isascii()
        or not value.isdecimal()
        or len(value) > _MOST_DIGITS
    ):
        raise Refusal("96", f"{name} must be kobo as a string of digits")
    return int(value)


def day(query: Mapping[str, str], name: str) -> date:
    """A date yyyy-MM-dd from the query."""
    try:
        return date.fromisoformat(query.get(name, ""))
    except ValueError:
        raise Refusal("96", f"{name} must be yyyy-MM-dd") from None


def reference(given: Mapping[str, object]) -> str:
    """The caller's reference, at most 12 characters."""
    word = text(given, "RetrievalReference")
    if len(word) > _LONGEST_REFERENCE:
        raise Refusal("96", f"RetrievalReference must not exceed {_LONGEST_REFERENCE} characters")
    return word


def ask(kind: str, given: Mapping[str, object]) -> Ask:
    """A posting that the core is asked for."""
    amount, narration = kobo(given, "Amount"), text(given, "Narration")
    if amount == 0:
        raise Refusal("96", "Amount must be more than 0")
    if len(narration) > _LONGEST_NARRATION:
        raise Refusal("96", f"Narration must not exceed {_LONGEST_NARRATION} characters")
    fee = kobo(given, "Fee") if given.get("Fee") else 0
    return Ask(kind, reference(given), amount, fee, narration)
