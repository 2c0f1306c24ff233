"""A report as one CSV table (RFC 4180, UTF-8): its facts, then every bucket, then every difference."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from decimal import Decimal

from coopwire.domain.reconciliation import Bucket, DayReport, Finding, Section
from coopwire.exports.cells import evidence, facts, harmless, major, places

COLUMNS = (
    "record",
    "source",
    "connection",
    "side",
    "name",
    "subject",
    "currency",
    "count",
    "amount",
    "amount_minor",
    "ours",
    "theirs",
)
"""`record` is report, section, bucket, finding or healed; `amount` is in major units, empty without a currency."""

_Row = dict[str, str | int | Decimal]
"""Numbers are written as they are, texts go through `harmless`."""


def csv_table(report: DayReport) -> bytes:
    """The file. Amounts have every digit; texts are one line each, and no formula."""
    out = io.StringIO(newline="")
    table = csv.DictWriter(out, COLUMNS, restval="", lineterminator="\r\n")
    table.writeheader()
    for row in _rows(report):
        table.writerow({name: _written(value) for name, value in row.items()})
    return out.getvalue().encode()


def _written(value: str | int | Decimal) -> str:
    return (
        harmless(value)
        if isinstance(value, str)
        else format(value, "f" if isinstance(value, Decimal) else "d")
    )


def _rows(report: DayReport) -> Iterator[_Row]:
    for name, value in facts(report):
        yield {"record": "report", "name": name, "subject": value}
    for section in report.sections:
        yield from _section(section)
    for finding in report.findings:
        yield _finding(finding)
    for subject in report.healed:
        yield {"record": "healed", "subject": subject}


def _section(section: Section) -> Iterator[_Row]:
    where: _Row = {"source": section.source, "connection": section.connection}
    holds = "holds" if section.holds else "does not hold"
    yield {"record": "section", **where, "name": holds, "subject": section.problem}
    for side, buckets in (("theirs", section.theirs), ("ours", section.ours)):
        for bucket in buckets:
            yield {"record": "bucket", **where, "side": side, **_bucket(bucket)}


def _bucket(bucket: Bucket) -> _Row:
    money = _money(bucket.sum.minor, bucket.currency)
    return {"name": bucket.name, "count": bucket.sum.count, **money}


def _finding(finding: Finding) -> _Row:
    return {
        "record": "finding",
        "connection": finding.connection,
        "name": finding.type.value,
        "subject": finding.subject,
        "count": 1,
        **_money(finding.amount_minor, finding.currency),
        "ours": evidence(finding.ours),
        "theirs": evidence(finding.theirs),
    }


def _money(minor: int | None, currency: str | None) -> _Row:
    row: _Row = {"currency": currency or ""}
    if minor is not None:
        row["amount_minor"] = minor
        decimals = places(currency)
        if decimals is not None:
            row["amount"] = Decimal(major(minor, decimals))
    return row
