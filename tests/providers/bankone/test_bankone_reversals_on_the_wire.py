"""Reversals as BankOne reads and writes them, and what of a statement counts as one."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest

from coopwire.domain.books import Side
from coopwire.domain.errors import ContractBroken, InvalidOrder, OutcomeUnknown, Refused, TryLater
from coopwire.ports.corebank import ReversalOrder, StatementRow
from coopwire.ports.writes import FindingWord
from coopwire.providers.bankone.wire import reversals
from coopwire.providers.bankone.wire.answers import read
from coopwire.providers.bankone.wire.codes import CODES

DAY = date(2026, 3, 2)
ORDER = ReversalOrder(
    reference="abcdefghij0123456789",
    original="TA1B2C3D4E5F",
    account="1100000001",
    amount_minor=102_550,
    currency="NGN",
    posted_on=DAY,
)
DONE = {"Status": 0, "IsSuccessFul": True, "ResponseCode": "00", "Reference": "A20"}


def told(**members: object) -> Mapping[str, object]:
    return read(json.dumps(members).encode())


def row(id_: str, side: Side = Side.CREDIT, reference: str = "", **more: Any) -> StatementRow:
    return StatementRow(id_, DAY, side, 102_550, "NGN", reference, **more)


ORIGINAL = row("A1", reference="TA1B2C3D4E5F")


def test_a_reversal_is_said_in_the_originals_own_words() -> None:
    assert reversals.body(ORDER, "CREDIT") == {
        "RetrievalReference": "TA1B2C3D4E5F",
        "TransactionDate": "2026-03-02",
        "TransactionType": "CREDIT",
        "Amount": "102550",
    }


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"original": "abcdefghij0123456789"}, "original"),
        ({"original": ""}, "original"),
        ({"currency": "USD"}, "currency"),
        ({"amount_minor": 0}, "amount_minor"),
        ({"account": "11000A0001"}, "account"),
    ],
)
def test_a_reversal_that_they_would_not_understand_is_not_said(change: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidOrder) as error:
        reversals.body(replace(ORDER, **change), "CREDIT")
    assert error.value.field == field


@pytest.mark.parametrize(
    ("rows", "counted"),
    [
        ([], ()),
        ([ORIGINAL], ()),
        ([row("A9", Side.DEBIT, reverses="TOTHER000001")], ()),
        ([ORIGINAL, row("A9", Side.DEBIT, reverses="TA1B2C3D4E5F")], ("A9",)),
        ([ORIGINAL, row("A9", Side.DEBIT, reverses="A1")], ("A9",)),
        ([ORIGINAL, row("A9", Side.DEBIT, "TA1B2C3D4E5F")], ("A9",)),
        ([replace(ORIGINAL, reversed=True)], ("A1",)),
        # The mark and the row that undid it are one reversal, not two.
        ([replace(ORIGINAL, reversed=True), row("A9", Side.DEBIT, reverses="A1")], ("A9",)),
        (
            [ORIGINAL, row("A9", Side.DEBIT, reverses="A1"), row("A7", Side.DEBIT, reverses="A1")],
            ("A7", "A9"),
        ),
        # Another posting's mark is not this one's.
        ([ORIGINAL, row("A2", reference="TOTHER000001", reversed=True)], ()),
    ],
)
def test_what_undid_the_posting_is_counted_however_the_core_shows_it(
    rows: list[StatementRow], counted: tuple[str, ...]
) -> None:
    assert reversals.count(ORDER, rows) == counted


def test_the_statement_is_read_around_every_day_on_which_it_can_stand() -> None:
    start, end = reversals.days(ORDER, DAY + timedelta(days=40))
    assert (start, end) == (DAY - timedelta(days=7), DAY + timedelta(days=47))
    assert reversals.days(replace(ORDER, posted_on=DAY + timedelta(days=3)), DAY)[1] == DAY + timedelta(
        days=10
    )


@pytest.mark.parametrize("change", [{}, {"Status": "Successful"}, {"Status": None}, {"Status": "0"}])
def test_a_reversal_that_was_done_is_told(change: dict[str, object]) -> None:
    snapshot = reversals.reversed_("TA1B2C3D4E5F", told(**{**DONE, **change}), CODES, b"raw")
    assert (snapshot.provider_ref, snapshot.original, snapshot.raw) == ("A20", "TA1B2C3D4E5F", b"raw")


def test_their_unique_identifier_stands_in_for_a_reference() -> None:
    answer = told(**{**DONE, "Reference": "", "UniqueIdentifier": "U7"})
    assert reversals.reversed_("T", answer, CODES, b"").provider_ref == "U7"
    with pytest.raises(ContractBroken):
        reversals.reversed_("T", told(**{**DONE, "Reference": ""}), CODES, b"")


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"IsSuccessFul": False, "ResponseCode": "51"}, Refused),
        ({"IsSuccessFul": False, "ResponseCode": "57"}, Refused),
        ({"IsSuccessFul": False, "ResponseCode": "26"}, OutcomeUnknown),
        ({"IsSuccessFul": False, "ResponseCode": "94"}, OutcomeUnknown),
        ({"IsSuccessFul": False, "ResponseCode": "25"}, OutcomeUnknown),
        ({"IsSuccessFul": False}, OutcomeUnknown),
        ({"IsSuccessFul": None}, OutcomeUnknown),
        ({"ResponseCode": "91"}, OutcomeUnknown),
        ({"Status": 1}, OutcomeUnknown),
        ({"Status": "Failed"}, OutcomeUnknown),
    ],
)
def test_only_a_known_final_refusal_is_one_and_a_contradiction_is_unknown(
    change: dict[str, object], error: type[Exception]
) -> None:
    with pytest.raises(error):
        reversals.reversed_("TA1B2C3D4E5F", told(**{**DONE, **change}), CODES, b"")


def test_what_came_to_the_census_is_ours() -> None:
    order = replace(ORDER, census=("A5",))
    assert reversals.came(order, ("A5",)) is None
    found = reversals.came(order, ("A5", "A9"))
    assert found is not None
    assert (found.word, [each.provider_ref for each in found.snapshots]) == (FindingWord.EXECUTED, ["A9"])


STATUS = {"IsSuccessful": True, "ResponseCode": "00", "Reference": "A1"}


@pytest.mark.parametrize(
    ("status", "census", "word"),
    [
        ({"Status": "Reversed"}, (), FindingWord.EXECUTED),
        ({"Status": "reversed", "ResponseCode": None}, (), FindingWord.EXECUTED),
        ({"Status": "Reversed"}, ("A5",), FindingWord.PENDING),
        ({"Status": "Reversed", "ResponseCode": "91"}, (), FindingWord.PENDING),
        ({"Status": "Successful"}, (), FindingWord.ABSENT),
        ({"Status": "Pending"}, (), FindingWord.PENDING),
        ({"Status": "Failed", "ResponseCode": "51"}, (), FindingWord.PENDING),
        ({"Status": None}, (), FindingWord.PENDING),
        ({"Status": "NotFound", "ResponseCode": "25"}, (), FindingWord.PENDING),
    ],
)
def test_the_originals_status_proves_a_reversal_and_never_that_there_is_none(
    status: dict[str, object], census: tuple[str, ...], word: FindingWord
) -> None:
    found = reversals.finding(replace(ORDER, census=census), told(**{**STATUS, **status}), CODES, b"")
    assert found.word is word
    assert bool(found.snapshots) == (word is FindingWord.EXECUTED)


def test_a_status_query_that_failed_says_nothing() -> None:
    with pytest.raises(TryLater):
        reversals.finding(ORDER, told(IsSuccessful=False, ResponseCode="96"), CODES, b"")
    with pytest.raises(ContractBroken):
        reversals.finding(ORDER, told(Status="Reversed"), CODES, b"")
