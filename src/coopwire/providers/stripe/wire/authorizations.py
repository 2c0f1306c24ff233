"""The way to pay that a member left: a payment method and the customer whom it belongs to, in one code.

Source: payments contract 3.1 (saved method); members of a payment intent and a charge: the official package.
"""

from __future__ import annotations

import re

from coopwire.ports.gateways import Authorization
from coopwire.providers.stripe.wire.reading import linked
from coopwire.transport.addresses import is_email
from coopwire.transport.reading import at, identifier, label

OFF_SESSION = "off_session"
_CODE = re.compile(r"(cus_[A-Za-z0-9]{1,100}):((?:pm|card|src)_[A-Za-z0-9]{1,100})\Z")
_YEARS, _MONTHS = range(2000, 2100), range(1, 13)


def parts(code: str) -> tuple[str, str] | None:
    """(customer, payment method) of a code; None for what is none."""
    told = _CODE.match(code)
    return None if told is None else (told[1], told[2])


def authorization_of(intent: object) -> Authorization | None:
    """What may be charged again without the member, of a payment intent that was paid with its charge told within.

    None for what may not, or cannot be read.
    """
    customer, method = linked(at(intent, "customer")), linked(at(intent, "payment_method"))
    code, email = f"{customer}:{method}", _email(intent)
    if at(intent, "setup_future_usage") != OFF_SESSION or parts(code) is None or email is None:
        return None
    details = at(intent, "latest_charge.payment_method_details")
    channel = label(at(details, "type")) or ""
    brand = label(at(details, "card.brand")) or "" if channel == "card" else ""
    return Authorization(code, email, channel, brand, _expires(details))


def _email(intent: object) -> str | None:
    told = at(intent, "latest_charge.billing_details.email", "customer.email", "receipt_email")
    return told if isinstance(told, str) and is_email(told) else None


def _expires(details: object) -> tuple[int, int] | None:
    year, month = (identifier(at(details, name)) for name in ("card.exp_year", "card.exp_month"))
    if year is None or month is None or int(year) not in _YEARS or int(month) not in _MONTHS:
        return None
    return int(year), int(month)
