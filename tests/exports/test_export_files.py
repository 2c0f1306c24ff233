"""The files of a report: CSV, XLSX and PDF of the same day, quiet or bad, and with whatever somebody wrote into it."""

from __future__ import annotations

import csv
import io
import os
import pickle
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

import openpyxl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rigs.reports import buckets, finding, report, section, whole_day

from coopwire.domain.breaks import BreakType
from coopwire.domain.reconciliation import DayReport
from coopwire.exports import export_report
from coopwire.exports.table import COLUMNS
from coopwire.exports.workbook import LONGEST_CELL
from coopwire.ports.exports import ExportFormat

HOSTILE = (
    '=HYPERLINK("http://x","y")',
    "+1+1",
    "-2+3",
    "@SUM(A1)",
    "\t=1",
    "\r=1",
    "\n=1",
    'a "quoted", text',
    "two\r\nlines",
    "שלום עולם",
    "abc\u202edef",
    "\x00\x1b[31m\ud800",
    "#N/A",
    "Ọlá-Áyọ̀ 🌾",
    "",
)
HUGE = 2**63 - 1


def rows(of: DayReport, record: str = "") -> list[dict[str, str]]:
    text = export_report(of, ExportFormat.CSV).content.decode()
    told = list(csv.DictReader(io.StringIO(text, newline=""), strict=True))
    return [row for row in told if not record or row["record"] == record]


def sheets(of: DayReport) -> dict[str, Any]:
    book = openpyxl.load_workbook(io.BytesIO(export_report(of, ExportFormat.XLSX).content))
    return {sheet.title: sheet for sheet in book}


def values(sheet: Any) -> list[tuple[Any, ...]]:
    return [tuple(cell.value for cell in row) for row in sheet.iter_rows()]


def texts(of: DayReport) -> list[str]:
    """Every text cell of both tables."""
    in_csv = [
        text
        for row in rows(of)
        for name, text in row.items()
        if name not in ("count", "amount", "amount_minor")
    ]
    in_xlsx = [
        cell.value
        for sheet in sheets(of).values()
        for row in sheet.iter_rows()
        for cell in row
        if isinstance(cell.value, str)
    ]
    return in_csv + in_xlsx


def hostile_day(words: Sequence[str] = HOSTILE) -> DayReport:
    """Every text of a report, by whomever it was written."""
    return report(
        [section(word, word, theirs=buckets((word, 1, 5)), ours=buckets((word, 1, 5))) for word in words],
        [finding(n, subject=word, ours={word: word}, theirs={"a": word}) for n, word in enumerate(words)],
        healed=tuple(words),
        actor="".join(words),
        zone=words[0],
        run=words[0],
        audit_head=words[-1],
    )


# Any format


@pytest.mark.parametrize("format_", ExportFormat)
def test_a_file_is_named_after_the_day_and_the_run(format_: ExportFormat) -> None:
    made = export_report(whole_day(run="../k2m7 p3t8"), format_)
    assert made.filename == f"reconciliation-2026-03-02-k2m7p3t8.{format_.value}"
    assert made.media_type.partition(";")[0] in {
        "text/csv",
        "application/pdf",
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    }


@pytest.mark.parametrize("format_", [ExportFormat.CSV, ExportFormat.PDF])
def test_the_same_report_is_the_same_bytes_in_any_process(format_: ExportFormat) -> None:
    of = whole_day([finding(n) for n in range(50)], healed=("r1", "r2"))
    program = (
        "import pickle, sys; from coopwire.exports import export_report; "
        "from coopwire.ports.exports import ExportFormat; of = pickle.load(sys.stdin.buffer); "
        f"sys.stdout.buffer.write(export_report(of, ExportFormat('{format_.value}')).content)"
    )
    elsewhere = [
        subprocess.run(
            [sys.executable, "-c", program],
            input=pickle.dumps(of),
            env={**os.environ, "PYTHONHASHSEED": seed, "TZ": zone},
            stdout=subprocess.PIPE,
            check=True,
        ).stdout
        for seed, zone in (("1", "Africa/Lagos"), ("2", "Asia/Tokyo"))
    ]
    assert elsewhere == [export_report(of, format_).content] * 2
    assert export_report(replace(of, actor="cli:another"), format_).content != elsewhere[0]


def test_the_same_report_is_the_same_cells() -> None:
    of = whole_day([finding(n) for n in range(50)])
    first, second = ({name: values(sheet) for name, sheet in sheets(of).items()} for _ in range(2))
    assert first == second


def test_no_text_in_a_table_is_a_formula_or_breaks_its_line() -> None:
    seen = texts(hostile_day())
    assert len(seen) > 100
    assert [text for text in seen if text[:1] in ("=", "+", "-", "@", "\t", "\r")] == []
    assert [text for text in seen if not text.isprintable()] == []
    assert '\'=HYPERLINK("http://x","y")' in seen
    assert "שלום עולם" in seen


@settings(max_examples=20)
@given(st.lists(st.text(max_size=20), min_size=1, max_size=5))
def test_whatever_somebody_wrote_every_file_can_be_made_and_read(words: list[str]) -> None:
    of = hostile_day(words)
    assert [text for text in texts(of) if text[:1] in ("=", "+", "-", "@", "\t", "\r")] == []
    assert export_report(of, ExportFormat.PDF).content.startswith(b"%PDF-")


# CSV


def test_a_table_follows_rfc_4180() -> None:
    content = export_report(hostile_day(), ExportFormat.CSV).content
    text = content.decode("utf-8")
    assert not text.startswith("\ufeff")
    assert text.endswith("\r\n")
    assert "\n" not in text.replace("\r\n", "")
    told = list(csv.reader(io.StringIO(text, newline=""), strict=True))
    assert told[0] == list(COLUMNS)
    assert {len(row) for row in told} == {len(COLUMNS)}


def test_a_table_tells_the_report_then_buckets_then_differences_then_what_was_mended() -> None:
    of = whole_day([finding(1), finding(2)], healed=("r7", "r8"))
    records = [row["record"] for row in rows(of)]
    assert list(dict.fromkeys(records)) == ["report", "section", "bucket", "finding", "healed"]
    count = {record: records.count(record) for record in dict.fromkeys(records)}
    assert (count["section"], count["bucket"], count["finding"], count["healed"]) == (4, 17, 2, 2)
    facts = {row["name"]: row["subject"] for row in rows(of, "report")}
    assert facts["verdict"] == "It does not add up"
    assert facts["day"] == "2026-03-02"
    assert facts["finished"] == "2026-03-03 05:01:12Z"
    assert facts["outcome SHA-256"] == of.outcome_digest


def test_a_bucket_and_a_difference_have_everything_in_their_own_columns() -> None:
    of = whole_day([finding(525)])
    bucket = rows(of, "bucket")[1]
    assert bucket == {
        **dict.fromkeys(COLUMNS, ""),
        "record": "bucket",
        "source": "gateway",
        "connection": "paystack",
        "side": "theirs",
        "name": "success, not recorded",
        "currency": "NGN",
        "count": "2",
        "amount": "12500.00",
        "amount_minor": "1250000",
    }
    (difference,) = rows(of, "finding")
    assert difference == {
        **dict.fromkeys(COLUMNS, ""),
        "record": "finding",
        "connection": "quickbooks",
        "name": "journal_changed",
        "subject": "r0000000000000000525",
        "currency": "NGN",
        "count": "1",
        "amount": "525.00",
        "amount_minor": "52500",
        "ours": '{"amount_minor": 52500, "on": "2026-03-02"}',
        "theirs": '{"amount_minor": 47250, "entry": "975"}',
    }


AMOUNTS = [
    ("NGN", HUGE, "92233720368547758.07"),
    ("NGN", -HUGE, "-92233720368547758.07"),
    ("JPY", 1_234_567, "1234567"),
    ("KWD", 1_234_567, "1234.567"),
    ("KWD", -1, "-0.001"),
    ("NGN", 10**40, f"1{'0' * 38}.00"),
    ("NGN", 0, "0.00"),
    (None, 12, ""),
    ("naira", 12, ""),
]


@pytest.mark.parametrize(("currency", "minor", "said"), AMOUNTS)
def test_an_amount_in_a_table_has_every_digit(currency: str | None, minor: int, said: str) -> None:
    (row,) = rows(report(findings=[finding(currency=currency, amount_minor=minor)]), "finding")
    assert (row["amount"], row["amount_minor"], row["currency"]) == (said, str(minor), currency or "")


def test_a_difference_without_money_has_none() -> None:
    (row,) = rows(report(findings=[finding(currency=None, amount_minor=None)]), "finding")
    assert (row["amount"], row["amount_minor"]) == ("", "")


# XLSX


def test_a_workbook_has_three_sheets_with_frozen_heads_and_columns_wide_enough() -> None:
    told = sheets(whole_day([finding(n) for n in range(3)]))
    assert list(told) == ["Summary", "Buckets", "Differences"]
    for sheet in told.values():
        assert sheet.freeze_panes == "A2"
        head = [cell for cell in next(iter(sheet.iter_rows(max_row=1))) if cell.value]
        assert all(cell.font.bold for cell in head)
        assert all(sheet.column_dimensions[cell.column_letter].width > len(str(cell.value)) for cell in head)


def test_a_summary_says_the_verdict_and_the_differences_by_type() -> None:
    of = whole_day([finding(1), finding(2), finding(3, type=BreakType.JOURNAL_MISSING)], healed=("r9",))
    told = values(sheets(of)["Summary"])
    assert ("verdict", "It does not add up", None, None) in told
    assert ("differences", 3, None, None) in told
    assert ("journal_changed", "NGN", 2, 3) in told
    assert ("journal_missing", "NGN", 1, 3) in told
    assert told[-1] == ("r9", None, None, None)


def test_buckets_and_differences_are_rows_of_numbers_and_words() -> None:
    told = sheets(whole_day([finding(525)]))
    assert values(told["Buckets"])[2] == (
        "gateway",
        "paystack",
        "theirs",
        "success, not recorded",
        "NGN",
        2,
        12500,
        "does not hold",
    )
    assert values(told["Differences"])[1] == (
        "journal_changed",
        "quickbooks",
        "r0000000000000000525",
        "NGN",
        525,
        '{"amount_minor": 52500, "on": "2026-03-02"}',
        '{"amount_minor": 47250, "entry": "975"}',
    )


def test_a_section_that_could_not_be_compared_is_named_with_the_reason() -> None:
    silent = section(theirs=(), ours=(), holds=False, problem="TryLater: they failed inside")
    told = values(sheets(report([silent]))["Buckets"])
    why = "TryLater: they failed inside"
    assert told[1] == ("gateway", "paystack", None, why, None, None, None, "does not hold")
    (row,) = rows(report([silent]), "section")
    assert (row["name"], row["subject"]) == ("does not hold", why)


def test_a_section_of_which_a_part_could_not_be_read_has_its_sums_and_the_reason() -> None:
    why = "1 statements could not be read, the first because of TryLater: no answer"
    partly = section(holds=False, problem=why)
    told = values(sheets(report([partly]))["Buckets"])
    assert len(told) == 1 + len(partly.theirs) + len(partly.ours) + 1
    assert told[-1] == ("gateway", "paystack", None, why, None, None, None, "does not hold")


@given(st.integers(-(10**15) + 1, 10**15 - 1), st.sampled_from([("NGN", 2), ("JPY", 0), ("KWD", 3)]))
@settings(max_examples=40)
def test_an_amount_of_a_workbook_is_the_number_itself(minor: int, money: tuple[str, int]) -> None:
    currency, decimals = money
    cell = sheets(report(findings=[finding(currency=currency, amount_minor=minor)]))["Differences"]["E2"]
    assert cell.data_type == "n"
    assert round(Decimal(cell.value), decimals).scaleb(decimals) == minor
    assert cell.number_format == ("#,##0" if decimals == 0 else f"#,##0.{'0' * decimals}")


@pytest.mark.parametrize(
    ("currency", "minor", "said"),
    [
        ("NGN", HUGE, "92233720368547758.07"),
        ("NGN", -HUGE, "'-92233720368547758.07"),
        ("JPY", 10**15, "1000000000000000"),
        (None, 12, "12 minor units"),
        ("naira", 12, "12 minor units"),
        ("NGN", None, None),
    ],
)
def test_an_amount_that_a_spreadsheet_would_round_or_cannot_know_is_text(
    currency: str | None, minor: int | None, said: str | None
) -> None:
    cell = sheets(report(findings=[finding(currency=currency, amount_minor=minor)]))["Differences"]["E2"]
    assert cell.value == said
    assert said is None or cell.data_type in ("s", "inlineStr")


def test_no_cell_is_a_formula_or_an_error_and_none_is_too_long() -> None:
    of = hostile_day((*HOSTILE, "x" * 100_000, "=" + "y" * 100_000))
    cells = [cell for sheet in sheets(of).values() for row in sheet.iter_rows() for cell in row]
    assert {cell.data_type for cell in cells} <= {"n", "s", "inlineStr"}
    assert max(len(cell.value) for cell in cells if isinstance(cell.value, str)) == LONGEST_CELL


@pytest.mark.whole
def test_ten_thousand_differences_are_all_there() -> None:
    of = report(findings=[finding(n) for n in range(10_000)])
    assert len(rows(of, "finding")) == 10_000
    assert sheets(of)["Differences"].max_row == 10_001
