"""Reads the card token that a paid transaction left behind. Source: payments contract 2.1 (saved card, verify)."""

from __future__ import annotations

import re

from coopwire.ports.gateways import Authorization
from coopwire.transport.addresses import is_email
from coopwire.transport.reading import at, instant, label

_TOKEN = re.compile(r"flw(-[A-Za-z0-9]{1,80}){2,4}\Z")
_EXPIRY = re.compile(r"(0[1-9]|1[0-2])/([0-9]{2})\Z")


def is_token(text: str) -> bool:
    """Whether it can be a token of theirs."""
    return _TOKEN.match(text) is not None


def authorization_of(transaction: object) -> Authorization | None:
    """What may be charged again, of a paid transaction; None for one without a token, or whose payer is not told.

    A list tells cards without their tokens.
    """
    token, email = at(transaction, "card.token"), at(transaction, "customer.email")
    if not isinstance(token, str) or not is_token(token):
        return None
    if not isinstance(email, str) or not is_email(email):
        return None
    brand = label(at(transaction, "card.type")) or ""
    return Authorization(token, email, "card", brand, _expires(transaction))


def _expires(transaction: object) -> tuple[int, int] | None:
    """The last month in which it can be charged: that of the card, but no later than a year after the payment."""
    begun, told = instant(at(transaction, "created_at")), at(transaction, "card.expiry")
    card = _EXPIRY.match(told) if isinstance(told, str) else None
    ends = [(2000 + int(card[2]), int(card[1]))] if card else []
    ends += [(begun.year + 1, begun.month)] if begun else []
    return min(ends, default=None)
