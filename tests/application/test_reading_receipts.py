"""Files of receipts: what one means is the same in CSV and in a spreadsheet, and what is wrong is told by place."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rigs.elsewhere import Line, csv_file, line, xlsx_file

from coopwire.application.arrivals import COLUMNS, LARGEST_AMOUNT, ReadLines, Setting, read_lines
from coopwire.application.paying import Rejected
from coopwire.application.tables import csv_rows, named
from coopwire.domain.allocation import allocate
from coopwire.domain.arrivals import Arrival, arrival_payment, arrival_receipt
from coopwire.domain.cards import holds_card_number
from coopwire.domain.money import Money, exponent
from coopwire.domain.payments import AllocationMode, PaymentKind
from coopwire.domain.receipts import ReceiptSource, Source, check_conserved
from coopwire.domain.timings import DEFAULT
from coopwire.spreadsheets.xlsx import XlsxSheets

LAGOS = ZoneInfo("Africa/Lagos")
NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
SETTING = Setting(LAGOS, DEFAULT, NOW)
MOST = 1000


def _csv(text: str | bytes) -> ReadLines:
    given = text if isinstance(text, str) else text.decode("utf-8-sig")
    return read_lines(named(csv_rows(given, "file"), COLUMNS), SETTING, MOST)


def _xlsx(content: bytes) -> ReadLines:
    return read_lines(named(XlsxSheets().first_sheet(content).rows, COLUMNS), SETTING, MOST)


def _one(**changes: object) -> Arrival:
    read = _csv(csv_file([_line(**changes)]))
    assert read.refused == []
    [(_, found)] = read.arrivals
    return found


def _line(external_id: str = "A-1", **changes: object) -> dict[str, object]:
    return line(external_id, **{"received_on": "2026-03-02", **changes})


def _fields(*lines: Line) -> list[tuple[int, str]]:
    return [(one.line, one.field) for one in _csv(csv_file(lines)).refused]


# -- the same in every form --------------------------------------------------------------------------------

_PRINTABLE = st.characters(min_codepoint=0x21, max_codepoint=0x7E)
_REFERENCES = (
    st.text(_PRINTABLE, min_size=1, max_size=20)
    # A file cannot say these: the dues are written with | between, and a spreadsheet takes = for a formula.
    .filter(lambda text: "|" not in text and not text.startswith("=") and not holds_card_number(text))
)
_CURRENCIES = st.sampled_from(["NGN", "JPY", "KWD", "USD"])
_DAYS = st.dates(date(2000, 1, 1), date(2026, 11, 23))


@st.composite
def _amounts(draw: st.DrawFn, currency: str) -> dict[str, str]:
    minor = draw(st.integers(1, 10**12))
    if draw(st.booleans()):
        return {"amount_minor": str(minor)}
    return {"amount": f"{Money(minor, currency).major():f}"}


@st.composite
def _dues(draw: st.DrawFn, minor: bool, currency: str) -> dict[str, str]:
    ids = draw(st.lists(_REFERENCES, min_size=1, max_size=4, unique=True))
    parts = []
    for one in ids:
        owed = draw(st.integers(0, 10**9))
        amount = str(owed) if minor else f"{Decimal(owed).scaleb(-exponent(currency)):f}"
        component = draw(st.sampled_from(["penalty", "fees", "interest", "principal"]))
        parts.append(f"{one} {component} {amount} {draw(_DAYS).isoformat()}")
    at = draw(st.datetimes(datetime(2026, 1, 1), datetime(2026, 11, 1)))  # noqa: DTZ001
    zoned = at.replace(tzinfo=draw(st.sampled_from([None, UTC, LAGOS])), microsecond=0)
    return {
        "dues": draw(st.sampled_from([" | ", "|"])).join(parts),
        "dues_as_of": zoned.isoformat(),
        "dues_version": draw(_REFERENCES),
    }


@st.composite
def _lines(draw: st.DrawFn, external_id: str) -> dict[str, str]:
    currency = draw(_CURRENCIES)
    found = {"external_id": external_id, "currency": currency, **draw(_amounts(currency))}
    if draw(st.booleans()):
        found["received_on"] = draw(_DAYS).isoformat()
    else:
        at = draw(st.datetimes(datetime(2000, 1, 2), datetime(2026, 11, 22)))  # noqa: DTZ001
        found["received_at"] = at.replace(
            microsecond=0, tzinfo=draw(st.sampled_from([None, UTC]))
        ).isoformat()
    whose = draw(st.sampled_from(["nobody", "payment", "loan", "account", "fee"]))
    if whose == "payment":
        return {
            **found,
            "payment": draw(st.text("abcdefghijklmnopqrstuvwxyz0123456789", min_size=20, max_size=20)),
        }
    if whose == "nobody":
        return found
    found["member"] = draw(_REFERENCES)
    if whose == "account":
        kind = draw(st.sampled_from(["savings", "shares"]))
        return {**found, "kind": kind, "account": draw(_REFERENCES)}
    if whose == "fee":
        return {**found, "kind": "fee"}
    found |= {"kind": "loan_repayment", "loan": draw(_REFERENCES)}
    if draw(st.booleans()):
        found |= draw(_dues("amount_minor" in found, currency))
    return found


@st.composite
def _tables(draw: st.DrawFn) -> list[dict[str, str]]:
    ids = draw(st.lists(_REFERENCES, min_size=1, max_size=6, unique=True))
    return [draw(_lines(one)) for one in ids]


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(_tables(), st.sampled_from([",", ";"]))
def test_a_table_means_the_same_as_csv_and_as_a_spreadsheet(
    table: Sequence[dict[str, str]], separator: str
) -> None:
    from_csv, from_xlsx = _csv(csv_file(table, separator)), _xlsx(xlsx_file(table))
    assert from_csv.refused == []
    assert [one for _, one in from_csv.arrivals] == [one for _, one in from_xlsx.arrivals]
    assert from_xlsx.refused == []
    assert [one.external_id for _, one in from_csv.arrivals] == [one["external_id"] for one in table]


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(_tables(), st.integers(0, 10**9))
def test_what_is_read_is_allocated_to_the_last_minor_unit(
    table: Sequence[dict[str, str]], already: int
) -> None:
    source = Source("counter", ReceiptSource.TELLER)
    for _, one in _csv(csv_file(table)).arrivals:
        if one.purpose is None:
            continue
        payment = arrival_payment(source, one, AllocationMode.HUB, NOW)
        receipt = arrival_receipt(source, one, payment, NOW)
        taken = {due.id: already for due in one.purpose.dues.lines} if one.purpose.dues else {}
        check_conserved(receipt.value_minor, allocate(payment, receipt.value_minor, taken, NOW))


def test_numbers_and_dates_of_a_spreadsheet_are_taken_as_they_are() -> None:
    at = datetime(2026, 3, 2, 9, 15)  # noqa: DTZ001
    rows: list[dict[str, Any]] = [
        _line(amount=1500.25, received_on=date(2026, 3, 2)),
        _line("A-2", amount=1500, received_on=None, received_at=at),
        _line(7, amount="1500.50"),  # type: ignore[arg-type]
    ]
    read = _xlsx(xlsx_file(rows))
    assert read.refused == []
    assert [(one.external_id, one.money.minor) for _, one in read.arrivals] == [
        ("A-1", 150_025),
        ("A-2", 150_000),
        ("7", 150_050),
    ]
    assert read.arrivals[0][1].received_at == datetime(2026, 3, 2, 12, tzinfo=LAGOS)
    assert read.arrivals[1][1].received_at == datetime(2026, 3, 2, 9, 15, tzinfo=LAGOS)


# -- what a line means -------------------------------------------------------------------------------------


def test_a_day_is_its_noon_in_the_business_zone_and_an_instant_keeps_its_offset() -> None:
    assert _one().received_at == datetime(2026, 3, 2, 11, tzinfo=UTC)
    at = _one(received_on="", received_at="2026-03-02T23:30:00-05:00").received_at
    assert at == datetime(2026, 3, 3, 4, 30, tzinfo=UTC)
    assert _one(received_on="", received_at="2026-03-02T09:15:00").received_at.utcoffset() == timedelta(
        hours=1
    )


@pytest.mark.parametrize(
    ("currency", "text", "minor"),
    [
        ("NGN", "1500", 150_000),
        ("NGN", "1500.5", 150_050),
        ("NGN", "0.01", 1),
        ("NGN", "1500.5000", 150_050),
        ("JPY", "1500", 1_500),
        ("JPY", "1500.00", 1_500),
        ("KWD", "1.001", 1_001),
        ("NGN", "90071992547409.91", LARGEST_AMOUNT),
    ],
)
def test_an_amount_in_major_units_is_exact(currency: str, text: str, minor: int) -> None:
    assert _one(currency=currency, amount=text).money == Money(minor, currency)


@pytest.mark.parametrize(
    ("currency", "text"),
    [
        ("NGN", "0"),
        ("NGN", "0.00"),
        ("NGN", "-1"),
        ("NGN", "12.345"),
        ("NGN", "0.001"),
        ("JPY", "12.5"),
        ("KWD", "1.0001"),
        ("NGN", "1,500.00"),
        ("NGN", "1.500,00"),
        ("NGN", "1 500"),
        ("NGN", "1e3"),
        ("NGN", "NaN"),
        ("NGN", "Infinity"),
        ("NGN", "₦1500"),
        ("NGN", "١٥٠٠"),
        ("NGN", "90071992547409.92"),
        ("NGN", "9999999999999999"),
        ("NGN", "9" * 40),
        ("NGN", "."),
        ("NGN", "5."),
    ],
)
def test_an_amount_that_is_not_exact_or_no_amount_is_refused(currency: str, text: str) -> None:
    assert _fields(_line(currency=currency, amount=text)) == [(2, "amount")]


@pytest.mark.parametrize("text", ["0", "1.0", "-5", "9007199254740992", "9" * 19, "9" * 30, "1e2", "²"])
def test_minor_units_are_whole_positive_and_bounded(text: str) -> None:
    assert _fields(_line(amount="", amount_minor=text)) == [(2, "amount_minor")]


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"external_id": ""}, "external_id"),
        ({"external_id": "x" * 65}, "external_id"),
        ({"external_id": "a\tb"}, "external_id"),
        ({"external_id": "ä"}, "external_id"),
        ({"external_id": "4111 1111 1111 1111"}, "external_id"),
        ({"currency": ""}, "currency"),
        ({"currency": "ngn"}, "currency"),
        ({"currency": "NGM"}, "currency"),
        ({"amount": ""}, "amount"),
        ({"amount_minor": "5"}, "amount"),
        ({"received_on": ""}, "received_at"),
        ({"received_at": "2026-03-02T09:15:00Z"}, "received_at"),
        ({"received_on": "02.03.2026"}, "received_on"),
        ({"received_on": "2026-02-30"}, "received_on"),
        ({"received_on": "1999-12-31"}, "received_on"),
        ({"received_on": "2026-11-24"}, "received_on"),
        ({"received_on": "46083"}, "received_on"),
        ({"received_on": "", "received_at": "2026-11-23T09:06:00Z"}, "received_at"),
        ({"received_on": "", "received_at": "2026-03-02T25:00:00Z"}, "received_at"),
        ({"received_on": "", "received_at": "yesterday"}, "received_at"),
        ({"payment": "a" * 20}, "member"),
        ({"payment": "not ours"}, "payment"),
        ({"kind": ""}, "kind"),
        ({"kind": "gift"}, "kind"),
        ({"member": ""}, "member"),
        ({"member": "", "kind": "", "branch": "IKEJA"}, "member"),
        ({"loan": "LN-1"}, "loan"),
        ({"kind": "loan_repayment"}, "loan"),
        ({"kind": "loan_repayment", "account": "SA-1"}, "account"),
        ({"dues_version": "1"}, "dues"),
        (
            {"dues": "D1 interest 5 2026-03-20", "dues_as_of": "2026-03-02T09:15Z", "dues_version": "1"},
            "dues",
        ),
    ],
)
def test_a_wrong_value_is_told_by_its_column(changes: dict[str, object], field: str) -> None:
    assert (2, field) in _fields(_line(**changes))


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"dues": "D1 interest 5"}, "dues"),
        ({"dues": "D1 savings 5 2026-03-20"}, "dues"),
        ({"dues": "D1 interest 5.001 2026-03-20"}, "dues"),
        ({"dues": "D1 interest 5 2026-13-20"}, "dues"),
        ({"dues": "interest 5 2026-03-20"}, "dues"),
        ({"dues": "D1 interest 5 2026-03-20 | D1 fees 5 2026-03-20"}, "dues"),
        ({"dues": "|".join(f"D{n} interest 5 2026-03-20" for n in range(101))}, "dues"),
        ({"dues": "4111111111111111 interest 5 2026-03-20"}, "dues"),
        ({"dues_as_of": ""}, "dues_as_of"),
        ({"dues_as_of": "2026-11-23T09:06:00Z"}, "dues_as_of"),
        ({"dues_valid_until": "2026-03-01T00:00:00Z"}, "dues_valid_until"),
        ({"dues_version": ""}, "dues_version"),
    ],
)
def test_wrong_dues_are_told_by_their_column(changes: dict[str, object], field: str) -> None:
    owed = {
        "kind": "loan_repayment",
        "loan": "LN-1",
        "dues": "D1 interest 1500.00 2026-03-20",
        "dues_as_of": "2026-03-02T09:00:00Z",
        "dues_version": "1",
    }
    assert _fields(_line(**owed)) == []
    assert _fields(_line(**{**owed, **changes})) == [(2, field)]


def test_amounts_of_dues_that_look_like_a_card_are_amounts() -> None:
    owed = {
        "kind": "loan_repayment",
        "loan": "LN-1",
        "dues": " | ".join(f"D{n} interest {400_000 + n}.00 2026-03-20" for n in range(40)),
        "dues_as_of": "2026-03-02T09:00:00Z",
        "dues_version": "1",
    }
    purpose = _one(**owed).purpose
    assert purpose is not None
    assert purpose.kind is PaymentKind.LOAN_REPAYMENT


def test_everything_that_is_wrong_with_a_file_is_told_at_once_and_no_value_is_repeated() -> None:
    lines = [
        _line("A-1", amount="canary-1", currency="canary-2"),
        _line("A-2", member="canary-ä", kind="canary-4"),
        _line("A-2", received_on="canary-5"),
    ]
    refused = _csv(csv_file(lines)).refused
    assert {(one.line, one.field) for one in refused} == {
        (2, "currency"),
        (3, "member"),
        (3, "kind"),
        (4, "received_on"),
    }
    assert "canary" not in str(refused)


# -- hostile files -----------------------------------------------------------------------------------------

_HEADER = "external_id,received_on,amount,currency\n"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\n\n",
        _HEADER,
        "external_id,amount\nA,1\n",
        "external_id,external_id,received_on,amount,currency\nA,A,2026-03-02,1,NGN\n",
        "external_id,received_on,amount,currency,bvn\nA,2026-03-02,1,NGN,2\n",
        "external_id,received_on,amount,currency,\nA,2026-03-02,1,NGN,\n",
        _HEADER + "A,2026-03-02,1\n",
        _HEADER + "A,2026-03-02,1,NGN,more\n",
        _HEADER + 'A,2026-03-02,"1,NGN\n',
        _HEADER + "A,2026-03-02,1,N\x00GN\n",
        _HEADER + "A" * (10 << 20) + ",2026-03-02,1,NGN\n",
        _HEADER + "".join(f"A-{n},2026-03-02,1,NGN\n" for n in range(MOST + 1)),
    ],
)
def test_a_file_that_is_no_table_of_receipts_is_told_so(text: str) -> None:
    with pytest.raises(Rejected) as refused:
        _csv(text)
    assert refused.value.field == "file"


def test_a_cell_of_ten_megabytes_in_a_spreadsheet_is_told_by_its_place() -> None:
    read = _xlsx(xlsx_file([_line(member="x" * 30_000)]))
    assert [(one.line, one.field) for one in read.refused] == [(2, "member")]


def test_formulas_and_errors_of_a_spreadsheet_are_told_by_their_place() -> None:
    read = _xlsx(xlsx_file([_line(amount="=1+1"), _line("A-2", member="#REF!"), _line("A-3", kind=True)]))
    assert [(one.line, one.field) for one in read.refused] == [(2, "amount"), (3, "member"), (4, "kind")]
