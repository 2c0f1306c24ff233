"""Reads tables that people send, CSV or spreadsheets, into lines of named text; says per line what is wrong."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from coopwire.application.paying import Rejected
from coopwire.ports.tables import Cell, NumberedRow, TableError, Unfit

REFERENCE = re.compile(r"(?=.{1,64}\Z)[!-~]([ -~]*[!-~])?\Z")
"""A reference of somebody else: printable ASCII without blanks around."""
NOT_A_REFERENCE = "must be 1 to 64 printable ASCII characters without blanks around"


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a line cannot be stored: `field` is one of the columns."""

    line: int
    field: str
    message: str


@dataclass(frozen=True, slots=True)
class Columns:
    """The columns that a table may have, and those it must have; `file` is how a rejection calls the table."""

    known: tuple[str, ...]
    needed: tuple[str, ...]
    file: str = "csv"


def csv_rows(text: str, file: str = "csv") -> Iterator[NumberedRow]:
    """The rows of a CSV file, separated by commas or semicolons, without those that are empty.

    Rejected names what is wrong with the file as a whole.
    """
    if "\x00" in text:
        raise Rejected(file, "holds a NUL character")
    text = text.lstrip("\ufeff")
    first = re.split(r"[\r\n]", text.lstrip(), maxsplit=1)[0]
    separator = ";" if ";" in first and "," not in first else ","
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    try:
        for row in reader:
            if any(cell.strip() for cell in row):
                yield reader.line_num, row
    except csv.Error as error:
        raise Rejected(file, f"line {reader.line_num}: {error}") from None


def named(rows: Iterable[NumberedRow], columns: Columns) -> Iterator[tuple[int, Mapping[str, Cell]]]:
    """Lines by the names of the first row; text without blanks around.

    Rejected names what is wrong with the file as a whole.
    """
    following = iter(rows)
    try:
        _, header = next(following, (0, ()))
        names = _names(header, columns)
        for line, row in following:
            yield line, dict(zip(names, _fitting(line, row, len(names), columns), strict=True))
    except TableError as error:
        raise Rejected(columns.file, str(error)) from None


def _names(header: Sequence[Cell], columns: Columns) -> list[str]:
    if not header:
        raise Rejected(columns.file, "is empty: the first line names the columns")
    names = [cell.strip().lower() if isinstance(cell, str) else "" for cell in header]
    missing = [name for name in columns.needed if name not in names]
    unknown = [name for name in names if name not in columns.known]
    if missing or unknown or len(set(names)) < len(names):
        told = ", ".join(columns.known)
        raise Rejected(columns.file, f"the first line must name the columns {told}, each once")
    return names


def _fitting(line: int, row: Sequence[Cell], width: int, columns: Columns) -> list[Cell]:
    if len(row) != width:
        raise Rejected(columns.file, f"line {line}: {len(row)} values for {width} columns")
    return [cell if isinstance(cell, Unfit) else cell.strip() for cell in row]
