"""A report on one page of A4, for signatures: the proof, the differences by type, the largest ones, the digests."""

from __future__ import annotations

import io
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC
from itertools import zip_longest

from reportlab.lib.pagesizes import A4
from reportlab.pdfbase.pdfmetrics import stringWidth
from reportlab.pdfgen.canvas import Canvas

from coopwire.domain.reconciliation import Bucket, DayReport, Finding, Section, Sum
from coopwire.exports.cells import at, by_type, major, one_line, places, verdict

_WIDTH, _HEIGHT = A4
_LEFT, _RIGHT = 40.0, _WIDTH - 40.0
_TOP, _FOOT = _HEIGHT - 44.0, 142.0
"""The body ends above `_FOOT`, where the digests and the lines for signatures begin."""
_ROW = 10.2
_SIZE = 7.4
_SMALLEST = 3.2
_PLAIN, _BOLD, _FIXED = "Helvetica", "Helvetica-Bold", "Courier"
_INK, _GREY, _RULE, _SHADE = (0.1, 0.1, 0.12), (0.4, 0.42, 0.45), (0.72, 0.74, 0.77), (0.93, 0.945, 0.955)
_GOOD, _BAD = (0.07, 0.42, 0.25), (0.69, 0.11, 0.11)
_ROWS_PER_TABLE = 3.2
"""What the title and the head of a table take, in rows."""
_LEAST_BELOW = 14
"""So many rows the two lower tables get together, however long the proof is."""


@dataclass(frozen=True, slots=True)
class Column:
    """Where a column stands; amounts and counts end at its right edge."""

    head: str
    left: float
    right: float
    number: bool = False


@dataclass(frozen=True, slots=True)
class Line:
    """One row of a table; `heading` spans it."""

    cells: tuple[str, ...]
    bold: bool = False
    heading: bool = False


def pdf_page(report: DayReport) -> bytes:
    """The file: one page whatever the report holds, and nothing in it but what the report says."""
    out = io.BytesIO()
    # Unpacked and without a time of its own, the same report is the same bytes.
    canvas = Canvas(out, pagesize=A4, invariant=1, pageCompression=0)
    made = report.finished_at.astimezone(UTC)
    canvas.setDateFormatter(lambda *_: f"D:{made:%Y%m%d%H%M%S}Z")
    canvas.setTitle(_legible(f"Reconciliation of {report.day.isoformat()}"))
    canvas.setSubject(_legible(f"run {report.run}"))
    for name in (canvas.setAuthor, canvas.setCreator, canvas.setProducer):
        name("coopwire")
    _Page(canvas).draw(report)
    canvas.showPage()
    canvas.save()
    return out.getvalue()


class _Page:
    """Draws from the top down; `_y` is where the next row stands."""

    def __init__(self, canvas: Canvas) -> None:
        self._canvas = canvas
        self._y = _TOP

    def draw(self, report: DayReport) -> None:
        """Everything, each table cut to what the page has room for."""
        self._title(report)
        proof = list(_proof(report.sections))
        types = [_type_line(*row) for row in by_type(report.findings)]
        largest = _largest(report.findings)
        room = int((self._y - _FOOT) / _ROW - 3 * _ROWS_PER_TABLE)
        for_proof = min(len(proof), room - min(len(types) + len(largest), _LEAST_BELOW))
        if for_proof < len(proof):
            # What is cut off should be what holds.
            proof = list(_proof(sorted(report.sections, key=lambda section: section.holds)))
        below = room - for_proof
        for_types = min(len(types), below - min(len(largest), below * 2 // 5))
        self._table("Conservation", _PROOF, proof, for_proof, "nothing was compared")
        self._table("Differences by type", _TYPES, types, for_types, "there are none")
        self._table(
            "Largest differences",
            _LARGEST,
            [_finding_line(finding) for finding in largest[:below]],
            below - for_types,
            "there are none",
            of=len(largest),
        )
        self._foot(report)

    def _title(self, report: DayReport) -> None:
        said, colour = verdict(report), _GOOD if report.holds else _BAD
        width = stringWidth(said, _BOLD, 11) + 20
        self._canvas.setFillColorRGB(*colour)
        self._canvas.roundRect(_RIGHT - width, self._y - 7, width, 22, 4, stroke=0, fill=1)
        self._say(said, _RIGHT - width + 10, _RIGHT, font=_BOLD, size=11, colour=(1, 1, 1))
        self._say(
            f"Reconciliation of {report.day.isoformat()}", _LEFT, _RIGHT - width - 10, font=_BOLD, size=17
        )
        self._y -= 20
        mended = f"{len(report.findings):,} differences, {len(report.healed):,} mended by looking up again"
        still_open = "" if report.over else "The day was not over · "
        for text in (
            f"{still_open}Zone {report.zone} · run {report.run} · by {report.actor}",
            f"Started {at(report.started_at)} · finished {at(report.finished_at)} · {mended}",
        ):
            self._say(text, _LEFT, _RIGHT, size=8, colour=_GREY)
            self._y -= 11
        self._y -= 5

    def _table(
        self,
        title: str,
        columns: Sequence[Column],
        lines: Sequence[Line],
        room: int,
        none: str,
        *,
        of: int | None = None,
    ) -> None:
        """A table of at most `room` rows; where some are left out, the last one says how many."""
        self._say(title, _LEFT, _RIGHT, font=_BOLD, size=10)
        self._y -= _ROW * 1.3
        self._head(columns)
        total = len(lines) if of is None else of
        shown = lines if total <= room else lines[: max(room - 1, 0)]
        for line in shown:
            self._line(columns, line)
        if total > len(shown):
            self._line(columns, Line((f"and {total - len(shown):,} more in the CSV/XLSX",), heading=True))
        elif not total:
            self._line(columns, Line((none,), heading=True))
        self._y -= _ROW * 0.9

    def _head(self, columns: Sequence[Column]) -> None:
        self._canvas.setFillColorRGB(*_SHADE)
        self._canvas.rect(_LEFT, self._y - 3, _RIGHT - _LEFT, _ROW, stroke=0, fill=1)
        self._line(columns, Line(tuple(column.head for column in columns), bold=True))

    def _line(self, columns: Sequence[Column], line: Line) -> None:
        font = _BOLD if line.bold else _PLAIN
        if line.heading:
            self._say(line.cells[0], _LEFT + 3, _RIGHT, font=font)
        else:
            for column, cell in zip(columns, line.cells, strict=True):
                self._say(cell, column.left, column.right, font=font, number=column.number)
        self._y -= _ROW

    def _foot(self, report: DayReport) -> None:
        self._y = _FOOT - 12
        digests = (
            ("inputs SHA-256", report.inputs_digest),
            ("outcome SHA-256", report.outcome_digest),
            ("audit head", report.audit_head),
        )
        self._rule(_LEFT, _RIGHT, self._y + 11)
        for name, digest in digests:
            self._say(name, _LEFT, _LEFT + 75, size=7, colour=_GREY)
            self._say(digest, _LEFT + 75, _RIGHT, font=_FIXED, size=7)
            self._y -= 10
        middle = (_LEFT + _RIGHT) / 2
        for who, left, right in (
            ("prepared by", _LEFT, middle - 12),
            ("approved by", middle + 12, _RIGHT),
        ):
            self._rule(left, right, 52)
            self._y = 42
            self._say(f"{who} (name, date, signature)", left, right, size=7, colour=_GREY)

    def _rule(self, left: float, right: float, y: float) -> None:
        self._canvas.setStrokeColorRGB(*_RULE)
        self._canvas.setLineWidth(0.6)
        self._canvas.line(left, y, right, y)

    def _say(
        self,
        text: str,
        left: float,
        right: float,
        *,
        font: str = _PLAIN,
        size: float = _SIZE,
        colour: tuple[float, float, float] = _INK,
        number: bool = False,
    ) -> None:
        """One line between two edges: a number is made smaller until it fits, words are cut."""
        said = _legible(text)
        if number:
            size = _fitting(said, font, size, right - left)
        said = _cut(said, lambda some: stringWidth(some, font, size) <= right - left)
        self._canvas.setFillColorRGB(*colour)
        self._canvas.setFont(font, size)
        (self._canvas.drawRightString if number else self._canvas.drawString)(
            right if number else left, self._y, said
        )


def _fitting(said: str, font: str, size: float, width: float) -> float:
    wide = stringWidth(said, font, size)
    return size if wide <= width else max(size * width / wide * 0.995, _SMALLEST)


def _cut(said: str, fits: Callable[[str], bool]) -> str:
    """As much of it as fits, with a mark that there was more."""
    if fits(said):
        return said
    most = 0
    for step in (4096, 1024, 256, 64, 16, 4, 1):
        while most + step < len(said) and fits(said[: most + step] + "…"):
            most += step
    return said[:most] + "…"


def _legible(text: str) -> str:
    """In the letters of the page's font: an accent that it lacks is left out, a letter that it lacks is "?"."""
    return "".join(map(_letter, unicodedata.normalize("NFC", one_line(text))))


def _letter(char: str) -> str:
    if unicodedata.combining(char):
        return ""
    for form in (char, unicodedata.normalize("NFKD", char)[:1]):
        try:
            form.encode("cp1252")
        except UnicodeEncodeError:
            continue
        return form
    return "?"


# -- the tables -----------------------------------------------------------------------------------------------

_MIDDLE = (_LEFT + _RIGHT) / 2
_PROOF = (
    Column("what they told", _LEFT + 3, _LEFT + 118),
    Column("count", _LEFT + 120, _LEFT + 152, number=True),
    Column("amount", _LEFT + 154, _MIDDLE - 6, number=True),
    Column("what we have", _MIDDLE + 6, _MIDDLE + 121),
    Column("count", _MIDDLE + 123, _MIDDLE + 155, number=True),
    Column("amount", _MIDDLE + 157, _RIGHT - 3, number=True),
)
_TYPES = (
    Column("type", _LEFT + 3, _LEFT + 260),
    Column("count", _LEFT + 262, _LEFT + 330, number=True),
    Column("sum", _LEFT + 340, _RIGHT - 3, number=True),
)
_LARGEST = (
    Column("type", _LEFT + 3, _LEFT + 150),
    Column("subject", _LEFT + 154, _LEFT + 370),
    Column("amount", _LEFT + 374, _RIGHT - 3, number=True),
)


def _proof(sections: Sequence[Section]) -> Iterator[Line]:
    """Each system beside us: bucket against bucket, and the totals of both sides for every currency."""
    for section in sections:
        holds = "holds" if section.holds else "DOES NOT HOLD"
        yield Line((f"{section.source} · {section.connection}: {holds}",), bold=True, heading=True)
        if section.problem:
            yield Line((f"not compared: {section.problem}",), heading=True)
        for currency in dict.fromkeys(bucket.currency for bucket in (*section.theirs, *section.ours)):
            theirs = [bucket for bucket in section.theirs if bucket.currency == currency]
            ours = [bucket for bucket in section.ours if bucket.currency == currency]
            for left, right in zip_longest(theirs, ours):
                yield Line((*_bucket(left), *_bucket(right)))
            yield Line((*_total(theirs, currency), *_total(ours, currency)), bold=True)


def _bucket(bucket: Bucket | None) -> tuple[str, str, str]:
    return ("", "", "") if bucket is None else _sum(bucket.name, bucket.sum, bucket.currency)


def _total(buckets: Sequence[Bucket], currency: str) -> tuple[str, str, str]:
    count, minor = sum(bucket.sum.count for bucket in buckets), sum(bucket.sum.minor for bucket in buckets)
    return _sum("total", Sum(count, minor), currency)


def _sum(name: str, total: Sum, currency: str) -> tuple[str, str, str]:
    return name, f"{total.count:,}", _money(total.minor, currency)


def _type_line(type_: str, currency: str | None, total: Sum) -> Line:
    return Line(_sum(type_, total, currency or ""))


def _largest(findings: Sequence[Finding]) -> list[Finding]:
    """By the size of the money in question; those without any come last."""
    return sorted(findings, key=lambda one: (-abs(one.amount_minor or 0), one.type, one.subject))


def _finding_line(finding: Finding) -> Line:
    money = "" if finding.amount_minor is None else _money(finding.amount_minor, finding.currency)
    return Line((finding.type, finding.subject, money))


def _money(minor: int, currency: str | None) -> str:
    decimals = places(currency)
    if decimals is None:
        return f"{minor:,} minor units" if minor else ""
    return f"{major(minor, decimals, thousands=',')} {currency}"
