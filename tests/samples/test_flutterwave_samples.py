"""Every official Flutterwave sample: what we read of it, or why it is refused or not ours to read.

The samples stay in the folder of specifications; checked in here is only what we expect of each, by its name.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from rigs.flutterwave_samples import ABSENT, samples, there

from coopwire.domain.disputes import DisputeVerdict
from coopwire.domain.errors import ContractBroken, HubError
from coopwire.domain.gates import Traffic
from coopwire.domain.payments import Mode
from coopwire.domain.states import AccountState, DisputeState, SettlementState
from coopwire.ports.gateways import ChargeSnapshot, RefundSnapshot
from coopwire.ports.http import HttpAnswer
from coopwire.ports.providers import Connection, InspectionError
from coopwire.providers.flutterwave.inspectors import (
    dispute,
    error,
    payment,
    refund,
    settlement,
    virtual_account,
    webhook,
)
from coopwire.providers.flutterwave.wire.account import account
from coopwire.providers.flutterwave.wire.accounts import account_of
from coopwire.providers.flutterwave.wire.answers import denial, success
from coopwire.providers.flutterwave.wire.authorizations import authorization_of
from coopwire.providers.flutterwave.wire.charges import charge_of
from coopwire.providers.flutterwave.wire.disputes import answer_of, dispute_of
from coopwire.providers.flutterwave.wire.disputes import told as chargeback_told
from coopwire.providers.flutterwave.wire.pages import page
from coopwire.providers.flutterwave.wire.reading import parse
from coopwire.providers.flutterwave.wire.refunds import refund_of
from coopwire.providers.flutterwave.wire.refunds import told as refund_told
from coopwire.providers.flutterwave.wire.settlements import lines_of, settlement_of

EXPECTED: dict[str, Any] = json.loads((Path(__file__).parent / "flutterwave_expectations.json").read_text())
ACCOUNT = account(Connection("f", "flutterwave", Mode.TEST, {"secret_key": "FLWSECK_TEST-x"}))

pytestmark = pytest.mark.skipif(not there(), reason=ABSENT)


def rows_of(name: str) -> list[Any]:
    """The rows of an answer, as the adapter parses them."""
    document: Any = parse(samples()[name].body)
    rows = document.get("data")
    return rows if isinstance(rows, list) else [rows]


def told(charge: ChargeSnapshot) -> dict[str, object]:
    return {
        "charge": charge.charge,
        "reference": charge.reference,
        "state": charge.state.value,
        "amount_minor": charge.amount_minor,
        "requested_minor": charge.requested_minor,
        "currency": charge.currency,
        "fee_exact": charge.fee_exact,
        "fee_known": charge.fee_known,
        "fee_bearer": charge.fee_bearer.value,
        "channel": charge.channel,
        "created_at": charge.created_at and charge.created_at.isoformat(),
    }


def told_refund(one: RefundSnapshot) -> dict[str, object]:
    return {
        "provider_ref": one.provider_ref,
        "charge": one.charge,
        "amount_minor": one.amount_minor,
        "state": one.state.value,
        "reference": one.reference,
        "created_at": one.created_at and one.created_at.isoformat(),
    }


def test_every_sample_is_accounted_for_and_every_expectation_has_its_sample() -> None:
    assert {name for section in EXPECTED.values() for name in section} == set(samples())


@pytest.mark.parametrize("name", EXPECTED["charges"])
def test_each_transaction_is_read_and_shown_as_a_charge(name: str) -> None:
    expected = EXPECTED["charges"][name]
    assert [told(charge_of(row, ACCOUNT, b"")) for row in rows_of(name)] == expected
    seen = [(one.provider_ref, one.amount_minor, one.status) for one in payment(samples()[name].body, {})]
    assert seen == [(one["charge"], one["amount_minor"], one["state"]) for one in expected]


@pytest.mark.parametrize("name", EXPECTED["refunds"])
def test_each_refund_is_read_and_shown_as_expected(name: str) -> None:
    expected = EXPECTED["refunds"][name]
    assert [
        told_refund(refund_of(refund_told(row, b""), "NGN", ACCOUNT)) for row in rows_of(name)
    ] == expected
    seen = [(one.provider_ref, one.status) for one in refund(samples()[name].body, {})]
    assert seen == [(one["provider_ref"], one["state"]) for one in expected]


@pytest.mark.parametrize(
    "name",
    [
        "collection/Settlements/Get a Settlement#0",
        "collection/Settlements/Get all Settlements#0",
        "docs/settlements/Get a settlement",
        "docs/settlements/Get all settlements",
    ],
)
def test_each_settlement_adds_up_and_so_do_its_lines(name: str) -> None:
    read = [settlement_of(row, Mode.TEST, b"") for row in rows_of(name)]
    assert read
    assert {one.gap_minor for one in read} == {0}
    assert {one.state for one in read} <= {SettlementState.PAID, SettlementState.PENDING}
    lines = [line for row in rows_of(name) if "transactions" in row for line in lines_of(row, b"")]
    assert bool(lines) is ("a settlement" in name.casefold())
    rows = [line for row in rows_of(name) for line in row.get("transactions", [])]
    for line, row in zip(lines, rows, strict=True):
        assert line.gross_minor - Decimal(line.fee_exact) == Decimal(str(row["settlement_amount"])) * 100
    shown = [(one.provider_ref, one.amount_minor) for one in settlement(samples()[name].body, {})]
    assert shown == [(one.provider_ref, one.net_minor) for one in read]


@pytest.mark.parametrize(
    "name",
    [
        "collection/Virtual Account Numbers/Create a Virtual Account Number#0",
        "collection/Virtual Account Numbers/Fetch a Virtual Account Number#0",
        "docs/virtualAccount/Create a virtual account number",
        "docs/virtualAccount/Get a virtual account number",
    ],
)
def test_each_account_is_open_and_known_by_its_order(name: str) -> None:
    (row,) = rows_of(name)
    read = account_of(row, b"")
    assert (read.provider_ref, read.number, read.bank) == (
        row["order_ref"],
        row["account_number"],
        row["bank_name"],
    )
    assert (read.state, read.currency) == (AccountState.ACTIVE, "NGN")
    (seen,) = virtual_account(samples()[name].body, {})
    assert (seen.provider_ref, seen.status) == (row["order_ref"], "active")


@pytest.mark.parametrize(
    ("name", "state", "answer", "charge"),
    [
        ("collection/Chargebacks/Get all Chargebacks#0", DisputeState.LOST, None, "1554166"),
        ("collection/Chargebacks/Fetch a Chargeback#0", DisputeState.OPEN, None, "4989465"),
    ],
)
def test_each_chargeback_names_its_transaction_and_what_was_answered(
    name: str, state: DisputeState, answer: DisputeVerdict | None, charge: str
) -> None:
    (row,) = rows_of(name)
    read = dispute_of(chargeback_told(row, b""), "NGN", ACCOUNT)
    assert (read.state, read.answer, read.charge, read.amount_minor) == (state, answer, charge, 10_000)
    assert (read.category, read.reference) == ("new", row["tx_ref"])
    assert read.deadline_at is not None and read.created_at is not None
    (seen,) = dispute(samples()[name].body, {})
    assert (seen.provider_ref, seen.reference, seen.status) == (
        str(row["id"]),
        row["tx_ref"],
        state.value,
    )


def test_the_answer_to_an_answer_names_no_transaction() -> None:
    (row,) = rows_of("collection/Chargebacks/Accept/Decline Chargebacks#0")
    assert answer_of(row) is DisputeVerdict.ACCEPT
    with pytest.raises(ContractBroken, match="transaction_id"):
        chargeback_told(row, b"")


def test_the_tokens_of_the_samples_may_be_charged_again() -> None:
    (row,) = rows_of("docs/tokenization/Charge with token")
    left = authorization_of(row)
    assert left is not None
    assert (left.code, left.email) == (row["card"]["token"], row["customer"]["email"])
    # The token ends a year after the payment, the card fourteen months after that.
    assert (left.channel, left.brand, left.expires) == ("card", "MASTERCARD", (2021, 6))


@pytest.mark.parametrize("name", EXPECTED["errors"])
def test_each_error_is_sorted_as_expected(name: str) -> None:
    expected, sample = EXPECTED["errors"][name], samples()[name]
    answer = HttpAnswer(sample.status, {}, sample.body)
    for traffic in Traffic:
        with pytest.raises(HubError) as raised:
            success(answer, traffic, None)
        assert type(raised.value).__name__ == expected[f"to_a_{traffic.value}"]
    denied = denial(answer)
    assert denied is not None
    assert denied.absent is expected.get("absent", False)
    (seen,) = error(sample.body, {":status": str(sample.status)})
    assert seen.error == expected["to_a_write"]


@pytest.mark.parametrize("name", EXPECTED["not_payments"])
def test_what_no_verb_of_ours_answers_is_never_taken_for_a_payment(name: str) -> None:
    for row in rows_of(name) or [None]:
        with pytest.raises(ContractBroken):
            charge_of(row, ACCOUNT, b"")
    with pytest.raises(InspectionError):
        payment(samples()[name].body, {})


@pytest.mark.parametrize(
    ("name", "rows", "following"),
    [
        ("collection/Transactions/Get Multiple Transactions#0", 10, 2),
        ("collection/Transactions/Get all refunds#0", 20, 2),
        ("docs/transactions/Get all transactions", 3, 2),
    ],
)
def test_each_list_is_a_page_with_a_next_one(name: str, rows: int, following: int) -> None:
    read = page(success(HttpAnswer(200, {}, samples()[name].body), Traffic.READ, None))
    assert (min(len(read.rows), rows), read.number) == (len(read.rows), following)
    assert read.total > len(read.rows)


def test_the_official_list_shows_one_reference_with_several_transactions() -> None:
    charges = [charge_of(row, ACCOUNT, b"") for row in rows_of("docs/transactions/Get all transactions")]
    assert len({charge.reference for charge in charges}) < len({charge.charge for charge in charges})


def test_no_inspection_of_a_sample_shows_anything_personal() -> None:
    for name, sample in samples().items():
        for kind in (webhook, payment, refund, dispute, settlement, virtual_account, error):
            try:
                text = repr([asdict(seen) for seen in kind(sample.body, {})])
            except InspectionError as refused:
                text = str(refused)
            for secret in _personal(sample.told):
                assert secret not in text, name


_PERSONAL = frozenset(
    {
        "email",
        "customer_email",
        "name",
        "customer_name",
        "phone_number",
        "phone",
        "account_number",
        "token",
        "nuban",
        "originatorname",
        "link",
        "auth_url",
        "redirect",
        "bvn",
        "first_name",
        "last_name",
    }
)


def _personal(value: Any) -> Iterator[str]:
    if isinstance(value, list):
        for one in value:
            yield from _personal(one)
    if isinstance(value, dict):
        for member, inner in value.items():
            if member in _PERSONAL and isinstance(inner, str) and len(inner) > 4:
                yield inner
            yield from _personal(inner)
