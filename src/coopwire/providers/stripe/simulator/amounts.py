"""Stripe's integers in minor units for a checker, by a table of its own (payments contract 3.10)."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from coopwire.domain.money import exponent

_ZERO: Final = "bif clp djf gnf jpy kmf krw mga pyg rwf vnd vuv xaf xof xpf"
_THREE: Final = "bhd jod kwd omr tnd"
_PLACES: Final = {**dict.fromkeys(_ZERO.split(), 0), **dict.fromkeys(_THREE.split(), 3)}


def code_of(currency: str) -> str:
    """The ISO code of a currency in small letters."""
    return currency.upper()


def minor_of(amount: int, currency: str) -> int:
    """Minor units of an amount as Stripe writes it."""
    return int(Decimal(amount).scaleb(exponent(code_of(currency)) - _places(currency)))


def amount_of(minor: int, currency: str) -> int:
    """An amount as Stripe writes it, of minor units."""
    return int(Decimal(minor).scaleb(_places(currency) - exponent(code_of(currency))))


def _places(currency: str) -> int:
    return _PLACES.get(currency, 2)
