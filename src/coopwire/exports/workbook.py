"""A report as a workbook: Summary, Buckets, Differences. Amounts are numbers beside their currency."""

from __future__ import annotations

import io
from collections.abc import Iterable, Sequence
from datetime import UTC
from decimal import Decimal

from openpyxl import Workbook
from openpyxl.cell.cell import Cell, WriteOnlyCell
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.worksheet._write_only import WriteOnlyWorksheet

from coopwire.domain.reconciliation import DayReport, Section
from coopwire.exports.cells import by_type, evidence, facts, harmless, major, places

LONGEST_CELL = 32_767
"""Characters that a cell may hold; a spreadsheet calls a file with a longer one broken."""
_EXACT_BELOW = 10**15
"""A spreadsheet keeps 15 digits of a number. What has more is written as text, so that none is lost."""
_BOLD = Font(bold=True)
_SHADE = PatternFill("solid", start_color="E7ECEF")


def workbook(report: DayReport) -> bytes:
    """The file. Its cells depend on the report alone; the times inside the archive do not."""
    book = Workbook(write_only=True)
    book.properties.creator = "coopwire"
    book.properties.created = report.finished_at.astimezone(UTC).replace(tzinfo=None)
    _summary(_sheet(book, "Summary", (32, 12, 12, 24)), report)
    _buckets(_sheet(book, "Buckets", (12, 20, 10, 40, 10, 12, 24, 14)), report)
    _differences(_sheet(book, "Differences", (26, 20, 30, 10, 24, 60, 60)), report)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def _sheet(book: Workbook, title: str, widths: Sequence[int]) -> WriteOnlyWorksheet:
    sheet: WriteOnlyWorksheet = book.create_sheet(title)
    sheet.freeze_panes = "A2"
    for number, width in enumerate(widths):
        # Set up by its constructor; the stubs do not know it.
        sheet.column_dimensions["ABCDEFGH"[number]].width = width  # type: ignore[attr-defined]
    return sheet


def _summary(sheet: WriteOnlyWorksheet, report: DayReport) -> None:
    _head(sheet, ("Report", "Value"))
    for name, value in facts(report):
        _row(sheet, (name, value))
    _row(sheet, ())
    _head(sheet, ("Differences by type", "Currency", "Count", "Amount"))
    for type_, currency, total in by_type(report.findings):
        _row(sheet, (type_.value, currency, total.count), (total.minor, currency))
    if report.healed:
        _row(sheet, ())
        _head(sheet, ("Mended by looking up again",))
        for subject in report.healed:
            _row(sheet, (subject,))


def _buckets(sheet: WriteOnlyWorksheet, report: DayReport) -> None:
    _head(sheet, ("Source", "Connection", "Side", "Bucket", "Currency", "Count", "Amount", "Section"))
    for section in report.sections:
        _section(sheet, section)


def _section(sheet: WriteOnlyWorksheet, section: Section) -> None:
    holds = "holds" if section.holds else "does not hold"
    where = (section.source, section.connection)
    for side, buckets in (("theirs", section.theirs), ("ours", section.ours)):
        for bucket in buckets:
            front = (*where, side, bucket.name, bucket.currency, bucket.sum.count)
            _row(sheet, front, (bucket.sum.minor, bucket.currency), (holds,))
    if section.problem or not (section.theirs or section.ours):
        _row(sheet, (*where, None, section.problem, None, None), (None, None), (holds,))


def _differences(sheet: WriteOnlyWorksheet, report: DayReport) -> None:
    _head(sheet, ("Type", "Connection", "Subject", "Currency", "Amount", "Ours", "Theirs"))
    for finding in report.findings:
        front = (finding.type.value, finding.connection, finding.subject, finding.currency)
        money = (finding.amount_minor, finding.currency)
        _row(sheet, front, money, (evidence(finding.ours), evidence(finding.theirs)))


def _head(sheet: WriteOnlyWorksheet, names: Iterable[str]) -> None:
    cells = [_text(sheet, name) for name in names]
    for cell in cells:
        cell.font, cell.fill, cell.alignment = _BOLD, _SHADE, Alignment(vertical="top")
    sheet.append(cells)


def _row(
    sheet: WriteOnlyWorksheet,
    front: Iterable[str | int | None],
    money: tuple[int | None, str | None] | None = None,
    back: Iterable[str] = (),
) -> None:
    cells = [_cell(sheet, value) for value in front]
    if money is not None:
        cells.append(_amount(sheet, *money))
    sheet.append([*cells, *(_cell(sheet, value) for value in back)])


def _cell(sheet: WriteOnlyWorksheet, value: str | int | None) -> Cell | None:
    if value is None or value == "":
        return None
    return _text(sheet, value) if isinstance(value, str) else WriteOnlyCell(sheet, value)


def _text(sheet: WriteOnlyWorksheet, value: str) -> Cell:
    """Text stays text, also where it looks like a formula or like one of their error codes."""
    said = harmless(value)
    cell = WriteOnlyCell(sheet, said if len(said) <= LONGEST_CELL else said[: LONGEST_CELL - 1] + "…")
    cell.data_type = "s"
    return cell


def _amount(sheet: WriteOnlyWorksheet, minor: int | None, currency: str | None) -> Cell | None:
    """Major units as a number with the currency's decimals; without a currency in words, for they are unknown."""
    if minor is None:
        return None
    decimals = places(currency)
    if decimals is None:
        return _text(sheet, f"{minor} minor units")
    said = major(minor, decimals)
    if abs(minor) >= _EXACT_BELOW:
        return _text(sheet, said)
    cell = WriteOnlyCell(sheet)
    cell.value = Decimal(said)
    cell.number_format = f"#,##0.{'0' * decimals}" if decimals else "#,##0"
    return cell
