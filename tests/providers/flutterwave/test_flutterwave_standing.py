"""Static accounts, saved cards and chargebacks at Flutterwave: what is said, what is read, what is never guessed."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coopwire.domain.disputes import DisputeVerdict
from coopwire.domain.errors import ContractBroken, InvalidOrder, OutcomeUnknown, Refused
from coopwire.domain.payments import Mode, Payer
from coopwire.domain.states import AccountState, DisputeState, PaymentState
from coopwire.domain.virtual_accounts import Identity
from coopwire.ports.gateways import (
    AccountClosingOrder,
    ChargeSnapshot,
    DisputeOrder,
    SavedChargeOrder,
    VirtualAccountOrder,
)
from coopwire.ports.providers import Connection
from coopwire.ports.writes import FindingWord
from coopwire.providers.flutterwave.wire import accounts, disputes, saved
from coopwire.providers.flutterwave.wire.account import Account, account
from coopwire.providers.flutterwave.wire.answers import Said, said
from coopwire.providers.flutterwave.wire.authorizations import authorization_of
from coopwire.providers.flutterwave.wire.charges import charge_of
from coopwire.simulation.given import Given

Transaction = Callable[..., dict[str, object]]
REFERENCE = "ref00000000000000001"
TOKEN = "flw-t1nf-f9b3bf384cd30d6fca42b6df9d27bd2f-m03k"
LIVE = account(Connection("f", "flutterwave", Mode.LIVE, {"secret_key": "FLWSECK-x"}))
TEST = account(Connection("f", "flutterwave", Mode.TEST, {"secret_key": "FLWSECK_TEST-x"}))


def yes(data: object) -> Said:
    told = said({"status": "success", "message": "m", "data": data})
    assert told is not None
    return told


# -- accounts -------------------------------------------------------------------------------------------------


def asked(**changes: Any) -> VirtualAccountOrder:
    holder = Payer("M-1", "Ngozi Ada Example", "+2348000000000", "member@example.com")
    values: dict[str, Any] = {"reference": REFERENCE, "holder": holder, "currency": "NGN"}
    return VirtualAccountOrder(**{**values, **changes})


def test_an_account_is_asked_for_with_our_reference_and_what_the_bank_wants_to_know() -> None:
    known = Identity(nin="12345678901")
    assert json.loads(accounts.account_body(asked(identity=known), LIVE)) == {
        "email": "member@example.com",
        "tx_ref": REFERENCE,
        "is_permanent": True,
        "nin": "12345678901",
        "firstname": "Ngozi",
        "lastname": "Ada Example",
        "phonenumber": "+2348000000000",
        "narration": "Ngozi Ada Example",
    }


@pytest.mark.parametrize("known", [None, Identity(account_number="0155500123", bank_code="058")])
def test_a_live_account_needs_the_bvn_or_the_nin_and_a_test_account_does_not(known: Identity | None) -> None:
    with pytest.raises(InvalidOrder) as refused:
        accounts.account_body(asked(identity=known), LIVE)
    assert refused.value.field == "identity"
    assert accounts.account_body(asked(identity=known), TEST)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"currency": "GHS"}, "currency"),
        ({"bank": "wema-bank"}, "bank"),
        ({"holder": Payer("M-1", "A B", "", "nobody")}, "email"),
        ({"reference": "a/b"}, "reference"),
    ],
)
def test_an_account_that_they_cannot_keep_is_refused_before_anything_is_sent(
    changes: dict[str, Any], field: str
) -> None:
    with pytest.raises(InvalidOrder) as refused:
        accounts.account_body(asked(**changes), TEST)
    assert refused.value.field == field


def opened(**changes: object) -> dict[str, object]:
    told = {
        "order_ref": "URF_1613406439309_370935",
        "account_number": "0067100155",
        "account_status": "active",
        "bank_name": "Mock Bank",
        "frequency": 1,
        "created_at": 1711620308271,
        "expiry_date": "N/A",
    }
    return {**told, **changes}


@pytest.mark.parametrize(
    ("word", "state"),
    [
        ("active", AccountState.ACTIVE),
        ("Inactive", AccountState.CLOSED),
        (None, AccountState.ACTIVE),
        ("under-quantum-review", AccountState.PENDING),
    ],
)
def test_an_account_stands_as_it_is_told_and_is_open_where_no_word_is_told(
    word: str | None, state: AccountState
) -> None:
    assert accounts.account_of(opened(account_status=word), b"").state is state


@pytest.mark.parametrize("member", ["order_ref", "account_number", "bank_name"])
def test_an_account_that_is_not_told_whole_is_none(member: str) -> None:
    with pytest.raises(ContractBroken, match=member):
        accounts.account_of(opened(**{member: None}), b"")


def test_a_closing_is_done_unless_their_yes_says_that_the_account_is_open() -> None:
    order = AccountClosingOrder(REFERENCE, "URF_1613406439309_370935")
    for data in (None, {"status": "inactive"}, opened(account_status="inactive"), "deleted"):
        assert accounts.closed(order, yes(data), b"").state is AccountState.CLOSED
    with pytest.raises(ContractBroken):
        accounts.closed(order, yes(opened()), b"")
    with pytest.raises(InvalidOrder):
        accounts.closing_body(AccountClosingOrder(REFERENCE, "../transfers"))


async def test_an_account_that_they_know_no_more_is_closed_and_cannot_be_fetched(server: Any) -> None:
    for _ in range(2):
        server.will_say('{"status": "error", "message": "No order found", "data": null}', 400)
    order = AccountClosingOrder(REFERENCE, "URF_1")
    found = await server.sockets.account_closings.find(order, datetime.now(UTC))
    assert found.word is FindingWord.EXECUTED
    with pytest.raises(ContractBroken, match="No order found"):
        await server.sockets.virtual_accounts.fetch("URF_1")


# -- saved cards ----------------------------------------------------------------------------------------------


def again(**changes: Any) -> SavedChargeOrder:
    values: dict[str, Any] = {
        "reference": REFERENCE,
        "authorization": TOKEN,
        "email": "member@example.com",
        "amount_minor": 150_000,
        "currency": "NGN",
    }
    return SavedChargeOrder(**{**values, **changes})


@given(st.integers(min_value=1, max_value=10**12))
def test_a_saved_charge_says_its_exact_amount_as_a_number_and_never_as_a_float(minor: int) -> None:
    said_ = saved.charge_body(again(amount_minor=minor), TEST)
    told = json.loads(said_, parse_float=Decimal)
    assert Decimal(told["amount"]) * 100 == minor
    assert (told["country"], told["tx_ref"], told["token"]) == ("NG", REFERENCE, TOKEN)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"authorization": "AUTH_abc"}, "authorization"),
        ({"authorization": ""}, "authorization"),
        ({"email": ""}, "email"),
        ({"reference": "a b"}, "reference"),
        ({"amount_minor": 0}, "amount_minor"),
        ({"at_least_minor": 100}, "at_least_minor"),
    ],
)
def test_a_saved_charge_that_they_cannot_take_is_refused_before_anything_is_sent(
    changes: dict[str, Any], field: str
) -> None:
    with pytest.raises(InvalidOrder) as refused:
        saved.charge_body(again(**changes), TEST)
    assert refused.value.field == field


def test_a_charge_that_waits_for_the_bank_looks_like_a_success_and_says_where_the_member_must_go(
    a_transaction: Transaction,
) -> None:
    waits = {"authorization": {"mode": "redirect", "redirect": "https://bank.example/ask?ref=1"}}
    told = saved.charged(again(), yes(a_transaction(status="pending", meta=waits)), TEST, b"")
    assert (told.state, told.taken_minor) == (PaymentState.PENDING, 0)
    assert told.url == "https://bank.example/ask?ref=1" and "bank.example" not in repr(told)


@pytest.mark.parametrize(
    "changes", [{"tx_ref": "another"}, {"amount": 1501}, {"currency": "USD"}, {"status": None}, {"id": None}]
)
def test_an_answer_about_something_else_is_unknown(
    a_transaction: Transaction, changes: dict[str, object]
) -> None:
    with pytest.raises(OutcomeUnknown):
        saved.charged(again(), yes(a_transaction(**changes)), TEST, b"")


def test_a_decline_behind_a_yes_is_refused(a_transaction: Transaction) -> None:
    declined = a_transaction(status="failed", processor_response="Insufficient Funds")
    with pytest.raises(Refused, match="Insufficient Funds"):
        saved.charged(again(), yes(declined), TEST, b"")


def test_a_fee_on_top_is_no_part_of_what_was_taken(a_transaction: Transaction) -> None:
    told = saved.charged(again(), yes(a_transaction(charged_amount=1521, app_fee=21)), TEST, b"")
    assert told.taken_minor == 150_000


def test_trap_6_a_paid_transaction_under_the_reference_counts_whatever_else_stands_there(
    a_transaction: Transaction,
) -> None:
    charges = [
        _charge(a_transaction, id=n, status=word)
        for n, word in enumerate(["failed", "successful", "pending"])
    ]
    found = saved.found(again(), charges)
    assert (found.word, [one.provider_ref for one in found.snapshots]) == (FindingWord.EXECUTED, ["1"])
    assert saved.found(again(), charges[:1]).word is FindingWord.REFUSED
    assert saved.found(again(), charges[2:]).snapshots[0].state is PaymentState.PROCESSING
    assert saved.found(again(), []).word is FindingWord.ABSENT


def _charge(a_transaction: Transaction, **changes: object) -> ChargeSnapshot:
    return charge_of(a_transaction(**changes), TEST, b"")


@pytest.mark.parametrize(
    ("card", "created", "expires"),
    [
        ({"token": TOKEN, "expiry": "09/32"}, "2026-03-02T09:14:24.000Z", (2027, 3)),
        ({"token": TOKEN, "expiry": "05/26"}, "2026-03-02T09:14:24.000Z", (2026, 5)),
        ({"token": TOKEN}, None, None),
        ({"token": TOKEN, "expiry": "13/26"}, None, None),
    ],
)
def test_a_token_ends_with_its_card_or_a_year_after_its_payment(
    a_transaction: Transaction, card: object, created: object, expires: object
) -> None:
    left = authorization_of(a_transaction(card=card, created_at=created))
    assert left is not None and left.expires == expires


@pytest.mark.parametrize(
    "changes",
    [
        {"card": {"token": "a token"}},
        {"card": None},
        {"customer": {"email": "nobody"}},
        {"customer": None},
        {"status": "pending"},
    ],
)
def test_what_is_not_told_whole_may_not_be_charged_again(
    a_transaction: Transaction, changes: dict[str, object]
) -> None:
    assert _charge(a_transaction, **changes).authorization is None


async def test_a_token_is_charged_with_the_address_of_its_first_payment_alone(
    flutterwave: Callable[..., Awaitable[Any]],
) -> None:
    bench = await flutterwave()
    await bench.open(REFERENCE)
    bench.pay(REFERENCE)
    [charge] = await bench.sockets.charges.find(REFERENCE)
    left = charge.authorization
    for code, email in ((left.code, "other@example.com"), (TOKEN, left.email)):
        order = again(reference="again000000000000001", authorization=code, email=email)
        with pytest.raises(Refused, match="Wrong token or email passed"):
            await bench.sockets.saved_charges.send(order, bench.sockets.saved_charges.say(order))


# -- chargebacks ----------------------------------------------------------------------------------------------


def answer(**changes: Any) -> DisputeOrder:
    values: dict[str, Any] = {
        "reference": "answer00000000000001",
        "dispute": "1591",
        "verdict": DisputeVerdict.ACCEPT,
        "refund_minor": 10_000,
        "currency": "NGN",
        "message": "The member was right",
        "whole": True,
    }
    return DisputeOrder(**{**values, **changes})


def test_an_answer_says_action_comment_and_where_the_proof_is() -> None:
    assert json.loads(disputes.answer_body(answer())) == {
        "action": "accept",
        "comment": "The member was right",
    }
    contested = answer(
        verdict=DisputeVerdict.CONTEST,
        refund_minor=0,
        whole=False,
        evidence_file="https://files.example/1",
    )
    assert json.loads(disputes.answer_body(contested)) == {
        "action": "decline",
        "comment": "The member was right",
        "uploaded_proof": "https://files.example/1",
    }


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"whole": False}, "refund_minor"),
        ({"refund_minor": 0}, "amount_minor"),
        ({"verdict": DisputeVerdict.CONTEST}, "refund_minor"),
        ({"dispute": "1/2"}, "dispute"),
        ({"message": " "}, "message"),
        ({"message": "half \ud800"}, "message"),
        ({"evidence_file": "a\nb"}, "evidence_file"),
    ],
)
def test_an_answer_that_they_cannot_take_is_refused_before_anything_is_sent(
    changes: dict[str, Any], field: str
) -> None:
    with pytest.raises(InvalidOrder) as refused:
        disputes.answer_body(answer(**changes))
    assert refused.value.field == field


def row(**changes: object) -> dict[str, object]:
    told = {
        "id": 1591,
        "amount": 100,
        "flw_ref": "FLW-MOCK-3cc9",
        "status": "initiated",
        "stage": "new",
        "meta": {"history": [{"action": "initiated"}, {"action": "notification"}]},
        "due_date": "2026-03-27T15:59:59.000Z",
        "created_at": "2026-03-26T12:12:12.000Z",
        "transaction_id": 4_975_363,
        "tx_ref": REFERENCE,
    }
    return {**told, **changes}


def read(**changes: object) -> Any:
    return disputes.dispute_of(disputes.told(row(**changes), b""), "NGN", TEST)


@pytest.mark.parametrize(
    ("status", "history", "state", "verdict"),
    [
        ("initiated", [], DisputeState.OPEN, None),
        ("ACCEPTED", [], DisputeState.LOST, DisputeVerdict.ACCEPT),
        ("declined", [], DisputeState.UNDER_REVIEW, DisputeVerdict.CONTEST),
        ("lost", [{"action": "lost"}], DisputeState.LOST, None),
        ("lost", [{"action": "decline"}, {"action": "lost"}], DisputeState.LOST, DisputeVerdict.CONTEST),
        ("reversed", [{"action": "decline"}], DisputeState.WON, DisputeVerdict.CONTEST),
        ("arbitrated", "no list", DisputeState.UNDER_REVIEW, None),
    ],
)
def test_a_chargeback_stands_as_its_status_says_and_its_answer_stays_in_the_history(
    status: str, history: object, state: DisputeState, verdict: DisputeVerdict | None
) -> None:
    told = read(status=status, meta={"history": history})
    assert (told.state, told.answer) == (state, verdict)
    assert bool(told.reason) is (status == "arbitrated")


def test_test_money_is_told_by_the_reference_that_they_gave() -> None:
    live: Account = LIVE
    assert disputes.dispute_of(disputes.told(row(), b""), "NGN", live).mode is Mode.TEST
    told = disputes.told(row(flw_ref="Bank/FLW1"), b"")
    assert disputes.dispute_of(told, "NGN", live).mode is Mode.LIVE


@pytest.mark.parametrize("amount", [None, "100.001", -1, "a lot"])
def test_an_amount_that_cannot_be_read_is_never_guessed(amount: object) -> None:
    with pytest.raises(ContractBroken, match="amount"):
        read(amount=amount)


async def test_an_answer_that_was_taken_and_cannot_be_read_is_unknown(
    flutterwave: Callable[..., Awaitable[Any]],
) -> None:
    """Their yes leaves the transaction out: whoever cannot read the rest looks it up later."""
    bench = await flutterwave()
    await bench.open(REFERENCE)
    bench.pay(REFERENCE)
    control = bench.simulator.vendor.controls["chargeback"]
    claimed = control(Given({"reference": REFERENCE}))["chargeback"]
    order = answer(dispute=str(claimed["id"]), refund_minor=150_000)
    bench.simulator.faults.add("list_chargebacks", "http_500")
    with pytest.raises(OutcomeUnknown, match="cannot be read"):
        await bench.sockets.disputes.send(order, bench.sockets.disputes.say(order))
    found = await bench.sockets.disputes.find(order, datetime.now(UTC))
    assert (found.word, found.snapshots[0].answer) == (FindingWord.EXECUTED, DisputeVerdict.ACCEPT)
