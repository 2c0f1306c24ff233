"""Tables that people send: rows of cells as text, from whatever kind of file."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Unfit:
    """A cell that cannot be taken as text; `message` says why without repeating it."""

    message: str


Cell = str | Unfit
NumberedRow = tuple[int, Sequence[Cell]]
"""The number of a row in its file, from 1, and its cells."""


class TableError(ValueError):
    """A file that is no table; the message says why without repeating anything of it."""


@dataclass(frozen=True, slots=True)
class Sheet:
    """The one sheet of a spreadsheet that is read; `others` are left out."""

    rows: Iterator[NumberedRow]
    others: int


class Spreadsheets(Protocol):
    """Reads spreadsheet files."""

    def first_sheet(self, content: bytes) -> Sheet:
        """The first sheet, row by row; empty rows are left out.

        Text as it is; whole numbers and decimals as they are written; dates as 2026-03-02, with a time of day as
        2026-03-02T09:15:00. TableError, also while the rows are read.
        """
        ...
