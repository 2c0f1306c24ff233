"""Payouts at Paystack: what is said, what is read, and the traps of the contract that concern them."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coopwire.domain.errors import BadCredentials, ContractBroken, InvalidOrder, OutcomeUnknown, Refused
from coopwire.domain.gates import Traffic
from coopwire.domain.payments import Mode
from coopwire.domain.references import derived_reference
from coopwire.domain.states import PayoutState
from coopwire.ports.gateways import RecipientOrder, TransferOrder
from coopwire.ports.http import HttpAnswer
from coopwire.ports.providers import Connection, Outside
from coopwire.ports.writes import FindingWord
from coopwire.providers.paystack.adapter import connect
from coopwire.providers.paystack.inspectors import transfer as inspect_transfer
from coopwire.providers.paystack.wire import transfers
from coopwire.providers.paystack.wire.answers import success
from coopwire.providers.paystack.wire.bank_accounts import balances_of, recipient_body
from coopwire.providers.paystack.wire.transfer_fees import fee_table

MOST = 10**12
REFERENCE = "t1r2a3n4s5f6e7r8a9b0"
NOW = datetime(2026, 3, 2, tzinfo=UTC)


def order(**changes: Any) -> TransferOrder:
    values: dict[str, Any] = {
        "reference": REFERENCE,
        "amount_minor": 250_050,
        "currency": "NGN",
        "account": "0000014579",
        "bank": "011",
        "name": "A Holder",
        "narration": "Loan LN-1",
        "recipient": "RCP_1a2b3c",
    }
    return TransferOrder(**{**values, **changes})


def told(**changes: object) -> dict[str, object]:
    return {
        "domain": "test",
        "amount": 250_050,
        "currency": "NGN",
        "reference": REFERENCE,
        "status": "pending",
        "failures": None,
        "transfer_code": "TRF_1a2b",
        "id": 860_703_114,
        "recipient": 56_824_902,
        "createdAt": "2026-03-02T09:15:00.000Z",
        **changes,
    }


def answered(data: object) -> Any:
    body = json.dumps({"status": True, "message": "ok", "data": data}).encode()
    return success(HttpAnswer(200, {}, body), Traffic.WRITE, None)


# -- what is said ---------------------------------------------------------------------------------------------


@given(st.integers(1, MOST))
def test_every_amount_goes_out_and_comes_back_to_the_minor_unit(amount: int) -> None:
    body = json.loads(transfers.transfer_body(order(amount_minor=amount)), parse_float=Decimal)
    assert type(body["amount"]) is int
    assert transfers.transfer_of(told(amount=body["amount"]), b"").amount_minor == amount


def test_an_account_number_stays_text_with_its_leading_noughts() -> None:
    body = json.loads(recipient_body(RecipientOrder(REFERENCE, "0000014579", "011", "A Holder", "NGN")))
    assert (body["account_number"], body["bank_code"], body["type"]) == ("0000014579", "011", "nuban")


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"recipient": None}, "recipient"),
        ({"recipient": "RCP_../../balance"}, "recipient"),
        ({"amount_minor": 0}, "amount_minor"),
        ({"narration": ""}, "narration"),
        ({"narration": "a\nb"}, "narration"),
        ({"narration": "NUL \x00"}, "narration"),
        ({"currency": "ngn"}, "currency"),
    ],
)
def test_what_they_are_known_to_refuse_is_not_sent(changes: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidOrder) as wrong:
        transfers.transfer_body(order(**changes))
    assert wrong.value.field == field


@pytest.mark.parametrize(
    "reference", ["short", "UPPERCASEREFERENCE00", "ref=0000000000000000", "x" * 51, "💸" * 20]
)
def test_trap_26_a_reference_that_transfers_do_not_take_is_not_sent(reference: str) -> None:
    with pytest.raises(InvalidOrder):
        transfers.transfer_body(order(reference=reference))


@given(st.text(max_size=40))
def test_trap_26_our_references_fit_transfers(payout: str) -> None:
    transfers.transfer_body(order(reference=derived_reference("transfer", payout)))


def test_many_transfers_are_of_one_currency_and_one_reference_each() -> None:
    with pytest.raises(InvalidOrder):
        transfers.many_body([order(), order()])
    with pytest.raises(InvalidOrder):
        transfers.many_body([order(), order(reference="b" * 20, currency="GHS")])
    with pytest.raises(InvalidOrder):
        transfers.many_body([])


def test_no_order_shows_the_account_or_its_holder() -> None:
    assert "0000014579" not in repr(order())
    assert "A Holder" not in repr(order())


@pytest.mark.parametrize("otp", ["", "12", "12345678901", "abcdef", '1","x":"'])
def test_a_one_time_password_that_is_none_is_not_sent_nor_told(otp: str) -> None:
    with pytest.raises(InvalidOrder) as wrong:
        transfers.otp_body("TRF_1a2b", otp)
    assert not otp or otp not in str(wrong.value)


# -- what is read ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("word", [*transfers.STATES, "a word of tomorrow"])
def test_trap_30_no_answer_to_an_order_is_a_success_or_an_end(word: str) -> None:
    state = transfers.accepted(order(), answered(told(status=word)), b"").state
    assert state is (PayoutState.AWAITING_OTP if word == "otp" else PayoutState.PROCESSING)


def test_trap_21_an_event_is_no_outcome_the_status_word_is() -> None:
    assert transfers.transfer_of(told(status="failed"), b"").state is PayoutState.FAILED
    assert transfers.transfer_of(told(status="SUCCESS"), b"").state is PayoutState.PROCESSING


@pytest.mark.parametrize(
    "changes",
    [
        {"amount": 250_051},
        {"currency": "GHS"},
        {"reference": "b" * 20},
        {"recipient": {"recipient_code": "RCP_x"}},
    ],
)
def test_a_yes_about_something_else_is_no_yes(changes: dict[str, object]) -> None:
    with pytest.raises(ContractBroken):
        transfers.accepted(order(), answered(told(**changes)), b"")


@pytest.mark.parametrize("missing", ["amount", "currency", "status", "transfer_code"])
def test_a_transfer_without_what_it_is_about_is_broken(missing: str) -> None:
    with pytest.raises(ContractBroken):
        transfers.transfer_of(told(**{missing: None}), b"")


@pytest.mark.parametrize("code", ["TRF_../balance", "../balance", "TRF_", "TRF_a/b", ""])
def test_a_code_that_would_ask_for_another_path_is_broken(code: str) -> None:
    with pytest.raises(ContractBroken):
        transfers.needed_code(code)


def test_a_failure_without_a_reason_says_their_word() -> None:
    assert transfers.transfer_of(told(status="rejected"), b"").reason == "the gateway says rejected"
    assert (
        transfers.transfer_of(told(status="failed", failures="Beneficiary 0000014579"), b"").reason
        == "Beneficiary …"
    )


def test_a_fee_that_they_charged_and_the_mode_are_told() -> None:
    read = transfers.transfer_of(told(status="success", fee_charged=1_000, domain="live"), b"")
    assert (read.fee_minor, read.mode) == (1_000, Mode.LIVE)


def test_a_line_told_twice_or_about_other_money_is_unknown() -> None:
    orders = [order(), order(reference="b" * 20)]
    rows = [told(), told(), told(reference="b" * 20, amount=1)]
    outcomes = transfers.taken_on(orders, answered(rows))
    assert [type(one) for one in outcomes] == [OutcomeUnknown, OutcomeUnknown]


def test_a_balance_below_nothing_is_rounded_away_from_us() -> None:
    (balance,) = balances_of(answered([{"currency": "XOF", "balance": -150}]))
    assert balance.available_minor == -2
    (balance,) = balances_of(answered([{"currency": "XOF", "balance": 250}]))
    assert balance.available_minor == 2


@pytest.mark.parametrize(
    ("amount", "fee"),
    [(1, 1_000), (500_000, 1_000), (500_001, 2_500), (5_000_000, 2_500), (5_000_001, 5_000)],
)
def test_the_table_of_fees_is_read_by_its_steps(amount: int, fee: int) -> None:
    table = fee_table("500000:1000, 5000000:2500, 5000")
    assert table is not None
    assert table.fee(amount) == fee


@pytest.mark.parametrize("written", ["", "1:2", "5,6", "9:1,3:2,5", "a", "1:2,1:3,4", "-1"])
def test_a_table_of_fees_without_order_or_end_is_none(written: str) -> None:
    assert fee_table(written) is None


def test_an_inspection_shows_a_transfer_without_its_account() -> None:
    row = told(
        recipient={"recipient_code": "RCP_1", "name": "A Holder", "details": {"account_number": "0000014579"}}
    )
    (seen,) = inspect_transfer(json.dumps(row).encode(), {})
    assert (seen.object, seen.reference, seen.amount_minor, seen.status) == (
        "transfer",
        REFERENCE,
        250_050,
        "processing",
    )
    assert "0000014579" not in repr(seen)
    assert "A Holder" not in repr(seen)


# -- over HTTP ------------------------------------------------------------------------------------------------


@pytest.fixture
def transfers_at(server: Any, outside: Outside) -> Any:
    """The adapter's transfers at a server that answers word for word."""
    settings = {"secret_key": "sk_test_simulated", "base_url": server.url}
    return connect(Connection("paystack-1", "paystack", Mode.TEST, settings), outside)


@pytest.mark.parametrize(
    ("status", "message", "expected"),
    [
        (404, "Transfer not found", FindingWord.ABSENT),
        (400, "Transfer not found.", FindingWord.ABSENT),
        (404, "The endpoint does not exist", ContractBroken),
        (404, "Not found", ContractBroken),
        (401, "Invalid key", BadCredentials),
    ],
)
async def test_only_their_own_word_that_there_is_no_transfer_is_an_absence(
    server: Any, transfers_at: Any, status: int, message: str, expected: Any
) -> None:
    server.will_say(json.dumps({"status": False, "message": message}), status)
    if isinstance(expected, FindingWord):
        assert (await transfers_at.transfers.find(order(), NOW)).word is expected
        return
    with pytest.raises(expected):
        await transfers_at.transfers.find(order(), NOW)


async def test_many_transfers_with_a_used_reference_are_unknown(server: Any, transfers_at: Any) -> None:
    message = f"Duplicate reference(s) found: {REFERENCE}"
    server.will_say(json.dumps({"status": False, "message": message, "code": "unknown"}), 404)
    with pytest.raises(OutcomeUnknown):
        await transfers_at.transfers.send_many([order()], transfers.many_body([order()]))


async def test_too_little_on_the_account_is_a_refusal_and_nothing_else(
    server: Any, transfers_at: Any
) -> None:
    server.will_say(
        json.dumps({"status": False, "message": "Your balance is not enough to fulfil this request"}), 400
    )
    with pytest.raises(Refused):
        await transfers_at.transfers.send(order(), transfers.transfer_body(order()))


async def test_a_name_that_cannot_be_resolved_is_no_error_whatever_the_words(
    server: Any, transfers_at: Any
) -> None:
    server.will_say(
        json.dumps(
            {"status": False, "message": "Could not resolve account name. Check parameters or try again."}
        ),
        422,
    )
    told_ = await transfers_at.account_names.resolve("0000014579", "011")
    assert (told_.name, told_.reason) == (
        None,
        "Could not resolve account name. Check parameters or try again.",
    )


async def test_an_account_that_is_none_is_asked_of_nobody(server: Any, transfers_at: Any) -> None:
    told_ = await transfers_at.account_names.resolve("../x?y=1", "011")
    assert told_.name is None
