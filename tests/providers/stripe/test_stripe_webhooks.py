"""Stripe's webhooks: whose they are, how old, of which mode, and what each event hints at."""

from __future__ import annotations

import hashlib
import hmac
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coopwire.domain.errors import ContractBroken, Forged
from coopwire.domain.notices import NoticeVerdict
from coopwire.domain.payments import Mode
from coopwire.ports.providers import Connection
from coopwire.providers.stripe.webhooks import StripeWebhooks
from coopwire.providers.stripe.wire.events import EVENTS

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
OLD, NEW = "whsec_old", "whsec_new"
REFERENCE = "ref00000000000000001"


def webhooks(**settings: str) -> StripeWebhooks:
    given = {"secret_key": "sk_test_x", "webhook_secret": NEW, **settings}
    return StripeWebhooks(Connection("stripe-1", "stripe", Mode.TEST, given), lambda: NOW)


def event(kind: str = "payment_intent.succeeded", told: object = None, **changes: object) -> bytes:
    data = told or {"id": "pi_1", "object": "payment_intent", "metadata": {"reference": REFERENCE}}
    one = {"id": "evt_1", "object": "event", "livemode": False, "type": kind, "created": 1_772_442_864}
    return json.dumps({**one, "data": {"object": data}, **changes}).encode()


def mac(secret: str, body: bytes, at: datetime = NOW) -> str:
    return hmac.new(secret.encode(), f"{int(at.timestamp())}.".encode() + body, hashlib.sha256).hexdigest()


def header(*signatures: str, at: datetime = NOW) -> dict[str, str]:
    return {"stripe-signature": ",".join([f"t={int(at.timestamp())}", *signatures])}


def test_a_signature_over_time_and_raw_bytes_is_theirs() -> None:
    webhooks().verify(header(f"v1={mac(NEW, event())}"), event())


def test_while_a_secret_is_rolled_either_of_two_signatures_may_be_ours() -> None:
    body = event()
    webhooks().verify(header(f"v1={mac('whsec_next', body)}", f"v1={mac(NEW, body)}"), body)


def test_a_secret_that_was_rolled_still_counts() -> None:
    webhooks(previous_webhook_secret=OLD).verify(header(f"v1={mac(OLD, event())}"), event())
    with pytest.raises(Forged):
        webhooks().verify(header(f"v1={mac(OLD, event())}"), event())


def test_another_scheme_is_ignored() -> None:
    body = event()
    webhooks().verify(header(f"v0={'0' * 64}", f"v1={mac(NEW, body)}"), body)
    with pytest.raises(Forged):
        webhooks().verify(header(f"v0={mac(NEW, body)}"), body)


def test_without_a_secret_everything_is_forged() -> None:
    with pytest.raises(Forged):
        webhooks(webhook_secret="").verify(header(f"v1={mac(NEW, event())}"), event())


@pytest.mark.parametrize("away", [timedelta(seconds=300), timedelta(seconds=-300)])
def test_five_minutes_before_and_after_are_near_enough(away: timedelta) -> None:
    at = NOW + away
    webhooks().verify(header(f"v1={mac(NEW, event(), at)}", at=at), event())


@pytest.mark.parametrize("away", [timedelta(seconds=301), timedelta(seconds=-301)])
def test_what_was_signed_longer_ago_or_in_the_future_is_forged(away: timedelta) -> None:
    at = NOW + away
    with pytest.raises(Forged, match="time"):
        webhooks().verify(header(f"v1={mac(NEW, event(), at)}", at=at), event())


@pytest.mark.parametrize(
    "given",
    [
        "",
        "t=1",
        "v1=abc",
        "t=x,v1=abc",
        "t=99999999999,v1=abc",
        "t=1,t=2,v1=abc",
        "é",
        "x" * 5000,
        "t=,v1=",
    ],
)
def test_a_header_that_is_none_is_forged(given: str) -> None:
    with pytest.raises(Forged):
        webhooks().verify({"stripe-signature": given}, event())


@given(given=st.text(max_size=200))
def test_no_header_breaks_the_check(given: str) -> None:
    with pytest.raises(Forged):
        webhooks().verify({"stripe-signature": given}, event())


def test_a_message_of_the_other_mode_is_refused_though_it_is_rightly_signed() -> None:
    body = event(livemode=True)
    with pytest.raises(Forged, match="money"):
        webhooks().verify(header(f"v1={mac(NEW, body)}"), body)


def test_a_message_that_cannot_be_read_is_kept_when_it_is_rightly_signed() -> None:
    webhooks().verify(header(f"v1={mac(NEW, b'{}')}"), b"{}")
    with pytest.raises(ContractBroken):
        webhooks().read(b"{}")


def test_a_thin_event_is_kept_with_a_reason() -> None:
    thin = {"id": "evt_1", "object": "v2.core.event", "type": "v1.charge.failed", "livemode": False}
    body = json.dumps({**thin, "related_object": {"id": "ch_1"}}).encode()
    webhooks().verify(header(f"v1={mac(NEW, body)}"), body)
    (notice,) = webhooks().read(body)
    assert notice.verdict is NoticeVerdict.OTHER
    assert "thin" in notice.reason


PAGE = {
    "id": "cs_1",
    "object": "checkout.session",
    "client_reference_id": REFERENCE,
    "payment_intent": "pi_1",
}
PAID = {**PAGE, "payment_status": "paid", "amount_total": 150_000, "currency": "ngn"}
UNPAID = {**PAID, "payment_status": "unpaid"}
INTENT = {"id": "pi_1", "object": "payment_intent", "metadata": {"reference": REFERENCE}}
CHARGE = {"id": "ch_1", "object": "charge", "payment_intent": "pi_1", "metadata": {"reference": REFERENCE}}
REFUND = {"id": "re_1", "object": "refund", "payment_intent": "pi_1", "charge": "ch_1", "status": "failed"}
DISPUTE = {"id": "dp_1", "object": "dispute", "payment_intent": "pi_1", "charge": "ch_1"}


@pytest.mark.parametrize(
    ("kind", "told", "verdict", "reference", "charge"),
    [
        ("checkout.session.completed", PAID, "paid", REFERENCE, "pi_1"),
        ("checkout.session.completed", UNPAID, "other", REFERENCE, "pi_1"),
        ("checkout.session.async_payment_succeeded", PAID, "paid", REFERENCE, "pi_1"),
        ("checkout.session.async_payment_failed", UNPAID, "failed", REFERENCE, "pi_1"),
        ("checkout.session.expired", {**PAGE, "payment_intent": None}, "failed", REFERENCE, "cs_1"),
        ("payment_intent.succeeded", INTENT, "paid", REFERENCE, "pi_1"),
        ("payment_intent.succeeded", {**INTENT, "metadata": {}}, "paid", "pi_1", "pi_1"),
        ("payment_intent.payment_failed", INTENT, "failed", REFERENCE, "pi_1"),
        ("payment_intent.canceled", INTENT, "failed", REFERENCE, "pi_1"),
        ("payment_intent.processing", INTENT, "other", REFERENCE, "pi_1"),
        ("charge.succeeded", CHARGE, "other", REFERENCE, "pi_1"),
        ("charge.refunded", CHARGE, "refund", REFERENCE, "pi_1"),
        ("refund.failed", REFUND, "refund", None, "pi_1"),
        ("charge.refund.updated", REFUND, "refund", None, "pi_1"),
        ("charge.dispute.created", DISPUTE, "dispute", None, "pi_1"),
        ("payout.paid", {"id": "po_1", "object": "payout"}, "settlement", None, None),
    ],
)
def test_each_event_hints_at_what_it_is_about(
    kind: str, told: dict[str, Any], verdict: str, reference: str | None, charge: str | None
) -> None:
    (notice,) = webhooks().read(event(kind, told))
    assert (notice.verdict.value, notice.reference, notice.charge) == (verdict, reference, charge)


def test_a_dispute_is_named() -> None:
    (notice,) = webhooks().read(event("charge.dispute.created", DISPUTE))
    assert notice.dispute == "dp_1"


def test_a_payout_to_the_bank_is_named() -> None:
    (notice,) = webhooks().read(event("payout.paid", {"id": "po_1", "object": "payout"}))
    assert notice.settlement == "po_1"


@pytest.mark.parametrize("kind", EVENTS)
def test_every_event_that_an_endpoint_is_subscribed_to_is_acted_on_or_kept_with_a_reason(kind: str) -> None:
    (notice,) = webhooks().read(event(kind, {"id": "obj_1"}))
    assert notice.verdict is not NoticeVerdict.OTHER or notice.reason


def test_the_table_holds_every_event_of_the_contract() -> None:
    listed = """
        checkout.session: completed async_payment_succeeded async_payment_failed expired
        payment_intent: succeeded payment_failed processing canceled requires_action partially_funded
        charge: succeeded failed refunded updated
        refund: created updated failed
        charge.dispute: created updated closed funds_withdrawn funds_reinstated
        payout: created updated paid failed canceled reconciliation_completed
        mandate: updated
        setup_intent: succeeded setup_failed
        cash_balance: funds_available
    """
    rows = (line.split(": ") for line in listed.strip().splitlines())
    assert {f"{of.strip()}.{word}" for of, words in rows for word in words.split()} <= set(EVENTS)


@given(told=st.dictionaries(st.sampled_from(["id", "object", "metadata", "status"]), st.text() | st.none()))
def test_any_object_in_a_known_event_is_read_or_refused(told: dict[str, object]) -> None:
    for kind in ("payment_intent.succeeded", "checkout.session.completed", "refund.failed"):
        try:
            webhooks().read(event(kind, told))
        except ContractBroken:
            continue


def test_nothing_personal_stands_in_a_notice() -> None:
    told = {**INTENT, "receipt_email": "member@example.com", "client_secret": "pi_1_secret_9f"}
    (notice,) = webhooks().read(event(told=told))
    assert "example.com" not in repr(notice)
    assert "secret" not in repr(notice)
