"""Reports as files: CSV for machines, XLSX for accountants, one page of PDF for signatures."""

from __future__ import annotations

import re

from coopwire.domain.reconciliation import DayReport
from coopwire.ports.exports import Export, ExportFormat


def export_report(report: DayReport, format_: ExportFormat) -> Export:
    """See ports.exports.ReportExports. The file is named after the day and the run."""
    run = re.sub(r"[^A-Za-z0-9_-]", "", report.run)[:40]
    name = f"reconciliation-{report.day.isoformat()}-{run}.{format_.value}"
    return Export(name, format_.media_type, _content(report, format_))


def _content(report: DayReport, format_: ExportFormat) -> bytes:
    # Each library is imported when it is used: a hub that exports nothing does not pay for them.
    if format_ is ExportFormat.CSV:
        from coopwire.exports.table import csv_table

        return csv_table(report)
    if format_ is ExportFormat.XLSX:
        from coopwire.exports.workbook import workbook

        return workbook(report)
    from coopwire.exports.page import pdf_page

    return pdf_page(report)
