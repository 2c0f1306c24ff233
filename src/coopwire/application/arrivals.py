"""Reads what a source tells of money: each line whole or refused, with a report per line and field."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time
from decimal import Decimal
from typing import TypeVar
from zoneinfo import ZoneInfo

from coopwire.application.paying import Rejected
from coopwire.application.snapshots import CLOCKS_DIFFER, of_kind, snapshot
from coopwire.application.tables import NOT_A_REFERENCE, REFERENCE, Columns, Refusal
from coopwire.domain.arrivals import Arrival, Purpose
from coopwire.domain.cards import holds_card_number
from coopwire.domain.money import IN_USE, Money, MoneyError, exponent, from_major
from coopwire.domain.payments import DUE_COMPONENTS, Component, Due, Dues, PaymentKind
from coopwire.domain.references import REFERENCE as OUR_REFERENCE
from coopwire.domain.timings import Timings
from coopwire.ports.tables import Cell, Unfit

COLUMNS = Columns(
    known=(
        "external_id",
        "received_at",
        "received_on",
        "amount",
        "amount_minor",
        "currency",
        "payment",
        "member",
        "kind",
        "loan",
        "account",
        "branch",
        "dues",
        "dues_as_of",
        "dues_version",
        "dues_valid_until",
    ),
    needed=("external_id", "currency"),
    file="file",
)
LARGEST_AMOUNT = 2**53 - 1
"""Minor units; what every JSON reader keeps exactly."""
YEARS = range(2000, 2100)
NOON = time(12)
"""Of a day without a time of day: its noon in the business zone, so that it stays that business day."""
_LONGEST_CELL = 8_000
_MOST_DUES = 100
_MAJOR = re.compile(r"[0-9]{1,16}(\.[0-9]{1,9})?\Z")
_MINOR = re.compile(r"[0-9]{1,19}\Z")
_DAY = re.compile(r"\d{4}-\d\d-\d\d\Z", re.ASCII)
_INSTANT = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d(:\d\d(\.\d{1,6})?)?([Zz]|[+-]\d\d:\d\d)?\Z", re.ASCII)
_DUES = ("dues", "dues_as_of", "dues_version", "dues_valid_until")
_PURPOSE = ("member", "kind", "loan", "account", "branch", *_DUES)

ValueT = TypeVar("ValueT")


@dataclass(frozen=True, slots=True)
class Telling:
    """What is told of one arrival, every value well-formed by itself: a day or an instant, a payment or a
    purpose in parts."""

    external_id: str
    received: datetime | date
    money: Money
    payment: str | None = None
    member: str | None = None
    kind: PaymentKind | None = None
    loan: str | None = None
    account: str | None = None
    branch: str | None = None
    dues: Callable[[PaymentKind], Dues] | None = None


@dataclass(frozen=True, slots=True)
class Setting:
    """The deployment's zone and durations, and the present."""

    zone: ZoneInfo
    timings: Timings
    now: datetime


@dataclass(slots=True)
class ReadLines:
    """The arrivals of a table by line, and every refusal."""

    arrivals: list[tuple[int, Arrival]] = field(default_factory=list)
    refused: list[Refusal] = field(default_factory=list)


def arrival(told: Telling, setting: Setting) -> Arrival:
    """The arrival. Rejected names the field that does not go with the others."""
    if told.money.currency not in IN_USE:
        raise Rejected("currency", "is no currency of ISO 4217")
    if told.money.minor <= 0:
        raise Rejected("amount", "must be more than 0")
    if told.money.minor > LARGEST_AMOUNT:
        raise Rejected("amount", f"must be at most {LARGEST_AMOUNT} minor units")
    return Arrival(
        told.external_id, told.money, _received(told.received, setting), told.payment, _purpose(told)
    )


def _received(received: datetime | date, setting: Setting) -> datetime:
    if received.year not in YEARS:
        raise Rejected("received_at", f"must lie between {YEARS.start} and {YEARS.stop}")
    if not isinstance(received, datetime):
        if received > setting.now.astimezone(setting.zone).date():
            raise Rejected("received_on", "lies in the future")
        return datetime.combine(received, NOON, setting.zone)
    at = received if received.tzinfo is not None else received.replace(tzinfo=setting.zone)
    if at > setting.now + CLOCKS_DIFFER:
        raise Rejected("received_at", "lies in the future")
    return at


def _purpose(told: Telling) -> Purpose | None:
    parts = {name: getattr(told, name) for name in ("member", "kind", "loan", "account", "branch", "dues")}
    given = [name for name, value in parts.items() if value is not None]
    if told.payment is not None:
        if given:
            raise Rejected(given[0], "the payment says it: leave it out")
        return None
    if not given:
        return None
    if told.member is None:
        raise Rejected("member", f"is needed where {given[0]} is given")
    if told.kind is None:
        raise Rejected("kind", "is needed where a member is given")
    loan = of_kind(told.kind, told.loan, told.account)
    dues = told.dues(told.kind) if told.dues is not None else None
    return Purpose(told.member, told.kind, loan, told.branch, dues)


# -- tables ------------------------------------------------------------------------------------------------


def read_lines(rows: Iterable[tuple[int, Mapping[str, Cell]]], setting: Setting, most: int) -> ReadLines:
    """Every line of a table. Rejected when there are too many lines, or none."""
    read = ReadLines()
    first: dict[str, int] = {}
    for count, (line, row) in enumerate(rows, 1):
        if count > most:
            raise Rejected("file", f"has more than {most} lines")
        found = _Line(line, row, setting).read(read.refused)
        if found is None:
            continue
        if found.external_id in first:
            message = f"the same as in line {first[found.external_id]}"
            read.refused.append(Refusal(line, "external_id", message))
        first.setdefault(found.external_id, line)
        read.arrivals.append((line, found))
    if not read.arrivals and not read.refused:
        raise Rejected("file", "has no lines")
    return read


@dataclass(slots=True)
class _Line:
    """One line being read: every column is judged, so that all refusals are told together."""

    line: int
    row: Mapping[str, Cell]
    setting: Setting
    refused: list[Refusal] = field(default_factory=list)

    def read(self, into: list[Refusal]) -> Arrival | None:
        """The arrival; None after a refusal, which is added to `into`."""
        told = self._telling()
        if told is not None and not self.refused:
            try:
                return arrival(told, self.setting)
            except Rejected as rejected:
                self._refuse(_column(rejected.field, self.row), rejected.message)
        into += self.refused
        return None

    def _telling(self) -> Telling | None:
        for column, cell in self.row.items():
            if isinstance(cell, Unfit):
                self._refuse(column, cell.message)
            elif len(cell) > _LONGEST_CELL:
                self._refuse(column, f"has more than {_LONGEST_CELL} characters")
        if self.refused:
            return None
        external_id = self._needed("external_id", _reference)
        currency = self._needed("currency", _currency)
        received = self._received()
        money = self._money(currency)
        payment = self._value("payment", _payment)
        kind = self._value("kind", _kind)
        parts = {name: self._value(name, _reference) for name in ("member", "loan", "account", "branch")}
        dues = self._dues(currency)
        if self.refused or external_id is None or received is None or money is None:
            return None
        return Telling(external_id, received, money, payment, kind=kind, dues=dues, **parts)

    def _refuse(self, column: str, message: str) -> None:
        self.refused.append(Refusal(self.line, column, message))

    def _text(self, column: str) -> str:
        cell = self.row.get(column, "")
        assert isinstance(cell, str)
        return cell

    def _value(self, column: str, read: Callable[[str], ValueT]) -> ValueT | None:
        text = self._text(column)
        if not text:
            return None
        try:
            return read(text)
        except ValueError as error:
            self._refuse(column, str(error))
            return None

    def _needed(self, column: str, read: Callable[[str], ValueT]) -> ValueT | None:
        if not self._text(column):
            self._refuse(column, "is missing")
        return self._value(column, read)

    def _one_of(self, one: str, other: str) -> str | None:
        """The column of the two that is given."""
        given = [column for column in (one, other) if self._text(column)]
        if len(given) == 1:
            return given[0]
        self._refuse(one, f"give {one} or {other}, one of them")
        return None

    def _received(self) -> datetime | date | None:
        column = self._one_of("received_at", "received_on")
        if column is None:
            return None
        return self._value(column, _instant if column == "received_at" else _day)

    def _money(self, currency: str | None) -> Money | None:
        column = self._one_of("amount", "amount_minor")
        if column is None or currency is None:
            return None
        return self._value(column, lambda text: _amount(text, currency, self._minor))

    @property
    def _minor(self) -> bool:
        return bool(self._text("amount_minor"))

    def _dues(self, currency: str | None) -> Callable[[PaymentKind], Dues] | None:
        if not any(self._text(column) for column in _DUES) or currency is None:
            return None
        lines = self._needed("dues", lambda text: _due_lines(text, currency, self._minor))
        as_of = self._needed("dues_as_of", _instant)
        version = self._needed("dues_version", _reference)
        until = self._value("dues_valid_until", _instant)
        if lines is None or as_of is None or version is None:
            return None
        zone, now, timings = self.setting.zone, self.setting.now, self.setting.timings

        def made(kind: PaymentKind) -> Dues:
            return snapshot(
                kind, _zoned(as_of, zone), version, lines, until and _zoned(until, zone), now, timings
            )

        return made


def _column(name: str, row: Mapping[str, Cell]) -> str:
    """The column that a rejected field was read from."""
    name = {"dues.as_of": "dues_as_of", "dues.valid_until": "dues_valid_until", "dues.lines": "dues"}.get(
        name, name
    )
    if name == "amount" and row.get("amount_minor"):
        return "amount_minor"
    if name == "received_at" and not row.get("received_at"):
        return "received_on"
    return name


def _zoned(at: datetime, zone: ZoneInfo) -> datetime:
    return at if at.tzinfo is not None else at.replace(tzinfo=zone)


def _reference(text: str) -> str:
    if not REFERENCE.match(text):
        raise ValueError(NOT_A_REFERENCE)
    if holds_card_number(text):
        raise ValueError("holds a card number: leave it out")
    return text


def _payment(text: str) -> str:
    if not OUR_REFERENCE.match(text):
        raise ValueError("must be the reference of a payment, 20 letters and digits")
    return text


def _currency(text: str) -> str:
    try:
        exponent(text)
    except MoneyError:
        raise ValueError("must be three capital letters (ISO 4217)") from None
    return text


def _kind(text: str) -> PaymentKind:
    try:
        return PaymentKind(text)
    except ValueError:
        raise ValueError(f"must be one of {', '.join(PaymentKind)}") from None


def _amount(text: str, currency: str, minor: bool) -> Money:
    if minor:
        if not _MINOR.match(text):
            raise ValueError("must be a whole number of minor units")
        return _kept(Money, int(text), currency)
    if not _MAJOR.match(text):
        raise ValueError("must be a number such as 1500.00, without separators of thousands")
    try:
        return from_major(Decimal(text), currency)
    except MoneyError:
        raise ValueError(f"has more decimals than {currency} allows, or is too large") from None


def _kept(make: Callable[[int, str], Money], minor: int, currency: str) -> Money:
    try:
        return make(minor, currency)
    except MoneyError:
        raise ValueError("is too large") from None


def _day(text: str) -> date:
    if not _DAY.match(text):
        raise ValueError("write it like 2026-03-02")
    try:
        day = date.fromisoformat(text)
    except ValueError:
        raise ValueError("there is no such day") from None
    if day.year not in YEARS:
        raise ValueError(f"must lie between {YEARS.start} and {YEARS.stop}")
    return day


def _instant(text: str) -> datetime:
    """An instant; without an offset it is meant in the business zone."""
    if not _INSTANT.match(text):
        raise ValueError("write it like 2026-03-02T09:15:00+01:00")
    try:
        at = datetime.fromisoformat(text.upper())
    except ValueError:
        raise ValueError("there is no such time") from None
    if at.year not in YEARS:
        raise ValueError(f"must lie between {YEARS.start} and {YEARS.stop}")
    return at


def _due_lines(text: str, currency: str, minor: bool) -> tuple[Due, ...]:
    lines = tuple(_due_line(part, currency, minor) for part in text.split("|"))
    if len(lines) > _MOST_DUES:
        raise ValueError(f"at most {_MOST_DUES} dues")
    return lines


def _due_line(text: str, currency: str, minor: bool) -> Due:
    """One due as `id component amount day`, for instance `D1 interest 1500.00 2026-03-20`."""
    words = text.strip().rsplit(" ", 3)
    if len(words) != 4 or words[1] not in list(DUE_COMPONENTS) or not _DAY.match(words[3]):
        raise ValueError(
            "write dues like D1 interest 1500.00 2026-03-20, with | between; components are "
            f"{', '.join(DUE_COMPONENTS)}"
        )
    money = _amount(words[2], currency, minor)
    if money.minor > LARGEST_AMOUNT:
        raise ValueError("an amount is too large")
    return Due(_reference(words[0]), Component(words[1]), money.minor, _day(words[3]))
