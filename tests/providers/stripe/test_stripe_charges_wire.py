"""What a payment intent and a page of Stripe's say of a charge."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from coopwire.domain.errors import ContractBroken
from coopwire.domain.payments import Mode
from coopwire.domain.states import PaymentState
from coopwire.providers.stripe.wire.charges import charge_of, charge_on

Intents = Callable[..., dict[str, Any]]
DECLINED = {"type": "card_error", "code": "card_declined", "decline_code": "insufficient_funds"}


def test_a_paid_intent_is_told_with_its_exact_fee(an_intent: Intents) -> None:
    told = charge_of(an_intent(), b"raw")
    assert (told.charge, told.reference, told.state) == (
        "pi_1",
        "ref00000000000000001",
        PaymentState.SUCCEEDED,
    )
    assert (told.amount_minor, told.requested_minor, told.currency) == (150_000, 150_000, "NGN")
    assert (told.fee_minor, told.fee_exact, told.fee_known) == (4_380, "4380", True)
    assert (told.mode, told.channel, told.raw) == (Mode.TEST, "card", b"raw")
    assert told.paid_at is not None
    assert told.created_at is not None
    assert told.paid_at > told.created_at


@pytest.mark.parametrize(
    ("changes", "state"),
    [
        ({"status": "requires_payment_method"}, PaymentState.PENDING),
        ({"status": "requires_payment_method", "last_payment_error": DECLINED}, PaymentState.FAILED),
        ({"status": "requires_confirmation"}, PaymentState.PENDING),
        ({"status": "requires_action"}, PaymentState.PENDING),
        ({"status": "processing"}, PaymentState.PROCESSING),
        ({"status": "requires_capture"}, PaymentState.PROCESSING),
        ({"status": "canceled"}, PaymentState.CANCELLED),
        ({"status": "canceled", "cancellation_reason": "duplicate"}, PaymentState.CANCELLED),
        ({"status": "canceled", "cancellation_reason": "abandoned"}, PaymentState.ABANDONED),
        ({"status": "canceled", "cancellation_reason": "expired"}, PaymentState.ABANDONED),
        ({"status": "a_word_of_tomorrow"}, PaymentState.PENDING),
        ({"status": "Succeeded"}, PaymentState.PENDING),
    ],
)
def test_each_word_means_one_state_and_only_an_explicit_one_is_paid(
    an_intent: Intents, changes: dict[str, object], state: PaymentState
) -> None:
    told = charge_of(an_intent(**changes), b"")
    assert told.state is state
    assert told.paid_at is None


def test_a_failed_try_says_why(an_intent: Intents) -> None:
    error = {**DECLINED, "message": "Your card has insufficient funds."}
    told = charge_of(an_intent(status="requires_payment_method", last_payment_error=error), b"")
    assert told.failure_reason == "Your card has insufficient funds."
    silent = charge_of(an_intent(status="requires_payment_method", last_payment_error=DECLINED), b"")
    assert silent.failure_reason == "insufficient_funds"


def test_a_word_never_seen_before_is_told(an_intent: Intents) -> None:
    assert "a_word_of_tomorrow" in charge_of(an_intent(status="a_word_of_tomorrow"), b"").failure_reason


def test_what_was_received_counts_where_it_is_less_than_was_asked(an_intent: Intents) -> None:
    told = charge_of(an_intent(amount_received=149_000), b"")
    assert (told.amount_minor, told.requested_minor) == (149_000, 150_000)


def test_a_fee_in_the_currency_of_the_payout_is_not_known_yet(an_intent: Intents) -> None:
    intent = an_intent()
    intent["latest_charge"]["balance_transaction"].update({"currency": "usd", "fee": 300})
    told = charge_of(intent, b"")
    assert (told.fee_known, told.fee_minor, told.fee_exact) == (False, 0, "0")


@pytest.mark.parametrize("entry", [None, "txn_1"])
def test_a_fee_that_is_not_told_is_not_known(an_intent: Intents, entry: object) -> None:
    intent = an_intent()
    intent["latest_charge"]["balance_transaction"] = entry
    assert charge_of(intent, b"").fee_known is False


def test_a_charge_told_by_its_id_alone_has_no_time_and_no_fee(an_intent: Intents) -> None:
    told = charge_of(an_intent(latest_charge="ch_1"), b"")
    assert (told.paid_at, told.fee_known, told.channel) == (None, False, "card")


def test_a_zero_decimal_currency_is_told_in_its_own_units(an_intent: Intents) -> None:
    intent = an_intent(amount=2_500, amount_received=2_500, currency="jpy")
    intent["latest_charge"]["balance_transaction"].update({"currency": "jpy", "fee": 90})
    told = charge_of(intent, b"")
    assert (told.amount_minor, told.currency, told.fee_minor) == (2_500, "JPY", 90)


def test_money_without_our_reference_goes_by_its_own_id(an_intent: Intents) -> None:
    assert charge_of(an_intent(metadata={}), b"").reference == "pi_1"


def test_money_that_went_back_whole_is_told_so(an_intent: Intents) -> None:
    intent = an_intent()
    intent["latest_charge"]["refunded"] = True
    assert charge_of(intent, b"").reversed is True


@pytest.mark.parametrize(
    "changes",
    [
        {"id": None},
        {"id": "pi 1"},
        {"status": None},
        {"currency": "NGN"},
        {"amount": "150000"},
        {"amount": -1},
        {"amount_received": None},
        {"livemode": "false"},
        {"created": "2026-03-02"},
    ],
)
def test_a_member_that_cannot_be_read_is_named(an_intent: Intents, changes: dict[str, object]) -> None:
    with pytest.raises(ContractBroken, match=next(iter(changes))):
        charge_of(an_intent(**changes), b"")


def page(**changes: object) -> dict[str, object]:
    return {
        "id": "cs_test_1",
        "object": "checkout.session",
        "client_reference_id": "ref00000000000000001",
        "amount_total": 150_000,
        "currency": "ngn",
        "livemode": False,
        "created": 1_772_442_700,
        "status": "open",
        "payment_status": "unpaid",
        "payment_intent": None,
        **changes,
    }


@pytest.mark.parametrize(
    ("status", "payment_status", "state", "amount"),
    [
        ("open", "unpaid", PaymentState.PENDING, 150_000),
        ("expired", "unpaid", PaymentState.ABANDONED, 150_000),
        ("complete", "unpaid", PaymentState.PROCESSING, 150_000),
        ("complete", "no_payment_required", PaymentState.SUCCEEDED, 0),
        ("complete", "a_word_of_tomorrow", PaymentState.PENDING, 150_000),
    ],
)
def test_a_page_on_which_nobody_began_to_pay_stands_for_itself(
    status: str, payment_status: str, state: PaymentState, amount: int
) -> None:
    told = charge_on(page(status=status, payment_status=payment_status), b"")
    assert (told.charge, told.reference) == ("cs_test_1", "ref00000000000000001")
    assert (told.state, told.amount_minor, told.paid_at) == (state, amount, None)


def test_a_page_is_what_its_payment_intent_says(an_intent: Intents) -> None:
    told = charge_on(page(status="complete", payment_status="unpaid", payment_intent=an_intent()), b"")
    assert (told.charge, told.state) == ("pi_1", PaymentState.SUCCEEDED)


def test_a_try_on_a_page_that_is_over_was_abandoned(an_intent: Intents) -> None:
    tried = an_intent(status="requires_payment_method", last_payment_error=DECLINED)
    assert charge_on(page(status="expired", payment_intent=tried), b"").state is PaymentState.ABANDONED
    assert charge_on(page(status="expired", payment_intent=an_intent()), b"").state is PaymentState.SUCCEEDED


def test_a_page_whose_intent_was_not_expanded_says_nothing() -> None:
    with pytest.raises(ContractBroken):
        charge_on(page(status="complete", payment_status="paid", payment_intent="pi_1"), b"")
