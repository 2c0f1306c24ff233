"""Reads a price list from CSV into a schedule of fees, and says for each mistake its line and column."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction
from typing import TypeVar

from coopwire.application.paying import Rejected
from coopwire.application.tables import Columns, csv_rows, named
from coopwire.domain.fees import (
    ChargedOn,
    DutyPayer,
    FeeRule,
    FeeRuleError,
    FeeSchedule,
    contradictions,
    exact_text,
)
from coopwire.domain.money import MoneyError, exponent, from_major

COLUMNS: Mapping[str, str] = {
    "valid_from": "first day on which it counts, in the business zone",
    "valid_until": "last day; empty: until the next row for the same charges begins",
    "currency": "ISO 4217",
    "channels": "the gateway's words for the ways to pay, with blanks between; empty: any. Words of other gateways "
    "may stand there too, so that a payment can be compared",
    "card_country": "ISO 3166 code of the country in which the card was issued; `!NG`: any other; empty: any",
    "card_brand": "the gateway's word for the card's brand; empty: any",
    "percent": "of the amount",
    "flat": "for each charge, besides",
    "flat_from": "the flat part is waived below this amount",
    "minimum": "percentage and flat part together are at least this",
    "cap": "and at most this; empty: without limit",
    "vat_percent": "of percentage and flat part, on top of them",
    "stamp_duty": "for each charge",
    "stamp_duty_from": "from this amount on",
    "stamp_duty_payer": "`lender`: taken with the fee (also when left out); `settlement`: the lender pays it, out of "
    "the settlement; `member`",
    "charged_on": "where the member bears the fee, it is computed on what was `paid` (also when left out) or on what "
    "was `asked`",
    "note": "for people",
}
"""The columns of a price list and what stands in them; amounts are major units, such as `2000` or `0.30`."""
NEEDED = ("valid_from", "currency", "percent")
_TABLE = Columns(tuple(COLUMNS), NEEDED, file="")
_NUMBER = re.compile(r"\d{1,15}(\.\d{1,6})?\Z")
_COUNTRY = re.compile(r"!?[A-Z]{2}\Z")
_WORD = re.compile(r"[a-z0-9_.-]{1,40}\Z")
_LONGEST_NOTE = 200
_MOST_RULES = 500
WordT = TypeVar("WordT", bound=StrEnum)


@dataclass(frozen=True, slots=True)
class FeeFileMistake:
    """One thing to mend. `line` counts from 1 and is None where the file as a whole is meant, as is `field`."""

    line: int | None
    field: str
    message: str

    def __str__(self) -> str:
        place = ", ".join(filter(None, (f"line {self.line}" if self.line else "", self.field)))
        return f"{place}: {self.message}" if place else self.message


class FeeFileError(ValueError):
    """The price list cannot be used; `mistakes` are all that were found."""

    def __init__(self, mistakes: Iterable[FeeFileMistake]) -> None:
        self.mistakes = tuple(mistakes)
        super().__init__("\n".join(map(str, self.mistakes)))


def schedule_of(text: str, name: str, *, example: bool = False) -> FeeSchedule:
    """The schedule that a CSV text says, under this name. FeeFileError with every mistake in it."""
    lines: list[int] = []
    rules: list[FeeRule] = []
    mistakes: list[FeeFileMistake] = []
    try:
        for line, cells in named(csv_rows(text, _TABLE.file), _TABLE):
            if len(lines) == _MOST_RULES:
                raise FeeFileError([FeeFileMistake(None, "", f"has more than {_MOST_RULES} rows")])
            rule = _Row(line, {column: str(cell) for column, cell in cells.items()}, mistakes).rule()
            if rule is not None:
                lines.append(line)
                rules.append(rule)
    except Rejected as rejected:
        raise FeeFileError([FeeFileMistake(None, "", rejected.message)]) from None
    if not mistakes:
        mistakes += [_placed(error, lines) for error in contradictions(rules)]
    if mistakes:
        raise FeeFileError(mistakes)
    return FeeSchedule(name, tuple(rules), example)


def cells(rule: FeeRule) -> dict[str, str]:
    """A rule as the cells of its row, by column; what reads them makes the same rule."""
    texts = {
        "valid_from": rule.valid_from.isoformat(),
        "valid_until": rule.valid_until.isoformat() if rule.valid_until is not None else "",
        "currency": rule.currency,
        "channels": " ".join(sorted(rule.channels)),
        "card_country": rule.card_country,
        "card_brand": rule.card_brand,
        "percent": exact_text(rule.percent),
        "flat": _major(rule, rule.flat_minor or None),
        "flat_from": _major(rule, rule.flat_from_minor or None),
        "minimum": _major(rule, rule.minimum_minor or None),
        "cap": _major(rule, rule.cap_minor),
        "vat_percent": exact_text(rule.vat_percent) if rule.vat_percent else "",
        "stamp_duty": _major(rule, rule.duty_minor or None),
        "stamp_duty_from": _major(rule, rule.duty_from_minor or None),
        "stamp_duty_payer": rule.duty_payer.value if rule.duty_minor else "",
        "charged_on": rule.charged_on.value,
        "note": rule.note,
    }
    return {column: texts[column] for column in COLUMNS}


def _major(rule: FeeRule, minor: int | None) -> str:
    return "" if minor is None else f"{rule.money(minor).major():f}"


def _placed(error: FeeRuleError, lines: list[int]) -> FeeFileMistake:
    return FeeFileMistake(None if error.row is None else lines[error.row], error.field, error.message)


class _Row:
    """One row being read; every mistake in it is kept."""

    def __init__(self, line: int, cells: Mapping[str, str], mistakes: list[FeeFileMistake]) -> None:
        self._line = line
        self._cells = cells
        self._mistakes = mistakes

    def rule(self) -> FeeRule | None:
        """The rule; None after a mistake."""
        before = len(self._mistakes)
        currency = self._currency()
        try:
            rule = FeeRule(
                valid_from=self._day("valid_from") or date.min,
                valid_until=self._day("valid_until"),
                currency=currency or "",
                channels=self._channels(),
                card_country=self._country(),
                card_brand=self._brand(),
                percent=self._percent("percent"),
                flat_minor=self._amount("flat", currency) or 0,
                flat_from_minor=self._amount("flat_from", currency) or 0,
                minimum_minor=self._amount("minimum", currency) or 0,
                cap_minor=self._amount("cap", currency),
                vat_percent=self._percent("vat_percent"),
                duty_minor=self._amount("stamp_duty", currency) or 0,
                duty_from_minor=self._amount("stamp_duty_from", currency) or 0,
                duty_payer=self._one_of("stamp_duty_payer", DutyPayer, DutyPayer.LENDER),
                charged_on=self._one_of("charged_on", ChargedOn, ChargedOn.PAID),
                note=self._note(),
            )
        except FeeRuleError as error:
            self._wrong(error.field, error.message)
            return None
        return rule if len(self._mistakes) == before else None

    def _cell(self, column: str) -> str:
        told = self._cells.get(column, "")
        if not told and column in NEEDED:
            self._wrong(column, "is missing")
        return told

    def _wrong(self, column: str, message: str) -> None:
        self._mistakes.append(FeeFileMistake(self._line, column, message))

    def _day(self, column: str) -> date | None:
        told = self._cell(column)
        try:
            return date.fromisoformat(told) if told else None
        except ValueError:
            self._wrong(column, "must be a day such as 2026-03-02")
            return None

    def _currency(self) -> str | None:
        told = self._cell("currency")
        try:
            exponent(told)
        except MoneyError:
            if told:
                self._wrong("currency", "must be three capital letters such as NGN")
            return None
        return told

    def _percent(self, column: str) -> Fraction:
        told = self._cell(column)
        if told and (not _NUMBER.match(told) or Decimal(told) > 100):
            self._wrong(column, "must be a number from 0 to 100 such as 1.5, with at most 6 decimals")
            return Fraction(0)
        return Fraction(told or "0")

    def _amount(self, column: str, currency: str | None) -> int | None:
        told = self._cell(column)
        if not told or currency is None:
            return None
        if not _NUMBER.match(told):
            self._wrong(column, "must be an amount in major units such as 2000 or 0.30")
            return None
        try:
            return from_major(Decimal(told), currency).minor
        except MoneyError:
            self._wrong(column, f"has more decimals than {currency} allows, or is too large")
            return None

    def _channels(self) -> frozenset[str]:
        words = self._cell("channels").casefold().split()
        if not all(map(_WORD.match, words)):
            self._wrong("channels", "must be words such as card or bank_transfer, with blanks between")
        return frozenset(words)

    def _country(self) -> str:
        told = self._cell("card_country")
        if told and not _COUNTRY.match(told):
            self._wrong("card_country", "must be a country such as NG, or !NG for any other")
        return told

    def _brand(self) -> str:
        told = self._cell("card_brand").casefold()
        if told and not told.isprintable():
            self._wrong("card_brand", "must be a word such as visa")
        return told

    def _one_of(self, column: str, words: type[WordT], default: WordT) -> WordT:
        told = self._cell(column)
        try:
            return words(told) if told else default
        except ValueError:
            self._wrong(column, f"must be one of {', '.join(words)}")
            return default

    def _note(self) -> str:
        told = self._cell("note")
        if len(told) > _LONGEST_NOTE or not told.isprintable():
            self._wrong("note", f"must be printable, of at most {_LONGEST_NOTE} characters")
        return told
