"""Paystack's webhooks: what is believed to be theirs, and what each event hints at."""

from __future__ import annotations

import hashlib
import hmac
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coopwire.domain.errors import ContractBroken, Forged
from coopwire.domain.notices import Notice, NoticeVerdict
from coopwire.domain.payments import Mode
from coopwire.ports.providers import ConfigurationError, Connection
from coopwire.providers.paystack.webhooks import PaystackWebhooks
from coopwire.providers.paystack.wire.events import EVENTS

KEY, OLD_KEY = "sk_test_new", "sk_test_old"
WEBHOOKS = PaystackWebhooks(
    Connection("p", "paystack", Mode.TEST, {"secret_key": KEY, "previous_secret_key": OLD_KEY})
)
CHARGE = {"id": 5_100_000_001, "reference": "ref1", "status": "success", "amount": 150_000, "currency": "NGN"}


def signature(body: bytes, key: str = KEY) -> str:
    return hmac.new(key.encode(), body, hashlib.sha512).hexdigest()


def event(name: str, data: object) -> bytes:
    return json.dumps({"event": name, "data": data}).encode()


def only(notices: tuple[Notice, ...]) -> Notice:
    (notice,) = notices
    return notice


BODY = event("charge.success", CHARGE)


# -- is it theirs ---------------------------------------------------------------------------------------------


def test_a_message_signed_with_our_key_is_theirs() -> None:
    WEBHOOKS.verify({"x-paystack-signature": signature(BODY)}, BODY)


def test_the_previous_key_counts_during_a_rotation() -> None:
    WEBHOOKS.verify({"x-paystack-signature": signature(BODY, OLD_KEY)}, BODY)


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        "0" * 128,
        signature(BODY, "sk_test_somebody_else"),
        signature(BODY, ""),
        signature(BODY).upper(),
        signature(BODY)[:-1],
        signature(BODY) + "0",
        f" {signature(BODY)}",
        hmac.new(KEY.encode(), BODY, hashlib.sha256).hexdigest(),
        hashlib.sha512(BODY).hexdigest(),
        signature(b""),
        "ü" * 64,
        "\ud800",
        "x" * 1_000_000,
    ],
)
def test_any_other_signature_is_forged(header: str | None) -> None:
    headers = {} if header is None else {"x-paystack-signature": header}
    with pytest.raises(Forged) as forged:
        WEBHOOKS.verify(headers, BODY)
    assert signature(BODY) not in str(forged.value)


@pytest.mark.parametrize(
    "body",
    [
        BODY + b" ",
        BODY[:-1],
        BODY.replace(b"150000", b"150001"),
        json.dumps(json.loads(BODY), indent=1).encode(),
    ],
)
def test_the_raw_bytes_are_signed_not_their_meaning(body: bytes) -> None:
    """Trap 13: the same JSON written otherwise has another signature."""
    with pytest.raises(Forged):
        WEBHOOKS.verify({"x-paystack-signature": signature(BODY)}, body)


@given(st.dictionaries(st.sampled_from(["x-paystack-signature", "other"]), st.text()), st.binary())
def test_verify_never_raises_anything_but_forged(headers: dict[str, str], body: bytes) -> None:
    with pytest.raises(Forged):
        WEBHOOKS.verify(headers, body)


@given(st.binary())
def test_every_body_of_theirs_is_verified_before_it_is_parsed(body: bytes) -> None:
    WEBHOOKS.verify({"x-paystack-signature": signature(body)}, body)


def test_a_connection_of_the_wrong_mode_takes_no_webhooks_at_all() -> None:
    with pytest.raises(ConfigurationError):
        PaystackWebhooks(Connection("p", "paystack", Mode.LIVE, {"secret_key": KEY}))


# -- what it hints at -----------------------------------------------------------------------------------------


def test_a_paid_charge_is_a_hint_with_reference_and_id() -> None:
    notice = only(WEBHOOKS.read(BODY))
    assert notice == Notice(
        "charge.success", NoticeVerdict.PAID, "ref1", "5100000001", 150_000, "NGN", "success", ""
    )


def test_a_failed_charge_is_accepted_as_a_hint_should_they_ever_send_it() -> None:
    """Trap 11: charge.failed is not documented; failures are found by looking."""
    notice = only(WEBHOOKS.read(event("charge.failed", {**CHARGE, "status": "failed"})))
    assert (notice.verdict, notice.reference) == (NoticeVerdict.FAILED, "ref1")


def test_only_charges_claim_anything_and_whatever_is_followed_asks_for_a_look() -> None:
    claims = {name for name, known in EVENTS.items() if known.verdict is not NoticeVerdict.OTHER}
    refunds = {name for name in EVENTS if name.startswith("refund.")}
    disputes = {name for name in EVENTS if name.startswith("charge.dispute.")}
    payouts = {name for name in EVENTS if name.startswith("transfer.")}
    accounts = {"dedicatedaccount.assign.success", "dedicatedaccount.assign.failed"}
    mandates = {"direct_debit.authorization.created", "direct_debit.authorization.active"}
    charges = {"charge.success", "charge.failed"}
    assert claims == charges | refunds | disputes | payouts | accounts | mandates
    assert {EVENTS[name].verdict for name in disputes} == {NoticeVerdict.DISPUTE}
    assert {EVENTS[name].verdict for name in refunds} == {NoticeVerdict.REFUND}
    assert {EVENTS[name].verdict for name in payouts} == {NoticeVerdict.PAYOUT}
    assert all(known.reason for known in EVENTS.values() if known.verdict is NoticeVerdict.OTHER)


@pytest.mark.parametrize("name", ["charge.quantum", "charge.successful", "CHARGE.SUCCESS", "x", "🙂", "a b"])
@pytest.mark.parametrize("data", [CHARGE, None, [], [1, 2], "text", 5, {}])
def test_an_unknown_event_is_kept_never_refused(name: str, data: object) -> None:
    notice = only(WEBHOOKS.read(event(name, data)))
    assert (notice.event, notice.verdict, notice.reason) == (name, NoticeVerdict.OTHER, "unknown event")


@pytest.mark.parametrize("name", ["preauthorization.hold.success", "preauthorization.release.failed"])
def test_events_about_holds_are_known_as_a_family(name: str) -> None:
    notice = only(WEBHOOKS.read(event(name, {"reference": "hold-1", "amount": 100, "currency": "ZAR"})))
    assert notice.reason != "unknown event"
    assert (notice.reference, notice.amount_minor) == ("hold-1", 100)


def test_a_dispute_names_the_payment_by_its_transaction() -> None:
    data = {
        "id": 1,
        "status": "awaiting-merchant-feedback",
        "refund_amount": 5800,
        "currency": None,
        "transaction_reference": None,
        "transaction": {"id": 896467688, "reference": "ref1", "amount": 5800, "currency": "NGN"},
    }
    notice = only(WEBHOOKS.read(event("charge.dispute.create", data)))
    told = (notice.verdict, notice.reference, notice.charge, notice.amount_minor, notice.currency)
    assert told == (NoticeVerdict.DISPUTE, "ref1", "896467688", 5800, "NGN")
    assert notice.dispute == "1"


@pytest.mark.parametrize("amount", ["5000", 5000])
def test_a_refund_tells_its_amount_as_text_or_number(amount: object) -> None:
    """Trap 22."""
    data = {"status": "processed", "transaction_reference": "ref1", "amount": amount, "currency": "NGN"}
    notice = only(WEBHOOKS.read(event("refund.processed", data)))
    assert (notice.verdict, notice.reference, notice.amount_minor) == (NoticeVerdict.REFUND, "ref1", 5000)
    assert notice.charge is None


def test_expiring_cards_come_as_a_list_and_are_all_kept() -> None:
    notices = WEBHOOKS.read(event("subscription.expiring_cards", [{"brand": "visa"}, {"brand": "verve"}]))
    assert [notice.verdict for notice in notices] == [NoticeVerdict.OTHER] * 2


@pytest.mark.parametrize("domain", ["live", "test", None, "moon"])
def test_the_mode_is_left_to_the_look_up(domain: str | None) -> None:
    assert only(WEBHOOKS.read(event("charge.success", {**CHARGE, "domain": domain}))).reference == "ref1"


@pytest.mark.parametrize(
    "changes",
    [
        {"amount": "many"},
        {"amount": None},
        {"amount": -1},
        {"amount": 10**40},
        {"currency": "naira"},
        {"currency": None},
        {"status": {"a": 1}},
        {"reference": None},
        {"reference": 5},
        {"reference": "a\x00b"},
        {"reference": "\ud800"},
        {"id": None},
        {"id": "abc"},
        {"id": 2**64},
        {"metadata": 0},
        {"metadata": {"reference": "somebody else's"}},
    ],
)
def test_a_hint_survives_what_is_unreadable_beside_its_reference_or_id(changes: dict[str, Any]) -> None:
    notice = only(WEBHOOKS.read(event("charge.success", {**CHARGE, **changes})))
    assert notice.verdict is NoticeVerdict.PAID
    assert notice.reference in ("ref1", None) and notice.charge in ("5100000001", None)
    assert notice.reference or notice.charge


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"[]",
        b"{}",
        b'"charge.success"',
        b'{"event": null, "data": {}}',
        b'{"event": "", "data": {}}',
        b'{"event": ["charge.success"], "data": {}}',
        b'{"event": "a\\u0000b", "data": {}}',
        b'{"event": "' + b"x" * 201 + b'"}',
        b'{"event": "charge.success"}',
        b'{"event": "charge.success", "data": null}',
        b'{"event": "charge.success", "data": []}',
        b'{"event": "charge.success", "data": [1]}',
        b'{"event": "charge.success", "data": {}}',
        b'{"event": "charge.success", "data": {"id": "x", "reference": 1}}',
        b'{"event": "refund.processed", "data": 5}',
        b'{"event": "charge.success", "data": {"id": 1, "amount": NaN}}',
        b'{"event": "charge.success", "data": {"id": 1, "amount": 1e99999999999999999999}}',
        b'{"event": "charge.success", "data": {"id": ' + b"9" * 5000 + b"}}",
        b'{"event": "charge.success", "data": ' + b"[" * 200_000,
        b"\xff\xfe{\x00}\x00",
        b"\xef\xbb\xbf{}",
        BODY[:-1],
        BODY + b"x",
    ],
)
def test_what_is_not_in_the_agreed_shape_is_said_to_be_so(body: bytes) -> None:
    with pytest.raises(ContractBroken):
        WEBHOOKS.read(body)


def test_more_objects_than_anybody_sends_are_refused() -> None:
    with pytest.raises(ContractBroken):
        WEBHOOKS.read(event("charge.success", [CHARGE] * 1001))


def test_a_notice_holds_nothing_personal() -> None:
    data = {
        **CHARGE,
        "customer": {"email": "ada@example.com", "first_name": "Ada", "phone": "08031234567"},
        "authorization": {"authorization_code": "AUTH_secret", "account_name": "Ada O"},
    }
    told = repr(WEBHOOKS.read(event("charge.success", data)))
    for secret in ("ada@", "Ada", "0803", "AUTH_"):
        assert secret not in told
