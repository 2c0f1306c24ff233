"""What the files have in common: exact amounts, text that no spreadsheet takes for a formula, a report's facts."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from coopwire.domain.breaks import BreakType
from coopwire.domain.money import MoneyError, exponent
from coopwire.domain.reconciliation import DayReport, Finding, Sum

_FORMULA_BEGINS = frozenset("=+-@＝＋－＠")
_UNREADABLE = "\N{REPLACEMENT CHARACTER}"


def places(currency: str | None) -> int | None:
    """Decimals of the currency; None where there is none, or a word that is no currency."""
    try:
        return None if currency is None else exponent(currency)
    except MoneyError:
        return None


def major(minor: int, decimals: int, *, thousands: str = "") -> str:
    """Minor units in major ones, every digit kept whatever the size."""
    whole, part = divmod(abs(minor), 10**decimals)
    said = f"{whole:,}".replace(",", thousands)
    sign = "-" if minor < 0 else ""
    return f"{sign}{said}.{part:0{decimals}}" if decimals else f"{sign}{said}"


def one_line(text: str) -> str:
    """The text on one line, without control characters, halves of characters or marks that turn its direction."""
    return "".join(c if c.isprintable() else " " if c.isspace() else _UNREADABLE for c in text)


def harmless(text: str) -> str:
    """One line that no spreadsheet takes for a formula, whatever somebody wrote into it."""
    said = one_line(text)
    return f"'{said}" if said.lstrip()[:1] in _FORMULA_BEGINS else said


def evidence(facts: Mapping[str, object]) -> str:
    """The facts of one side as JSON, names in order; empty when there are none."""
    if not facts:
        return ""
    return json.dumps(facts, sort_keys=True, ensure_ascii=False, default=_plain, separators=(", ", ": "))


def _plain(value: object) -> object:
    return dict(value) if isinstance(value, Mapping) else str(value)


def verdict(report: DayReport) -> str:
    """The sentence that is signed."""
    said = "everything adds up" if report.holds else "it does not add up"
    return said.capitalize() if report.over else f"So far {said}"


def at(moment: datetime) -> str:
    """An instant in UTC, to the second."""
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S}Z"


def facts(report: DayReport) -> Sequence[tuple[str, str | int]]:
    """What is said of the report as a whole."""
    return (
        ("verdict", verdict(report)),
        ("day", report.day.isoformat()),
        ("zone", report.zone),
        ("run", report.run),
        ("started", at(report.started_at)),
        ("finished", at(report.finished_at)),
        ("by", report.actor),
        ("differences", len(report.findings)),
        ("mended by looking up again", len(report.healed)),
        ("inputs SHA-256", report.inputs_digest),
        ("outcome SHA-256", report.outcome_digest),
        ("audit head", report.audit_head),
    )


def by_type(findings: Sequence[Finding]) -> Sequence[tuple[BreakType, str | None, Sum]]:
    """Differences counted and summed by type and currency, in the order of their names."""
    grouped: defaultdict[tuple[BreakType, str], list[int]] = defaultdict(list)
    for finding in findings:
        grouped[finding.type, finding.currency or ""].append(finding.amount_minor or 0)
    return [
        (type_, currency or None, Sum(len(amounts), sum(amounts)))
        for (type_, currency), amounts in sorted(grouped.items())
    ]
