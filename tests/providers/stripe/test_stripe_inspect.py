"""What `coopwire inspect stripe` shows of a payload from a file, and what it says of one that is none."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from coopwire.ports.providers import InspectionError
from coopwire.providers.stripe.inspectors import error, payment, refund, webhook

SESSION = {
    "id": "cs_test_1",
    "object": "checkout.session",
    "client_reference_id": "ref1",
    "amount_total": 150_000,
    "currency": "ngn",
    "livemode": False,
    "created": 1_772_442_700,
    "status": "complete",
    "payment_status": "unpaid",
    "payment_intent": "pi_1",
    "url": None,
}
REFUND = {
    "id": "re_1",
    "object": "refund",
    "payment_intent": "pi_1",
    "amount": 1_000,
    "currency": "ngn",
    "status": "failed",
    "failure_reason": "lost_or_stolen_card",
    "created": 1_772_442_864,
    "metadata": {"reference": "rfd1"},
}


def said(document: object) -> bytes:
    return json.dumps(document).encode()


def test_a_payment_is_shown_with_its_fee(an_intent: Callable[..., dict[str, Any]]) -> None:
    [told] = payment(said(an_intent()), {})
    assert (told.object, told.provider_ref, told.status) == ("charge", "pi_1", "succeeded")
    assert (told.amount_minor, told.currency, told.fee_minor) == (150_000, "NGN", 4_380)
    assert told.occurred_at == "2026-03-02T09:14:24+00:00"
    assert "secret" not in repr(told)


def test_every_row_of_a_list_and_of_a_search_is_shown(an_intent: Callable[..., dict[str, Any]]) -> None:
    for kind in ("list", "search_result"):
        page = {"object": kind, "data": [an_intent(), an_intent(id="pi_2")], "has_more": False}
        assert [one.provider_ref for one in payment(said(page), {})] == ["pi_1", "pi_2"]


def test_a_page_that_is_complete_and_unpaid_is_shown_as_under_way() -> None:
    [told] = payment(said(SESSION), {})
    assert (told.object, told.reference, told.status) == ("checkout", "ref1", "processing")


def test_a_refund_is_shown_with_our_reference_and_why_it_failed() -> None:
    [told] = refund(said(REFUND), {})
    assert (told.reference, told.status, told.failure_reason) == ("rfd1", "failed", "lost_or_stolen_card")


def test_an_event_is_shown_by_what_it_is_about(an_intent: Callable[..., dict[str, Any]]) -> None:
    told = {"object": "event", "type": "payment_intent.succeeded", "created": 1_772_442_864}
    [shown] = webhook(said({**told, "livemode": False, "data": {"object": an_intent()}}), {})
    assert (shown.object, shown.event, shown.status) == ("charge", "payment_intent.succeeded", "succeeded")
    assert (shown.reference, shown.amount_minor) == ("ref00000000000000001", 150_000)


def test_a_refusal_in_the_place_of_an_object_is_shown_as_the_error_that_it_is() -> None:
    gone = {"error": {"type": "invalid_request_error", "code": "resource_missing", "message": "No such"}}
    [told] = payment(said(gone), {})
    assert (told.object, told.error, told.status) == ("error", "Refused", "absent")


@pytest.mark.parametrize(
    ("status", "kind", "code", "name"),
    [
        ("409", "invalid_request_error", "idempotency_key_in_use", "OutcomeUnknown"),
        ("429", "invalid_request_error", "rate_limit", "TryLater"),
        ("401", "invalid_request_error", "", "BadCredentials"),
        ("400", "idempotency_error", "", "OutcomeUnknown"),
    ],
)
def test_an_error_is_sorted_as_a_write_would_see_it(status: str, kind: str, code: str, name: str) -> None:
    told = {"error": {"type": kind, "code": code, "message": "They say no"}}
    assert error(said(told), {":status": status})[0].error == name


@pytest.mark.parametrize(
    ("read", "document"),
    [
        (payment, {"object": "customer", "id": "cus_1"}),
        (payment, {"object": "payment_intent", "id": "pi_1"}),
        (payment, {"object": "event", "type": "x"}),
        (payment, {"some": "thing"}),
        (payment, []),
        (refund, SESSION),
        (refund, {"object": "refund"}),
        (webhook, {"object": "refund"}),
        (error, {"object": "refund", "id": "re_1"}),
    ],
)
def test_what_is_none_is_told_plainly(read: Callable[..., Any], document: object) -> None:
    with pytest.raises(InspectionError):
        read(said(document), {})
