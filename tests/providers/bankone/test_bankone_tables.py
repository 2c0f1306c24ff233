"""What we write and read against the collected tables of BankOne (../shared/specs), where they are at hand."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from coopwire.domain.errors import OutcomeUnknown, Refused
from coopwire.ports.corebank import PostingOrder, ReversalOrder
from coopwire.providers.bankone.wire import accounts, calendar, codes, postings, reversals, statements
from coopwire.providers.bankone.wire.answers import read
from coopwire.providers.bankone.wire.codes import Outcome
from coopwire.providers.bankone.wire.institution import HOSTS
from coopwire.providers.bankone.wire.operations import Operation
from coopwire.providers.bankone.wire.postings import Kind

SPECS = Path(__file__).parents[3].parent / "shared" / "specs" / "banking"

pytestmark = pytest.mark.skipif(
    not (SPECS / "bankone" / "endpoints.json").exists(), reason="BankOne's tables are not at ../shared/specs"
)


@cache
def table(name: str) -> Any:
    return json.loads((SPECS / name).read_text())


def endpoint(op: str) -> dict[str, Any]:
    """One row; `credit` is written there as "as debit"."""
    (found,) = [row for row in table("bankone/endpoints.json")["endpoints"] if row["op"] == op]
    if found["request"] == "as debit":
        debit = endpoint("debit")
        return {**found, "request": debit["request"], "response": debit["response"]}
    if found["request"] == "same five fields":
        return {**found, "request": endpoint("tsq_local")["request"]}
    return dict(found)


TOKEN_KEYS = {
    "credit": ("credit", postings.SENDS[Kind.CREDIT]),
    "debit": ("debit", postings.SENDS[Kind.DEBIT]),
    "reversal": ("reversal", reversals.REVERSAL),
    "local_transfer": ("local_transfer", postings.SENDS[Kind.TRANSFER]),
    "tsq_local": ("tsq_local", postings.QUERIES[Kind.CREDIT]),
    "tsq_interbank": ("tsq_interbank", postings.QUERIES[Kind.INTERBANK]),
    "account_enquiry": ("account_enquiry", accounts.ENQUIRY),
}


@pytest.mark.parametrize("op", TOKEN_KEYS)
def test_path_and_name_of_the_token_are_theirs(op: str) -> None:
    row, operation = endpoint(TOKEN_KEYS[op][0]), TOKEN_KEYS[op][1]
    assert (row["method"], row["path"], row["auth"]) == ("POST", operation.path, operation.token_key)


@pytest.mark.parametrize(
    ("op", "operation"),
    [("transactions", statements.STATEMENT), ("outstanding_balance", calendar.BUSINESS_DATE)],
)
def test_a_question_to_the_core_has_their_path_and_spelling(op: str, operation: Operation) -> None:
    row = endpoint(op)
    assert (row["method"], row["path"], row["auth"]) == ("GET", operation.path, operation.token_key)


def test_every_field_that_we_read_of_a_movement_is_one_of_theirs() -> None:
    theirs = {name.partition(" ")[0] for name in endpoint("transactions")["row_fields_memory"]}
    assert set(statements.FIELDS.values()) <= theirs


def test_what_is_asked_of_the_core_is_what_they_list(order: PostingOrder) -> None:
    asked = statements.query(order.account, order.value_on, order.value_on, "100000", 10)
    assert set(asked) == set(endpoint("transactions")["request"])
    assert set(calendar.query(order.account, "100000")) == set(endpoint("outstanding_balance")["request"])


def test_a_reversal_has_exactly_their_fields(order: PostingOrder) -> None:
    made = ReversalOrder(
        "r", order.reference, order.account, order.amount_minor, order.currency, order.value_on
    )
    assert set(reversals.body(made, "CREDIT")) == set(endpoint("reversal")["request"])


def required(row: dict[str, Any]) -> set[str]:
    return {name for name, told in row["request"].items() if "*" in told}


MESSAGES = {
    "credit": {"RetrievalReference", "AccountNumber", "NibssCode", "Amount", "Fee", "Narration", "GLCode"},
    "local_transfer": {
        "Amount",
        "Fee",
        "FromAccountNumber",
        "ToAccountNumber",
        "RetrievalReference",
        "Narration",
    },
}
"""The members of our messages."""


@pytest.mark.parametrize("op", MESSAGES)
def test_our_messages_have_every_member_that_they_require_and_none_that_they_do_not_know(
    op: str, order: PostingOrder
) -> None:
    row = endpoint(op)
    ours = order if op == "credit" else replace(order, gl=None, from_account="1100000002")
    message = postings.body(ours, "", "100000")
    assert set(message) == MESSAGES[op]
    assert required(row) <= set(message) <= set(row["request"])
    assert all(isinstance(value, str) for value in message.values())


@pytest.mark.parametrize("op", ["tsq_local", "tsq_interbank"])
def test_our_question_has_the_members_that_they_require(op: str, order: PostingOrder) -> None:
    question = postings.status_question(order.reference, order.value_on, "CREDIT", order.amount_minor)
    assert required(endpoint(op)) == set(question)
    assert re.fullmatch(r"\d{4}-\d\d-\d\d", question["TransactionDate"])


def test_our_enquiry_has_the_members_that_they_require() -> None:
    assert required(endpoint("account_enquiry")) == set(accounts.question("1100000001"))


def test_lengths_and_units_are_theirs(order: PostingOrder) -> None:
    for op in ("credit", "local_transfer"):
        row = endpoint(op)
        assert row["amount_unit"] == "kobo"
        assert f"max {postings.REFERENCE_MAX}" in row["request"]["RetrievalReference"]
    assert f"max {postings.NARRATION_MAX}" in endpoint("local_transfer")["request"]["Narration"]


def test_types_of_a_status_query_are_theirs() -> None:
    assert endpoint("credit")["tsq"]["type"].startswith(postings.TYPE_WORDS[Kind.CREDIT])
    assert endpoint("local_transfer")["tsq"]["type"].startswith(postings.TYPE_WORDS[Kind.TRANSFER])
    assert endpoint("interbank_transfer")["tsq"]["type"] == postings.TYPE_WORDS[Kind.INTERBANK]
    assert endpoint("interbank_transfer")["tsq"]["path"] == postings.QUERIES[Kind.INTERBANK].path
    assert endpoint("local_transfer")["tsq"]["interval_s"] == postings.QUERY_EVERY_S


def test_every_status_word_of_theirs_is_in_our_table() -> None:
    theirs = endpoint("interbank_transfer")["response"]["Status"].lower().split("|")
    assert set(theirs) == set(postings.STATUS_WORDS)


def test_hosts_are_theirs_over_https() -> None:
    hosts = table("bankone/endpoints.json")["hosts"]
    for mode, url in HOSTS.items():
        told = hosts["live" if mode.value == "live" else "staging"]
        assert url.removeprefix("https://") in told
        assert url.startswith("https://")


def test_an_answer_with_their_members_is_read() -> None:
    approved = dict.fromkeys(endpoint("credit")["response"], "A19")
    told = read(json.dumps({**approved, "IsSuccessful": True, "ResponseCode": "00"}).encode())
    assert postings.posted("TA1B2C3D4E5F", told, codes.CODES, b"").provider_ref == "A19"


ACCOUNT_MEMBERS_READ = {
    "Name",
    "Nuban",
    "Number",
    "AvailableBalance",
    "LedgerBalance",
    "Status",
    "IsSuccessful",
    "PNDStatus",
    "FreezeStatus",
    "RequestStatus",
    "ResponseDescription",
}
ACCOUNT_MEMBERS_DROPPED = {"ProductCode", "PhoneNuber", "BVN", "Tier", "MaximumBalance", "LienStatus"}


def test_every_member_of_an_enquiry_is_read_or_dropped_on_purpose() -> None:
    assert set(endpoint("account_enquiry")["response"]) == ACCOUNT_MEMBERS_READ | ACCOUNT_MEMBERS_DROPPED


EXPECTED_ERROR = {
    Outcome.FAILED: Refused,
    Outcome.INSUFFICIENT_FUNDS: Refused,
    Outcome.REJECTED: Refused,
    Outcome.PENDING: OutcomeUnknown,
    Outcome.DUPLICATE: OutcomeUnknown,
    Outcome.UNKNOWN: OutcomeUnknown,
    Outcome.SUCCESS: OutcomeUnknown,
}
"""What a refusal with a code of this class is to us; a no with the code of a yes is no word at all."""


def test_our_outcomes_are_the_contracts() -> None:
    assert [outcome.value for outcome in Outcome] == table("response-codes.json")["outcome_classes"]


@pytest.mark.parametrize("code", [*codes.CODES, "", "ZZ"])
def test_every_code_means_what_the_contract_says_and_has_its_error(code: str) -> None:
    meaning = codes.outcome(code, codes.CODES)
    assert meaning.value == table("response-codes.json")["default"].get(code, "unknown")
    answer = read(json.dumps({"IsSuccessful": False, "ResponseCode": code}).encode())
    with pytest.raises(EXPECTED_ERROR[meaning]):
        postings.posted("TA1B2C3D4E5F", answer, codes.CODES, b"")


def test_no_code_of_the_contract_is_missing() -> None:
    assert set(table("response-codes.json")["default"]) - {""} == set(codes.CODES)
