"""How a transaction of Paystack is read as a charge."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from coopwire.domain.errors import ContractBroken
from coopwire.domain.payments import Mode
from coopwire.domain.receipts import FeeBearer
from coopwire.domain.states import PaymentState
from coopwire.ports.gateways import Card
from coopwire.providers.paystack.wire.charges import STATES, charge_of

Transaction = Callable[..., dict[str, object]]


def test_a_paid_transaction_is_read_whole(a_transaction: Transaction) -> None:
    charge = charge_of(a_transaction(), b"raw")

    assert charge.charge == "5100000001"
    assert charge.reference == "ref00000000000000001"
    assert charge.state is PaymentState.SUCCEEDED
    assert (charge.amount_minor, charge.requested_minor, charge.currency) == (150_000, 150_000, "NGN")
    assert (charge.fee_minor, charge.fee_exact, charge.fee_known) == (2_250, "2250", True)
    assert charge.fee_bearer is FeeBearer.LENDER
    assert charge.mode is Mode.TEST
    assert charge.channel == "card"
    assert charge.paid_at == datetime(2026, 3, 2, 9, 15, 2, tzinfo=UTC)
    assert charge.created_at == datetime(2026, 3, 2, 9, 14, 24, tzinfo=UTC)
    assert charge.failure_reason == ""
    assert charge.raw == b"raw"


@pytest.mark.parametrize(
    ("word", "state"),
    [
        ("abandoned", PaymentState.ABANDONED),
        ("ongoing", PaymentState.PENDING),
        ("pending", PaymentState.PROCESSING),
        ("processing", PaymentState.PROCESSING),
        ("queued", PaymentState.PROCESSING),
        ("success", PaymentState.SUCCEEDED),
        ("failed", PaymentState.FAILED),
        ("reversed", PaymentState.SUCCEEDED),
        ("send_otp", PaymentState.PENDING),
    ],
)
def test_their_status_words_have_one_meaning_each(
    a_transaction: Transaction, word: str, state: PaymentState
) -> None:
    assert charge_of(a_transaction(status=word), b"").state is state


@pytest.mark.parametrize("word", ["Success", "SUCCESS", "successful", "succeeded", "paid", "completed", "ok"])
def test_a_status_word_never_seen_before_is_pending_and_says_so(
    a_transaction: Transaction, word: str
) -> None:
    charge = charge_of(a_transaction(status=word), b"")
    assert word not in STATES
    assert charge.state is PaymentState.PENDING
    assert word in charge.failure_reason


def test_a_failure_carries_the_banks_reason(a_transaction: Transaction) -> None:
    told = a_transaction(status="failed", gateway_response="Insufficient Funds")
    assert charge_of(told, b"").failure_reason == "Insufficient Funds"
    told = a_transaction(status="failed", gateway_response=None, message="Declined")
    assert charge_of(told, b"").failure_reason == "Declined"


def test_a_reason_holds_no_personal_data(a_transaction: Transaction) -> None:
    told = a_transaction(
        status="failed",
        gateway_response="Card 5399 8312 3412 8877 of ada@example.com (AUTH_f5rnfq9p, 08031234567) declined",
    )
    reason = charge_of(told, b"").failure_reason
    assert "declined" in reason
    for secret in ("8877", "ada@", "AUTH_", "0803"):
        assert secret not in reason


def test_a_reversed_charge_stays_paid_with_a_note(a_transaction: Transaction) -> None:
    charge = charge_of(a_transaction(status="reversed"), b"")
    assert charge.state is PaymentState.SUCCEEDED
    assert charge.failure_reason.startswith("reversed at Paystack")


def test_the_member_bore_the_fee_when_it_stands_on_top_of_what_was_asked(a_transaction: Transaction) -> None:
    charge = charge_of(a_transaction(amount=40_333, requested_amount=30_050, fees=10_283), b"")
    assert charge.fee_bearer is FeeBearer.MEMBER
    assert charge.amount_minor - charge.fee_minor == charge.requested_minor


@pytest.mark.parametrize(
    "changes",
    [
        {"fees": 0},
        {"fees": None, "amount": 152_250},
        {"requested_amount": None},
        {"amount": 152_251},
        {"amount": 149_999},
    ],
)
def test_in_every_other_case_the_lender_bore_it(
    a_transaction: Transaction, changes: dict[str, object]
) -> None:
    assert charge_of(a_transaction(**changes), b"").fee_bearer is FeeBearer.LENDER


@pytest.mark.parametrize("fees", [None, ""])
def test_a_fee_that_is_not_told_is_not_known(a_transaction: Transaction, fees: object) -> None:
    charge = charge_of(a_transaction(fees=fees), b"")
    assert (charge.fee_known, charge.fee_minor, charge.fee_exact) == (False, 0, "0")


def test_a_fee_of_nought_is_known(a_transaction: Transaction) -> None:
    charge = charge_of(a_transaction(fees=0), b"")
    assert (charge.fee_known, charge.fee_minor) == (True, 0)


def test_a_fee_with_decimals_is_kept_as_text(a_transaction: Transaction) -> None:
    charge = charge_of(a_transaction(fees=Decimal("2250.125")), b"")
    assert (charge.fee_exact, charge.fee_minor) == ("2250.125", 2250)


def test_a_fee_larger_than_the_amount_is_read_as_it_is(a_transaction: Transaction) -> None:
    charge = charge_of(a_transaction(amount=100, requested_amount=None, fees=153, currency="GHS"), b"")
    assert (charge.amount_minor, charge.fee_minor) == (100, 153)


@pytest.mark.parametrize(
    "metadata",
    [
        "",
        0,
        None,
        {},
        [],
        {"loan_id": "L-1"},
        '{"loan_id": "L-1"}',
        "not json {",
        {"deep": [{"x": None}]},
        True,
    ],
)
def test_metadata_of_any_shape_changes_nothing(a_transaction: Transaction, metadata: object) -> None:
    """Trap 25: metadata is `""`, `0`, null, JSON text or an object; nothing is taken from it."""
    assert charge_of(a_transaction(metadata=metadata), b"") == charge_of(a_transaction(), b"")


def test_the_amount_asked_is_not_confused_with_an_absent_one(a_transaction: Transaction) -> None:
    told = a_transaction()
    del told["requested_amount"]
    assert charge_of(told, b"").requested_minor is None
    assert charge_of(a_transaction(requested_amount=0), b"").requested_minor == 0


def test_paid_at_is_read_under_both_names(a_transaction: Transaction) -> None:
    told = a_transaction(paidAt="2026-03-02T09:15:02.000Z")
    del told["paid_at"]
    assert charge_of(told, b"").paid_at == datetime(2026, 3, 2, 9, 15, 2, tzinfo=UTC)


def test_paid_at_wins_where_the_two_names_disagree(a_transaction: Transaction) -> None:
    charge = charge_of(a_transaction(paidAt="2025-01-01T00:00:00.000Z"), b"")
    assert charge.paid_at == datetime(2026, 3, 2, 9, 15, 2, tzinfo=UTC)


@pytest.mark.parametrize(
    ("told", "utc"),
    [
        ("2026-03-02T10:15:02+01:00", datetime(2026, 3, 2, 9, 15, 2, tzinfo=UTC)),
        ("2026-03-02 09:15:02", datetime(2026, 3, 2, 9, 15, 2, tzinfo=UTC)),
        ("2026-03-02T09:15:02.123456Z", datetime(2026, 3, 2, 9, 15, 2, 123456, tzinfo=UTC)),
    ],
)
def test_times_are_utc_whatever_zone_they_are_told_in(
    a_transaction: Transaction, told: str, utc: datetime
) -> None:
    assert charge_of(a_transaction(paid_at=told), b"").paid_at == utc


@pytest.mark.parametrize(
    ("member", "value"),
    [
        ("id", None),
        ("id", True),
        ("id", -1),
        ("id", "12a"),
        ("id", 2**64),
        ("id", Decimal("1.5")),
        ("reference", None),
        ("reference", 12),
        ("reference", "a\x00b"),
        ("reference", "x" * 201),
        ("status", None),
        ("status", ["success"]),
        ("amount", None),
        ("amount", "abc"),
        ("amount", Decimal("100.5")),
        ("amount", -100),
        ("amount", 2**63),
        ("requested_amount", "many"),
        ("currency", None),
        ("currency", "ngn"),
        ("domain", None),
        ("domain", "sandbox"),
        ("fees", "free"),
        ("fees", -1),
        ("paid_at", "yesterday"),
        ("created_at", 1_700_000_000),
        ("paid_at", "0001-01-01T00:00:00+14:00"),
    ],
)
def test_an_unreadable_member_breaks_the_contract_and_is_named(
    a_transaction: Transaction, member: str, value: object
) -> None:
    with pytest.raises(ContractBroken, match=member):
        charge_of(a_transaction(**{member: value}), b"")


@pytest.mark.parametrize("row", [None, [], "transaction", 5])
def test_what_is_no_object_is_no_transaction(row: object) -> None:
    with pytest.raises(ContractBroken):
        charge_of(row, b"")


def test_an_unpaid_transaction_has_no_time_of_payment(a_transaction: Transaction) -> None:
    told = a_transaction(status="abandoned", paid_at=None, paidAt=None, fees=None)
    charge = charge_of(told, b"")
    assert charge.paid_at is None and charge.created_at is not None


def test_ids_keep_64_bits_as_text(a_transaction: Transaction) -> None:
    """Trap 23."""
    assert charge_of(a_transaction(id=4_099_260_516), b"").charge == "4099260516"
    assert charge_of(a_transaction(id=2**64 - 1), b"").charge == str(2**64 - 1)
    assert charge_of(a_transaction(id="0004099260516"), b"").charge == "4099260516"


def test_a_charge_never_shows_its_body_in_its_repr(a_transaction: Transaction) -> None:
    assert "AUTH_" not in repr(charge_of(a_transaction(), b'{"authorization_code":"AUTH_secretcode"}'))


@pytest.mark.parametrize(
    ("authorization", "card"),
    [
        ({"country_code": "NG", "brand": "visa"}, Card("NG", "visa")),
        ({"country_code": "gb", "brand": "MASTERCARD"}, Card("GB", "mastercard")),
        ({"country_code": "Nigeria", "brand": None}, None),
        ({"brand": "verve"}, Card(None, "verve")),
        ({}, None),
        (None, None),
    ],
)
def test_the_card_is_told_as_far_as_its_price_depends_on_it(
    a_transaction: Transaction, authorization: object, card: Card | None
) -> None:
    assert charge_of(a_transaction(authorization=authorization), b"").card == card
    assert charge_of(a_transaction(authorization=authorization, channel="bank"), b"").card is None
