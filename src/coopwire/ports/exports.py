"""Socket of the exports: a report as a file that a person opens, files and signs."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from coopwire.domain.reconciliation import DayReport


class ExportFormat(StrEnum):
    """What a report can be had as; the value is the file's ending."""

    CSV = "csv"
    XLSX = "xlsx"
    PDF = "pdf"

    @property
    def media_type(self) -> str:
        """What a file of this format is called in HTTP."""
        return _MEDIA_TYPES[self.value]


_MEDIA_TYPES = {
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "pdf": "application/pdf",
}


@dataclass(frozen=True, slots=True)
class Export:
    """A finished file."""

    filename: str
    media_type: str
    content: bytes = field(repr=False)


class ReportExports(Protocol):
    """Writes reports. It computes and never waits: a long report belongs into a thread."""

    def __call__(self, report: DayReport, format_: ExportFormat) -> Export:
        """The same report gives the same bytes (CSV, PDF) and the same cells (XLSX)."""
        ...
