"""What `coopwire inspect paystack` reads from a payload: webhook, payment, error."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coopwire.ports.providers import Inspection, InspectionError
from coopwire.providers.paystack import PROVIDER
from coopwire.providers.paystack.inspectors import error, payment, webhook

Transaction = Callable[..., dict[str, object]]


def raw(document: object) -> bytes:
    return json.dumps(document).encode()


def shown(seen: Inspection) -> dict[str, object]:
    """The members that apply."""
    return {name: value for name, value in asdict(seen).items() if value is not None}


def one(seen: list[Inspection]) -> dict[str, object]:
    (only,) = seen
    return shown(only)


WHOLE_CHARGE = {
    "object": "charge",
    "reference": "ref00000000000000001",
    "provider_ref": "5100000001",
    "amount_minor": 150_000,
    "currency": "NGN",
    "status": "succeeded",
    "channel": "card",
    "fee_minor": 2_250,
    "occurred_at": "2026-03-02T09:15:02+00:00",
}


def test_the_sheet_offers_a_kind_for_each_of_their_objects() -> None:
    assert set(PROVIDER.inspectors) == {
        "webhook",
        "payment",
        "refund",
        "dispute",
        "settlement",
        "transfer",
        "account",
        "mandate",
        "error",
    }
    assert PROVIDER.load(PROVIDER.inspectors["webhook"]) is webhook


# -- payment --------------------------------------------------------------------------------------------------


def test_a_verify_answer_is_one_charge(a_transaction: Transaction) -> None:
    body = raw({"status": True, "message": "Verification successful", "data": a_transaction()})
    assert one(payment(body, {})) == WHOLE_CHARGE


def test_a_bare_transaction_is_read_too(a_transaction: Transaction) -> None:
    assert one(payment(raw(a_transaction()), {})) == WHOLE_CHARGE


def test_a_list_is_one_object_for_each_transaction(a_transaction: Transaction) -> None:
    rows = [a_transaction(), a_transaction(id=2, status="failed", gateway_response="Declined")]
    body = raw({"status": True, "message": "ok", "data": rows, "meta": {"next": None}})
    first, second = payment(body, {})
    assert shown(first) == WHOLE_CHARGE
    assert (second.provider_ref, second.status, second.failure_reason) == ("2", "failed", "Declined")


def test_an_empty_list_is_nothing() -> None:
    assert payment(raw({"status": True, "message": "ok", "data": [], "meta": {}}), {}) == []


def test_an_opened_checkout_is_pending_and_its_page_is_not_shown() -> None:
    data = {"authorization_url": "https://checkout.paystack.com/abc", "access_code": "abc", "reference": "r1"}
    seen = one(payment(raw({"status": True, "message": "Authorization URL created", "data": data}), {}))
    assert seen == {"object": "checkout", "reference": "r1", "status": "pending"}


def test_a_charge_that_waits_for_the_customer_shows_what_applies() -> None:
    data = {"reference": "r1", "status": "send_otp", "display_text": "Please send OTP"}
    seen = one(payment(raw({"status": True, "message": "Charge attempted", "data": data}), {}))
    assert seen == {"object": "charge", "reference": "r1", "status": "pending"}


def test_a_refused_look_up_is_shown_as_what_it_is() -> None:
    body = raw(
        {"status": False, "message": "Transaction reference not found", "code": "transaction_not_found"}
    )
    seen = one(payment(body, {}))
    assert (seen["object"], seen["status"], seen["code"]) == ("error", "absent", "transaction_not_found")


def test_francs_are_shown_in_francs(a_transaction: Transaction) -> None:
    seen = one(payment(raw(a_transaction(currency="XOF", amount=250_000, fees=3_750)), {}))
    assert (seen["amount_minor"], seen["fee_minor"]) == (2_500, 38)


@pytest.mark.parametrize(
    ("document", "says"),
    [
        ({"event": "charge.success", "data": {}}, "webhook"),
        (
            {"status": True, "message": "ok", "data": {"transfer_code": "TRF_1", "status": "success"}},
            "payout",
        ),
        ({"status": True, "message": "ok"}, "no transaction"),
        ({"status": True, "message": "ok", "data": 5}, "no transaction"),
        ({"type": "success", "code": "ok", "data": {"status": "success"}}, "no transaction"),
        ({"status": "success"}, "no transaction"),
        ([], "no transaction"),
        (None, "no transaction"),
        (5, "no transaction"),
    ],
)
def test_what_is_no_payment_is_said_to_be_none(document: object, says: str) -> None:
    with pytest.raises(InspectionError, match=says):
        payment(raw(document), {})


# -- webhook --------------------------------------------------------------------------------------------------


def test_a_charge_webhook_is_read_like_the_charge(a_transaction: Transaction) -> None:
    body = raw({"event": "charge.success", "data": a_transaction()})
    assert one(webhook(body, {})) == {**WHOLE_CHARGE, "event": "charge.success"}


def test_a_refund_is_read_with_its_payments_reference() -> None:
    data = {
        "status": "processed",
        "transaction_reference": "T1",
        "refund_reference": "132013318360",
        "amount": "5000",
        "currency": "NGN",
        "customer": {"email": "ada@example.com"},
    }
    assert one(webhook(raw({"event": "refund.processed", "data": data}), {})) == {
        "object": "refund",
        "event": "refund.processed",
        "reference": "T1",
        "provider_ref": "132013318360",
        "amount_minor": 5000,
        "currency": "NGN",
        "status": "succeeded",
    }


def test_a_failed_transfer_says_why() -> None:
    data = {
        "id": 69123462,
        "transfer_code": "TRF_1",
        "reference": "1976435206",
        "amount": 200_000,
        "currency": "NGN",
        "status": "failed",
        "gateway_response": "Account 0123456789 is closed",
        "updated_at": "2021-04-12T15:41:21.000Z",
        "recipient": {"name": "Somebody", "details": {"account_number": "0123456789"}},
    }
    assert one(webhook(raw({"event": "transfer.failed", "data": data}), {})) == {
        "object": "transfer",
        "event": "transfer.failed",
        "reference": "1976435206",
        "provider_ref": "TRF_1",
        "amount_minor": 200_000,
        "currency": "NGN",
        "status": "failed",
        "failure_reason": "Account … is closed",
        "occurred_at": "2021-04-12T15:41:21+00:00",
    }


@pytest.mark.parametrize(
    ("status", "resolution", "seen_status"),
    [
        ("awaiting-merchant-feedback", None, "open"),
        ("awaiting-bank-feedback", "declined", "under_review"),
        ("resolved", "merchant-accepted", "lost"),
        ("resolved", "auto-accepted", "lost"),
        ("resolved", "declined", "won"),
    ],
)
def test_a_dispute_is_open_lost_or_won(status: str, resolution: str | None, seen_status: str) -> None:
    data = {
        "id": 358950,
        "status": status,
        "resolution": resolution,
        "refund_amount": 5800,
        "currency": "NGN",
        "transaction": {"id": 896467688, "reference": "r1"},
    }
    seen = one(webhook(raw({"event": "charge.dispute.resolve", "data": data}), {}))
    assert (seen["object"], seen["status"], seen["reference"]) == ("dispute", seen_status, "r1")
    assert (seen["provider_ref"], seen["amount_minor"]) == ("358950", 5800)


def test_an_unknown_event_is_shown_as_unknown() -> None:
    seen = one(webhook(raw({"event": "moon.landed", "data": {"id": 1}}), {}))
    assert (seen["object"], seen["event"]) == ("unknown", "moon.landed")


# -- error ----------------------------------------------------------------------------------------------------


def problem(message: str, code: str | None = None) -> bytes:
    return raw({"status": False, "message": message} | ({"code": code} if code else {}))


@pytest.mark.parametrize(
    ("body", "headers", "expected"),
    [
        (
            problem("Email Address is required", "missing_params"),
            {},
            {"error": "Refused", "code": "missing_params"},
        ),
        (problem("Invalid key"), {}, {"error": "BadCredentials", "message": "Invalid key"}),
        (problem("Duplicate Transaction Reference"), {}, {"error": "OutcomeUnknown"}),
        (problem("x", "duplicate_reference"), {":status": "400"}, {"error": "OutcomeUnknown"}),
        (
            problem("Too many requests"),
            {":status": "429", "retry-after": "30"},
            {"error": "TryLater", "retry_after": 30.0, "message": "Too many requests"},
        ),
        (problem("Too many requests"), {"retry-after": "30"}, {"error": "TryLater", "retry_after": 30.0}),
        (
            b"<html>",
            {
                ":status": "429",
                "date": "Mon, 02 Mar 2026 09:00:00 GMT",
                "retry-after": "Mon, 02 Mar 2026 09:02:00 GMT",
            },
            {"error": "TryLater", "retry_after": 120.0},
        ),
        (b"<html>", {":status": "502"}, {"error": "OutcomeUnknown"}),
        (b"", {":status": "504"}, {"error": "OutcomeUnknown"}),
        (problem("An error occurred"), {":status": "500"}, {"error": "OutcomeUnknown"}),
        (b"", {":status": "401"}, {"error": "BadCredentials"}),
        (problem("Transaction reference not found"), {}, {"error": "Refused", "status": "absent"}),
        (raw({"status": "false", "message": "no"}), {}, {"error": "Refused", "message": "no"}),
        (problem("Invalid Amount Sent"), {":status": "200"}, {"error": "Refused"}),
    ],
)
def test_an_error_is_told_by_its_class(
    body: bytes, headers: dict[str, str], expected: dict[str, object]
) -> None:
    seen = one(error(body, headers))
    assert seen["object"] == "error"
    assert expected.items() <= seen.items()


def test_a_date_without_the_answers_own_date_gives_no_seconds() -> None:
    seen = one(error(b"", {":status": "429", "retry-after": "Mon, 02 Mar 2026 09:02:00 GMT"}))
    assert seen["error"] == "TryLater" and "retry_after" not in seen


@pytest.mark.parametrize(
    ("body", "headers"),
    [
        (b"<html>", {}),
        (b"", {}),
        (b"{}", {}),
        (raw({"status": True, "message": "ok", "data": {}}), {}),
        (raw({"status": True, "message": "ok", "data": {}}), {":status": "200"}),
        (problem("no"), {":status": "abc"}),
        (problem("no"), {":status": "99"}),
        (problem("no"), {":status": "600"}),
        (problem("no"), {":status": "４０4"}),
    ],
)
def test_what_is_no_error_is_said_to_be_none(body: bytes, headers: dict[str, str]) -> None:
    with pytest.raises(InspectionError):
        error(body, headers)


# -- hostile --------------------------------------------------------------------------------------------------

PERSONAL = {
    "email": "ada@example.com",
    "first_name": "Adaeze",
    "phone": "+2348031234567",
    "account_number": "0123456789",
    "account_name": "Adaeze O",
    "authorization_code": "AUTH_secretcode",
    "bvn": "22212345678",
    "authorization_url": None,
}


@pytest.mark.parametrize("kind", [webhook, payment, error])
def test_nothing_personal_is_ever_shown(kind: Any, a_transaction: Transaction) -> None:
    told = a_transaction(
        status="failed",
        gateway_response="ada@example.com with AUTH_secretcode, account 0123456789, +2348031234567",
        customer=PERSONAL,
        authorization=PERSONAL,
        metadata=PERSONAL,
        message="22212345678",
    )
    document = {
        webhook: {"event": "charge.success", "data": told},
        payment: {"status": True, "message": "ok", "data": told},
        error: {"status": False, "message": told["gateway_response"], "code": "x", "data": told},
    }[kind]
    text = repr(kind(raw(document), {}))
    for secret in ("ada@", "Adaeze", "0123456789", "803123", "AUTH_", "22212345678"):
        assert secret not in text


@pytest.mark.parametrize("kind", [webhook, payment, error])
@pytest.mark.parametrize(
    "body",
    [b"", b"\x00", b"{", b"[" * 100_000, b'{"a":' * 50_000, b"\xff\xfe", b"NaN", b"9" * 10_000, b'"\\ud800"'],
)
def test_hostile_input_ends_with_a_clear_message(kind: Any, body: bytes) -> None:
    with pytest.raises(InspectionError) as clear:
        kind(body, {})
    assert 0 < len(str(clear.value)) < 200


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text() | st.floats(),
    lambda inner: (
        st.lists(inner)
        | st.dictionaries(st.sampled_from(["event", "data", "status", "id", "amount", "currency"]), inner)
    ),
    max_leaves=15,
)


@pytest.mark.parametrize("kind", [webhook, payment, error])
@given(document=JSON)
def test_any_json_is_read_or_clearly_refused(kind: Any, document: object) -> None:
    try:
        seen = kind(raw(document), {})
    except InspectionError:
        return
    assert all(isinstance(one_, Inspection) for one_ in seen)
