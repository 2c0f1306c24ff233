"""Reads the first sheet of an XLSX file row by row: text as it is, numbers exactly, formulas not at all.

A file is data of a stranger: what it unpacks to is measured before anything of it is read.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any

from openpyxl import load_workbook

from coopwire.ports.tables import Cell, NumberedRow, Sheet, TableError, Unfit

LARGEST_UNPACKED = 256 << 20
"""Bytes of all parts of a file together."""
LARGEST_PART_IN_MEMORY = 64 << 20
"""Bytes of a part that is read whole: everything but the sheets, which are read row by row."""
MOST_PARTS = 2_000
MOST_COLUMNS = 100
MOST_ROWS = 1_048_576
"""What a spreadsheet program can make."""
_EXACT_DIGITS = 15
"""Digits that spreadsheet programs keep of a number; they put zeros for those behind."""
_NOT_READABLE = "is not a spreadsheet that can be read"


class XlsxSheets:
    """The Spreadsheets socket over openpyxl."""

    def first_sheet(self, content: bytes) -> Sheet:
        """The first sheet; TableError for what is no spreadsheet, or one that unpacks to too much."""
        _check_size(content)
        with _told():
            book = load_workbook(io.BytesIO(content), read_only=True, data_only=False, keep_links=False)
            sheets = book.worksheets
        if not sheets:
            raise TableError("has no sheet")
        if sheets[0].sheet_state != "visible":
            raise TableError("its first sheet is hidden: show it, or put the table on a visible first sheet")
        return Sheet(_rows(sheets[0]), len(sheets) - 1)


def _check_size(content: bytes) -> None:
    """What the directory of the archive says is believed: no more is unpacked of a part than stands there."""
    with _told(), zipfile.ZipFile(io.BytesIO(content)) as archive:
        parts = archive.infolist()
    if len(parts) > MOST_PARTS or sum(part.file_size for part in parts) > LARGEST_UNPACKED:
        raise TableError(f"unpacks to more than {LARGEST_UNPACKED >> 20} MiB")
    for part in parts:
        if not part.filename.startswith("xl/worksheets/") and part.file_size > LARGEST_PART_IN_MEMORY:
            raise TableError(f"has a part of more than {LARGEST_PART_IN_MEMORY >> 20} MiB")


@contextmanager
def _told() -> Iterator[None]:
    """Whatever the reader raises about a broken file, from missing parts to bad XML, means the same here."""
    try:
        yield
    except TableError:
        raise
    except Exception:
        raise TableError(_NOT_READABLE) from None


def _rows(sheet: Any) -> Iterator[NumberedRow]:
    """Rows that are not empty, as wide as the first one. A sheet's own word about its size is not believed."""
    width = 0
    sheet.reset_dimensions()
    following = iter(sheet.iter_rows())
    number = 0
    while True:
        with _told():
            row = next(following, None)
            cells = None if row is None else _cells(row)
        if cells is None:
            return
        number += 1
        if number > MOST_ROWS:
            raise TableError(f"has more than {MOST_ROWS} rows")
        if not any(cells):
            continue
        width = width or len(cells)
        yield number, [*cells, *[""] * (width - len(cells))]


def _cells(row: Sequence[Any]) -> list[Cell]:
    """The texts of a row up to its last value."""
    if len(row) > MOST_COLUMNS and any(cell.value is not None for cell in row[MOST_COLUMNS:]):
        raise TableError(f"has more than {MOST_COLUMNS} columns")
    cells = [_text(cell) for cell in row[:MOST_COLUMNS]]
    while cells and not cells[-1]:
        cells.pop()
    return cells


def _text(cell: Any) -> Cell:
    value, kind = cell.value, getattr(cell, "data_type", "n")
    if value is None:
        return ""
    if kind == "f":
        return Unfit("is a formula: put its value there")
    if kind == "e":
        return Unfit("is an error of the spreadsheet")
    if isinstance(value, str):
        return value.strip()
    if isinstance(value, bool):
        return Unfit("must be text, a number or a date")
    if isinstance(value, int | float):
        return _number(value)
    if isinstance(value, datetime):
        return value.date().isoformat() if value.time() == time() else value.isoformat()
    if isinstance(value, date):
        return value.isoformat()
    return Unfit("must be text, a number or a date")


def _number(value: float) -> Cell:
    """The shortest decimal text that is this number; beyond 15 digits nobody knows what was typed."""
    number = Decimal(repr(value))
    exact = number.is_finite() and abs(number) < 10**_EXACT_DIGITS
    if not exact or len(number.normalize().as_tuple().digits) > _EXACT_DIGITS:
        return Unfit("is a number that a spreadsheet cannot keep exactly: format the cell as text")
    return str(int(number)) if number == number.to_integral_value() else f"{number:f}"
