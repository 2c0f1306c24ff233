"""Statements as BankOne writes them: amounts to the kobo, dates in two orders, rows that hide no others."""

from __future__ import annotations

import json
from collections import Counter
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coopwire.domain.books import Side
from coopwire.domain.errors import ContractBroken, InvalidOrder, TryLater
from coopwire.ports.corebank import StatementRow
from coopwire.providers.bankone.wire import statements
from coopwire.providers.bankone.wire.amounts import Unit, moved
from coopwire.providers.bankone.wire.answers import read
from coopwire.providers.bankone.wire.statements import Reading, Shape, shape

LAGOS = ZoneInfo("Africa/Lagos")
USUAL = shape({}, Unit.NAIRA, LAGOS)
DAY = date(2026, 3, 2)
ROW = {
    "Id": 1908096119,
    "TransactionDate": "2026-03-02T10:35:48",
    "ReferenceID": "TA1B2C3D4E5F",
    "InstrumentNo": "000123",
    "Narration": "Loan repayment",
    "Amount": 1025.50,
    "RecordType": "Credit",
    "IsReversed": False,
    "ReversalReferenceNo": None,
}


def rows(*told: Any, **members: object) -> list[object]:
    """The rows of an answer, as they come out of its bytes."""
    answer = {"IsSuccessful": True, "Message": list(told), **members}
    return list(statements.page(read(json.dumps(answer, default=str).encode())))


def row(of: Shape = USUAL, **changes: object) -> StatementRow:
    (told,) = rows({**ROW, **changes})
    return statements.row(told, of)


def test_a_row_is_read_with_everything_that_a_comparison_needs() -> None:
    assert row() == StatementRow(
        id="1908096119",
        on=DAY,
        side=Side.CREDIT,
        amount_minor=102_550,
        currency="NGN",
        reference="TA1B2C3D4E5F",
        narration="Loan repayment",
    )


def test_names_may_come_in_any_case() -> None:
    (told,) = rows({name.upper(): value for name, value in ROW.items()})
    assert statements.row(told, USUAL) == row()


def test_the_names_of_an_installation_are_laid_over_the_usual_ones() -> None:
    of = shape({"reference": "RetrievalRef", "amount": "AmountInKobo"}, Unit.KOBO, LAGOS)
    read_ = row(of, RetrievalRef="TZZZZZZZZZZZ", AmountInKobo="1,025")
    assert (read_.reference, read_.amount_minor) == ("TZZZZZZZZZZZ", 1025)


def test_the_instrument_stands_in_for_a_reference_that_is_empty() -> None:
    assert row(ReferenceID=None).reference == "000123"
    assert row(ReferenceID="", InstrumentNo=None).reference == ""


@pytest.mark.parametrize(
    ("changes", "reversed_", "reverses"),
    [
        ({}, False, None),
        ({"IsReversed": None}, False, None),
        ({"IsReversed": "false", "ReversalReferenceNo": ""}, False, None),
        ({"IsReversed": "True"}, True, None),
        ({"ReversalReferenceNo": "TA1B2C3D4E5F"}, False, "TA1B2C3D4E5F"),
        # What was undone undoes nothing: it only names what undid it.
        ({"IsReversed": True, "ReversalReferenceNo": "A7"}, True, None),
    ],
)
def test_what_was_undone_and_what_undoes_are_told_apart(
    changes: dict[str, object], reversed_: bool, reverses: str | None
) -> None:
    read_ = row(**changes)
    assert (read_.reversed, read_.reverses) == (reversed_, reverses)


@pytest.mark.parametrize(
    "changes",
    [
        {"Id": None},
        {"Id": {"a": 1}},
        {"Amount": None},
        {"Amount": "1025.505"},
        {"Amount": "NGN1,025.50"},
        {"Amount": "10,25.50"},
        {"Amount": "1.025,50"},
        {"Amount": 0},
        {"Amount": -5},
        {"Amount": True},
        {"Amount": "9" * 18},
        {"RecordType": None},
        {"RecordType": "Transfer"},
        {"IsReversed": "perhaps"},
        {"IsReversed": 7},
        {"TransactionDate": None},
        {"TransactionDate": 1772445348},
        {"TransactionDate": "2026-02-30"},
        {"TransactionDate": "13/01/2026"},
        {"TransactionDate": "02.03.2026"},
        {"TransactionDate": "2026-03-02T25:00:00"},
        {"TransactionDate": "0001-01-01T00:00:00+14:00"},
    ],
)
def test_a_row_that_cannot_be_read_for_certain_breaks_the_contract(changes: dict[str, object]) -> None:
    with pytest.raises(ContractBroken) as broken:
        row(**changes)
    assert all(str(value) not in broken.value.message for value in changes.values() if value)


@pytest.mark.parametrize("told", [None, 5, "text", [], [ROW]])
def test_a_row_that_is_no_object_breaks_the_contract(told: object) -> None:
    with pytest.raises(ContractBroken):
        statements.row(told, USUAL)


# -- amounts --------------------------------------------------------------------------------------------------


@given(st.integers(min_value=1, max_value=10**14))
def test_an_amount_is_read_to_the_kobo_in_every_spelling(kobo: int) -> None:
    naira = Decimal(kobo).scaleb(-2)
    for told in (naira, f"{naira:,.2f}", f"{naira:.2f}", f" {naira:,.4f} "):
        assert moved(told, Unit.NAIRA) == kobo
    for whole in (kobo, str(kobo), f"{kobo:,}", f"{kobo:,}.00"):
        assert moved(whole, Unit.KOBO) == kobo


@given(st.integers(min_value=1, max_value=10**10), st.integers(min_value=1, max_value=99))
def test_naira_read_as_kobo_are_noticed_wherever_there_are_kobo(naira: int, kobo: int) -> None:
    with pytest.raises(ContractBroken, match="unit"):
        moved(f"{naira:,}.{kobo:02d}", Unit.KOBO)


# -- dates ----------------------------------------------------------------------------------------------------

_DATES = st.dates(min_value=date(1900, 1, 2), max_value=date(2199, 12, 30))
_TIMES = st.times()


@given(_DATES, _TIMES)
def test_a_time_without_a_zone_is_of_its_own_day_in_both_orders(on: date, at: time) -> None:
    moment = datetime.combine(on, at)
    american = (
        f"{on.month}/{on.day}/{on.year} {at.hour % 12 or 12}:{at:%M:%S} {'AM' if at.hour < 12 else 'PM'}"
    )
    padded = f"{on.month:02d}/{on.day:02d}/{on.year} {at.hour % 12 or 12:02d}:{at:%M:%S} {at:%p}"
    iso = (moment.isoformat(), moment.isoformat(" ", "seconds"), f"{moment:%Y-%m-%dT%H:%M:%S}.1234567")
    for told in (american, american.lower(), padded, *iso, on.isoformat(), f"{on.month}/{on.day}/{on.year}"):
        assert statements.day(told, LAGOS) == on


@given(_DATES, _TIMES, st.integers(min_value=-14 * 60, max_value=14 * 60))
def test_a_time_with_a_zone_is_of_the_day_in_the_institutions_zone(on: date, at: time, minutes: int) -> None:
    moment = datetime.combine(on, at.replace(microsecond=0), timezone(timedelta(minutes=minutes)))
    assert statements.day(moment.isoformat(), LAGOS) == moment.astimezone(LAGOS).date()
    utc = moment.astimezone(UTC)
    assert statements.day(f"{utc:%Y-%m-%dT%H:%M:%S}Z", LAGOS) == moment.astimezone(LAGOS).date()


@pytest.mark.parametrize(
    ("told", "on"),
    [
        ("8/8/2025 10:35:48 AM", date(2025, 8, 8)),
        ("3/2/2026 12:00:00 AM", date(2026, 3, 2)),
        ("3/2/2026 11:59:59 PM", date(2026, 3, 2)),
        ("2026-03-02T22:59:59Z", date(2026, 3, 2)),
        ("2026-03-02T23:00:00Z", date(2026, 3, 3)),
        ("2026-03-02T23:00:00.0000000+0000", date(2026, 3, 3)),
    ],
)
def test_midnight_is_where_it_should_be(told: str, on: date) -> None:
    assert statements.day(told, LAGOS) == on


@given(st.text(max_size=40))
def test_any_text_is_a_date_or_breaks_the_contract(told: str) -> None:
    try:
        assert isinstance(statements.day(told, LAGOS), date)
    except ContractBroken:
        return


# -- hostile text ---------------------------------------------------------------------------------------------


@given(st.text(), st.text(), st.text())
def test_whatever_a_teller_writes_stays_out_of_the_repr(narration: str, reference: str, id_: str) -> None:
    try:
        read_ = row(Narration=f"canary{narration}", ReferenceID=reference, Id=f"A{id_}")
    except ContractBroken as broken:
        assert "canary" not in broken.message
        return
    assert read_.narration.startswith("canary")
    assert "canary" not in repr(read_)
    assert (read_.amount_minor, read_.side) == (102_550, Side.CREDIT)


@given(
    st.dictionaries(
        st.sampled_from(list(ROW)),
        st.none()
        | st.booleans()
        | st.integers()
        | st.floats(allow_nan=False, allow_infinity=False)
        | st.text(),
    )
)
def test_members_of_any_shape_are_read_or_break_the_contract(changes: dict[str, object]) -> None:
    try:
        read_ = row(**changes)
    except ContractBroken:
        return
    assert read_.amount_minor > 0
    assert read_.id


# -- the answer -----------------------------------------------------------------------------------------------


def test_an_answer_without_movements_is_empty() -> None:
    assert rows() == []


@pytest.mark.parametrize("message", [None, "No record", {}, 0])
def test_an_answer_without_its_rows_is_not_taken_for_an_empty_one(message: object) -> None:
    with pytest.raises(ContractBroken):
        rows(Message=message)


def test_a_refusal_to_tell_is_tried_later() -> None:
    with pytest.raises(TryLater):
        rows(IsSuccessful=False, Message="Account 1100000001 not found")


def test_an_answer_without_yes_and_no_breaks_the_contract() -> None:
    with pytest.raises(ContractBroken):
        rows(IsSuccessful=None)


def test_a_question_names_account_days_and_how_much() -> None:
    assert statements.query("1100000001", DAY, DAY + timedelta(days=1), "100000", 50) == {
        "accountNumber": "1100000001",
        "fromDate": "2026-03-02",
        "toDate": "2026-03-03",
        "institutionCode": "100000",
        "numberOfItems": "50",
    }
    assert "institutionCode" not in statements.query("1100000001", DAY, DAY, "", 50)
    with pytest.raises(InvalidOrder):
        statements.query("11&authtoken=1", DAY, DAY, "", 50)


# -- a range that one answer does not hold --------------------------------------------------------------------


def made(number: int, on: date, **changes: object) -> dict[str, Any]:
    (told,) = rows({**ROW, "Id": number, "TransactionDate": on.isoformat(), **changes})
    assert isinstance(told, dict)
    return told


def read_all(core: list[Any], start: date, end: date, most: int) -> tuple[list[str], str]:
    """Ids told and the complaint at the end, by a core that puts `most` rows into an answer, newest first."""
    reading, told = Reading(start, end, USUAL, most), []
    for first, last in reading.asked():
        days = [one for one in core if first.isoformat() <= one["transactiondate"][:10] <= last.isoformat()]
        newest = sorted(days, key=lambda one: (one["transactiondate"], one["id"]), reverse=True)
        told += [seen.id for seen in reading.fresh(first, last, newest[:most])]
    try:
        reading.conclude()
    except ContractBroken as broken:
        return told, broken.message
    return told, ""


@given(st.lists(st.integers(min_value=0, max_value=40), max_size=60), st.integers(min_value=1, max_value=9))
def test_every_movement_of_a_range_is_told_once_newest_first_or_its_day_is_called_incomplete(
    offsets: list[int], most: int
) -> None:
    start, end = DAY + timedelta(days=5), DAY + timedelta(days=30)
    core = [made(number, DAY + timedelta(days=offset)) for number, offset in enumerate(offsets, start=1)]
    told, complaint = read_all(core, start, end, most)
    inside = {str(n): offset for n, offset in enumerate(offsets, start=1) if 5 <= offset <= 30}
    assert len(told) == len(set(told))
    crowded = {offset for offset, count in Counter(inside.values()).items() if count >= most}
    assert bool(complaint) == bool(crowded)
    assert {id_ for id_, offset in inside.items() if offset not in crowded} <= set(told) <= set(inside)
    days = [inside[id_] for id_ in told]
    assert days == sorted(days, reverse=True)


def test_a_row_that_cannot_be_read_hides_no_other_and_is_told_at_the_end() -> None:
    core = [made(1, DAY), made(2, DAY, Amount="?"), made(3, DAY), made(4, DAY, RecordType="?")]
    told, complaint = read_all(core, DAY, DAY, 10)
    assert told == ["3", "1"]
    assert complaint.startswith("BankOne: 2 rows of a statement cannot be read; the first: ")


def test_two_movements_may_share_an_id_and_one_movement_is_told_once() -> None:
    core = [made(1, DAY), made(1, DAY), made(1, DAY, Amount=52.5, RecordType="Debit")]
    assert read_all(core, DAY, DAY, 10) == (["1", "1"], "")


def test_a_range_that_ends_before_it_begins_asks_nothing() -> None:
    assert list(Reading(DAY, DAY - timedelta(days=1), USUAL, 10).asked()) == []
