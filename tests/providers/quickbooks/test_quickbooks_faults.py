"""What each answer of QuickBooks without success means to the caller, to a write and to a read."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coopwire.domain.errors import (
    BadCredentials,
    ContractBroken,
    Held,
    HubError,
    OutcomeUnknown,
    Refused,
    TryLater,
)
from coopwire.domain.gates import Traffic
from coopwire.providers.quickbooks.wire import faults

VALIDATION = "ValidationFault"


def body(
    code: object, message: str = "", detail: str = "", kind: str = VALIDATION, *more: dict[str, object]
) -> bytes:
    error = {"Message": message, "Detail": detail, "code": code}
    return json.dumps({"Fault": {"Error": [error, *more], "type": kind}, "time": "now"}).encode()


def seen(status: int | None, raw: bytes, traffic: Traffic = Traffic.WRITE) -> HubError:
    return faults.error_of(status, faults.read(raw)[1], traffic, "1-abc")


LOWER = json.dumps(
    {
        "warnings": None,
        "fault": {
            "error": [
                {
                    "message": "message=AuthenticationFailed; errorCode=003200; statusCode=401",
                    "detail": "Token expired",
                    "code": "3200",
                }
            ],
            "type": "AUTHENTICATION",
        },
    }
).encode()
XML_TOKEN = (
    b'<?xml version="1.0" encoding="UTF-8"?><IntuitResponse xmlns="http://schema.intuit.com/finance/v3">'
    b'<Fault type="AuthenticationFault"><Error code="3200"><Message>AuthenticationFailed</Message></Error>'
    b"</Fault></IntuitResponse>"
)
XML_THROTTLED = (
    b"<IntuitResponse><Fault><type>SERVICE</type><Error><code>003001</code><Message>Throttled</Message>"
    b"</Error></Fault></IntuitResponse>"
)
PAGE = b"<!DOCTYPE html><html><body>Service unavailable</body></html>"

TO_A_WRITE: dict[str, tuple[int | None, bytes, type[HubError], float | None]] = {
    "a token that ended": (
        401,
        body("3200", "AuthenticationFailed", kind="AuthenticationFault"),
        TryLater,
        0,
    ),
    "the same in lower case": (401, LOWER, TryLater, 0),
    "the same in XML": (401, XML_TOKEN, TryLater, 0),
    "the same with HTTP 200": (200, body("3200", kind="AuthenticationFault"), TryLater, 0),
    "code 120 with 401": (401, body("120", "AuthorizationFailure", kind="AuthorizationFault"), TryLater, 0),
    "a 401 that is a page": (401, PAGE, OutcomeUnknown, None),
    "a 401 that is empty": (401, b"", OutcomeUnknown, None),
    "a 401 with a fault of another kind": (401, body("610"), OutcomeUnknown, None),
    "no right to this company": (403, body("3100", kind="AuthorizationFault"), BadCredentials, None),
    "the schema's own spelling": (403, body("120", kind="AuthorizatonFault"), BadCredentials, None),
    "a 403 that is a page": (403, PAGE, OutcomeUnknown, None),
    "a 403 that throttles": (403, body("003001", kind="SERVICE"), TryLater, 60),
    "a 429": (429, body("003001", kind="SERVICE"), TryLater, 60),
    "a 429 in XML": (429, XML_THROTTLED, TryLater, 60),
    "a 429 in plain text": (429, b"Too many requests", TryLater, 60),
    "the throttle code with 200": (200, body(3001), TryLater, 60),
    "a subscription that ended": (403, body("6190", "Subscription period has ended"), BadCredentials, None),
    "something made inactive": (
        400,
        body("610", "Object Not Found", "Something you're trying to use has been made inactive."),
        Held,
        None,
    ),
    "an account that is not there": (
        400,
        body("2500", "Invalid Reference Id", "Invalid Reference Id : Accounts element id 7 not found"),
        Held,
        None,
    ),
    "the same under a code of rules": (
        400,
        body("2010", "", "Invalid Reference Id : Accounts element id 7 not found"),
        Held,
        None,
    ),
    "a closed period": (400, body("6210", "Account Period Closed"), Held, None),
    "a closed period with HTTP 200": (200, body("6210", "Account Period Closed"), Held, None),
    "the code of a closed period for a duplicate": (
        400,
        body("6210", "Duplicate Document Number Error"),
        OutcomeUnknown,
        None,
    ),
    "a used number": (
        400,
        body("6140", "Duplicate Document Number Error", "DocNumber=1 is assigned to TxnType=Credit Memo"),
        OutcomeUnknown,
        None,
    ),
    "a used number as an integer": (400, body(6140), OutcomeUnknown, None),
    "a missing VAT rate": (
        400,
        body("6000", "A business validation error", "Make sure all your transactions have a VAT/GST rate"),
        Held,
        None,
    ),
    "a rule of theirs": (400, body("6000", "A business validation error", "The entry is odd"), Refused, None),
    "their own failure as a rule": (
        400,
        body("6000", "", "Unexpected Internal Error. (-30000)"),
        OutcomeUnknown,
        None,
    ),
    "a field too long": (400, body("2050", "String length"), Refused, None),
    "a used name": (400, body("6240", "Duplicate Name Exists Error"), Refused, None),
    "an unknown code of validation": (400, body("9999", "New rule"), Refused, None),
    "an unknown code of nobody": (400, body("9999", "?", kind="Whatever"), OutcomeUnknown, None),
    "their failure": (500, body("10000", kind="SystemFault"), OutcomeUnknown, None),
    "their failure with 200": (200, body("10000", kind="SystemFault"), OutcomeUnknown, None),
    "their failure, a rule in its words": (500, body("6210", "Account Period Closed"), OutcomeUnknown, None),
    "a page with 503": (503, PAGE, OutcomeUnknown, None),
    "a page with 200": (200, PAGE, OutcomeUnknown, None),
    "nothing with 200": (200, b"", OutcomeUnknown, None),
    "a 400 without a fault": (400, b'{"error":"?"}', OutcomeUnknown, None),
    "a redirect": (302, b"", OutcomeUnknown, None),
    "a 404": (404, PAGE, OutcomeUnknown, None),
    "a fault without anything": (400, b'{"Fault":{"Error":[]}}', OutcomeUnknown, None),
    "a fault whose error is no list": (
        400,
        b'{"Fault":{"Error":{"code":"610"},"type":"ValidationFault"}}',
        Held,
        None,
    ),
    "two errors, the safer decides": (
        400,
        body("2050", "long", "", VALIDATION, {"code": "6140", "Message": "Duplicate", "Detail": ""}),
        OutcomeUnknown,
        None,
    ),
    "no status known, a rule": (None, body("2050"), Refused, None),
    "no status known, a token": (None, LOWER, TryLater, 0),
}


@pytest.mark.parametrize("what", TO_A_WRITE)
def test_to_a_write_an_answer_without_success_means(what: str) -> None:
    status, raw, expected, wait = TO_A_WRITE[what]
    error = seen(status, raw)
    assert type(error) is expected
    assert getattr(error, "retry_after", None) == wait
    assert error.http_status == status


TO_A_READ: dict[str, tuple[int, bytes, type[HubError]]] = {
    "a token that ended": (401, LOWER, TryLater),
    "no right to this company": (403, body("3100", kind="AuthorizationFault"), BadCredentials),
    "a 429": (429, b"", TryLater),
    "their failure": (500, PAGE, TryLater),
    "a page with 200": (200, PAGE, TryLater),
    "a query that they cannot read": (400, body("4000", "Error parsing query"), ContractBroken),
    "an object that is not there": (400, body("610"), ContractBroken),
    "a duplicate": (400, body("6140"), ContractBroken),
}


@pytest.mark.parametrize("what", TO_A_READ)
def test_to_a_read_an_answer_without_success_means(what: str) -> None:
    status, raw, expected = TO_A_READ[what]
    assert type(seen(status, raw, Traffic.READ)) is expected


def test_every_cause_has_its_error_and_its_words() -> None:
    for traffic in Traffic:
        assert set(faults.ERRORS[traffic]) == set(faults.Cause)
    assert set(faults.PLAIN_WORDS) == set(faults.Cause)


def test_a_code_is_kept_without_leading_zeros_and_the_trace_in_the_words() -> None:
    error = seen(429, body("003001", "message=ThrottleExceeded"))
    assert error.code == "3001"
    assert error.message == "QuickBooks: message=ThrottleExceeded (intuit_tid 1-abc)"


def test_a_trace_that_is_none_is_left_out() -> None:
    fault = faults.read(body("2050", "too long"))[1]
    error = faults.error_of(400, fault, Traffic.WRITE, "<script>")
    assert error.message == "QuickBooks: too long"


def test_details_are_told_only_where_a_person_mends_something() -> None:
    assert "element id 7" in seen(400, body("2500", "Invalid Reference Id", "Accounts element id 7")).message
    assert "Ngozi" not in seen(400, body("2010", "invalid", "value 'Ngozi Obi' is odd")).message


def test_words_are_told_without_addresses_and_long_numbers_and_cut() -> None:
    words = "ngozi@example.com 08031234567 " + "x" * 1000 + "\n\x00\u202e"
    message = seen(400, body("6210", words)).message
    assert "ngozi" not in message
    assert "0803" not in message
    assert len(message) < 400
    assert message.isprintable()


def test_an_xml_answer_with_a_document_type_is_not_read() -> None:
    bomb = b'<!DOCTYPE x [<!ENTITY a "aaaa">]>' + XML_TOKEN
    assert faults.read(bomb) == (None, None)
    assert type(seen(401, bomb)) is OutcomeUnknown


@given(st.binary(max_size=300), st.sampled_from([None, 200, 302, 400, 401, 403, 404, 429, 500, 503]))
def test_whatever_comes_a_write_without_success_has_an_error(raw: bytes, status: int | None) -> None:
    assert isinstance(seen(status, raw), HubError)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["Fault", "Error", "code", "type", "Message", "Detail"]), inner)
    ),
    max_leaves=12,
)


@given(json_values, st.sampled_from([200, 400, 401, 403]))
def test_a_fault_of_any_shape_has_an_error(value: object, status: int) -> None:
    assert isinstance(seen(status, json.dumps({"Fault": value}).encode()), HubError)
