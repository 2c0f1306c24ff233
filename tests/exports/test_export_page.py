"""The page that is signed: always one, whatever the day brought, and everything on it inside its edges."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from typing import NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from reportlab.lib.pagesizes import A4
from reportlab.pdfbase.pdfmetrics import stringWidth
from rigs.reports import buckets, finding, report, section, whole_day

from coopwire.domain.breaks import BreakType
from coopwire.domain.reconciliation import DayReport, Finding
from coopwire.exports import export_report
from coopwire.ports.exports import ExportFormat

FONTS = {"F1": "Helvetica", "F2": "Helvetica-Bold", "F3": "Courier"}
_FONT_AND_TEXT = re.compile(rb"/(F\d) ([\d.]+) Tf|1 0 0 1 ([\d.-]+) ([\d.-]+) Tm \((.*?)(?<!\\)\) Tj")


class Said(NamedTuple):
    """A text on the page with its place and its right edge."""

    text: str
    x: float
    y: float
    right: float


def page(of: DayReport) -> list[Said]:
    """Everything that is written on the one page, from the top down as it was drawn."""
    content = export_report(of, ExportFormat.PDF).content
    assert len(re.findall(rb"/Type /Page\b", content)) == 1
    said, font, size = [], "", 0.0
    for found in _FONT_AND_TEXT.finditer(content):
        if found[1]:
            font, size = FONTS[found[1].decode()], float(found[2])
            continue
        text = _unescaped(found[5])
        said.append(
            Said(text, float(found[3]), float(found[4]), float(found[3]) + stringWidth(text, font, size))
        )
    return said


def _unescaped(raw: bytes) -> str:
    octal = re.sub(rb"\\(\d{3})", lambda found: bytes([int(found[1], 8)]), raw)
    return re.sub(rb"\\(.)", rb"\1", octal).decode("cp1252")


def words(of: DayReport) -> list[str]:
    return [one.text for one in page(of)]


def many(count: int) -> list[Finding]:
    types = list(BreakType)
    return [
        finding(n, type=types[n % len(types)], currency=("NGN", "JPY", "KWD")[n % 3]) for n in range(count)
    ]


def test_a_page_says_what_is_signed() -> None:
    of = whole_day([finding(1), finding(2)], healed=("r9",))
    said = words(of)
    assert said[0] == "It does not add up"
    assert said[1] == "Reconciliation of 2026-03-02"
    assert "Zone Africa/Lagos · run k2m7p3t8w5x6z0r4e1f9 · by cli:accountant" in said
    assert any("2 differences, 1 mended" in text for text in said)
    assert {of.inputs_digest, of.outcome_digest, of.audit_head} <= set(said)
    assert {f"{who} by (name, date, signature)" for who in ("prepared", "approved")} <= set(said)
    assert "books · quickbooks: DOES NOT HOLD" in said
    assert "refunds · paystack: holds" in said


def test_a_quiet_day_says_so() -> None:
    said = words(report())
    assert said[0] == "Everything adds up"
    assert said.count("there are none") == 2


def test_a_day_that_was_not_over_is_not_signed_as_if_it_were() -> None:
    said = words(replace(report(), over=False))
    assert said[:2] == ["So far everything adds up", "Reconciliation of 2026-03-02"]
    assert "The day was not over · Zone Africa/Lagos · run k2m7p3t8w5x6z0r4e1f9 · by cli:accountant" in said
    assert words(replace(report(), over=False, holds=False))[0] == "So far it does not add up"


def test_buckets_stand_side_by_side_with_the_totals_of_both_sides() -> None:
    rows: dict[float, list[str]] = {}
    for one in page(whole_day()):
        rows.setdefault(one.y, []).append(one.text)
    told = list(rows.values())
    assert [
        "success, not recorded",
        "2",
        "12,500.00 NGN",
        "not at the gateway",
        "0",
        "0.00 NGN",
    ] in told
    assert ["total", "135", "6,210,000.00 NGN", "total", "127", "6,242,000.00 NGN"] in told


def test_each_currency_has_its_own_totals() -> None:
    mixed = (*buckets(("a", 1, 5)), *buckets(("a", 1, 7), ("b", 2, 4), currency="JPY"))
    said = words(report([section(theirs=mixed, ours=mixed)]))
    assert said.count("0.05 NGN") == 4
    assert said.count("11 JPY") == 2


def test_the_largest_differences_come_first_and_the_rest_is_counted() -> None:
    said = words(report(findings=[finding(n) for n in range(1, 501)]))
    shown = [text for text in said if re.fullmatch(r"r\d{19}", text)]
    assert shown == [f"r{number:019d}" for number in range(500, 500 - len(shown), -1)]
    assert len(shown) > 20
    assert f"and {500 - len(shown)} more in the CSV/XLSX" in said


@pytest.mark.parametrize("count", [0, 1, 29, 40, 10_000])
@pytest.mark.parametrize("systems", [0, 1, 4, 60])
def test_a_page_stays_one_page_and_nothing_runs_out_of_it_or_over_another(count: int, systems: int) -> None:
    of = report([section(connection=f"c{number}") for number in range(systems)], many(count))
    said = page(of)
    _stands_well(said)
    shown = [one.text for one in said if re.fullmatch(r"r\d{19}", one.text)]
    lowest_table = words(of)[words(of).index("Largest differences") :]
    left_out = [text.split()[1].replace(",", "") for text in lowest_table if text.startswith("and ")]
    assert len(shown) + sum(map(int, left_out)) == count
    assert len(shown) >= min(count, 4)


def _stands_well(said: Sequence[Said]) -> None:
    width, height = A4
    lines = sorted({one.y for one in said}, reverse=True)
    assert min(above - below for above, below in pairwise(lines)) > 7
    assert all(36 < one.y < height - 36 for one in said)
    assert [one for one in said if one.right > width - 40 + 0.01] == []
    for y in lines:
        row = sorted((one for one in said if one.y == y), key=lambda one: one.x)
        assert all(left.right <= right.x for left, right in pairwise(row)), row


def test_what_does_not_hold_is_not_what_is_cut_off() -> None:
    sections = [section(connection=f"c{number}", holds=number != 59) for number in range(60)]
    assert "gateway · c59: DOES NOT HOLD" in words(report(sections, many(100)))


def test_the_digests_are_shown_whole() -> None:
    said = words(report(audit_head="a" * 64))
    assert "a" * 64 in said


@pytest.mark.parametrize(
    ("currency", "minor", "shown"),
    [
        ("NGN", 2**63 - 1, "92,233,720,368,547,758.07 NGN"),
        ("NGN", 10**40, "100" + ",000" * 12 + ".00 NGN"),
        ("JPY", 1_234_567, "1,234,567 JPY"),
        ("KWD", -1_234_567, "-1,234.567 KWD"),
        (None, 12, "12 minor units"),
        ("naira", 12, "12 minor units"),
    ],
)
def test_an_amount_is_never_cut(currency: str | None, minor: int, shown: str) -> None:
    of = report(findings=[finding(currency=currency, amount_minor=minor)])
    said = page(of)
    assert any(one.text.startswith(shown) for one in said)
    assert [one for one in said if "…" in one.text] == []
    _stands_well(said)


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("Ọlá-Áyọ̀", "Olá-Áyo"),
        ("שלום", "????"),
        ("two\nlines\t\x00", "two lines ?"),
        ("(paren) \\ back", "(paren) \\ back"),
        ("€ – ‰", "€ – ‰"),
        ("x" * 500, "x" * 30),
    ],
)
def test_words_are_shown_in_letters_that_the_page_has(written: str, shown: str) -> None:
    said = page(report(findings=[finding(subject=written)]))
    assert any(one.text.startswith(shown) for one in said), [one.text for one in said]
    _stands_well(said)


@settings(max_examples=25)
@given(st.text(max_size=300), st.integers(-(10**30), 10**30))
def test_no_word_and_no_amount_breaks_the_page(word: str, minor: int) -> None:
    of = report(
        [section(word, word, theirs=buckets((word, minor, minor)), ours=buckets((word, 1, minor)))],
        [finding(subject=word, amount_minor=minor, currency=word)],
        actor=word,
        run=word,
        zone=word,
        inputs_digest=word,
    )
    assert len(page(of)) > 20


def test_the_page_carries_the_time_of_the_report_and_no_other() -> None:
    content = export_report(report(), ExportFormat.PDF).content
    assert set(re.findall(rb"\(D:(\d+)", content)) == {b"20260303050112"}
