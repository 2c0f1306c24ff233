"""Statements: what moved on an account, row by row, and how a range is read that one answer does not hold.

Source: banking contract §3, traps 11, 17, 20; endpoint transactions. The names in a row, its unit and how much one
answer holds are from memory there, so each of them is a setting of the connection.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from coopwire.domain.books import Side
from coopwire.domain.errors import ContractBroken, InvalidOrder, TryLater
from coopwire.ports.corebank import StatementRow
from coopwire.providers.bankone.wire.accounts import ACCOUNT_NUMBER
from coopwire.providers.bankone.wire.amounts import Unit, moved
from coopwire.providers.bankone.wire.answers import code, flag, label, words
from coopwire.providers.bankone.wire.operations import Operation
from coopwire.providers.bankone.wire.postings import CURRENCY

STATEMENT = Operation("transactions", "/BankOneWebAPI/api/Account/GetTransactions/2", "authtoken")
"""Other pages of the core spell the token's name authToken; each is asked in its own spelling."""

FIELDS: Mapping[str, str] = {
    "id": "Id",
    "date": "TransactionDate",
    "reference": "ReferenceID",
    "instrument": "InstrumentNo",
    "narration": "Narration",
    "amount": "Amount",
    "side": "RecordType",
    "reversed": "IsReversed",
    "reverses": "ReversalReferenceNo",
}
"""Ours → theirs. `instrument` is taken where `reference` is empty."""

_SIDES = {"credit": Side.CREDIT, "cr": Side.CREDIT, "debit": Side.DEBIT, "dr": Side.DEBIT}
_ISO = re.compile(
    r"(?P<day>[0-9]{4}-[0-9]{2}-[0-9]{2})"
    r"([T ](?P<time>[0-9]{2}:[0-9]{2}(:[0-9]{2})?)(\.[0-9]{1,9})? ?(?P<zone>Z|[+-][0-9]{2}:?[0-9]{2})?)?\Z"
)
_US = re.compile(
    r"(?P<month>[0-9]{1,2})/(?P<day>[0-9]{1,2})/(?P<year>[0-9]{4})( [0-9]{1,2}:[0-9]{2}(:[0-9]{2})? [AP]M)?\Z",
    re.IGNORECASE,
)
_LONGEST_NARRATION = 500
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Shape:
    """How an installation writes a row: `fields` ours → theirs in lower case, the unit, the zone of its times."""

    fields: Mapping[str, str]
    unit: Unit
    zone: ZoneInfo


def shape(fields: Mapping[str, str], unit: Unit, zone: ZoneInfo) -> Shape:
    """A shape with fields in any case, laid over the usual ones."""
    return Shape({ours: theirs.lower() for ours, theirs in {**FIELDS, **fields}.items()}, unit, zone)


def query(account: str, start: date, end: date, institution_code: str, most: int) -> dict[str, str]:
    """What is asked, without the token. InvalidOrder when it can be no account number."""
    if not ACCOUNT_NUMBER.match(account):
        raise InvalidOrder("an account number is 6 to 20 digits", field="account")
    asked = {"accountNumber": account, "fromDate": start.isoformat(), "toDate": end.isoformat()}
    if institution_code:
        asked["institutionCode"] = institution_code
    return {**asked, "numberOfItems": str(most)}


def page(told: Mapping[str, object]) -> Sequence[object]:
    """The rows of an answer. TryLater when they refuse to say; ContractBroken when there are no rows.

    `Message` is text on an error, a list on success; only a list that is there and empty says that nothing moved.
    """
    yes, rows = flag(told, "issuccessful"), told.get("message")
    if yes is None:
        raise ContractBroken("BankOne: a statement says neither yes nor no")
    if not yes:
        raise TryLater(f"BankOne: no statement: {words(told) or 'no words'}", code=code(told))
    if not isinstance(rows, list):
        raise ContractBroken("BankOne: a statement came without its rows")
    return rows


def row(told: object, of: Shape) -> StatementRow:
    """One movement. ContractBroken, without quoting it, when it cannot be read for certain."""
    if not isinstance(told, Mapping):
        raise ContractBroken("BankOne: a row is no object")
    at = of.fields
    id_ = label(told, at["id"])
    if not id_:
        raise ContractBroken("BankOne: a row has no id")
    reversed_ = _reversed(told.get(at["reversed"]))
    return StatementRow(
        id=id_,
        on=day(told.get(at["date"]), of.zone),
        side=_side(label(told, at["side"])),
        amount_minor=moved(told.get(at["amount"]), of.unit),
        currency=CURRENCY,
        reference=label(told, at["reference"]) or label(told, at["instrument"]),
        narration=_narration(told.get(at["narration"])),
        reversed=reversed_,
        # What was undone names what undid it, if anything: it undoes nothing itself.
        reverses=None if reversed_ else label(told, at["reverses"]) or None,
    )


def day(value: object, zone: ZoneInfo) -> date:
    """A date, ISO or in US order, with or without a time; without a zone it is a day there already.

    ContractBroken for anything else. Source: banking contract, trap 20.
    """
    text = value.strip() if isinstance(value, str) else ""
    try:
        if iso := _ISO.match(text):
            return _iso_day(iso, zone)
        if us := _US.match(text):
            return date(int(us["year"]), int(us["month"]), int(us["day"]))
    except (ValueError, OverflowError):
        raise ContractBroken("BankOne: a date is none") from None
    raise ContractBroken("BankOne: a date is not in an agreed form")


def _iso_day(told: re.Match[str], zone: ZoneInfo) -> date:
    moment = datetime.fromisoformat(f"{told['day']}T{told['time'] or '00:00'}{told['zone'] or ''}")
    return moment.astimezone(zone).date() if told["zone"] else moment.date()


def _side(word: str) -> Side:
    side = _SIDES.get(word.lower())
    if side is None:
        raise ContractBroken("BankOne: a row is neither a credit nor a debit")
    return side


def _reversed(value: object) -> bool:
    said = flag({"said": value}, "said")
    if said is None and value not in (None, ""):
        raise ContractBroken("BankOne: whether a row was reversed is neither yes nor no")
    return bool(said)


def _narration(value: object) -> str:
    return value[:_LONGEST_NARRATION] if isinstance(value, str) else ""


class Reading:
    """The rows from `start` to `end`, read range by range, newest first, each told once.

    An answer with `most` rows may have been cut: its range is asked for in halves. A day that fills an answer
    by itself is told as far as it was answered, and called incomplete at the end.
    """

    def __init__(self, start: date, end: date, of: Shape, most: int) -> None:
        self._start, self._end = start, end
        self._of = of
        self._most = most
        self._open = [(start, end)] if start <= end else []
        self._told: set[tuple[object, ...]] = set()
        self._unreadable: list[str] = []
        self._cut: list[date] = []

    def asked(self) -> Iterator[tuple[date, date]]:
        """The ranges to ask for, one after the other; what is learnt meanwhile adds more."""
        while self._open:
            yield self._open.pop()

    def fresh(self, start: date, end: date, rows: Sequence[object]) -> Iterator[StatementRow]:
        """The movements in the answer to a range that were not told before."""
        if len(rows) >= self._most:
            if start < end:
                middle = start + (end - start) // 2
                self._open += [(start, middle), (middle + _DAY, end)]
                return
            self._cut.append(start)
        for one in rows:
            read = self._read(one)
            if read is not None and self._start <= read.on <= self._end and self._is_new(read):
                yield read

    def conclude(self) -> None:
        """ContractBroken when days were cut, or when rows could not be read."""
        if self._cut:
            raise ContractBroken(
                f"BankOne: the statement is incomplete: {self._cut[0].isoformat()} has {self._most} rows or more "
                "(setting statement_rows)"
            )
        if self._unreadable:
            count, first = len(self._unreadable), self._unreadable[0]
            raise ContractBroken(f"BankOne: {count} rows of a statement cannot be read; the first: {first}")

    def _read(self, told: object) -> StatementRow | None:
        try:
            return row(told, self._of)
        except ContractBroken as broken:
            self._unreadable.append(broken.message)
            return None

    def _is_new(self, read: StatementRow) -> bool:
        """One id may stand at two movements, such as an amount and its fee; one movement is told once."""
        key = (read.id, read.on, read.side, read.amount_minor, read.reference)
        if key in self._told:
            return False
        self._told.add(key)
        return True
