"""Stripe's answers sorted: objects, lists, errors by type and code, and what is no answer at all."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

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
from coopwire.providers.stripe.wire.answers import absent, denial, success

WRITE, READ = Traffic.WRITE, Traffic.READ


def answer(status: int, told: object) -> HttpAnswer:
    body = told if isinstance(told, bytes) else json.dumps(told).encode()
    return HttpAnswer(status, {}, body)


def no(kind: str, code: str = "", **more: object) -> dict[str, object]:
    return {"error": {"type": kind, "message": "They say no", **({"code": code} if code else {}), **more}}


def raised(status: int, told: object, traffic: Traffic) -> HubError:
    with pytest.raises(HubError) as error:
        success(answer(status, told), traffic, 7.0)
    return error.value


@pytest.mark.parametrize(
    ("status", "told", "to_a_write", "to_a_read"),
    [
        (400, no("invalid_request_error", "parameter_missing"), Refused, ContractBroken),
        (400, no("invalid_request_error", "resource_missing"), Refused, ContractBroken),
        (404, no("invalid_request_error", "resource_missing"), Refused, ContractBroken),
        (402, no("card_error", "card_declined"), Refused, ContractBroken),
        (403, no("invalid_request_error"), Refused, ContractBroken),
        (401, no("invalid_request_error"), BadCredentials, BadCredentials),
        (401, b"<html>", BadCredentials, BadCredentials),
        (400, no("idempotency_error"), OutcomeUnknown, ContractBroken),
        (409, no("invalid_request_error", "idempotency_key_in_use"), OutcomeUnknown, ContractBroken),
        (409, no("invalid_request_error", "lock_timeout"), TryLater, TryLater),
        (429, no("invalid_request_error", "lock_timeout"), TryLater, TryLater),
        (429, no("invalid_request_error", "rate_limit"), TryLater, TryLater),
        (429, b"", TryLater, TryLater),
        (424, no("api_error"), OutcomeUnknown, ContractBroken),
        (400, no("api_error"), OutcomeUnknown, ContractBroken),
        (400, no("a_type_of_tomorrow"), OutcomeUnknown, ContractBroken),
        (500, no("api_error"), OutcomeUnknown, TryLater),
        (503, b"<html>", OutcomeUnknown, TryLater),
        (408, no("api_error"), OutcomeUnknown, TryLater),
        (200, b"<!DOCTYPE html>", OutcomeUnknown, ContractBroken),
        (200, b"", OutcomeUnknown, ContractBroken),
        (200, b'{"object":"refund","id"', OutcomeUnknown, ContractBroken),
        (200, no("card_error"), OutcomeUnknown, ContractBroken),
        (302, {"object": "refund"}, OutcomeUnknown, ContractBroken),
        (400, {"object": "refund"}, OutcomeUnknown, ContractBroken),
        (200, {"id": "re_1"}, OutcomeUnknown, ContractBroken),
        (200, {"object": "list", "data": []}, OutcomeUnknown, ContractBroken),
        (200, {"object": "list", "data": {}, "has_more": False}, OutcomeUnknown, ContractBroken),
        (200, {"object": "event"}, OutcomeUnknown, ContractBroken),
        (200, [], OutcomeUnknown, ContractBroken),
    ],
)
def test_each_answer_says_what_the_caller_does_next(
    status: int, told: object, to_a_write: type[HubError], to_a_read: type[HubError]
) -> None:
    assert type(raised(status, told, WRITE)) is to_a_write
    assert type(raised(status, told, READ)) is to_a_read


def test_the_wait_that_they_ask_for_is_told() -> None:
    later = raised(429, no("invalid_request_error", "rate_limit"), WRITE)
    assert isinstance(later, TryLater)
    assert later.retry_after == 7.0


def test_the_reason_of_a_decline_is_its_code() -> None:
    declined = no("card_error", "card_declined", decline_code="insufficient_funds")
    assert raised(402, declined, WRITE).code == "insufficient_funds"
    assert raised(402, no("card_error", "expired_card"), WRITE).code == "expired_card"


def test_words_of_theirs_are_masked() -> None:
    told = no("invalid_request_error")
    told["error"]["message"] = "Invalid API Key provided: sk_test_abcdef for p@example.com"  # type: ignore[index]
    refused = raised(401, told, WRITE)
    assert "abcdef" not in str(refused)
    assert "example.com" not in str(refused)


@pytest.mark.parametrize("told", [no("card_error", "card_declined"), b"<html>"])
def test_an_error_names_the_request_for_their_support(told: object) -> None:
    body = told if isinstance(told, bytes) else json.dumps(told).encode()
    with pytest.raises(HubError, match=r"\(req_8sKq2f\)$"):
        success(HttpAnswer(402, {"request-id": "req_8sKq2f"}, body), WRITE, None)
    with pytest.raises(HubError) as hostile:
        success(HttpAnswer(402, {"request-id": "req_<b>"}, body), WRITE, None)
    assert "req_" not in str(hostile.value)


def test_an_object_is_told_bare_and_a_list_by_its_rows() -> None:
    assert success(answer(200, {"object": "refund", "id": "re_1"}), READ, None).data == {
        "object": "refund",
        "id": "re_1",
    }
    page = {"object": "list", "data": [{"id": "re_1"}], "has_more": True}
    told = success(answer(200, page), READ, None)
    assert (told.data, told.more) == ([{"id": "re_1"}], True)


def test_only_a_missing_object_is_absent() -> None:
    gone = denial(answer(404, no("invalid_request_error", "resource_missing")))
    assert gone is not None
    assert absent(gone)
    wrong = denial(answer(404, no("invalid_request_error")))
    assert wrong is not None
    assert not absent(wrong)
    assert denial(answer(500, no("api_error"))) is None
    assert denial(answer(404, b"<html>")) is None


@given(status=st.integers(100, 599), body=st.binary(max_size=200), traffic=st.sampled_from(Traffic))
def test_any_bytes_are_an_error_of_the_tree(status: int, body: bytes, traffic: Traffic) -> None:
    with pytest.raises(HubError):
        success(HttpAnswer(status, {}, body), traffic, None)
