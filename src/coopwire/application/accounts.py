"""Takes in the table of core accounts, as CSV or as rows: all lines or none, with a report per line."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from coopwire.application.network import Network
from coopwire.application.paying import Rejected
from coopwire.application.tables import NOT_A_REFERENCE, REFERENCE, Columns, Refusal, csv_rows, named
from coopwire.domain.cards import holds_card_number
from coopwire.ports.clock import Clock
from coopwire.ports.core_accounts import CoreAccountLine, CoreAccountTable, Placed
from coopwire.ports.providers import Capability

COLUMNS = ("connection", "member", "loan", "number")
MOST_LINES = 20_000
_NUMBER = re.compile(r"[0-9A-Za-z-]{4,34}\Z")


@dataclass(frozen=True, slots=True)
class Stored:
    """A line that is stored: `result` is created, changed or unchanged."""

    line: int
    result: Placed


@dataclass(frozen=True, slots=True)
class ImportReport:
    """What became of an import: either every line is stored, or none is and `refused` says why."""

    stored: tuple[Stored, ...]
    refused: tuple[Refusal, ...]

    @property
    def counts(self) -> dict[str, int]:
        """Lines per result."""
        return dict(Counter(one.result.value for one in self.stored))


class AccountImport:
    """Checks lines and puts them into the table."""

    def __init__(self, network: Network, table: CoreAccountTable, clock: Clock) -> None:
        self._network = network
        self._table = table
        self._clock = clock

    async def put(self, numbered: Iterable[tuple[int, Mapping[str, object]]], actor: str) -> ImportReport:
        """Store lines given as (line number, columns). Without a connection the route's core bank is meant.

        Rejected when there are too many lines, or none.
        """
        rows = list(numbered)
        if not 0 < len(rows) <= MOST_LINES:
            raise Rejected("lines", f"give 1 to {MOST_LINES} lines")
        lines, refused = self._read(rows)
        if refused:
            return ImportReport((), tuple(refused))
        placed = await self._table.put(lines, actor, self._clock.now())
        busy = [
            Refusal(line.line, "number", "a credit to the present account is not finished: resolve it first")
            for line, one in zip(lines, placed, strict=True)
            if one is Placed.BUSY
        ]
        if busy:
            return ImportReport((), tuple(busy))
        return ImportReport(
            tuple(Stored(line.line, one) for line, one in zip(lines, placed, strict=True)), ()
        )

    def _read(
        self, rows: Sequence[tuple[int, Mapping[str, object]]]
    ) -> tuple[list[CoreAccountLine], list[Refusal]]:
        lines: list[CoreAccountLine] = []
        refused: list[Refusal] = []
        first: dict[tuple[str, str, str | None], int] = {}
        for number, row in rows:
            problems = list(self._problems(number, row))
            if problems:
                refused += problems
                continue
            line = self._line(number, row)
            if line.key in first:
                refused.append(
                    Refusal(number, "member", f"the same member and loan as line {first[line.key]}")
                )
            first.setdefault(line.key, number)
            lines.append(line)
        return lines, refused

    def _line(self, number: int, row: Mapping[str, object]) -> CoreAccountLine:
        loan = row.get("loan")
        return CoreAccountLine(
            number,
            str(row.get("connection") or self._network.routes.core_bank),
            str(row["member"]),
            str(loan) if loan else None,
            str(row["number"]),
        )

    def _problems(self, number: int, row: Mapping[str, object]) -> Iterable[Refusal]:
        if row.keys() - set(COLUMNS):
            yield Refusal(number, "line", f"there are only the columns {', '.join(COLUMNS)}")
        for column in COLUMNS:
            problem = self._problem(column, row.get(column))
            if problem:
                yield Refusal(number, column, problem)

    def _problem(self, column: str, value: object) -> str | None:
        """What is wrong with one value; it is never repeated."""
        absent = value is None or value == ""
        if column == "connection":
            name = self._network.routes.core_bank if absent else value
            known = ", ".join(self._core_banks()) or "none"
            return None if name in self._core_banks() else f"must be one of: {known}"
        if column == "loan" and absent:
            return None
        if not isinstance(value, str):
            return "must be text"
        if column == "number":
            return None if _NUMBER.match(value) else "must be 4 to 34 letters, digits or hyphens"
        if not REFERENCE.match(value):
            return NOT_A_REFERENCE
        return "holds a card number" if holds_card_number(value) else None

    def _core_banks(self) -> tuple[str, ...]:
        return tuple(n for n, c in self._network.connections.items() if c.sockets.has(Capability.POSTINGS))


def csv_lines(text: str) -> list[tuple[int, Mapping[str, object]]]:
    """The lines of a CSV file with a header, separated by commas or semicolons.

    Rejected names what is wrong with the file as a whole.
    """
    return list(named(csv_rows(text), Columns(COLUMNS, needed=("member", "number"))))
