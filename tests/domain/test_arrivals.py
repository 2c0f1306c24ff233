"""What a source tells: named after what it is about, and the same again only when it says the same."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from coopwire.domain.arrivals import (
    Arrival,
    Purpose,
    arrival_of,
    arrival_payment,
    arrival_receipt,
    differing_field,
)
from coopwire.domain.money import Money
from coopwire.domain.payments import AllocationMode, Component, Due, Dues, PaymentKind
from coopwire.domain.receipts import ReceiptSource, Source, receipt_id

NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)
COUNTER = Source("counter", ReceiptSource.TELLER)
DUES = Dues(NOW, "17", (Due("D1", Component.INTEREST, 100, date(2026, 11, 20)),), NOW + timedelta(days=30))
PURPOSE = Purpose("M-1029", PaymentKind.LOAN_REPAYMENT, "LN-1", "IKEJA", DUES)
TOLD = Arrival("IKJ-1", Money(5_000, "NGN"), NOW, purpose=PURPOSE)


def test_a_hub_that_was_restored_gives_receipt_and_payment_the_names_that_they_had() -> None:
    first = arrival_payment(COUNTER, TOLD, AllocationMode.HUB, NOW)
    later = arrival_payment(COUNTER, TOLD, AllocationMode.HUB, NOW + timedelta(hours=1))
    assert first.reference == later.reference
    assert arrival_receipt(COUNTER, TOLD, first, NOW).id == receipt_id("counter", "IKJ-1")
    elsewhere = arrival_payment(replace(COUNTER, name="other"), TOLD, AllocationMode.HUB, NOW)
    assert elsewhere.reference != first.reference


@pytest.mark.parametrize(
    "told", [TOLD, replace(TOLD, purpose=None), replace(TOLD, purpose=None, payment="a" * 20)]
)
def test_a_receipt_says_what_was_told_when_it_was_recorded(told: Arrival) -> None:
    payment = arrival_payment(COUNTER, TOLD, AllocationMode.HUB, NOW)
    if told.payment is not None:
        payment = replace(payment, reference=told.payment)
    of = payment if told.purpose is not None or told.payment is not None else None
    receipt = arrival_receipt(COUNTER, told, of, NOW)
    assert arrival_of(receipt, of) == told
    assert differing_field(told, arrival_of(receipt, of)) is None


@pytest.mark.parametrize(
    ("other", "field"),
    [
        (replace(TOLD, money=Money(5_001, "NGN")), "amount"),
        (replace(TOLD, money=Money(5_000, "USD")), "currency"),
        (replace(TOLD, received_at=NOW + timedelta(seconds=1)), "received_at"),
        (replace(TOLD, purpose=None), "member"),
        (replace(TOLD, purpose=None, payment="a" * 20), "payment"),
        (replace(TOLD, purpose=replace(PURPOSE, member="M-1030")), "member"),
        (replace(TOLD, purpose=replace(PURPOSE, kind=PaymentKind.FEE)), "kind"),
        (replace(TOLD, purpose=replace(PURPOSE, loan=None)), "loan"),
        (replace(TOLD, purpose=replace(PURPOSE, branch=None)), "branch"),
        (replace(TOLD, purpose=replace(PURPOSE, dues=None)), "dues"),
        (replace(TOLD, purpose=replace(PURPOSE, dues=replace(DUES, version="18"))), "dues"),
        (replace(TOLD, purpose=replace(PURPOSE, dues=replace(DUES, lines=()))), "dues"),
    ],
)
def test_another_telling_is_told_by_its_first_different_field(other: Arrival, field: str) -> None:
    assert differing_field(TOLD, other) == field
    assert differing_field(other, TOLD) == field


@pytest.mark.parametrize(
    "changes",
    [{"as_of": NOW - timedelta(minutes=1)}, {"valid_until": NOW + timedelta(days=31)}],
)
def test_the_same_snapshot_of_dues_taken_at_another_moment_is_the_same(changes: dict[str, Any]) -> None:
    other = replace(TOLD, purpose=replace(PURPOSE, dues=replace(DUES, **changes)))
    assert differing_field(TOLD, other) is None
