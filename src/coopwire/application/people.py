"""Who asks for something, and the rules for what they write: it is kept in the audit for ever."""

from __future__ import annotations

from dataclasses import dataclass

from coopwire.application.paying import Rejected
from coopwire.domain.cards import holds_card_number

_LONGEST_REASON = 500
_LONGEST_ACTOR = 120


@dataclass(frozen=True, slots=True)
class Person:
    """Who asks: `id` lasts and tells two persons apart, `shown` stands in the audit and in histories."""

    id: str
    shown: str


def given_reason(actor: str, reason: str) -> str:
    """The reason, trimmed. Rejected when there is none, or when it must not be kept."""
    check_actor("actor", actor)
    return given_text("reason", reason)


def check_actor(field: str, actor: str) -> None:
    """Rejected, naming the field, when it does not say who asks."""
    if not 0 < len(actor) <= _LONGEST_ACTOR:
        raise Rejected(field, f"say who it is, in at most {_LONGEST_ACTOR} characters")


def given_text(field: str, text: str, longest: int = _LONGEST_REASON) -> str:
    """A text of one line, trimmed. Rejected names the field when it must not be kept."""
    text = text.strip()
    if not 0 < len(text) <= longest:
        raise Rejected(field, f"give a {field} of at most {longest} characters")
    if not text.isprintable():
        raise Rejected(field, "holds characters that cannot be shown")
    if holds_card_number(text):
        raise Rejected(field, "holds a card number: leave it out", "card_number")
    return text
