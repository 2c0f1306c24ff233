"""Flutterwave's webhooks: who may be believed, and what each of the three forms hints at."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import hmac
import json
import random
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coopwire.conformance.mailbox import mailbox
from coopwire.domain.errors import ContractBroken, Forged
from coopwire.domain.notices import NoticeVerdict
from coopwire.domain.payments import Mode
from coopwire.ports.providers import Connection
from coopwire.providers.flutterwave.webhooks import FlutterwaveWebhooks
from coopwire.providers.flutterwave.wire.events import EVENTS

HASH, PREVIOUS = "the-secret-hash", "the-hash-before"
BODY = b'{"event":"charge.completed","data":{"id":7,"tx_ref":"ref1","status":"successful"}}'
FUZZED = 5_000


def webhooks(**settings: str) -> FlutterwaveWebhooks:
    given = {"secret_key": "FLWSECK_TEST-x", "secret_hash": HASH, **settings}
    return FlutterwaveWebhooks(Connection("f", "flutterwave", Mode.TEST, given))


def signature(secret: str = HASH, body: bytes = BODY) -> str:
    return base64.b64encode(hmac.digest(secret.encode(), body, hashlib.sha256)).decode()


SIGNED = webhooks(signature="flutterwave-signature")


def test_the_hash_alone_is_believed_where_it_is_the_rule() -> None:
    webhooks().verify({"verif-hash": HASH}, BODY)


def test_the_signature_is_believed_where_it_is_the_rule() -> None:
    SIGNED.verify({"flutterwave-signature": signature()}, BODY)


def test_where_both_headers_are_there_both_right_ones_are_believed() -> None:
    both = {"verif-hash": HASH, "flutterwave-signature": signature()}
    webhooks().verify(both, BODY)
    SIGNED.verify(both, BODY)


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"verif-hash": ""},
        {"verif-hash": "another"},
        {"verif-hash": HASH.upper()},
        {"verif-hash": f"{HASH}, {HASH}"},
        {"verif-hash": "é" * 10},
        {"verif-hash": HASH * 400},
        {"flutterwave-signature": "right"},
        {"verif-hash": HASH, "flutterwave-signature": "wrong"},
        {"verif-hash": HASH, "flutterwave-signature": ""},
        {"verif-hash": "wrong", "flutterwave-signature": "right"},
    ],
)
def test_a_header_that_is_missing_or_wrong_is_forged(headers: dict[str, str]) -> None:
    given = {name: signature() if value == "right" else value for name, value in headers.items()}
    with pytest.raises(Forged):
        webhooks().verify(given, BODY)


@pytest.mark.parametrize("given", ["", "x", HASH, signature(PREVIOUS), signature(body=BODY + b" ")])
def test_a_signature_that_is_not_over_these_bytes_is_forged(given: str) -> None:
    with pytest.raises(Forged):
        SIGNED.verify({"flutterwave-signature": given}, BODY)


def test_the_secret_itself_is_no_signature() -> None:
    """As one snippet of their documentation has it."""
    with pytest.raises(Forged):
        SIGNED.verify({"flutterwave-signature": HASH}, BODY)


def test_the_signature_in_hex_is_none() -> None:
    with pytest.raises(Forged):
        hexed = hmac.new(HASH.encode(), BODY, hashlib.sha256).hexdigest()
        SIGNED.verify({"flutterwave-signature": hexed}, BODY)


@pytest.mark.parametrize("headers", [{}, {"verif-hash": ""}, {"verif-hash": "anything"}])
def test_without_a_configured_hash_every_message_is_forged(headers: dict[str, str]) -> None:
    given = {"secret_key": "FLWSECK_TEST-x"}
    none = FlutterwaveWebhooks(Connection("f", "flutterwave", Mode.TEST, given))
    with pytest.raises(Forged):
        none.verify(headers, BODY)
    with pytest.raises(Forged):
        none.verify({**headers, "flutterwave-signature": signature("")}, BODY)


def test_during_a_rotation_the_hash_before_is_believed_too_and_no_older_one() -> None:
    rotating = webhooks(previous_secret_hash=PREVIOUS)
    rotating.verify({"verif-hash": HASH}, BODY)
    rotating.verify({"verif-hash": PREVIOUS}, BODY)
    rotating.verify({"verif-hash": HASH, "flutterwave-signature": signature(PREVIOUS)}, BODY)
    with pytest.raises(Forged):
        rotating.verify({"verif-hash": "the-one-before-that"}, BODY)
    with pytest.raises(Forged):
        webhooks().verify({"verif-hash": PREVIOUS}, BODY)


def read(told: object) -> Any:
    (notice,) = webhooks().read(json.dumps(told).encode())
    return notice


@pytest.mark.parametrize(
    ("status", "verdict"),
    [
        ("successful", NoticeVerdict.PAID),
        ("SUCCESSFUL", NoticeVerdict.PAID),
        ("failed", NoticeVerdict.FAILED),
        ("pending", NoticeVerdict.FAILED),
        ("never-seen", NoticeVerdict.FAILED),
        (None, NoticeVerdict.FAILED),
    ],
)
def test_a_completed_charge_is_a_hint_whatever_became_of_it(status: object, verdict: NoticeVerdict) -> None:
    data = {"id": "285959875", "tx_ref": "ref1", "status": status, "amount": 100, "currency": "NGN"}
    notice = read({"event": "charge.completed", "data": data})
    assert (notice.verdict, notice.reference, notice.charge) == (verdict, "ref1", "285959875")
    assert notice.amount_minor == 10_000


def test_the_older_flat_form_is_read_too() -> None:
    notice = read(
        {
            "event.type": "CARD_TRANSACTION",
            "id": 126122,
            "txRef": "ref1",
            "flwRef": "F",
            "status": "successful",
        }
    )
    assert (notice.verdict, notice.reference, notice.charge) == (NoticeVerdict.PAID, "ref1", "126122")


def test_the_older_form_of_a_transfer_is_a_hint_at_the_payout() -> None:
    notice = read(
        {"event.type": "Transfer", "transfer": {"id": 1, "reference": "t1", "status": "SUCCESSFUL"}}
    )
    assert (notice.verdict, notice.reference) == (NoticeVerdict.PAYOUT, "t1")


def test_the_form_of_version_4_is_read_too() -> None:
    """Its ids are texts that version 3 does not know: the reference is what can be looked up."""
    data = {"id": "chg_1", "reference": "ref1", "status": "succeeded", "amount": 5, "currency": "NGN"}
    notice = read({"id": "wbk_1", "timestamp": 1, "type": "charge.completed", "data": data})
    assert (notice.verdict, notice.reference, notice.charge) == (NoticeVerdict.PAID, "ref1", None)


def test_deposits_on_a_static_account_are_told_apart_by_their_ids_alone() -> None:
    data = {"tx_ref": "account-ref", "status": "successful", "payment_type": "bank_transfer"}
    meta = {"originatorname": "A SENDER", "originatoraccountnumber": "123*******90"}
    events = [
        {"event": "charge.completed", "data": {**data, "id": n}, "meta_data": meta, "event.type": "X"}
        for n in (1, 2)
    ]
    assert [(one.reference, one.charge) for one in map(read, events)] == [
        ("account-ref", "1"),
        ("account-ref", "2"),
    ]


def test_metadata_of_a_webhook_is_never_believed() -> None:
    data = {"id": 1, "tx_ref": "ref1", "status": "successful"}
    notice = read(
        {"event": "charge.completed", "data": data, "meta_data": {"tx_ref": "another", "loan": "L"}}
    )
    assert notice.reference == "ref1"


@pytest.mark.parametrize(
    ("mode", "key", "verdict"),
    [
        (Mode.LIVE, "FLWSECK-x", NoticeVerdict.OTHER),
        (Mode.TEST, "FLWSECK_TEST-x", NoticeVerdict.PAID),
    ],
)
def test_test_money_told_to_a_live_connection_is_no_hint(
    mode: Mode, key: str, verdict: NoticeVerdict
) -> None:
    data = {"id": 1, "tx_ref": "ref1", "flw_ref": "FLW-MOCK-1", "status": "successful"}
    door = FlutterwaveWebhooks(Connection("f", "flutterwave", mode, {"secret_key": key}))
    (notice,) = door.read(json.dumps({"event": "charge.completed", "data": data}).encode())
    assert notice.verdict is verdict
    assert bool(notice.reason) is (verdict is NoticeVerdict.OTHER)


CHARGEBACKS = {event for event in EVENTS if event.startswith("chargeback.")}


@pytest.mark.parametrize("event", sorted(CHARGEBACKS))
def test_a_chargeback_is_read_by_its_id_whatever_the_webhook_says_of_it(event: str) -> None:
    for told in (1591, "1591"):
        notice = read({"event": event, "data": {"id": told, "status": "won", "tx_ref": "r"}})
        assert (notice.verdict, notice.dispute) == (NoticeVerdict.DISPUTE, "1591")
    nameless = read({"event": event, "data": {"id": "../transfers", "status": "won"}})
    assert (nameless.verdict, nameless.dispute) == (NoticeVerdict.DISPUTE, None)


@pytest.mark.parametrize(
    "event",
    sorted(set(EVENTS) - CHARGEBACKS - {"charge.completed", "transfer.completed", "account.tokenize"}),
)
def test_every_other_documented_event_is_kept_with_a_reason(event: str) -> None:
    notice = read({"event": event, "data": {"id": 1, "status": "FAILED"}})
    assert notice.verdict is NoticeVerdict.OTHER
    assert notice.reason


def test_an_event_about_a_mandate_is_a_hint_at_the_one_of_its_reference_and_tells_no_token() -> None:
    data = {"reference": "URF_EMANDATE_1", "status": "APPROVED", "token": "flw-1bt-canary-k3n", "amount": 500}
    notice = read({"event": "account.tokenize", "data": data})
    assert (notice.verdict, notice.reference) == (NoticeVerdict.MANDATE, "URF_EMANDATE_1")
    assert "canary" not in repr(notice)


def test_an_event_never_seen_before_is_kept() -> None:
    notice = read({"event": "charge.teleported", "data": [1, 2]})
    assert (notice.verdict, notice.reason) == (NoticeVerdict.OTHER, "unknown event")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"{}",
        b'{"event":""}',
        b'{"event":"charge.completed"}',
        b'{"event":"charge.completed","data":[]}',
        b'{"event":"charge.completed","data":{"status":"successful"}}',
        b'{"event":"charge.completed","data":{"id":NaN}}',
        b'{"event.type":5}',
    ],
)
def test_what_is_no_message_of_theirs_is_told_as_broken(body: bytes) -> None:
    with pytest.raises(ContractBroken):
        webhooks().read(body)


HOSTILE: list[Any] = [
    *(
        None,
        True,
        0,
        -1,
        2**63,
        2**64,
        10**400,
        "",
        "\x00",
        "\ud800",
        "🙂" * 300,
        "' OR 1=1 --",
        "successful",
    ),
    *([], {}, [[[[]]]], {"data": {"data": {}}}, "9" * 5000, "1e400", "NaN", "\u202eright to left", 1.5e-7),
]
CHARGE: dict[str, Any] = {
    "id": 285959875,
    "tx_ref": "ref1",
    "flw_ref": "F",
    "amount": 100,
    "currency": "NGN",
    "charged_amount": 100,
    "app_fee": 1.4,
    "status": "successful",
    "payment_type": "card",
    "created_at": "2020-07-06T19:17:04.000Z",
    "customer": {"email": "a@example.com"},
}


def _spoilt(dice: random.Random) -> bytes:
    """A message in one of the forms with a member or two replaced, or its bytes disturbed."""
    data: dict[str, Any] = {**CHARGE, dice.choice(list(CHARGE)): dice.choice(HOSTILE)}
    event = dice.choice([*EVENTS, *HOSTILE])
    told = dice.choice(
        [
            {"event": event, "data": data},
            {"event": "charge.completed", "data": data},
            {**data, "event.type": dice.choice(["CARD_TRANSACTION", "Transfer", event])},
            {"id": "wbk_1", "type": dice.choice(["charge.completed", event]), "data": data},
        ]
    )
    body = bytearray(json.dumps(told).encode())
    if dice.random() < 0.3:
        body[dice.randrange(len(body))] = dice.randrange(256)
    return bytes(body[: dice.randrange(len(body))]) if dice.random() < 0.1 else bytes(body)


def test_a_spoilt_message_is_forged_or_read_or_said_to_be_broken() -> None:
    dice, ends = random.Random(20261126), Counter[str]()
    for _ in range(FUZZED):
        body = _spoilt(dice)
        with pytest.raises(Forged):
            SIGNED.verify({"flutterwave-signature": signature(body=BODY)}, body)
        SIGNED.verify({"flutterwave-signature": signature(body=body)}, body)
        try:
            (notice,) = SIGNED.read(body)
        except ContractBroken:
            ends["broken"] += 1
            continue
        ends[notice.verdict.value] += 1
        assert notice.reference is None or (notice.reference.isprintable() and len(notice.reference) <= 200)
        assert notice.charge is None or notice.charge.isdecimal()
    assert min(ends[word] for word in ("broken", "paid", "failed", "other")) > FUZZED // 50


@given(body=st.binary(max_size=300))
def test_any_bytes_are_read_or_said_to_be_broken(body: bytes) -> None:
    with contextlib.suppress(ContractBroken):
        webhooks().read(body)


@pytest.mark.parametrize("form", ["v3", "legacy", "v4"])
@pytest.mark.parametrize("kind", ["verif-hash", "flutterwave-signature", "both"])
async def test_the_simulators_messages_are_believed_in_every_form_and_signature(
    flutterwave: Callable[..., Awaitable[Any]], form: str, kind: str
) -> None:
    async with mailbox() as mail:
        bench = await flutterwave(
            webhook_url=mail.url, webhook_form=form, webhook_signature=kind, secret_hash=HASH
        )
        await bench.open("ref1")
        charge = bench.pay("ref1")
        told = await mail.next()
        door = SIGNED if kind == "flutterwave-signature" else webhooks()
        door.verify(told.headers, told.body)
        (notice,) = door.read(told.body)
        assert (notice.verdict, notice.reference) == (NoticeVerdict.PAID, "ref1")
        assert notice.charge == (None if form == "v4" else charge)
