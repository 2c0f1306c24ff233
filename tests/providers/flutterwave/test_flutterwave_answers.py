"""Flutterwave's answers sorted: a yes under HTTP 200, a no under HTTP 200, and what is no answer at all."""

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
from coopwire.providers.flutterwave.wire.answers import denial, success

WRITE, READ = Traffic.WRITE, Traffic.READ
REFUND_REFUSED = "Error: Cannot refund non-existent transaction"


def answer(status: int, told: object) -> HttpAnswer:
    body = told if isinstance(told, bytes) else json.dumps(told).encode()
    return HttpAnswer(status, {}, body)


def no(message: str, data: object = None) -> dict[str, object]:
    return {"status": "error", "message": message, "data": data}


def raised(status: int, told: object, traffic: Traffic) -> HubError:
    with pytest.raises(HubError) as error:
        success(answer(status, told), traffic, 7.0)
    return error.value


@pytest.mark.parametrize(
    ("status", "told", "to_a_write", "to_a_read"),
    [
        (200, no(REFUND_REFUSED), Refused, ContractBroken),
        (400, no("Invalid currency provided"), Refused, ContractBroken),
        (404, no("Transfer not found"), Refused, ContractBroken),
        (400, no("Transfer creation failed", {"id": 5, "status": "FAILED"}), OutcomeUnknown, ContractBroken),
        (401, no("Invalid authorization key"), BadCredentials, BadCredentials),
        (400, no("Authorization required"), BadCredentials, BadCredentials),
        (401, b"<html>", BadCredentials, BadCredentials),
        (429, no("Too many requests"), TryLater, TryLater),
        (500, {"error_id": "x"}, OutcomeUnknown, TryLater),
        (503, no("Service unavailable"), OutcomeUnknown, TryLater),
        (408, no("Timeout"), OutcomeUnknown, TryLater),
        (200, b"<!DOCTYPE html>", OutcomeUnknown, ContractBroken),
        (200, b"", OutcomeUnknown, ContractBroken),
        (200, b'{"status":"success","data":{"id"', OutcomeUnknown, ContractBroken),
        (302, {"status": "success"}, OutcomeUnknown, ContractBroken),
        (400, {"status": "success", "data": {}}, OutcomeUnknown, ContractBroken),
        (200, {"status": True, "data": {}}, OutcomeUnknown, ContractBroken),
        (200, {"status": "SUCCESS", "data": {}}, OutcomeUnknown, ContractBroken),
        (200, [], OutcomeUnknown, ContractBroken),
    ],
)
def test_each_answer_says_what_the_caller_does_next(
    status: int, told: object, to_a_write: type[HubError], to_a_read: type[HubError]
) -> None:
    assert type(raised(status, told, WRITE)) is to_a_write
    assert type(raised(status, told, READ)) is to_a_read


def test_a_success_under_http_200_is_read_on() -> None:
    told = success(answer(200, {"status": "success", "message": "m", "data": {"id": 1}}), WRITE, None)
    assert told.data == {"id": 1}


def test_their_words_are_kept_and_private_parts_are_masked() -> None:
    error = raised(400, no("customer member@example.com is blocked, FLWSECK_TEST-abc-X"), WRITE)
    assert "is blocked" in error.message
    assert "member@" not in error.message
    assert "FLWSECK" not in error.message


def test_the_wait_that_they_ask_for_is_kept() -> None:
    error = raised(429, no("slow"), READ)
    assert isinstance(error, TryLater)
    assert error.retry_after == 7.0


def test_no_transaction_is_an_answer_to_a_look_up_and_another_refusal_is_none() -> None:
    absent = denial(answer(400, no("No transaction was found for this id")))
    other = denial(answer(400, no("Invalid tx_ref")))
    assert absent is not None
    assert absent.absent
    assert other is not None
    assert not other.absent
    assert denial(answer(503, no("No transaction was found for this id"))) is None


@given(status=st.integers(min_value=100, max_value=599), body=st.binary(max_size=200))
def test_whatever_comes_is_a_success_or_an_error_of_the_tree(status: int, body: bytes) -> None:
    for traffic in Traffic:
        try:
            success(HttpAnswer(status, {}, body), traffic, None)
        except HubError:
            continue
