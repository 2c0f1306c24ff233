"""Twenty thousand spoiled webhooks: forged is Forged, signed again is read or is said to be broken."""

from __future__ import annotations

import hashlib
import hmac
import json
import random
from collections import Counter
from collections.abc import Callable
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from coopwire.domain.errors import ContractBroken, Forged
from coopwire.domain.money import MAX_MINOR
from coopwire.domain.notices import Notice, NoticeVerdict
from coopwire.domain.payments import Mode
from coopwire.ports.providers import Connection
from coopwire.providers.paystack.webhooks import PaystackWebhooks
from coopwire.providers.paystack.wire.events import EVENTS

KEY = "sk_test_fuzz"
WEBHOOKS = PaystackWebhooks(Connection("p", "paystack", Mode.TEST, {"secret_key": KEY}))
QUICK, WHOLE = 20_000, 100_000

HOSTILE: list[Any] = [
    None,
    True,
    False,
    0,
    -1,
    2**63,
    2**64,
    10**400,
    "",
    "\x00",
    "\ud800",
    "🙂" * 300,
    "../../etc/passwd",
    "' OR 1=1 --",
    "charge.success",
    "success",
    [],
    {},
    [[[[]]]],
    {"data": {"data": {}}},
    "9" * 5000,
    "1e400",
    "-0",
    "NaN",
]

_CHARGE: dict[str, Any] = {
    "id": 5_100_000_001,
    "domain": "test",
    "status": "success",
    "reference": "ref1",
    "amount": 150_000,
    "currency": "NGN",
    "paid_at": "2026-03-02T09:15:02.000Z",
    "fees": 2_250,
    "channel": "card",
    "metadata": {"custom_fields": [{"value": "x"}]},
    "customer": {"email": "a@example.com"},
    "transaction": {"id": 7, "reference": "ref1", "amount": 1, "currency": "NGN"},
    "transaction_reference": "ref1",
    "bank_transfer": {"amount": "30000", "transaction_id": "3103959930"},
    "requested_amount": 150_000,
}
SEEDS: list[dict[str, Any]] = [
    *[{"event": name, "data": _CHARGE} for name in EVENTS],
    {"event": "subscription.expiring_cards", "data": [_CHARGE, _CHARGE]},
    {"event": "never.seen", "data": _CHARGE},
    *[{"event": "charge.success", "data": _CHARGE}] * len(EVENTS),
]


def sign(body: bytes) -> str:
    return hmac.new(KEY.encode(), body, hashlib.sha512).hexdigest()


def spoil_value(dice: random.Random, document: Any) -> Any:
    """The document with one member, somewhere, replaced, dropped, renamed or doubled."""
    if isinstance(document, dict) and document and dice.random() < 0.85:
        name = dice.choice(list(document))
        changed = dict(document)
        match dice.randrange(9):
            case 0:
                changed[name] = dice.choice(HOSTILE)
            case 1:
                del changed[name]
            case 2:
                changed[dice.choice(["event", "data", "id", "x" * 300, "\x00"])] = changed.pop(name)
            case _:
                changed[name] = spoil_value(dice, changed[name])
        return changed
    if isinstance(document, list) and document and dice.random() < 0.7:
        return [spoil_value(dice, one) for one in document] * dice.choice([1, 2])
    return dice.choice(HOSTILE)


def spoil_bytes(dice: random.Random, body: bytes) -> bytes:
    """The bytes with some flipped, cut out, cut off or put in."""
    spoiled = bytearray(body)
    for _ in range(dice.randrange(1, 6)):
        place = dice.randrange(len(spoiled)) if spoiled else 0
        match dice.randrange(5):
            case 0 if spoiled:
                spoiled[place] = dice.randrange(256)
            case 1:
                del spoiled[place : place + dice.randrange(1, 20)]
            case 2:
                del spoiled[place:]
            case 3:
                spoiled[place:place] = dice.randbytes(dice.randrange(1, 8))
            case _:
                spoiled[place:place] = dice.choice([b"{", b"[", b'"', b"\\ud800", b"1e9999", b"\x00", b"-"])
    return bytes(spoiled)


def spoiled(dice: random.Random) -> bytes:
    document = dice.choice(SEEDS)
    if dice.random() < 0.6:
        return json.dumps(spoil_value(dice, document)).encode()
    return spoil_bytes(dice, json.dumps(document).encode())


def assert_storable(notice: Notice) -> None:
    """What a database column takes: bounded text without NUL and surrogates, 63 bits."""
    for text in (
        notice.event,
        notice.reference,
        notice.charge,
        notice.currency,
        notice.status,
        notice.reason,
        notice.dispute,
    ):
        assert text is None or (len(text) <= 200 and text.isprintable() and text.encode() is not None)
    assert notice.amount_minor is None or 0 <= notice.amount_minor <= MAX_MINOR
    if notice.verdict is NoticeVerdict.REFUND:
        assert notice.event.startswith("refund.")
    elif notice.verdict is NoticeVerdict.DISPUTE:
        assert notice.event.startswith("charge.dispute.")
    elif notice.verdict is NoticeVerdict.PAYOUT:
        assert notice.event.startswith("transfer.")
    elif notice.verdict in (NoticeVerdict.ACCOUNT, NoticeVerdict.ACCOUNT_FAILED):
        assert notice.event.startswith("dedicatedaccount.assign.")
    elif notice.verdict is NoticeVerdict.MANDATE:
        assert notice.event.startswith("direct_debit.authorization.")
    elif notice.verdict is not NoticeVerdict.OTHER:
        assert notice.event in ("charge.success", "charge.failed")
        assert notice.reference or notice.charge


def outcome(headers: dict[str, str], body: bytes) -> str:
    """What becomes of one webhook; anything but these four words is a bug."""
    try:
        WEBHOOKS.verify(headers, body)
    except Forged:
        return "forged"
    try:
        notices = WEBHOOKS.read(body)
    except ContractBroken:
        return "broken"
    for notice in notices:
        assert_storable(notice)
    return "hint" if any(n.verdict is not NoticeVerdict.OTHER for n in notices) else "kept"


def test_spoiled_webhooks_are_forged_broken_kept_or_hints_and_nothing_else(
    proof_count: Callable[[int, int], int],
) -> None:
    dice = random.Random(20260302)
    seen: Counter[str] = Counter()
    count = proof_count(QUICK, WHOLE)
    stolen = sign(b"the signature of another message")
    for number in range(count):
        body = spoiled(dice)
        signed_again = number % 2 == 0
        header = sign(body) if signed_again else dice.choice([stolen, "", "ü\ud800", stolen.upper()])
        word = outcome({"x-paystack-signature": header}, body)
        assert (word == "forged") is not signed_again
        seen[word] += 1
    assert seen["forged"] == count // 2
    # The mutations must reach every branch, or the proof is empty.
    assert min(seen["broken"], seen["kept"], seen["hint"]) > count // 100


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text() | st.floats(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


@given(st.sampled_from(list(EVENTS)), JSON)
def test_any_json_behind_a_known_event_is_read_or_broken(event: str, data: object) -> None:
    body = json.dumps({"event": event, "data": data}).encode()
    assert outcome({"x-paystack-signature": sign(body)}, body) in ("broken", "kept", "hint")


@given(st.binary(max_size=500))
def test_any_bytes_are_read_or_broken(body: bytes) -> None:
    assert outcome({"x-paystack-signature": sign(body)}, body) in ("broken", "kept", "hint")
