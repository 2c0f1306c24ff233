"""Reports of comparisons as plain JSON and back."""

from __future__ import annotations

from pydantic import TypeAdapter

from coopwire.domain.reconciliation import DayReport
from coopwire.ports.days import RunView
from coopwire.storage.rows import Row, shaped

_REPORTS = TypeAdapter(DayReport)


def report_value(report: DayReport) -> object:
    """A report as JSON values."""
    return _REPORTS.dump_python(report, mode="json")


def run_view(row: Row) -> RunView:
    """A comparison from its row."""
    told = row["report"]
    return shaped(RunView, row, report=_REPORTS.validate_python(told) if told is not None else None)
