"""Amounts between our minor units and Flutterwave's major ones, which may have a fraction.

Source: payments contract 0 (units) and 2.1 (a fee of 26.875 naira).
"""

from __future__ import annotations

from decimal import Decimal

from coopwire.domain.errors import InvalidOrder
from coopwire.domain.money import MAX_MINOR, exponent
from coopwire.transport.reading import currency, number, plain


def to_major(minor: int, code: str) -> str:
    """Minor units → the exact number they want, as JSON writes it. InvalidOrder when it is nothing to charge."""
    if currency(code) is None:
        raise InvalidOrder("currency must be three capital letters (ISO 4217)", field="currency")
    if isinstance(minor, bool) or not isinstance(minor, int) or not 0 < minor <= MAX_MINOR:
        raise InvalidOrder("the amount must be positive, in minor units", field="amount_minor")
    return plain(Decimal(minor).scaleb(-exponent(code)))


def exact_minor(major: object, code: str) -> Decimal | None:
    """Their amount in minor units, decimals kept; None when it is no number or negative."""
    told = number(major)
    return None if told is None or told < 0 else told.scaleb(exponent(code))


def to_minor(major: object, code: str) -> int | None:
    """Their amount in whole minor units; None when it is no such number or finer than the currency."""
    exact = exact_minor(major, code)
    if exact is None or exact != exact.to_integral_value() or exact > MAX_MINOR:
        return None
    return int(exact)
