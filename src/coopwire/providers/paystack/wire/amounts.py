"""Amounts between our minor units and Paystack's subunits, which are hundredths in every currency.

Source: payments contract 3.10 (Paystack: everything × 100, XOF too).
"""

from __future__ import annotations

from decimal import Decimal

from coopwire.domain.errors import InvalidOrder
from coopwire.domain.money import MAX_MINOR, exponent
from coopwire.transport.reading import currency, number

_SUBUNIT_DECIMALS = 2


def to_subunits(minor: int, code: str) -> int:
    """Minor units → the integer they want. InvalidOrder when it is nothing they could charge exactly."""
    if currency(code) is None:
        raise InvalidOrder("currency must be three capital letters (ISO 4217)", field="currency")
    if isinstance(minor, bool) or not isinstance(minor, int) or not 0 < minor <= MAX_MINOR:
        raise InvalidOrder("the amount must be positive, in minor units", field="amount_minor")
    subunits = Decimal(minor).scaleb(_SUBUNIT_DECIMALS - exponent(code))
    if subunits != subunits.to_integral_value():
        raise InvalidOrder(f"Paystack cannot charge a fraction of 1/100 {code}", field="amount_minor")
    return int(subunits)


def exact_minor(subunits: object, code: str) -> Decimal | None:
    """Their amount in minor units, decimals kept; None when it is no number or negative."""
    told = number(subunits)
    if told is None or told < 0:
        return None
    return told.scaleb(exponent(code) - _SUBUNIT_DECIMALS)


def to_minor(subunits: object, code: str) -> int | None:
    """Their amount in whole minor units; None when it is no such number or not a whole one."""
    exact = exact_minor(subunits, code)
    if exact is None or exact != exact.to_integral_value() or exact > MAX_MINOR:
        return None
    return int(exact)
