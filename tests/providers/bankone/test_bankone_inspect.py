"""`inspect bankone`: what the hub reads, offline; nothing of a person, and hostile input is told as such."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coopwire.ports.providers import Inspect, Inspection, InspectionError
from coopwire.providers.bankone import PROVIDER

ACCOUNT = {
    "Name": "Ngozi Canary",
    "Nuban": "1100000001",
    "PhoneNuber": "08031234567",
    "BVN": "22233344455",
    "AvailableBalance": 1025.50,
    "Status": "Active",
    "IsSuccessful": True,
    "FreezeStatus": "InActive",
}
APPROVED = {"IsSuccessful": True, "ResponseMessage": "Approved", "ResponseCode": "00", "Reference": "A19"}
STATUS = {**APPROVED, "Status": "Successful"}


def inspect(kind: str) -> Inspect:
    loaded: Inspect = PROVIDER.load(PROVIDER.inspectors[kind])
    return loaded


def seen(kind: str, payload: Any, **headers: str) -> Inspection:
    raw = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    (line,) = inspect(kind)(raw, {f":{name}": word for name, word in headers.items()})
    return line


def test_an_account_is_shown_with_its_balance_in_kobo_and_nothing_of_the_person() -> None:
    line = seen("account", ACCOUNT)
    assert line == Inspection(object="account", amount_minor=102_550, currency="NGN", status="active")
    for private in ("Ngozi", "1100000001", "0803", "222333"):
        assert private not in repr(line)


def test_an_account_that_they_do_not_know_is_shown_as_unknown() -> None:
    line = seen("account", {"IsSuccessful": False, "ResponseCode": "14"})
    assert (line.status, line.code) == ("unknown", "14")


def test_a_posting_is_shown_with_their_reference() -> None:
    line = seen("posting", APPROVED)
    assert line == Inspection(
        object="posting", provider_ref="A19", status="success", code="00", message="Approved"
    )


def test_a_message_of_ours_is_shown_in_kobo_without_account_and_token() -> None:
    line = seen(
        "posting",
        {
            "RetrievalReference": "TA1B2C3D4E5F",
            "AccountNumber": "1100000001",
            "Amount": "102550",
            "Token": "planted-token",
        },
    )
    assert line == Inspection(
        object="posting", reference="TA1B2C3D4E5F", amount_minor=102_550, currency="NGN", status="message"
    )


@pytest.mark.parametrize(
    ("payload", "error", "code"),
    [
        ({"IsSuccessful": False, "ResponseCode": "51", "ResponseMessage": "No funds"}, "Refused", "51"),
        ({"IsSuccessful": False, "ResponseCode": "26"}, "OutcomeUnknown", "26"),
        ({"IsSuccessful": False}, "OutcomeUnknown", None),
    ],
)
@pytest.mark.parametrize("kind", ["posting", "reversal", "error"])
def test_a_refusal_is_shown_with_its_class(
    kind: str, payload: dict[str, Any], error: str, code: str | None
) -> None:
    line = seen(kind, payload)
    assert (line.object, line.error, line.code) == ("error", error, code)


@pytest.mark.parametrize(
    ("status", "body", "error", "wait"),
    [
        ("401", b"", "BadCredentials", None),
        ("429", b"", "TryLater", 60),
        ("503", b"CBA is offline", "OutcomeUnknown", None),
        ("200", b"<html></html>", "OutcomeUnknown", None),
    ],
)
def test_an_error_of_any_form_is_shown_when_its_status_is_known(
    status: str, body: bytes, error: str, wait: float | None
) -> None:
    line = seen("error", body, status=status)
    assert (line.error, line.retry_after) == (error, wait)


@pytest.mark.parametrize(
    ("payload", "status"),
    [
        (STATUS, "executed"),
        ({**STATUS, "Status": "Failed"}, "refused"),
        ({**STATUS, "Status": "Whatever"}, "pending"),
        ({**STATUS, "ResponseCode": "25"}, "absent"),
    ],
)
def test_a_status_query_is_shown_as_what_the_hub_makes_of_it(payload: dict[str, Any], status: str) -> None:
    assert seen("status", payload).status == status


def test_a_status_query_that_failed_is_shown_as_an_error() -> None:
    line = seen("status", {"IsSuccessful": False, "ResponseCode": "96"})
    assert (line.error, line.retry_after) == ("TryLater", 60)


@pytest.mark.parametrize("kind", PROVIDER.inspectors)
@pytest.mark.parametrize(
    "payload", [b"", b"null", b"[]", b"<html></html>", b"\xff", b"[" * 50_000, b'{"a":NaN}']
)
def test_hostile_input_ends_in_a_clear_message(kind: str, payload: bytes) -> None:
    with pytest.raises(InspectionError) as error:
        seen(kind, payload)
    assert str(error.value)


@pytest.mark.parametrize("kind", ["account", "status"])
def test_an_object_of_another_kind_is_told_as_such(kind: str) -> None:
    with pytest.raises(InspectionError):
        seen(kind, {"hello": "world"})


def test_a_success_is_no_error() -> None:
    with pytest.raises(InspectionError):
        seen("error", APPROVED)


def test_a_status_that_is_none_is_told() -> None:
    with pytest.raises(InspectionError):
        seen("error", APPROVED, status="teapot")


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
        st.sampled_from([*ACCOUNT, *STATUS, "RetrievalReference", "Amount"]),
        st.none() | st.booleans() | st.integers() | st.text() | st.lists(st.integers()),
    ),
    st.sampled_from(sorted(PROVIDER.inspectors)),
)
def test_members_of_any_shape_are_read_or_told_as_unreadable(members: dict[str, Any], kind: str) -> None:
    try:
        seen(kind, {**ACCOUNT, **STATUS, **members})
    except InspectionError as error:
        assert str(error)


MOVEMENT = {
    "Id": "A1",
    "TransactionDate": "8/8/2025 10:35:48 AM",
    "ReferenceID": "TA1B2C3D4E5F",
    "Narration": "Ngozi Canary",
    "Amount": "1,025.50",
    "RecordType": "Credit",
    "IsReversed": True,
}


def test_a_statement_is_shown_row_by_row_without_what_a_teller_wrote() -> None:
    undoing = {
        **MOVEMENT,
        "Id": "A2",
        "RecordType": "Debit",
        "IsReversed": False,
        "ReversalReferenceNo": "A1",
    }
    payload = {"IsSuccessful": True, "Message": [MOVEMENT, {"Id": "A3"}, undoing]}
    lines = inspect("statement")(json.dumps(payload).encode(), {})
    assert lines[0] == Inspection(
        object="movement",
        reference="TA1B2C3D4E5F",
        provider_ref="A1",
        amount_minor=102_550,
        currency="NGN",
        status="credit, reversed",
        occurred_at="2025-08-08",
    )
    assert lines[1].error == "ContractBroken"
    assert (lines[2].status, lines[2].message) == ("debit", "reverses A1")
    assert "Ngozi" not in repr(lines)


def test_a_statement_that_they_refuse_is_shown_as_an_error() -> None:
    assert seen("statement", {"IsSuccessful": False, "Message": "no such account"}).error == "TryLater"
    assert inspect("statement")(b'{"IsSuccessful":true,"Message":[]}', {}) == []


def test_a_reversal_is_shown_with_their_reference() -> None:
    answer = {"Status": 0, "IsSuccessFul": True, "ResponseCode": "00", "Reference": "A20"}
    line = seen("reversal", answer)
    assert (line.object, line.provider_ref, line.status, line.code) == ("reversal", "A20", "success", "00")
    message = {"RetrievalReference": "TA1B2C3D4E5F", "TransactionType": "CREDIT", "Amount": "102550"}
    line = seen("reversal", message)
    assert (line.reference, line.amount_minor, line.status) == ("TA1B2C3D4E5F", 102_550, "message")
    assert seen("reversal", {**answer, "IsSuccessFul": False, "ResponseCode": "51"}).error == "Refused"


def test_balances_are_shown_in_kobo() -> None:
    line = seen("balance", {"AvailableBalance": "1,250.50", "LedgerBalance": 9, "AccountType": "Savings"})
    assert (line.object, line.amount_minor, line.currency) == ("balance", 125_050, "NGN")
    with pytest.raises(InspectionError):
        seen("balance", {"AccountType": "Savings"})
