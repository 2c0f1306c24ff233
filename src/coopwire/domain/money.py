"""Money: an integer of minor units and an ISO 4217 currency, never a float."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal

_NO_DECIMALS = """
    BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF
"""
_THREE_DECIMALS = "BHD IQD JOD KWD LYD OMR TND"
_EXPONENT_NOT_TWO = {
    **dict.fromkeys(_NO_DECIMALS.split(), 0),
    **dict.fromkeys(_THREE_DECIMALS.split(), 3),
}
_IN_USE = """
    AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BGN BHD BIF BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF CHF CLP CNY
    COP CRC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GNF GTQ GYD HKD HNL HTG HUF IDR ILS
    INR IQD IRR ISK JMD JOD JPY KES KGS KHR KMF KPW KRW KWD KYD KZT LAK LBP LKR LRD LSL LYD MAD MDL MGA MKD MMK MNT MOP
    MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD OMR PAB PEN PGK PHP PKR PLN PYG QAR RON RSD RUB RWF SAR SBD SCR
    SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TND TOP TRY TTD TWD TZS UAH UGX USD UYU UZS VED VES VND
    VUV WST XAF XCD XCG XOF XPF YER ZAR ZMW ZWG
"""
IN_USE = frozenset(_IN_USE.split())
"""Currencies that people pay with. Source: ISO 4217, list one, without funds and metals."""
_CURRENCY = re.compile(r"[A-Z]{3}\Z")
MAX_MINOR = 2**63 - 1
"""The largest amount that a PostgreSQL bigint keeps."""


class MoneyError(ValueError):
    """An amount or a currency that cannot be money here."""


def exponent(currency: str) -> int:
    """Decimal places of `currency` by ISO 4217 (2 unless the table says otherwise)."""
    if not _CURRENCY.match(currency):
        raise MoneyError(f"currency must be three capital letters (ISO 4217), got {currency[:8]!r}")
    return _EXPONENT_NOT_TWO.get(currency, 2)


@dataclass(frozen=True, slots=True, order=False)
class Money:
    """An amount in minor units (kobo, cent) of one currency; may be negative, never fractional."""

    minor: int
    currency: str

    def __post_init__(self) -> None:
        if isinstance(self.minor, bool) or not isinstance(self.minor, int):
            raise MoneyError(f"minor units must be an int, got {type(self.minor).__name__}")
        if abs(self.minor) > MAX_MINOR:
            raise MoneyError("amount is beyond what the hub can keep (63 bits of minor units)")
        exponent(self.currency)

    def __add__(self, other: Money) -> Money:
        self._same(other)
        return Money(self.minor + other.minor, self.currency)

    def __sub__(self, other: Money) -> Money:
        self._same(other)
        return Money(self.minor - other.minor, self.currency)

    def major(self) -> Decimal:
        """The amount in major units, exact, with the currency's number of decimals."""
        return Decimal(self.minor).scaleb(-exponent(self.currency))

    def __str__(self) -> str:
        return f"{self.major():,f} {self.currency}"

    def _same(self, other: Money) -> None:
        if self.currency != other.currency:
            raise MoneyError(f"cannot mix {self.currency} and {other.currency}")


def from_major(amount: Decimal, currency: str) -> Money:
    """Exact conversion of major units; MoneyError if `amount` has more decimals than the currency."""
    if not amount.is_finite():
        raise MoneyError("amount must be finite")
    scaled = amount.scaleb(exponent(currency))
    if scaled != scaled.to_integral_value():
        raise MoneyError(f"{amount} has more decimals than {currency} allows")
    return Money(int(scaled), currency)
