"""`coopwire inspect flutterwave`: what the hub reads in a payload, and a clear word for what it cannot read."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coopwire.ports.providers import InspectionError
from coopwire.providers.flutterwave import PROVIDER
from coopwire.providers.flutterwave.inspectors import (
    dispute,
    error,
    payment,
    refund,
    virtual_account,
    webhook,
)

Transaction = Callable[..., dict[str, object]]
KINDS = [webhook, payment, refund, dispute, virtual_account, error]


def body(told: object) -> bytes:
    return json.dumps(told, default=str).encode()


def success(data: object) -> dict[str, object]:
    return {"status": "success", "message": "m", "data": data}


def test_the_sheet_offers_a_kind_for_each_of_their_objects() -> None:
    kinds = "webhook payment refund dispute transfer settlement account mandate error"
    assert set(PROVIDER.inspectors) == set(kinds.split())


def test_a_verify_answer_a_list_and_a_bare_transaction_are_charges(a_transaction: Transaction) -> None:
    for told in (success(a_transaction()), success([a_transaction()]), a_transaction()):
        (seen,) = payment(body(told), {})
        assert (seen.object, seen.reference, seen.provider_ref) == (
            "charge",
            "ref00000000000000001",
            "4975363",
        )
        assert (seen.amount_minor, seen.fee_minor, seen.status) == (150_000, 2_100, "succeeded")


def test_an_opened_checkout_is_pending_and_its_page_is_not_shown() -> None:
    (seen,) = payment(body(success({"link": "https://pay.example/secret"})), {})
    assert (seen.object, seen.status) == ("checkout", "pending")
    assert "secret" not in repr(seen)


def test_a_refused_look_up_is_shown_as_what_it_is() -> None:
    told = {"status": "error", "message": "No transaction was found for this id", "data": None}
    (seen,) = payment(body(told), {})
    assert (seen.object, seen.status) == ("error", "absent")


@pytest.mark.parametrize(
    ("told", "says"),
    [
        ({"event": "charge.completed", "data": {}}, "use the kind webhook"),
        ({"event.type": "CARD_TRANSACTION"}, "use the kind webhook"),
        (success({"id": 1, "due_date": "2026-01-01", "status": "pending", "tx_ref": "r"}), "a chargeback"),
        (success({"id": 1, "reference": "t", "status": "NEW"}), "no transaction"),
        (success(None), "no transaction"),
        ([], "no transaction"),
    ],
)
def test_what_is_no_payment_is_said_to_be_none(told: object, says: str) -> None:
    with pytest.raises(InspectionError, match=says):
        payment(body(told), {})


def test_a_refund_is_shown_without_an_amount_for_it_has_no_currency() -> None:
    row = {
        "id": 7,
        "transaction_id": 5,
        "amount_refunded": 5,
        "status": "pending-momo",
        "comment": "coopwire:abc",
    }
    (seen,) = refund(body(success([row])), {})
    assert (seen.provider_ref, seen.reference, seen.status) == ("7", "abc", "processing")
    assert seen.amount_minor is None


@pytest.mark.parametrize("told", [success({"id": 7}), success({"id": 7, "transaction_id": 5}), success(None)])
def test_what_is_no_refund_is_said_to_be_none(told: object) -> None:
    with pytest.raises(InspectionError, match="no refund"):
        refund(body(told), {})


@pytest.mark.parametrize(
    ("headers", "told", "kind"),
    [
        ({}, {"status": "error", "message": "x", "data": None}, "Refused"),
        ({":status": "401"}, {"status": "error", "message": "Invalid authorization key"}, "BadCredentials"),
        ({":status": "503"}, {}, "OutcomeUnknown"),
        ({"retry-after": "7"}, {}, "TryLater"),
    ],
)
def test_an_error_is_told_by_its_class(headers: dict[str, str], told: object, kind: str) -> None:
    (seen,) = error(body(told), headers)
    assert seen.error == kind
    assert seen.retry_after == (7.0 if kind == "TryLater" else None)


@pytest.mark.parametrize(
    ("headers", "told"),
    [({}, success({})), ({":status": "200"}, success({})), ({":status": "999"}, {}), ({}, {})],
)
def test_what_is_no_error_is_said_to_be_none(headers: dict[str, str], told: object) -> None:
    with pytest.raises(InspectionError):
        error(body(told), headers)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("raw", [b"", b"null", b"\xff", b"[" * 50_000, b'{"status":NaN}', b'"x"', b"7"])
def test_hostile_input_ends_with_a_clear_message(kind: Any, raw: bytes) -> None:
    with pytest.raises(InspectionError):
        kind(raw, {})


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["status", "data", "id", "tx_ref", "event", "amount", "currency", "message"]),
            inner,
        )
    ),
    max_leaves=12,
)


@pytest.mark.parametrize("kind", KINDS)
@given(document=JSON)
def test_any_json_is_read_or_clearly_refused(kind: Any, document: object) -> None:
    try:
        kind(body(document), {})
    except InspectionError as refused:
        assert str(refused)
