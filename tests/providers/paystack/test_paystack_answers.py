"""Which error of the tree each answer of Paystack is, to a write and to a read."""

from __future__ import annotations

import json

import pytest

from coopwire.domain.errors import (
    BadCredentials,
    ContractBroken,
    HubError,
    OutcomeUnknown,
    Refused,
    TryLater,
)
from coopwire.domain.gates import Traffic
from coopwire.ports.http import HttpAnswer
from coopwire.providers.paystack.wire.answers import denial, success


def answer(status: int, body: object) -> HttpAnswer:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return HttpAnswer(status, {}, raw)


def problem(message: str, code: str = "", **more: object) -> dict[str, object]:
    return {"status": False, "message": message, "code": code, **more}


HTML = b"<!doctype html><html><body>Bad gateway</body></html>"
CASES: list[tuple[str, int, object, type[HubError], type[HubError]]] = [
    ("a yes of HTTP 200 with status false", 200, problem("Invalid Amount Sent"), Refused, ContractBroken),
    ("status as the text false", 400, {"status": "false", "message": "no"}, Refused, ContractBroken),
    ("validation", 400, problem("Email Address is required", "missing_params"), Refused, ContractBroken),
    ("unprocessable", 422, problem("Currency not supported by merchant"), Refused, ContractBroken),
    ("forbidden", 403, problem("You cannot do this"), Refused, ContractBroken),
    ("a key refused with 400", 400, problem("Invalid key"), BadCredentials, BadCredentials),
    ("a key refused with 401", 401, problem("Invalid key", "invalid_Key"), BadCredentials, BadCredentials),
    ("401 in HTML", 401, HTML, BadCredentials, BadCredentials),
    (
        "our address not allowed",
        403,
        problem("Your IP address is not allowed to make this call"),
        BadCredentials,
        BadCredentials,
    ),
    (
        "a duplicate by its code",
        400,
        problem("Please use another", "duplicate_reference"),
        OutcomeUnknown,
        ContractBroken,
    ),
    (
        "a duplicate by its words",
        400,
        problem("Duplicate Transaction Reference"),
        OutcomeUnknown,
        ContractBroken,
    ),
    (
        "a duplicate told as HTTP 200",
        200,
        problem("Duplicate Transaction Reference"),
        OutcomeUnknown,
        ContractBroken,
    ),
    ("a rate limit", 429, problem("Too many requests"), TryLater, TryLater),
    ("a rate limit in HTML", 429, HTML, TryLater, TryLater),
    ("a server error in their shape", 500, problem("An error occurred"), OutcomeUnknown, TryLater),
    ("bad gateway", 502, HTML, OutcomeUnknown, TryLater),
    ("unavailable without a body", 503, b"", OutcomeUnknown, TryLater),
    ("a time-out of theirs", 408, problem("Request timeout"), OutcomeUnknown, TryLater),
    ("HTML with 200", 200, HTML, OutcomeUnknown, ContractBroken),
    ("an empty 200", 200, b"", OutcomeUnknown, ContractBroken),
    ("a cut body", 200, b'{"status": true, "message": "Author', OutcomeUnknown, ContractBroken),
    ("a list", 200, [], OutcomeUnknown, ContractBroken),
    ("no status member", 200, {"data": {}}, OutcomeUnknown, ContractBroken),
    ("the text true", 200, {"status": "true", "data": {}}, OutcomeUnknown, ContractBroken),
    ("one for true", 200, {"status": 1, "data": {}}, OutcomeUnknown, ContractBroken),
    ("another vendor's word", 200, {"status": "success", "data": {}}, OutcomeUnknown, ContractBroken),
    ("a yes with HTTP 400", 400, {"status": True, "data": {}}, OutcomeUnknown, ContractBroken),
    ("a redirect", 302, b"", OutcomeUnknown, ContractBroken),
    ("a 404 of another server", 404, HTML, OutcomeUnknown, ContractBroken),
    ("not UTF-8", 200, b"\xff\xfe{}", OutcomeUnknown, ContractBroken),
    ("nested without end", 200, b"[" * 100_000, OutcomeUnknown, ContractBroken),
]


@pytest.mark.parametrize(
    ("status", "body", "to_a_write", "to_a_read"),
    [case[1:] for case in CASES],
    ids=[case[0] for case in CASES],
)
def test_each_answer_is_one_error(
    status: int, body: object, to_a_write: type[HubError], to_a_read: type[HubError]
) -> None:
    for traffic, expected in ((Traffic.WRITE, to_a_write), (Traffic.READ, to_a_read)):
        with pytest.raises(HubError) as raised:
            success(answer(status, body), traffic, None)
        assert type(raised.value) is expected


def test_a_success_is_read_on() -> None:
    told = success(answer(200, {"status": True, "message": "ok", "data": {"a": 1}}), Traffic.WRITE, None)
    assert (told.yes, told.data) == (True, {"a": 1})


def test_patience_is_asked_for_in_seconds() -> None:
    with pytest.raises(TryLater) as raised:
        success(answer(429, problem("Too many requests")), Traffic.WRITE, 17.0)
    assert raised.value.retry_after == 17.0


def test_code_message_and_status_are_kept() -> None:
    with pytest.raises(Refused) as raised:
        success(answer(400, problem("Email Address is required", "missing_params")), Traffic.WRITE, None)
    refused = raised.value
    told = (refused.message, refused.code, refused.http_status)
    assert told == ("Email Address is required", "missing_params", 400)


@pytest.mark.parametrize(
    ("status", "body", "absent"),
    [
        (400, problem("Transaction reference not found"), True),
        (404, problem("Transaction reference not found."), True),
        (200, problem("TRANSACTION REFERENCE NOT FOUND"), True),
        (400, problem("whatever", "transaction_not_found"), True),
        (404, problem("The endpoint does not exist"), False),
        (404, problem("Transaction not found on this page"), False),
        (400, problem("Transaction reference is invalid"), False),
        (404, HTML, False),
        (404, b"", False),
        (500, problem("Transaction reference not found"), False),
        (200, {"status": True, "message": "Transaction reference not found", "data": None}, False),
    ],
)
def test_only_their_positive_words_mean_not_there(status: int, body: object, absent: bool) -> None:
    told = denial(answer(status, body))
    assert (told is not None and told.reference_absent) is absent


@pytest.mark.parametrize("key", ["sk_test_abcdef123", "sk_live_abcdef123"])
def test_their_words_are_shown_without_secrets(key: str) -> None:
    body = problem(f"Key {key} of ada@example.com at https://checkout.paystack.com/zcw is 'bad'\x00\n🙂")
    with pytest.raises(Refused) as raised:
        success(answer(400, body), Traffic.WRITE, None)
    for secret in (key, "ada@", "zcw", "\x00", "\n"):
        assert secret not in raised.value.message


def test_their_words_are_cut_short() -> None:
    with pytest.raises(Refused) as raised:
        success(answer(400, problem("x " * 50_000)), Traffic.WRITE, None)
    assert len(raised.value.message) <= 200
