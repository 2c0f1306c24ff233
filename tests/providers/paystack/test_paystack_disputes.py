"""Disputes through the adapter: whose turn it is, what is answered, and whether it was."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coopwire.domain.disputes import DisputeVerdict
from coopwire.domain.errors import ContractBroken, InvalidOrder, OutcomeUnknown, Refused, TryLater
from coopwire.domain.states import DisputeState
from coopwire.ports.gateways import DisputeOrder, Disputes, same_answer
from coopwire.ports.writes import FindingWord
from coopwire.providers.paystack.adapter import connect
from coopwire.providers.paystack.wire.disputes import answer_body, dispute_of

SENT_AT = datetime(2026, 3, 2, tzinfo=UTC)


def order(**changes: Any) -> DisputeOrder:
    values: dict[str, Any] = {
        "reference": "d1s2p3u4t5e6a7n8s9w0",
        "dispute": "358950",
        "verdict": DisputeVerdict.ACCEPT,
        "refund_minor": 50_001,
        "currency": "NGN",
        "message": "We agree with Ngozi",
        "evidence_file": "qesp8a4df1xejihd9x5q",
    }
    return DisputeOrder(**{**values, **changes})


def a_dispute(**changes: object) -> dict[str, object]:
    return {
        "id": 358_950,
        "refund_amount": 50_001,
        "currency": "NGN",
        "status": "awaiting-merchant-feedback",
        "resolution": None,
        "domain": "test",
        "transaction": {"id": 5_100_000_001, "reference": "ref1", "amount": 150_000, "currency": "NGN"},
        "transaction_reference": None,
        "category": "chargeback",
        "dueAt": "2026-03-03T18:00:00.000Z",
        "createdAt": "2026-03-02T13:46:57.000Z",
        **changes,
    }


def said(data: object, **envelope: object) -> str:
    return json.dumps({"status": True, "message": "ok", "data": data, **envelope})


@pytest.fixture
def disputes(server: Any, outside: Any, connection: Any) -> Disputes:
    found = connect(connection(server.url), outside).disputes
    assert found is not None
    return found


# -- words ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "resolution", "state", "answer"),
    [
        ("awaiting-merchant-feedback", None, DisputeState.OPEN, None),
        ("pending", None, DisputeState.OPEN, None),
        ("awaiting-bank-feedback", None, DisputeState.UNDER_REVIEW, None),
        ("awaiting-bank-feedback", "declined", DisputeState.UNDER_REVIEW, DisputeVerdict.CONTEST),
        ("resolved", "merchant-accepted", DisputeState.LOST, DisputeVerdict.ACCEPT),
        ("resolved", "auto-accepted", DisputeState.LOST, None),
        ("resolved", "declined", DisputeState.WON, DisputeVerdict.CONTEST),
        ("resolved", None, DisputeState.UNDER_REVIEW, None),
        ("resolved", "split", DisputeState.UNDER_REVIEW, None),
        ("archived", None, DisputeState.UNDER_REVIEW, None),
        ("archived", "auto-accepted", DisputeState.UNDER_REVIEW, None),
    ],
)
def test_only_resolved_and_an_explicit_resolution_end_a_dispute(
    status: str, resolution: str | None, state: DisputeState, answer: DisputeVerdict | None
) -> None:
    told = dispute_of(a_dispute(status=status, resolution=resolution), b"")
    assert (told.state, told.answer) == (state, answer)


@given(st.text(max_size=40), st.none() | st.text(max_size=40))
def test_no_word_of_tomorrow_ends_one(status: str, resolution: str | None) -> None:
    try:
        told = dispute_of(a_dispute(status=f"{status}!", resolution=resolution), b"")
    except ContractBroken:
        return
    assert told.state is DisputeState.UNDER_REVIEW


def test_the_payment_is_named_by_the_transaction_and_a_claim_without_amount_is_the_whole_charge() -> None:
    """Contract 1.1: amounts are nullable; 1.4: the top-level transaction_reference is null."""
    told = dispute_of(a_dispute(refund_amount=None, currency=None), b"")
    assert (told.charge, told.reference) == ("5100000001", "ref1")
    assert (told.amount_minor, told.currency) == (150_000, "NGN")


@pytest.mark.parametrize(
    "changes",
    [
        {"id": "x"},
        {"status": None},
        {"transaction": None},
        {"refund_amount": "much"},
        {"currency": "naira"},
        {"dueAt": "soon"},
        {"domain": None},
    ],
)
def test_a_dispute_that_cannot_be_read_is_broken_never_guessed(changes: dict[str, object]) -> None:
    with pytest.raises(ContractBroken):
        dispute_of(a_dispute(**changes), b"")


# -- the answer -----------------------------------------------------------------------------------------------


def test_an_acceptance_names_money_words_and_file() -> None:
    assert json.loads(answer_body(order())) == {
        "resolution": "merchant-accepted",
        "message": "We agree with Ngozi",
        "refund_amount": 50_001,
        "uploaded_filename": "qesp8a4df1xejihd9x5q",
    }


def test_who_contests_gives_nothing_back() -> None:
    body = json.loads(answer_body(order(verdict=DisputeVerdict.CONTEST, refund_minor=0)))
    assert (body["resolution"], body["refund_amount"]) == ("declined", 0)


@pytest.mark.parametrize("message", ["🙂 \u202eabc", '"}],"refund_amount":1', "a\nb", "'; DROP TABLE--"])
def test_hostile_words_arrive_unchanged(message: str) -> None:
    assert json.loads(answer_body(order(message=message)))["message"] == message


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"refund_minor": 0}, "amount_minor"),
        ({"refund_minor": -1}, "amount_minor"),
        ({"verdict": DisputeVerdict.CONTEST}, "refund_minor"),
        ({"currency": "naira"}, "currency"),
        ({"dispute": "../1"}, "dispute"),
        ({"message": " "}, "message"),
        ({"message": "x" * 2_001}, "message"),
        ({"message": "half \ud800"}, "message"),
        ({"evidence_file": None}, "evidence_file"),
        ({"evidence_file": "a\nb"}, "evidence_file"),
    ],
)
def test_what_they_are_known_to_refuse_is_never_sent(changes: dict[str, object], field: str) -> None:
    with pytest.raises(InvalidOrder) as refused:
        answer_body(order(**changes))
    assert refused.value.field == field


def test_neither_words_nor_file_nor_upload_address_are_shown() -> None:
    assert "Ngozi" not in repr(order())
    assert "qesp8a4" not in repr(order())


async def test_it_is_put_to_the_dispute_and_the_answer_is_about_it(server: Any, disputes: Disputes) -> None:
    done = a_dispute(status="resolved", resolution="merchant-accepted")
    server.will_say(said(done))
    told = await disputes.send(order(), disputes.say(order()))
    assert (server.asked[0].method, server.asked[0].path) == ("PUT", "/dispute/358950/resolve")
    assert same_answer(order(), told)
    server.will_say(said({**done, "id": 7}))
    with pytest.raises(ContractBroken):
        await disputes.send(order(), disputes.say(order()))


async def test_the_transaction_may_be_a_bare_number_in_the_answer(server: Any, disputes: Disputes) -> None:
    """As the official OpenAPI file has it, where the samples nest it."""
    server.will_say(
        said(a_dispute(status="resolved", resolution="merchant-accepted", transaction=5_100_000_001))
    )
    told = await disputes.send(order(), disputes.say(order()))
    assert (told.charge, told.reference) == ("5100000001", None)


@pytest.mark.parametrize(
    ("status", "body", "error"),
    [
        (400, '{"status":false,"message":"Refund amount cannot be greater than initial amount"}', Refused),
        (200, '{"status":false,"message":"Dispute has already been resolved"}', Refused),
        (503, "<html>", OutcomeUnknown),
        (200, "", OutcomeUnknown),
        (200, '{"status":true,"mess', OutcomeUnknown),
        (429, '{"status":false,"message":"Too many requests"}', TryLater),
    ],
)
async def test_every_other_answer_to_an_answer_has_its_error(
    server: Any, disputes: Disputes, status: int, body: str, error: type[Exception]
) -> None:
    server.will_say(body, status=status)
    with pytest.raises(error):
        await disputes.send(order(), disputes.say(order()))


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({}, FindingWord.ABSENT),
        ({"status": "awaiting-bank-feedback", "resolution": "declined"}, FindingWord.EXECUTED),
        ({"status": "resolved", "resolution": "merchant-accepted"}, FindingWord.EXECUTED),
        ({"status": "resolved", "resolution": "auto-accepted"}, FindingWord.REFUSED),
    ],
)
async def test_reading_the_dispute_tells_what_became_of_an_answer(
    server: Any, disputes: Disputes, changes: dict[str, object], word: FindingWord
) -> None:
    server.will_say(said(a_dispute(**changes)))
    assert (await disputes.find(order(), SENT_AT)).word is word


async def test_a_place_for_evidence_is_told_and_its_address_hidden(server: Any, disputes: Disputes) -> None:
    server.will_say(said({"signedUrl": "https://files.example/x?sig=abc", "fileName": "qesp"}))
    place = await disputes.evidence_place("358950")
    assert (place.name, place.url) == ("qesp", "https://files.example/x?sig=abc")
    assert "sig=abc" not in repr(place)
    assert server.asked[0].path == "/dispute/358950/upload_url"


@pytest.mark.parametrize("wanted", ["", "..", "1/../2", "٣", "358950/resolve"])
async def test_an_id_that_is_none_asks_for_no_other_path(
    server: Any, disputes: Disputes, wanted: str
) -> None:
    with pytest.raises(ContractBroken):
        await disputes.fetch(wanted)
    assert server.asked == []
