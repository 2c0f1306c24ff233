"""`inspect quickbooks`: what the hub reads, offline; hostile input ends in InspectionError."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coopwire.ports.providers import Inspect, Inspection, InspectionError
from coopwire.providers.quickbooks import PROVIDER

ENTRY = {
    "Id": "450",
    "DocNumber": "r4e1f9k2m7p3t8w5x6z0",
    "TxnDate": "2026-03-02",
    "PrivateNote": "[LMS:r4e1f9k2m7p3t8w5x6z0] repayment of Ngozi Canary",
    "CurrencyRef": {"value": "NGN"},
    "Line": [
        {
            "DetailType": "JournalEntryLineDetail",
            "Amount": 51612.50,
            "Description": "Ngozi Canary",
            "JournalEntryLineDetail": {"PostingType": side, "AccountRef": {"value": account}},
        }
        for side, account in (("Debit", "91"), ("Credit", "120"))
    ],
}
ACCOUNT = {
    "Id": "91",
    "Name": "Clearing",
    "AccountType": "Other Current Asset",
    "Active": True,
    "CurrentBalance": -12.5,
    "CurrencyRef": {"value": "NGN"},
}
FAULT = {
    "Fault": {"Error": [{"Message": "Account Period Closed", "code": "6210"}], "type": "ValidationFault"}
}


def inspect(kind: str) -> Inspect:
    loaded: Inspect = PROVIDER.load(PROVIDER.inspectors[kind])
    return loaded


def seen(kind: str, payload: Any, **headers: str) -> list[Inspection]:
    raw = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    return inspect(kind)(raw, {f":{name}": word for name, word in headers.items()})


@pytest.mark.parametrize(
    "payload", [ENTRY, {"JournalEntry": ENTRY}, {"QueryResponse": {"JournalEntry": [ENTRY]}}]
)
def test_a_journal_is_shown_wherever_it_stands(payload: object) -> None:
    assert seen("journal", payload) == [
        Inspection(
            object="journal",
            reference="r4e1f9k2m7p3t8w5x6z0",
            provider_ref="450",
            amount_minor=5_161_250,
            currency="NGN",
            status="balanced",
            occurred_at="2026-03-02",
        )
    ]


def test_no_narrative_and_no_description_is_shown() -> None:
    assert "Ngozi" not in repr(seen("journal", ENTRY))


def test_a_journal_that_does_not_balance_is_shown_as_such() -> None:
    assert seen("journal", {**ENTRY, "Line": ENTRY["Line"][:1]})[0].status == "unbalanced"


def test_an_empty_query_shows_nothing() -> None:
    assert seen("journal", {"QueryResponse": {}}) == []


def test_an_account_is_shown_with_what_it_can_take() -> None:
    assert seen("account", {"Account": ACCOUNT}) == [
        Inspection(
            object="account",
            provider_ref="91",
            amount_minor=-1250,
            currency="NGN",
            status="postable",
            message="Other Current Asset",
        )
    ]
    assert seen("account", {**ACCOUNT, "AccountType": "Accounts Payable"})[0].status == "not postable"
    assert seen("account", {**ACCOUNT, "Active": False})[0].status == "inactive"


def test_a_fault_where_a_journal_was_expected_is_shown_as_the_fault() -> None:
    assert seen("journal", FAULT)[0].error == "Held"


def test_an_error_is_shown_with_its_class_code_and_wait() -> None:
    (held,) = seen("error", FAULT, status="400")
    assert (held.error, held.code, held.retry_after) == ("Held", "6210", None)
    (later,) = seen("error", b"Too many", status="429")
    assert (later.error, later.retry_after) == ("TryLater", 60)
    (unknown,) = seen("error", b"<html>", status="502")
    assert unknown.error == "OutcomeUnknown"


def test_a_notice_is_shown_in_either_shape() -> None:
    event = {
        "type": "qbo.journalentry.updated.v1",
        "time": "2026-03-02T08:00:00Z",
        "intuitentityid": "450",
        "intuitaccountid": "1",
    }
    assert seen("webhook", [event]) == [
        Inspection(
            object="notice",
            event="qbo.journalentry.updated.v1",
            provider_ref="450",
            status="updated",
            occurred_at="2026-03-02T08:00:00Z",
        )
    ]


@pytest.mark.parametrize("kind", PROVIDER.inspectors)
@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"null",
        b"[]{",
        b"{}",
        b"<html></html>",
        b"\xff\xfe",
        b"[" * 50_000,
        b'{"Line":1,"AccountType":1}',
        b'{"JournalEntry":{},"Account":{}}',
        b'{"Line":[{"Amount":1e999999999}],"Id":"1","TxnDate":"2026-01-01"}',
    ],
)
def test_hostile_input_ends_in_a_clear_message(kind: str, payload: bytes) -> None:
    with pytest.raises(InspectionError) as error:
        seen(kind, payload)
    assert str(error.value)


def test_a_status_that_is_none_is_told() -> None:
    with pytest.raises(InspectionError):
        seen("error", FAULT, status="abc")


def test_an_answer_that_is_no_error_is_told_as_such() -> None:
    with pytest.raises(InspectionError):
        seen("error", {"JournalEntry": ENTRY}, status="200")


@given(
    st.sampled_from(sorted(PROVIDER.inspectors)), st.binary(max_size=200), st.sampled_from(["", "200", "500"])
)
def test_any_bytes_are_read_or_told_as_unreadable(kind: str, raw: bytes, status: str) -> None:
    try:
        lines = inspect(kind)(raw, {":status": status} if status else {})
    except InspectionError:
        return
    assert all(isinstance(line, Inspection) for line in lines)


@given(
    st.dictionaries(
        st.sampled_from([*ENTRY, *ACCOUNT]),
        st.none()
        | st.booleans()
        | st.integers()
        | st.text()
        | st.lists(st.dictionaries(st.text(), st.text())),
    ),
    st.sampled_from(["journal", "account"]),
)
def test_members_of_any_shape_are_read_or_told_as_unreadable(members: dict[str, Any], kind: str) -> None:
    try:
        seen(kind, {**(ENTRY if kind == "journal" else ACCOUNT), **members})
    except InspectionError as error:
        assert str(error)
