"""BankOne's answers: what is theirs, what is none, and what a caller does with each."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coopwire.domain.errors import BadCredentials, ContractBroken, HubError, OutcomeUnknown, TryLater
from coopwire.domain.gates import Traffic
from coopwire.ports.http import HttpAnswer
from coopwire.providers.bankone.wire import answers

YES = b'{"IsSuccessful":true,"ResponseCode":"00","Reference":"A1"}'
NO = b'{"IsSuccessful":false,"ResponseCode":"14"}'
PAGE = b"<html><body>Runtime error</body></html>"


def sort(status: int, body: bytes, traffic: Traffic, **headers: str) -> object:
    return answers.members(
        HttpAnswer(status, {k.replace("_", "-"): v for k, v in headers.items()}, body), traffic
    )


@pytest.mark.parametrize("status", [200, 201])
@pytest.mark.parametrize("body", [YES, NO, b"{}", b'\xef\xbb\xbf{"IsSuccessful":true}'])
def test_an_object_with_2xx_is_an_answer(status: int, body: bytes) -> None:
    assert isinstance(sort(status, body, Traffic.WRITE), dict)


def test_a_refusal_may_have_a_status_of_its_own() -> None:
    assert sort(400, NO, Traffic.WRITE) == {"issuccessful": False, "responsecode": "14"}


NO_ANSWER: dict[str, tuple[int, bytes]] = {
    "a page": (200, PAGE),
    "XML": (200, b"<?xml version='1.0'?><Error/>"),
    "nothing": (200, b""),
    "an array": (200, b"[]"),
    "a text": (200, b'"ok"'),
    "half an answer": (200, YES[:20]),
    "bytes": (200, b"\xff\x00"),
    "two members of one name": (200, b'{"IsSuccessful":true,"IsSuccessful":false}'),
    "two that differ by case": (200, b'{"IsSuccessful":true,"IsSuccessFul":false}'),
    "not a number": (200, b'{"IsSuccessful":true,"AvailableBalance":NaN}'),
    "a depth without end": (200, b'{"a":' * 60_000),
    "a failure": (500, YES),
    "offline": (503, b"CBA is offline"),
    "a failure in their own words": (500, NO),
    "a yes with 400": (400, YES),
    "neither yes nor no with 404": (404, b'{"Message":"No HTTP resource was found"}'),
    "a redirect": (302, b""),
}


@pytest.mark.parametrize("what", NO_ANSWER)
def test_what_is_no_answer_is_unknown_to_a_write_and_tried_later_by_a_read(what: str) -> None:
    status, body = NO_ANSWER[what]
    with pytest.raises(OutcomeUnknown) as unknown:
        sort(status, body, Traffic.WRITE)
    with pytest.raises(TryLater):
        sort(status, body, Traffic.READ)
    assert unknown.value.http_status == status


@pytest.mark.parametrize("traffic", Traffic)
@pytest.mark.parametrize("body", [NO, PAGE, b""])
def test_a_token_that_is_not_accepted_stops_the_connection(traffic: Traffic, body: bytes) -> None:
    for status in (401, 403):
        with pytest.raises(BadCredentials):
            sort(status, body, traffic)


@pytest.mark.parametrize(("told", "wait"), [("5", 5), ("", 60), ("soon", 60), ("-1", 60)])
def test_too_many_calls_are_tried_later(told: str, wait: float) -> None:
    with pytest.raises(TryLater) as later:
        sort(429, b"", Traffic.WRITE, retry_after=told)
    assert later.value.retry_after == wait


def test_names_are_folded_at_every_depth_and_fractions_are_exact() -> None:
    told = answers.read(b'{"IsSuccessFul":true,"Message":{"AccountNumber":"1"},"Balance":0.1}')
    assert told == {"issuccessful": True, "message": {"accountnumber": "1"}, "balance": Decimal("0.1")}


@pytest.mark.parametrize(
    ("value", "code"),
    [
        *[("00", "00"), (0, "00"), (9, "09"), (51, "51"), (-1, "-1"), (" 14 ", "14"), (401, "401")],
        *[(None, ""), (True, ""), (0.5, ""), ("a b", ""), ("x" * 20, ""), ([], ""), (10**30, "")],
    ],
)
def test_a_code_is_read_as_two_digits(value: object, code: str) -> None:
    assert answers.code(answers.read(json.dumps({"ResponseCode": value}).encode())) == code


def test_words_may_be_an_object_and_are_then_none() -> None:
    assert answers.words(answers.read(b'{"Message":{"AccountNumber":"1"}}')) == ""


@pytest.mark.parametrize(
    "private", ["08031234567", "+234 803 123 4567", "22233344455", "ngozi@example.com", "1100000001"]
)
def test_words_are_told_without_what_is_private(private: str) -> None:
    told = answers.words({"responsemessage": f"Refused for {private}, sorry"})
    assert private not in told
    assert told.startswith("Refused for")
    assert told.endswith("sorry")


@given(st.binary(max_size=300), st.integers(100, 599))
def test_whatever_comes_is_an_answer_or_an_error_of_the_tree(body: bytes, status: int) -> None:
    for traffic in Traffic:
        try:
            assert isinstance(sort(status, body, traffic), dict)
        except HubError as error:
            assert not isinstance(error, ContractBroken)
