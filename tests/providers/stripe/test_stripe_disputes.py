"""Stripe's disputes through the adapter: whose turn it is, what is answered, and whether it was."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coopwire.domain.disputes import DisputeVerdict
from coopwire.domain.errors import (
    ContractBroken,
    InvalidOrder,
    OutcomeUnknown,
    Refused,
    TryLater,
    Unsupported,
)
from coopwire.domain.states import DisputeState
from coopwire.ports.gateways import DisputeOrder, Disputes, same_answer
from coopwire.ports.writes import FindingWord
from coopwire.providers.stripe.wire.disputes import STATES, answer_form, dispute_of

DISPUTE = "dp_1Pgc71B7WZ01zgkWMevJiAUx"
SENT_AT = datetime(2026, 3, 2, tzinfo=UTC)
ACCEPT, CONTEST = DisputeVerdict.ACCEPT, DisputeVerdict.CONTEST


def order(**changes: Any) -> DisputeOrder:
    values: dict[str, Any] = {
        "reference": "d1s2p3u4t5e6a7n8s9w0",
        "dispute": DISPUTE,
        "verdict": ACCEPT,
        "refund_minor": 50_001,
        "currency": "USD",
        "message": "We agree with Ngozi",
        "whole": True,
    }
    return DisputeOrder(**{**values, **changes})


def contest(**changes: Any) -> DisputeOrder:
    return order(verdict=CONTEST, refund_minor=0, **changes)


def a_dispute(submissions: int = 0, **changes: object) -> dict[str, object]:
    return {
        "id": DISPUTE,
        "object": "dispute",
        "amount": 50_001,
        "currency": "usd",
        "charge": "ch_1PgafuB7WZ01zgkWXYmPNZs8",
        "payment_intent": {
            "id": "pi_1PgafuB7WZ01zgkW",
            "object": "payment_intent",
            "metadata": {"reference": "ref00000000000000001"},
        },
        "created": 1_772_459_217,
        "evidence_details": {
            "due_by": 1_772_560_800,
            "has_evidence": submissions > 0,
            "past_due": False,
            "submission_count": submissions,
        },
        "livemode": False,
        "reason": "fraudulent",
        "status": "needs_response",
        **changes,
    }


def told(**changes: Any) -> str:
    return json.dumps(a_dispute(**changes))


def form(body: bytes) -> dict[str, str]:
    return dict(parse_qsl(body.decode(), strict_parsing=True))


@pytest.fixture
def disputes(server: Any) -> Disputes:
    return server.sockets.disputes  # type: ignore[no-any-return]


# -- words ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "submissions", "state", "answer"),
    [
        ("warning_needs_response", 0, DisputeState.OPEN, None),
        ("warning_under_review", 1, DisputeState.UNDER_REVIEW, CONTEST),
        ("warning_closed", 0, DisputeState.WON, None),
        ("needs_response", 0, DisputeState.OPEN, None),
        ("under_review", 1, DisputeState.UNDER_REVIEW, CONTEST),
        ("appeal_needs_response", 1, DisputeState.OPEN, CONTEST),
        ("appeal_under_review", 1, DisputeState.UNDER_REVIEW, CONTEST),
        ("prevented", 0, DisputeState.WON, None),
        ("won", 1, DisputeState.WON, CONTEST),
        ("lost", 1, DisputeState.LOST, CONTEST),
        ("lost", 0, DisputeState.LOST, ACCEPT),
        ("charge_refunded", 0, DisputeState.UNDER_REVIEW, None),
    ],
)
def test_every_word_of_2026_says_where_it_stands_and_submissions_say_what_was_answered(
    status: str, submissions: int, state: DisputeState, answer: DisputeVerdict | None
) -> None:
    seen = dispute_of(a_dispute(submissions, status=status), b"")
    assert (seen.state, seen.answer) == (state, answer)


def test_evidence_that_is_only_staged_is_no_answer() -> None:
    staged = {"due_by": 1_772_560_800, "has_evidence": True, "past_due": False, "submission_count": 0}
    assert dispute_of(a_dispute(evidence_details=staged), b"").answer is None


@given(st.text(max_size=40).filter(lambda word: word not in STATES))
def test_no_word_of_tomorrow_ends_one(status: str) -> None:
    try:
        seen = dispute_of(a_dispute(status=status), b"")
    except ContractBroken:
        return
    assert (seen.state, seen.answer) == (DisputeState.UNDER_REVIEW, None)
    assert "never seen" in seen.reason


def test_the_payment_is_named_by_its_intent_and_an_old_charge_by_itself() -> None:
    seen = dispute_of(a_dispute(), b"")
    assert (seen.charge, seen.reference) == ("pi_1PgafuB7WZ01zgkW", "ref00000000000000001")
    assert (seen.amount_minor, seen.currency, seen.category) == (50_001, "USD", "fraudulent")
    assert dispute_of(a_dispute(payment_intent="pi_2"), b"").charge == "pi_2"
    old = dispute_of(a_dispute(payment_intent=None), b"")
    assert (old.charge, old.reference) == ("ch_1PgafuB7WZ01zgkWXYmPNZs8", None)


@pytest.mark.parametrize("due_by", [0, None])
def test_a_bank_that_takes_no_answer_sets_no_deadline(due_by: int | None) -> None:
    details = {"due_by": due_by, "submission_count": 0}
    assert dispute_of(a_dispute(evidence_details=details), b"").deadline_at is None


def test_trap_2_a_claim_in_yen_is_in_yen() -> None:
    seen = dispute_of(a_dispute(currency="jpy", amount=500), b"")
    assert (seen.amount_minor, seen.currency) == (500, "JPY")


@pytest.mark.parametrize(
    "changes",
    [
        {"object": "charge"},
        {"id": None},
        {"status": None},
        {"payment_intent": None, "charge": None},
        {"amount": "much"},
        {"amount": -1},
        {"currency": "dollars"},
        {"created": "soon"},
        {"livemode": "no"},
    ],
)
def test_a_dispute_that_cannot_be_read_is_broken_never_guessed(changes: dict[str, object]) -> None:
    with pytest.raises(ContractBroken):
        dispute_of(a_dispute(**changes), b"")


# -- the answer -----------------------------------------------------------------------------------------------


def test_who_contests_sends_words_and_submits_them() -> None:
    assert form(answer_form(contest(message="Paid & agreed"))) == {
        "evidence[uncategorized_text]": "Paid & agreed",
        "submit": "true",
        "expand[0]": "payment_intent",
    }


def test_a_file_that_lies_there_may_be_named() -> None:
    said = form(answer_form(contest(evidence_file="file_1Pgc7")))
    assert said["evidence[uncategorized_file]"] == "file_1Pgc7"


def test_who_accepts_sends_no_words() -> None:
    assert form(answer_form(order())) == {"expand[0]": "payment_intent"}


@pytest.mark.parametrize(
    ("field", "wrong"),
    [
        ("dispute", order(dispute="../charges")),
        ("dispute", order(dispute="dp_1/close?x=")),
        ("message", order(message=" ")),
        ("message", contest(message="x" * 20_001)),
        ("amount_minor", order(refund_minor=0)),
        ("refund_minor", order(whole=False)),
        ("refund_minor", order(verdict=CONTEST, refund_minor=1)),
        ("evidence_file", contest(evidence_file="evidence.pdf")),
    ],
)
def test_an_answer_that_they_would_refuse_is_not_said(field: str, wrong: DisputeOrder) -> None:
    with pytest.raises(InvalidOrder) as refused:
        answer_form(wrong)
    assert refused.value.field == field


async def test_what_is_closed_is_read_first_and_sent_under_our_key(server: Any, disputes: Disputes) -> None:
    server.will_say(told())
    server.will_say(told(status="lost"))
    seen = await disputes.send(order(), disputes.say(order()))
    assert same_answer(order(), seen)
    assert [asked.method for asked in server.asked] == ["GET", "POST"]
    assert server.asked[1].path == f"/v1/disputes/{DISPUTE}/close"
    assert order().reference in server.asked[1].headers["Idempotency-Key"]


async def test_what_is_contested_goes_to_the_dispute_itself(server: Any, disputes: Disputes) -> None:
    server.will_say(told())
    server.will_say(told(status="under_review", submissions=1))
    seen = await disputes.send(contest(), disputes.say(contest()))
    assert (seen.state, seen.answer) == (DisputeState.UNDER_REVIEW, CONTEST)
    assert server.asked[1].path == f"/v1/disputes/{DISPUTE}"


@pytest.mark.parametrize(
    ("one", "stands"),
    [
        (order(refund_minor=50_000), {}),
        (order(currency="EUR"), {}),
        (order(), {"status": "warning_needs_response"}),
        (order(), {"status": "appeal_needs_response"}),
        (contest(), {"status": "appeal_needs_response"}),
        (contest(), {"status": "a_word_of_tomorrow"}),
    ],
    ids=[
        "another amount by now",
        "another currency",
        "an inquiry",
        "an appeal accepted",
        "an appeal contested",
        "a new word",
    ],
)
async def test_an_answer_that_does_not_fit_how_it_stands_is_not_sent(
    server: Any, disputes: Disputes, one: DisputeOrder, stands: dict[str, Any]
) -> None:
    server.will_say(told(**stands))
    with pytest.raises(InvalidOrder):
        await disputes.send(one, disputes.say(one))
    assert len(server.asked) == 1


@pytest.mark.parametrize(
    "stands", [{"status": "lost"}, {"status": "won"}, {"submissions": 1}, {"status": "warning_closed"}]
)
async def test_what_is_answered_or_ended_is_looked_up_and_never_answered_again(
    server: Any, disputes: Disputes, stands: dict[str, Any]
) -> None:
    server.will_say(told(**stands))
    with pytest.raises(OutcomeUnknown):
        await disputes.send(order(), disputes.say(order()))
    assert len(server.asked) == 1


async def test_a_dispute_that_cannot_be_read_first_is_tried_later(server: Any, disputes: Disputes) -> None:
    server.will_say("", status=503)
    with pytest.raises(TryLater):
        await disputes.send(order(), disputes.say(order()))


@pytest.mark.parametrize("answer", [told(id="dp_2"), "{}", told(amount=None), json.dumps({"id": DISPUTE})])
async def test_a_yes_about_something_else_is_no_answer(server: Any, disputes: Disputes, answer: str) -> None:
    server.will_say(told())
    server.will_say(answer)
    with pytest.raises((ContractBroken, OutcomeUnknown)):
        await disputes.send(order(), disputes.say(order()))


async def test_a_refusal_keeps_their_words(server: Any, disputes: Disputes) -> None:
    server.will_say(told())
    error = {"type": "invalid_request_error", "message": "This dispute is already closed."}
    server.will_say(json.dumps({"error": error}), status=400)
    with pytest.raises(Refused, match="already closed"):
        await disputes.send(order(), disputes.say(order()))


# -- the look-up ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("stands", "word"),
    [
        ({}, FindingWord.ABSENT),
        ({"status": "lost"}, FindingWord.EXECUTED),
        ({"status": "under_review", "submissions": 1}, FindingWord.EXECUTED),
        ({"status": "won"}, FindingWord.REFUSED),
        ({"status": "prevented"}, FindingWord.REFUSED),
        ({"status": "under_review"}, FindingWord.ABSENT),
    ],
)
async def test_the_dispute_itself_tells_what_became_of_an_answer(
    server: Any, disputes: Disputes, stands: dict[str, Any], word: FindingWord
) -> None:
    server.will_say(told(**stands))
    assert (await disputes.find(order(), SENT_AT)).word is word


async def test_the_hub_puts_no_file_there(server: Any, disputes: Disputes) -> None:
    with pytest.raises(Unsupported):
        await disputes.evidence_place(DISPUTE)
    assert server.asked == []


@pytest.mark.parametrize("wanted", ["", "..", "dp_../x", "ch_1", "dp_٣"])
async def test_an_id_that_is_none_of_theirs_asks_for_nothing(
    server: Any, disputes: Disputes, wanted: str
) -> None:
    with pytest.raises(ContractBroken):
        await disputes.fetch(wanted)
    assert server.asked == []


async def test_another_dispute_is_not_the_one_that_was_asked_for(server: Any, disputes: Disputes) -> None:
    server.will_say(told(id="dp_2"))
    with pytest.raises(ContractBroken):
        await disputes.fetch(DISPUTE)
