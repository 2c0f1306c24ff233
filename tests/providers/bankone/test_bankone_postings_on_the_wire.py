"""Credits, transfers and status queries as BankOne reads and writes them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coopwire.domain.books import Side
from coopwire.domain.errors import ContractBroken, InvalidOrder, OutcomeUnknown, Refused, TryLater
from coopwire.ports.corebank import PostingOrder
from coopwire.ports.writes import FindingWord
from coopwire.providers.bankone.wire import postings
from coopwire.providers.bankone.wire.answers import read
from coopwire.providers.bankone.wire.codes import CODES, Outcome
from coopwire.providers.bankone.wire.postings import Kind


def said(order: PostingOrder, gl: str = "", nibss: str = "") -> dict[str, str]:
    return postings.body(order, gl, nibss)


def told(**members: object) -> Mapping[str, object]:
    return read(json.dumps(members).encode())


def test_a_credit_is_said_in_kobo_without_its_token(order: PostingOrder) -> None:
    assert said(order, nibss="100000") == {
        "RetrievalReference": "TA1B2C3D4E5F",
        "AccountNumber": "1100000001",
        "NibssCode": "100000",
        "Amount": "102550",
        "Fee": "0",
        "Narration": "Loan repayment L-77",
        "GLCode": "1001",
    }
    assert "NibssCode" not in said(order)


def test_a_debit_is_said_in_the_same_words_as_a_credit(order: PostingOrder) -> None:
    debit = replace(order, side=Side.DEBIT)
    assert said(debit, nibss="100000") == said(order, nibss="100000")
    assert (postings.kind_of(order), postings.kind_of(debit)) == (Kind.CREDIT, Kind.DEBIT)
    assert postings.SENDS[Kind.DEBIT].path.endswith("/CoreTransactions/Debit")


def test_a_transfer_is_said_between_two_accounts(order: PostingOrder) -> None:
    transfer = replace(order, gl=None, from_account="1100000002")
    assert said(transfer, gl="1001") == {
        "Amount": "102550",
        "Fee": "0",
        "FromAccountNumber": "1100000002",
        "ToAccountNumber": "1100000001",
        "RetrievalReference": "TA1B2C3D4E5F",
        "Narration": "Loan repayment L-77",
    }


def test_the_gl_of_the_order_goes_before_that_of_the_connection(order: PostingOrder) -> None:
    assert said(order, gl="2001")["GLCode"] == "1001"
    assert said(replace(order, gl=None), gl="2001")["GLCode"] == "2001"


BROKEN: dict[str, tuple[dict[str, Any], str]] = {
    "no GL": ({"gl": None}, "gl"),
    "a GL that is none": ({"gl": "10 01"}, "gl"),
    "a GL and an account": ({"from_account": "1100000002"}, "gl"),
    "a long reference": ({"reference": "TA1B2C3D4E5F6"}, "reference"),
    "a small reference": ({"reference": "ta1b2c3d4e5f"}, "reference"),
    "no reference": ({"reference": ""}, "reference"),
    "another currency": ({"currency": "USD"}, "currency"),
    "nothing": ({"amount_minor": 0}, "amount_minor"),
    "less than nothing": ({"amount_minor": -1}, "amount_minor"),
    "beyond any amount": ({"amount_minor": 2**63}, "amount_minor"),
    "an account with letters": ({"account": "11000A0001"}, "account"),
    "no account": ({"account": ""}, "account"),
    "the account itself": ({"gl": None, "from_account": "1100000001"}, "from_account"),
    "a source with letters": ({"gl": None, "from_account": "x"}, "from_account"),
    "a debit for another account": (
        {"gl": None, "from_account": "1100000002", "side": Side.DEBIT},
        "from_account",
    ),
}


@pytest.mark.parametrize("what", BROKEN)
def test_an_order_that_they_would_refuse_or_misunderstand_is_not_said(order: PostingOrder, what: str) -> None:
    change, field = BROKEN[what]
    with pytest.raises(InvalidOrder) as error:
        said(replace(order, **change))
    assert error.value.field == field
    assert order.account not in str(error.value)


@pytest.mark.parametrize(
    ("narration", "folded"),
    [
        ("Áyọ̀délé", "Ayodele"),
        ("₦5,000 “repaid”", "N5 000 repaid"),
        ("a\n\tb", "a b"),
        ('","Amount":"1', "Amount 1"),
        ("", "TA1B2C3D4E5F"),
        ("漢字", "TA1B2C3D4E5F"),
        ("x" * 150, "x" * 100),
    ],
)
def test_a_narration_is_folded_to_plain_characters(order: PostingOrder, narration: str, folded: str) -> None:
    assert said(replace(order, narration=narration))["Narration"] == folded


@given(st.text(max_size=300))
def test_whatever_the_narration_the_message_keeps_its_fields(narration: str) -> None:
    order = PostingOrder("TA1B2C3D4E5F", "1100000001", 5, "NGN", narration, date(2026, 3, 2), "1001")
    message = said(order)
    assert set(message) == {"RetrievalReference", "AccountNumber", "Amount", "Fee", "Narration", "GLCode"}
    assert 0 < len(message["Narration"]) <= postings.NARRATION_MAX
    assert message["Narration"].isascii()
    assert all(char.isalnum() or char in " .-" for char in message["Narration"])


@given(st.integers(min_value=1, max_value=10**12))
def test_an_amount_is_its_kobo_as_digits(minor: int) -> None:
    order = PostingOrder("TA1B2C3D4E5F", "1100000001", minor, "NGN", "x", date(2026, 3, 2), "1001")
    assert int(said(order)["Amount"]) == minor
    question = postings.status_question(order.reference, date(2026, 3, 2), "CREDIT", minor)
    assert question["Amount"] == said(order)["Amount"]


def test_the_token_is_added_on_the_way_out_alone(order: PostingOrder) -> None:
    sent = json.loads(postings.with_token(said(order), "Token", "secret"))
    assert sent == {**said(order), "Token": "secret"}


def test_an_approved_posting_is_told_with_both_references() -> None:
    answer = told(IsSuccessful=True, ResponseMessage="Approved", ResponseCode="00", Reference="A19")
    snapshot = postings.posted("TA1B2C3D4E5F", answer, CODES, b"raw")
    assert (snapshot.provider_ref, snapshot.reference, snapshot.raw) == ("A19", "TA1B2C3D4E5F", b"raw")


REFUSALS: dict[str, tuple[dict[str, object], type[Exception]]] = {
    "no funds": ({"IsSuccessful": False, "ResponseCode": "51"}, Refused),
    "no such account": ({"IsSuccessful": False, "ResponseCode": "14"}, Refused),
    "a number for a code": ({"IsSuccessful": False, "ResponseCode": 51}, Refused),
    "a message not understood": ({"IsSuccessful": False, "ResponseCode": "30"}, Refused),
    "a duplicate": ({"IsSuccessful": False, "ResponseCode": "26"}, OutcomeUnknown),
    "another duplicate": ({"IsSuccessful": False, "ResponseCode": "94"}, OutcomeUnknown),
    "pending": ({"IsSuccessful": False, "ResponseCode": "09"}, OutcomeUnknown),
    "an error of the switch": ({"IsSuccessful": False, "ResponseCode": "91"}, OutcomeUnknown),
    "a code that nobody knows": ({"IsSuccessful": False, "ResponseCode": "ZZ"}, OutcomeUnknown),
    "no code": ({"IsSuccessful": False}, OutcomeUnknown),
    "a code that is no text": ({"IsSuccessful": False, "ResponseCode": ["51"]}, OutcomeUnknown),
    "a no with the code of a yes": ({"IsSuccessful": False, "ResponseCode": "00"}, OutcomeUnknown),
    "a yes with the code of a no": (
        {"IsSuccessful": True, "ResponseCode": "51", "Reference": "A1"},
        OutcomeUnknown,
    ),
    "a yes without a code": ({"IsSuccessful": True, "Reference": "A1"}, OutcomeUnknown),
    "neither yes nor no": ({"ResponseCode": "00", "Reference": "A1"}, OutcomeUnknown),
    "a yes that is a number": (
        {"IsSuccessful": 1, "ResponseCode": "00", "Reference": "A1"},
        OutcomeUnknown,
    ),
    "a yes without their reference": ({"IsSuccessful": True, "ResponseCode": "00"}, ContractBroken),
}


@pytest.mark.parametrize("what", REFUSALS)
def test_an_answer_that_is_no_yes_means(what: str) -> None:
    members, expected = REFUSALS[what]
    with pytest.raises(expected) as error:
        postings.posted("TA1B2C3D4E5F", told(**members), CODES, b"")
    assert type(error.value) is expected


def test_keys_count_in_any_case_and_a_yes_may_be_text() -> None:
    answer = told(issuccessFul="True", RESPONSECODE="00", reference="A19")
    assert postings.posted("TA1B2C3D4E5F", answer, CODES, b"").provider_ref == "A19"


def test_an_installation_can_say_what_its_codes_mean() -> None:
    answer = told(IsSuccessful=False, ResponseCode="91")
    with pytest.raises(Refused):
        postings.posted("TA1B2C3D4E5F", answer, {**CODES, "91": Outcome.FAILED}, b"")


def test_a_refusal_is_told_in_their_words_without_numbers_of_people() -> None:
    answer = told(
        IsSuccessful=False, ResponseCode="14", ResponseMessage="No account 1100000001 for ngozi@example.com"
    )
    with pytest.raises(Refused) as error:
        postings.posted("TA1B2C3D4E5F", answer, CODES, b"")
    assert error.value.code == "14"
    assert "No account" in error.value.message
    assert "1100000001" not in error.value.message
    assert "ngozi" not in error.value.message


FINDINGS: dict[str, tuple[dict[str, object], FindingWord]] = {
    "done": ({"ResponseCode": "00", "Status": "Successful", "Reference": "A1"}, FindingWord.EXECUTED),
    "done, fee open": ({"ResponseCode": "00", "Status": "SuccessfulButFeeNotTaken"}, FindingWord.EXECUTED),
    "done in capitals": ({"ResponseCode": 0, "Status": "SUCCESSFUL"}, FindingWord.EXECUTED),
    "done without a code": ({"Status": "Successful"}, FindingWord.PENDING),
    "done with the code of a failure": ({"ResponseCode": "51", "Status": "Successful"}, FindingWord.PENDING),
    "failed": ({"ResponseCode": "51", "Status": "Failed"}, FindingWord.REFUSED),
    "failed, the query was fine": ({"ResponseCode": "00", "Status": "Failed"}, FindingWord.REFUSED),
    "failed without a code": ({"Status": "Failed"}, FindingWord.REFUSED),
    "failed with the code of doubt": ({"ResponseCode": "91", "Status": "Failed"}, FindingWord.PENDING),
    "failed as a duplicate": ({"ResponseCode": "26", "Status": "Failed"}, FindingWord.PENDING),
    "failed, for it is not there": ({"ResponseCode": "25", "Status": "Failed"}, FindingWord.ABSENT),
    "not there": ({"ResponseCode": "25", "Status": "NotFound"}, FindingWord.ABSENT),
    "reversed": ({"ResponseCode": "00", "Status": "Reversed"}, FindingWord.REFUSED),
    "pending": ({"ResponseCode": "09", "Status": "Pending"}, FindingWord.PENDING),
    "a word never seen": ({"ResponseCode": "00", "Status": "Settled"}, FindingWord.PENDING),
    "no word": ({"ResponseCode": "00"}, FindingWord.PENDING),
    "a word that is a number": ({"ResponseCode": "00", "Status": 0}, FindingWord.PENDING),
}


@pytest.mark.parametrize("what", FINDINGS)
def test_a_status_query_that_worked_says(what: str) -> None:
    members, expected = FINDINGS[what]
    found = postings.finding("TA1B2C3D4E5F", told(IsSuccessful=True, **members), CODES, b"")
    assert found.word is expected
    assert bool(found.snapshots) == (expected is FindingWord.EXECUTED)


def test_what_is_found_has_both_references_and_ours_where_they_give_none() -> None:
    members = {"IsSuccessful": True, "ResponseCode": "00", "Status": "Successful"}
    with_theirs = postings.finding("TA1B2C3D4E5F", told(**members, Reference="A19"), CODES, b"raw").snapshots
    without = postings.finding("TA1B2C3D4E5F", told(**members), CODES, b"raw").snapshots
    assert [each.provider_ref for each in (*with_theirs, *without)] == ["A19", "TA1B2C3D4E5F"]


def test_a_status_query_that_failed_is_asked_again_after_a_minute() -> None:
    with pytest.raises(TryLater) as later:
        postings.finding("TA1B2C3D4E5F", told(IsSuccessful=False, ResponseCode="96"), CODES, b"")
    assert later.value.retry_after == 60


@pytest.mark.parametrize("words", ["Transaction was not found", "Unable to locate record", "No record"])
def test_a_query_that_failed_because_it_is_not_there_says_absent(words: str) -> None:
    answer = told(IsSuccessful=False, ResponseCode="96", ResponseMessage=words)
    assert postings.finding("TA1B2C3D4E5F", answer, CODES, b"").word is FindingWord.ABSENT


def test_a_status_query_without_yes_and_no_breaks_the_contract() -> None:
    with pytest.raises(ContractBroken):
        postings.finding("TA1B2C3D4E5F", told(Status="Successful", ResponseCode="00"), CODES, b"")


words = (
    st.sampled_from(["Successful", "Failed", "Pending", "Reversed", "", "Other"]) | st.none() | st.integers()
)


@given(
    st.sampled_from([True, False, None, "true", "no", 1]),
    st.sampled_from([*CODES, "ZZ"]) | st.integers(-5, 120) | st.none(),
    words,
)
def test_executed_is_said_only_on_an_explicit_word(yes: object, code: object, status: object) -> None:
    answer = told(IsSuccessful=yes, ResponseCode=code, Status=status, Reference="A1")
    try:
        found = postings.finding("TA1B2C3D4E5F", answer, CODES, b"")
    except (ContractBroken, TryLater):
        return
    if found.word is FindingWord.EXECUTED:
        assert yes in (True, "true")
        assert code in ("00", 0)
        assert status == "Successful"


@pytest.mark.parametrize("kind", Kind)
def test_each_kind_is_asked_about_where_it_is_known(kind: Kind) -> None:
    path = postings.QUERIES[kind].path
    assert ("CoreTransactions" in path) == (kind is not Kind.INTERBANK)
