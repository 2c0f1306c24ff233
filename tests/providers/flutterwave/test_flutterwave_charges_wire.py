"""A transaction of Flutterwave read as a charge: what was asked, what was paid, whose the fee is."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coopwire.domain.errors import ContractBroken
from coopwire.domain.payments import Mode
from coopwire.domain.receipts import FeeBearer
from coopwire.domain.states import PaymentState
from coopwire.ports.gateways import Card
from coopwire.ports.providers import Connection
from coopwire.providers.flutterwave.wire.account import Account, account
from coopwire.providers.flutterwave.wire.charges import charge_of

Transaction = Callable[..., dict[str, object]]
Accounts = Callable[..., Account]
LIVE = account(Connection("f", "flutterwave", Mode.LIVE, {"secret_key": "FLWSECK-x"}))
TEST = account(Connection("f", "flutterwave", Mode.TEST, {"secret_key": "FLWSECK_TEST-x"}))


def test_everything_that_is_compared_is_told(a_transaction: Transaction) -> None:
    charge = charge_of(a_transaction(), TEST, b"raw")
    assert (charge.charge, charge.reference) == ("4975363", "ref00000000000000001")
    assert (charge.amount_minor, charge.requested_minor, charge.currency) == (150_000, 150_000, "NGN")
    assert (charge.fee_minor, charge.fee_exact, charge.fee_known) == (2_100, "2100", True)
    assert (charge.state, charge.mode, charge.channel) == (PaymentState.SUCCEEDED, Mode.TEST, "card")


def test_there_is_no_time_of_payment_but_one_of_creation(a_transaction: Transaction) -> None:
    charge = charge_of(a_transaction(), TEST, b"")
    assert charge.paid_at is None
    assert charge.created_at is not None


@pytest.mark.parametrize(
    ("word", "state"),
    [
        ("successful", PaymentState.SUCCEEDED),
        ("SUCCESSFUL", PaymentState.SUCCEEDED),
        ("failed", PaymentState.FAILED),
        ("FAILED", PaymentState.FAILED),
        ("pending", PaymentState.PROCESSING),
        ("success", PaymentState.PENDING),
        ("succeeded", PaymentState.PENDING),
        ("completed", PaymentState.PENDING),
        ("success-pending-validation", PaymentState.PENDING),
    ],
)
def test_only_an_explicit_word_in_either_case_moves_money(
    a_transaction: Transaction, word: str, state: PaymentState
) -> None:
    assert charge_of(a_transaction(status=word), TEST, b"").state is state


def test_a_pending_charge_that_waits_for_the_customer_has_not_moved_money(a_transaction: Transaction) -> None:
    meta = {"authorization": {"mode": "redirect", "redirect": "https://bank.example"}}
    assert charge_of(a_transaction(status="pending", meta=meta), TEST, b"").state is PaymentState.PENDING


def test_a_success_whose_response_speaks_of_a_code_is_a_success(a_transaction: Transaction) -> None:
    told = a_transaction(processor_response="Please enter the OTP sent to your mobile number")
    charge = charge_of(told, TEST, b"")
    assert (charge.state, charge.failure_reason) == (PaymentState.SUCCEEDED, "")


def test_a_failure_keeps_their_words(a_transaction: Transaction) -> None:
    told = a_transaction(status="failed", processor_response="Insufficient funds")
    assert charge_of(told, TEST, b"").failure_reason == "Insufficient funds"


def test_a_word_never_seen_before_is_told(a_transaction: Transaction) -> None:
    assert "under-review" in charge_of(a_transaction(status="under-review"), TEST, b"").failure_reason


def test_a_fee_of_thousandths_is_kept_exact_and_rounded_once(a_transaction: Transaction) -> None:
    charge = charge_of(a_transaction(app_fee=Decimal("26.875")), TEST, b"")
    assert (charge.fee_exact, charge.fee_minor) == ("2687.5", 2_688)


def test_the_merchants_part_of_the_fee_counts_too(a_transaction: Transaction) -> None:
    charge = charge_of(a_transaction(app_fee=Decimal("21.1"), merchant_fee=Decimal("0.025")), TEST, b"")
    assert charge.fee_exact == "2112.5"


def test_a_fee_that_is_not_told_is_not_known(a_transaction: Transaction) -> None:
    charge = charge_of(a_transaction(app_fee=None, amount_settled=None), TEST, b"")
    assert (charge.fee_minor, charge.fee_exact, charge.fee_known) == (0, "0", False)


@given(asked=st.integers(min_value=1, max_value=10**12), fee=st.integers(min_value=1, max_value=10**7))
def test_a_fee_on_top_is_the_members_and_leaves_what_was_asked(asked: int, fee: int) -> None:
    """`fee` in thousandths of a kobo; they round what they charge on top to a kobo, somehow."""
    exact = Decimal(fee).scaleb(-3)
    for on_top in {int(exact), int(exact) + 1} - {0}:
        told = {
            "id": 1,
            "tx_ref": "r",
            "status": "successful",
            "currency": "NGN",
            "amount": Decimal(asked).scaleb(-2),
            "charged_amount": Decimal(asked + on_top).scaleb(-2),
            "app_fee": exact.scaleb(-2),
        }
        charge = charge_of(told, TEST, b"")
        on_them = charge.fee_bearer is FeeBearer.MEMBER
        assert on_them == (abs(on_top - exact) < 1)
        assert charge.requested_minor == asked
        if on_them:
            assert charge.amount_minor - charge.fee_minor == asked


def test_more_than_the_fee_on_top_is_nobodys_fee(a_transaction: Transaction) -> None:
    """A member who sent too much by bank transfer has not paid a fee with it."""
    charge = charge_of(a_transaction(charged_amount=2000), TEST, b"")
    assert (charge.amount_minor, charge.fee_bearer) == (200_000, FeeBearer.LENDER)


def test_test_money_that_a_live_key_is_told_of_is_test_money(a_transaction: Transaction) -> None:
    assert charge_of(a_transaction(flw_ref="FLW-MOCK-1"), LIVE, b"").mode is Mode.TEST
    assert charge_of(a_transaction(flw_ref="Bank/FLW270177170"), LIVE, b"").mode is Mode.LIVE


def test_without_a_mark_money_is_what_the_key_is(a_transaction: Transaction, an_account: Accounts) -> None:
    assert charge_of(a_transaction(flw_ref="053756524420"), TEST, b"").mode is Mode.TEST
    unmarked = account(
        Connection("f", "flutterwave", Mode.LIVE, {"secret_key": "FLWSECK-x", "test_references": "none"})
    )
    assert charge_of(a_transaction(flw_ref="FLW-MOCK-1"), unmarked, b"").mode is Mode.LIVE


@pytest.mark.parametrize("told", [5_000_000_000_123, "5000000000123"])
def test_an_id_beyond_32_bits_is_kept_as_text_however_it_comes(
    a_transaction: Transaction, told: object
) -> None:
    assert charge_of(a_transaction(id=told), TEST, b"").charge == "5000000000123"


@pytest.mark.parametrize(
    "broken",
    [
        {"id": None},
        {"id": "chg_1"},
        {"tx_ref": ""},
        {"status": None},
        {"currency": "ngn"},
        {"amount": None},
        {"amount": Decimal("1500.005")},
        {"charged_amount": Decimal("1500.005")},
        {"charged_amount": "much"},
        {"app_fee": "some"},
        {"merchant_fee": -1},
        {"created_at": "yesterday"},
    ],
)
def test_a_member_that_cannot_be_read_breaks_the_contract_by_name(
    a_transaction: Transaction, broken: dict[str, object]
) -> None:
    with pytest.raises(ContractBroken) as error:
        charge_of(a_transaction(**broken), TEST, b"")
    [name] = broken
    assert name.removesuffix("_fee") in error.value.message or "app_fee" in error.value.message


def test_no_repr_shows_the_card_or_the_customer(a_transaction: Transaction) -> None:
    shown = repr(charge_of(a_transaction(), TEST, b'{"email":"member@example.com"}'))
    assert "member@" not in shown
    assert "flw-t1nf" not in shown


@pytest.mark.parametrize(
    ("told", "card"),
    [
        ({"country": "NIGERIA NG", "type": "VERVE"}, Card("NG", "verve")),
        ({"country": "NG", "type": "VISA"}, Card("NG", "visa")),
        ({"country": "NIGERIA"}, None),
        (None, None),
    ],
)
def test_the_card_is_told_as_far_as_its_price_depends_on_it(
    a_transaction: Transaction, told: object, card: Card | None
) -> None:
    assert charge_of(a_transaction(card=told), TEST, b"").card == card
