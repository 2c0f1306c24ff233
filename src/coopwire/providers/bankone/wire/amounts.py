"""Amounts in BankOne's answers: numbers or text with thousands separators, in naira or in kobo.

Source: banking contract §0 (units), trap 11 (both units inside one API, text with commas).
"""

from __future__ import annotations

import re
from decimal import Decimal
from enum import StrEnum

from coopwire.domain.errors import ContractBroken
from coopwire.domain.money import MAX_MINOR

_NUMBER = re.compile(r"-?[0-9]{1,3}(,[0-9]{3})*(\.[0-9]{1,10})?\Z|-?[0-9]{1,18}(\.[0-9]{1,10})?\Z")


class Unit(StrEnum):
    """In what an installation writes an amount. Not stated by the vendor (banking contract §0)."""

    NAIRA = "naira"
    KOBO = "kobo"


def kobo(value: object, unit: Unit, what: str) -> Decimal:
    """A number, or text that may have thousands separators, in kobo; parts of a kobo are kept.

    ContractBroken, saying `what` it is, when it is no number.
    """
    amount = _exact(value, what)
    return amount.scaleb(2) if unit is Unit.NAIRA else amount


def moved(value: object, unit: Unit) -> int:
    """What a movement moved, in kobo. ContractBroken unless it is a positive whole number of them.

    Nothing is rounded: a part of a kobo says that the unit is not the agreed one.
    """
    amount = kobo(value, unit, "an amount")
    if amount <= 0 or amount > MAX_MINOR:
        raise ContractBroken("BankOne: an amount is not above nought, or beyond what the hub can keep")
    if amount != amount.to_integral_value():
        raise ContractBroken("BankOne: an amount has parts of a kobo: is its unit the agreed one?")
    return int(amount)


def _exact(value: object, what: str) -> Decimal:
    text = str(value) if isinstance(value, int) and not isinstance(value, bool) else value
    if isinstance(text, Decimal):
        text = format(text, "f") if -10 <= text.adjusted() <= 20 else ""
    if not isinstance(text, str) or not _NUMBER.match(text.strip()):
        raise ContractBroken(f"BankOne: {what} is not a number")
    return Decimal(text.strip().replace(",", ""))
