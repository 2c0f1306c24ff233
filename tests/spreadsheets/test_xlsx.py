"""Spreadsheets of strangers: what is exact is read, what is not is told, and nothing unpacks without bounds."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import pytest
from openpyxl import Workbook
from rigs.elsewhere import xlsx_file

from coopwire.ports.tables import NumberedRow, TableError, Unfit
from coopwire.spreadsheets import xlsx
from coopwire.spreadsheets.xlsx import XlsxSheets


def _read(content: bytes) -> list[NumberedRow]:
    return [(number, list(row)) for number, row in XlsxSheets().first_sheet(content).rows]


def _book(change: Callable[[Workbook], object]) -> bytes:
    book = Workbook()
    change(book)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def _cell(value: Any) -> Any:
    [_, (_, [cell])] = _read(xlsx_file([{"a": value}]))
    return cell


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("  A-1 ", "A-1"),
        ("=text", "=text"),
        (1500, "1500"),
        (1500.0, "1500"),
        (1500.25, "1500.25"),
        (0.1, "0.1"),
        (1e-7, "0.0000001"),
        (123_456_789_012_345, "123456789012345"),
        (99_999_999_999.99, "99999999999.99"),
        (-5, "-5"),
        (date(2026, 3, 2), "2026-03-02"),
        (datetime(2026, 3, 2), "2026-03-02"),  # noqa: DTZ001
        (datetime(2026, 3, 2, 9, 15), "2026-03-02T09:15:00"),  # noqa: DTZ001
    ],
)
def test_a_cell_is_text_as_it_stands_there(value: object, text: str) -> None:
    if value == "=text":
        content = _book(lambda book: _plain_text(book, "=text"))
        assert _read(content)[0][1] == ["=text"]
    else:
        assert _cell(value) == text


def _plain_text(book: Workbook, text: str) -> None:
    sheet = book.active
    assert sheet is not None
    sheet["A1"].value = text
    sheet["A1"].data_type = "s"


@pytest.mark.parametrize(
    "value",
    [
        1_234_567_890_123_456,
        10.0**15,
        123_456_789_012_345.678,
        True,
        time(9, 15),
        timedelta(hours=30),
        "=1+1",
        "=HYPERLINK(A1)",
        "#REF!",
    ],
)
def test_a_cell_that_is_no_exact_value_is_unfit_and_its_value_is_not_repeated(value: object) -> None:
    cell = _cell(value)
    assert isinstance(cell, Unfit)
    assert str(value) not in cell.message


def test_rows_keep_their_numbers_and_are_as_wide_as_the_first() -> None:
    def fill(book: Workbook) -> None:
        sheet = book.active
        assert sheet is not None
        sheet["A1"], sheet["B1"], sheet["C1"] = "a", "b", "c"
        sheet["A4"] = "x"
        sheet["B9"], sheet["C9"] = 2, "z"

    assert _read(_book(fill)) == [(1, ["a", "b", "c"]), (4, ["x", "", ""]), (9, ["", "2", "z"])]


def test_only_the_first_sheet_is_read_and_the_others_are_counted() -> None:
    def fill(book: Workbook) -> None:
        book.active.append(["a"])  # type: ignore[union-attr]
        book.create_sheet("second").append(["b"])

    sheet = XlsxSheets().first_sheet(_book(fill))
    assert ([row for _, row in sheet.rows], sheet.others) == ([["a"]], 1)


def test_a_hidden_first_sheet_is_not_read() -> None:
    def fill(book: Workbook) -> None:
        book.active.sheet_state = "hidden"  # type: ignore[union-attr]
        book.create_sheet("second")

    with pytest.raises(TableError, match="hidden"):
        _read(_book(fill))


def _without(content: bytes, name: str, instead: bytes | None = None, **more: Any) -> bytes:
    """The file with one part left out or replaced."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for part in old.namelist():
            if part != name:
                new.writestr(part, old.read(part))
            elif instead is not None:
                new.writestr(part, instead)
        for part, text in more.items():
            new.writestr(part, text)
    return out.getvalue()


_GOOD = xlsx_file([{"a": "x"}])
_SHEET = "xl/worksheets/sheet1.xml"
_ENTITIES = (
    b'<?xml version="1.0"?><!DOCTYPE w [<!ENTITY a "aaaaaaaaaa">'
    + b"".join(b'<!ENTITY %c "%s">' % (98 + n, b"&%c;" % (97 + n) * 10) for n in range(12))
    + b"]><w>&m;</w>"
)


@pytest.mark.parametrize(
    "content",
    [
        b"PK\x03\x04",
        b"PK\x03\x04" + b"\x00" * 1000,
        _GOOD[:-40],
        _GOOD[: len(_GOOD) // 2],
        _without(_GOOD, "xl/workbook.xml"),
        _without(_GOOD, _SHEET),
        _without(_GOOD, "[Content_Types].xml"),
        _without(_GOOD, _SHEET, b"<worksheet><sheetData><row>"),
        _without(_GOOD, "xl/workbook.xml", _ENTITIES),
        _without(_GOOD, "xl/styles.xml", _ENTITIES),
    ],
)
def test_what_is_no_whole_spreadsheet_is_told_so(content: bytes) -> None:
    with pytest.raises(TableError):
        _read(content)


def test_a_sheet_of_nested_entities_does_not_grow() -> None:
    sheet = (
        _ENTITIES.replace(b"<w>&m;</w>", b"")
        + b'<worksheet><sheetData><row r="1"><c r="A1" t="inlineStr"><is><t>&m;</t></is></c></row>'
        + b"</sheetData></worksheet>"
    )
    with pytest.raises(TableError):
        _read(_without(_GOOD, _SHEET, sheet))


def test_a_file_that_unpacks_to_far_more_than_it_is_is_not_unpacked() -> None:
    bomb = _without(_GOOD, "", None, **{"xl/media/image1.png": b"\x00" * (xlsx.LARGEST_PART_IN_MEMORY + 1)})
    assert len(bomb) < 1 << 20
    with pytest.raises(TableError, match="MiB"):
        _read(bomb)
    parts = {f"xl/worksheets/s{n}.xml": b"\x00" * (60 << 20) for n in range(5)}
    with pytest.raises(TableError, match="unpacks to more than 256 MiB"):
        _read(_without(_GOOD, "", None, **parts))


def test_a_part_that_is_longer_than_the_directory_says_is_not_read_to_its_end() -> None:
    content = bytearray(_without(_GOOD, _SHEET, b" " * 1_000_000))
    at = content.rindex(b"PK\x01\x02", 0, content.rindex(_SHEET.encode()))
    content[at + 24 : at + 28] = (100).to_bytes(4, "little")
    with pytest.raises(TableError):
        _read(bytes(content))


def _sheet_of(rows: str) -> bytes:
    name = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    return f'<worksheet xmlns="{name}"><sheetData>{rows}</sheetData></worksheet>'.encode()


@pytest.mark.parametrize(
    ("written", "text"),
    [("1234.5599999999999", "1234.56"), ("0.30000000000000004", None), ("1e400", None), ("1E3", "1000")],
)
def test_a_number_is_the_shortest_text_of_what_the_file_says_or_unfit(written: str, text: str | None) -> None:
    rows = _read(_without(_GOOD, _SHEET, _sheet_of(f'<row r="1"><c r="A1"><v>{written}</v></c></row>')))
    [(_, [cell])] = rows
    assert cell == text if text else isinstance(cell, Unfit)


@pytest.mark.parametrize(
    "rows",
    [
        '<row r="1"><c r="XFD1"><v>1</v></c></row>',
        '<row r="1"><c r="A1"><v>1</v></c></row><row r="99999999"><c r="A99999999"><v>1</v></c></row>',
    ],
)
def test_a_sheet_that_is_wider_or_longer_than_any_table_is_refused(rows: str) -> None:
    with pytest.raises(TableError, match=r"columns|rows"):
        _read(_without(_GOOD, _SHEET, _sheet_of(rows)))


def test_the_sheets_own_word_about_its_size_is_not_believed() -> None:
    sheet = _sheet_of('<row r="1"><c r="A1"><v>1</v></c></row>').replace(
        b"<sheetData>", b'<dimension ref="A1:XFD1048576"/><sheetData>'
    )
    assert _read(_without(_GOOD, _SHEET, sheet)) == [(1, ["1"])]


def test_times_of_day_are_those_of_the_sheet() -> None:
    at = datetime(2026, 3, 2, 9, 15, 30, tzinfo=UTC).replace(tzinfo=None)
    assert _cell(at) == "2026-03-02T09:15:30"
