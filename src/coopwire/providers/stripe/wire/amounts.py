"""Amounts between our minor units and the integers that Stripe writes.

Source: payments contract 3.10. Two special cases there are from memory: UGX and ISK are written in hundredths, though
neither has any.
"""

from __future__ import annotations

from decimal import Decimal

from coopwire.domain.errors import InvalidOrder
from coopwire.domain.money import MAX_MINOR, exponent
from coopwire.transport.reading import currency, number

_NO_DECIMALS = "BIF CLP DJF GNF JPY KMF KRW MGA PYG RWF VND VUV XAF XOF XPF"
_THREE_DECIMALS = "BHD JOD KWD OMR TND"
_IN_HUNDREDTHS = "UGX ISK"
_DECIMALS = {
    **dict.fromkeys(_NO_DECIMALS.split(), 0),
    **dict.fromkeys(_THREE_DECIMALS.split(), 3),
    **dict.fromkeys(_IN_HUNDREDTHS.split(), 2),
}
_LAST_DIGIT_NOUGHT = frozenset(_THREE_DECIMALS.split())


def decimals(code: str) -> int | None:
    """How many decimals their integer has; None for a currency of which no row says how they write it."""
    told = _DECIMALS.get(code)
    if told is not None:
        return told
    return 2 if exponent(code) == 2 else None


def to_stripe(minor: int, code: str) -> int:
    """Minor units → the integer they want. InvalidOrder when it is nothing they could charge exactly."""
    if currency(code) is None:
        raise InvalidOrder("currency must be three capital letters (ISO 4217)", field="currency")
    if isinstance(minor, bool) or not isinstance(minor, int) or not 0 < minor <= MAX_MINOR:
        raise InvalidOrder("the amount must be positive, in minor units", field="amount_minor")
    places = decimals(code)
    if places is None:
        raise InvalidOrder(f"Stripe has no agreed way to write {code}", field="currency")
    told = Decimal(minor).scaleb(places - exponent(code))
    if told != told.to_integral_value():
        raise InvalidOrder(f"Stripe cannot charge a fraction of {code}", field="amount_minor")
    if code in _LAST_DIGIT_NOUGHT and told % 10:
        raise InvalidOrder(f"Stripe takes {code} in hundredths only", field="amount_minor")
    return int(told)


def exact_minor(told: object, code: str) -> Decimal | None:
    """Their amount in minor units, decimals kept; None when it is no whole number of theirs. May be negative."""
    amount, places = number(told), decimals(code)
    if isinstance(told, str) or amount is None or places is None or amount != amount.to_integral_value():
        return None
    return amount.scaleb(exponent(code) - places)


def to_minor(told: object, code: str) -> int | None:
    """Their amount in whole minor units; None when it is no such number, negative, or not a whole one."""
    exact = exact_minor(told, code)
    if exact is None or exact < 0 or exact != exact.to_integral_value() or exact > MAX_MINOR:
        return None
    return int(exact)


def code_of(told: object) -> str | None:
    """Our code for the currency that they write in small letters; None for anything else."""
    return currency(told.upper()) if isinstance(told, str) and told.islower() else None
