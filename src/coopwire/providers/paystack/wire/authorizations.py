"""Reads the way to pay that a paid transaction left behind. Source: payments contract 1.1 (verify)."""

from __future__ import annotations

import re

from coopwire.ports.gateways import Authorization
from coopwire.transport.addresses import is_email
from coopwire.transport.reading import at, identifier, label

_CODE = re.compile(r"AUTH_[A-Za-z0-9]{1,60}\Z")
_YEARS, _MONTHS = range(2000, 2100), range(1, 13)


def is_code(text: str) -> bool:
    """Whether it can be an authorization of theirs."""
    return _CODE.match(text) is not None


def authorization_of(transaction: object) -> Authorization | None:
    """What may be charged again, of a paid charge; None for what may not, or cannot be read."""
    told = at(transaction, "authorization")
    code, email = at(told, "authorization_code"), at(transaction, "customer.email")
    if at(told, "reusable") is not True or not isinstance(code, str) or not is_code(code):
        return None
    if not isinstance(email, str) or not is_email(email):
        return None
    brand = label(at(told, "brand", "bank")) or ""
    return Authorization(code, email, label(at(told, "channel")) or "", brand, _expires(told))


def _expires(told: object) -> tuple[int, int] | None:
    year, month = (identifier(at(told, name)) for name in ("exp_year", "exp_month"))
    if year is None or month is None or int(year) not in _YEARS or int(month) not in _MONTHS:
        return None
    return int(year), int(month)
