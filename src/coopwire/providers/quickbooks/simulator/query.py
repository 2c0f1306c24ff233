"""QuickBooks' query language as far as the real one goes: select, AND, in, like, orderby, paging."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, Final

from coopwire.providers.quickbooks.simulator.telling import query_invalid, query_unreadable

_TOKEN: Final = re.compile(
    r"\s*(?:(?P<text>'(?:[^'\\]|\\.)*')|(?P<word>[A-Za-z_][A-Za-z0-9_.]*)|(?P<number>-?\d+(?:\.\d+)?)"
    r"|(?P<sign><=|>=|[=<>(),*]))"
)
_DAY: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}\Z")
_OPERATORS: Final = frozenset({"=", "<", ">", "<=", ">=", "in", "like"})
LARGEST_PAGE: Final = 1000
_USUAL_PAGE: Final = 100
_TIMES: Final = ("MetaData.CreateTime", "MetaData.LastUpdatedTime")
FILTERABLE: Final[Mapping[str, frozenset[str]]] = {
    "Account": frozenset(
        {
            *("Id", "Name", "FullyQualifiedName", "AccountType", "AccountSubType", "Classification"),
            *("Active", "CurrentBalance", "SyncToken", *_TIMES),
        }
    ),
    "JournalEntry": frozenset({"Id", "DocNumber", "TxnDate", "SyncToken", *_TIMES}),
    "Preferences": frozenset(),
}
"""What can be asked for, and by which fields."""


@dataclass(frozen=True, slots=True)
class Condition:
    """field operator value(s)"""

    field: str
    operator: str
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Query:
    """A parsed statement; `columns` empty means all, `counts` means count(*)."""

    entity: str
    columns: tuple[str, ...]
    counts: bool
    conditions: tuple[Condition, ...]
    order: tuple[tuple[str, bool], ...]
    start: int
    most: int

    def equal_to(self, field: str) -> str | None:
        """The value that `field` must equal, if the statement says so."""
        found = (one.values[0] for one in self.conditions if one.field == field and one.operator == "=")
        return next(found, None)

    def asks_about(self, field: str) -> bool:
        """Whether a condition concerns `field`."""
        return any(one.field == field for one in self.conditions)

    def select(self, rows: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
        """The rows that meet every condition, in the order wanted, before paging."""
        kept = [row for row in rows if all(_meets(row, one) for one in self.conditions)]
        for field, falling in reversed(self.order):
            kept.sort(key=lambda row: _comparable(field, _member(row, field)), reverse=falling)
        return kept

    def page(self, rows: Sequence[Mapping[str, Any]]) -> Sequence[Mapping[str, Any]]:
        """This page's rows."""
        return rows[self.start - 1 : self.start - 1 + self.most]

    def cut(self, row: Mapping[str, Any]) -> Mapping[str, Any]:
        """The wanted columns of a row."""
        if not self.columns:
            return row
        return {name: row[name] for name in self.columns if name in row}


def parse(statement: str) -> Query:
    """Read a statement. Faulted 4000 when it cannot be read (OR, JOIN), 4001 for what cannot be queried."""
    return _Reader(statement).query()


class _Reader:
    """Reads one statement from left to right."""

    def __init__(self, statement: str) -> None:
        self._tokens = list(_tokens(statement))
        self._at = 0

    def query(self) -> Query:
        self._expect("select")
        columns, counts = self._columns()
        self._expect("from")
        entity = self._entity()
        conditions = tuple(self._conditions(entity)) if self._skip("where") else ()
        order = tuple(self._order(entity)) if self._ordering() else ()
        start = self._number("startposition", 1)
        most = self._number("maxresults", _USUAL_PAGE)
        if self._at < len(self._tokens):
            raise query_unreadable(f"unexpected {self._tokens[self._at]!r}")
        if start < 1 or not 0 < most <= LARGEST_PAGE:
            raise query_invalid(f"startposition is at least 1, maxresults at most {LARGEST_PAGE}")
        return Query(entity, columns, counts, conditions, order, start, most)

    def _columns(self) -> tuple[tuple[str, ...], bool]:
        if self._skip("*"):
            return (), False
        if self._skip("count"):
            for sign in "(*)":
                self._expect(sign)
            return (), True
        names = [self._next()]
        while self._skip(","):
            names.append(self._next())
        return tuple(names), False

    def _entity(self) -> str:
        name = self._next()
        known = {entity.lower(): entity for entity in FILTERABLE}
        if name.lower() not in known:
            raise query_invalid(f"invalid context declaration: {name}")
        return known[name.lower()]

    def _conditions(self, entity: str) -> Iterator[Condition]:
        yield self._condition(entity)
        while self._skip("and"):
            yield self._condition(entity)

    def _condition(self, entity: str) -> Condition:
        field = self._field(entity)
        operator = self._next().lower()
        if operator not in _OPERATORS:
            raise query_unreadable(f"no operator {operator!r}")
        return Condition(field, operator, self._list() if operator == "in" else (self._value(),))

    def _list(self) -> tuple[str, ...]:
        self._expect("(")
        values = [self._value()]
        while self._skip(","):
            values.append(self._value())
        self._expect(")")
        return tuple(values)

    def _order(self, entity: str) -> Iterator[tuple[str, bool]]:
        while True:
            field = self._field(entity)
            falling = self._skip("desc")
            if not falling:
                self._skip("asc")
            yield field, falling
            if not self._skip(","):
                return

    def _ordering(self) -> bool:
        if self._skip("orderby"):
            return True
        if self._skip("order"):
            self._expect("by")
            return True
        return False

    def _field(self, entity: str) -> str:
        name = self._next()
        if name not in FILTERABLE[entity]:
            raise query_invalid(f"property {name} is not found or not queryable for entity {entity}")
        return name

    def _value(self) -> str:
        token = self._next()
        if token.startswith("'"):
            return re.sub(r"\\(.)", r"\1", token[1:-1])
        return token

    def _number(self, keyword: str, usual: int) -> int:
        if not self._skip(keyword):
            return usual
        token = self._next()
        if not token.isdecimal():
            raise query_unreadable(f"{keyword} needs a number")
        return int(token)

    def _skip(self, word: str) -> bool:
        if self._at < len(self._tokens) and self._tokens[self._at].lower() == word:
            self._at += 1
            return True
        return False

    def _expect(self, word: str) -> None:
        if not self._skip(word):
            raise query_unreadable(f"expected {word!r}")

    def _next(self) -> str:
        if self._at >= len(self._tokens):
            raise query_unreadable("the statement ends too early")
        self._at += 1
        return self._tokens[self._at - 1]


def _tokens(statement: str) -> Iterator[str]:
    at, end = 0, len(statement.rstrip())
    while at < end:
        found = _TOKEN.match(statement, at)
        if found is None:
            raise query_unreadable(f"unexpected character at {at + 1}")
        at = found.end()
        yield found.group().strip()


def _meets(row: Mapping[str, Any], condition: Condition) -> bool:
    told = _comparable(condition.field, _member(row, condition.field))
    if condition.operator == "like":
        pattern = "".join(".*" if char == "%" else re.escape(char) for char in condition.values[0])
        return re.fullmatch(pattern, str(told), re.IGNORECASE) is not None
    values = [_comparable(condition.field, value) for value in condition.values]
    match condition.operator:
        case "=" | "in":
            return told in values
        case "<":
            return bool(told < values[0])
        case ">":
            return bool(told > values[0])
        case "<=":
            return bool(told <= values[0])
        case _:
            return bool(told >= values[0])


def _member(row: Mapping[str, Any], path: str) -> Any:
    value: Any = row
    for name in path.split("."):
        value = value.get(name, "")
    return value


def _comparable(field: str, value: Any) -> Any:
    """Values of one field in one comparable type. Faulted 4001 when the statement's value does not fit."""
    try:
        if field in _TIMES:
            return _instant(str(value))
        if field == "TxnDate":
            return _day(str(value))
        if field in ("Id", "SyncToken"):
            return int(value)
        if field == "CurrentBalance":
            return Decimal(str(value))
    except (ValueError, ArithmeticError):
        raise query_invalid(f"the value for {field} cannot be read") from None
    return str(value).lower() if field == "Active" else str(value)


def _day(word: str) -> date:
    """Of the spellings of ISO 8601 they take one. ValueError for the others."""
    if not _DAY.match(word):
        raise ValueError(word)
    return date.fromisoformat(word)


def _instant(word: str) -> datetime:
    parsed = datetime.fromisoformat(word)
    return parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)
