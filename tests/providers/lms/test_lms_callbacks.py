"""Messages to the loan system: signed, sent once, and only a signed allocation is believed."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coopwire.domain.errors import InvalidOrder, NotSent, OutcomeUnknown, Refused, TryLater, Unsupported
from coopwire.domain.payments import Component, Mode
from coopwire.domain.receipts import AllocationLine
from coopwire.ports.lms import CallbackOrder, Callbacks, CallbackSnapshot
from coopwire.ports.providers import Capability, ConfigurationError, Connection, Lookup, Outside
from coopwire.providers.lms import PROVIDER, wire
from coopwire.providers.lms.adapter import connect
from coopwire.transport.signatures import StandardWebhooks

Message = Callable[..., CallbackOrder]
SECRET = "whsec_" + base64.b64encode(b"a secret of thirty-two bytes ...").decode()
OTHER_SECRET = "whsec_" + base64.b64encode(b"somebody else's thirty-two bytes").decode()

GOOD = {
    "receipt": "rcpt-1",
    "allocations": [
        {"component": "interest", "amount_minor": 50_000, "due": "D-1"},
        {"component": "principal", "amount_minor": 90_000, "due": "D-2"},
        {"component": "overpayment", "amount_minor": 10_000, "due": None},
    ],
}
LINES = (
    AllocationLine(Component.INTEREST, 50_000, "D-1"),
    AllocationLine(Component.PRINCIPAL, 90_000, "D-2"),
    AllocationLine(Component.OVERPAYMENT, 10_000, None),
)


def raw(document: object) -> bytes:
    return json.dumps(document).encode()


async def send(callbacks: Callbacks, order: CallbackOrder) -> CallbackSnapshot:
    return await callbacks.send(order, callbacks.say(order))


# -- the message ----------------------------------------------------------------------------------------------


async def test_the_message_arrives_signed_with_standard_webhooks_headers(
    lms: Any, callbacks: Callbacks, a_message: Message, clock: Any
) -> None:
    snapshot = await send(callbacks, a_message())
    assert snapshot == CallbackSnapshot("0123456789abcdef0123")
    ((headers, body),) = lms.received
    assert headers["webhook-id"] == "0123456789abcdef0123"
    assert headers["webhook-timestamp"] == str(int(clock.now().timestamp()))
    assert headers["content-type"] == "application/json"
    StandardWebhooks([SECRET]).verify(headers, body, clock.now())
    assert json.loads(body)["data"]["receipt"] == "rcpt-1"


async def test_a_second_send_has_the_same_id_and_body_and_the_time_of_its_own(
    lms: Any, callbacks: Callbacks, a_message: Message, clock: Any
) -> None:
    said = callbacks.say(a_message())
    await callbacks.send(a_message(), said)
    clock.advance(timedelta(days=3))
    await callbacks.send(a_message(), said)
    (first, body), (second, same_body) = lms.received
    assert (first["webhook-id"], body) == (second["webhook-id"], same_body)
    assert int(second["webhook-timestamp"]) - int(first["webhook-timestamp"]) == 3 * 86_400
    StandardWebhooks([SECRET]).verify(second, same_body, clock.now())


async def test_a_payments_own_address_comes_before_the_connections(
    lms: Any, open_lms: Callable[..., Callbacks], a_message: Message
) -> None:
    await send(open_lms(url="http://127.0.0.1:1/elsewhere"), a_message(url=lms.url))
    assert len(lms.received) == 1


@pytest.mark.parametrize(
    "url",
    [
        "http://lms.example/hooks",
        "ftp://lms.example",
        "https://",
        "/hooks",
        "https://u:p@lms.example/",
        "javascript:x",
        "https://a b/",
        "http://127.0.0.1.evil.example/",
        "http://[::ffff:10.0.0.1]/",
        "https://lms.example:99999/",
    ],
)
def test_an_address_that_others_could_read_is_refused(
    open_lms: Callable[..., Callbacks], a_message: Message, url: str
) -> None:
    with pytest.raises(InvalidOrder) as refused:
        open_lms(url="https://lms.example/hooks").say(a_message(url=url))
    assert refused.value.field == "url"
    with pytest.raises(ConfigurationError, match="connection lms, setting url"):
        open_lms(url=url)


@pytest.mark.parametrize(
    "url", ["https://lms.example/hooks?tenant=1", "http://localhost:8000/x", "http://[::1]:8000/"]
)
def test_https_or_loopback_is_fine(open_lms: Callable[..., Callbacks], a_message: Message, url: str) -> None:
    assert open_lms().say(a_message(url=url))


def test_without_any_address_nothing_is_said(open_lms: Callable[..., Callbacks], a_message: Message) -> None:
    with pytest.raises(InvalidOrder) as refused:
        open_lms().say(a_message())
    assert refused.value.field == "url"


def test_the_same_payload_is_said_in_the_same_bytes(callbacks: Callbacks, a_message: Message) -> None:
    turned = {"data": {"value_minor": 1, "receipt": "r"}, "type": "x"}
    same = {"type": "x", "data": {"receipt": "r", "value_minor": 1}}
    assert callbacks.say(a_message(payload=turned)) == callbacks.say(a_message(payload=same))


@pytest.mark.parametrize("value", [Decimal("1.5"), float("nan"), datetime.now(UTC), {1, 2}, b"x"])
def test_a_payload_that_is_no_plain_json_is_refused(
    callbacks: Callbacks, a_message: Message, value: object
) -> None:
    with pytest.raises(InvalidOrder) as refused:
        callbacks.say(a_message(payload={"type": "x", "data": value}))
    assert refused.value.field == "payload"


@pytest.mark.parametrize(
    "data", [None, {}, {"receipt": "r"}, {"value_minor": 5}, {"receipt": "r", "value_minor": "5"}, [1]]
)
def test_a_question_for_an_allocation_names_receipt_and_value(
    callbacks: Callbacks, a_message: Message, data: object
) -> None:
    with pytest.raises(InvalidOrder):
        callbacks.say(a_message(payload={"type": "x", "data": data}, wants_allocation=True))


# -- the answer -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [200, 201, 202, 204, 299])
async def test_any_2xx_means_taken(lms: Any, callbacks: Callbacks, a_message: Message, status: int) -> None:
    lms.status = status
    assert await send(callbacks, a_message()) == CallbackSnapshot("0123456789abcdef0123")


async def test_gone_means_never_again(lms: Any, callbacks: Callbacks, a_message: Message) -> None:
    lms.status = 410
    with pytest.raises(Refused):
        await send(callbacks, a_message())


@pytest.mark.parametrize("status", [301, 302, 400, 401, 404, 409, 422, 429, 500, 502, 503])
async def test_anything_else_is_tried_later(
    lms: Any, callbacks: Callbacks, a_message: Message, status: int
) -> None:
    lms.status, lms.headers = status, {"Retry-After": "11", "Location": f"{lms.url}/else"}
    lms.body = b"member M-1 secret text"
    with pytest.raises(TryLater) as raised:
        await send(callbacks, a_message())
    assert (raised.value.retry_after, raised.value.http_status) == (11, status)
    assert "secret text" not in str(raised.value)
    assert len(lms.received) == 1


async def test_a_lost_answer_is_unknown(lms: Any, callbacks: Callbacks, a_message: Message) -> None:
    lms.hangs_up = True
    with pytest.raises(OutcomeUnknown):
        await send(callbacks, a_message())
    assert len(lms.received) == 1


async def test_nobody_listening_means_not_sent(
    open_lms: Callable[..., Callbacks], a_message: Message
) -> None:
    with pytest.raises(NotSent):
        await send(open_lms(url="http://127.0.0.1:1/"), a_message())


async def test_a_message_is_sent_again_not_looked_up(callbacks: Callbacks, a_message: Message) -> None:
    with pytest.raises(Unsupported):
        await callbacks.find(a_message(), datetime.now(UTC))
    trust = PROVIDER.profile.writes[Capability.CALLBACKS]
    assert trust.lookup is Lookup.NONE
    assert trust.idempotent_for is not None and trust.idempotent_for > timedelta(days=3650)


# -- the allocation -------------------------------------------------------------------------------------------


async def test_a_signed_allocation_is_believed(lms: Any, callbacks: Callbacks, a_message: Message) -> None:
    lms.will_answer(raw(GOOD))
    snapshot = await send(callbacks, a_message(wants_allocation=True))
    assert (snapshot.allocation, snapshot.rejected) == (LINES, "")


async def test_an_allocation_that_nobody_asked_for_is_not_heard(
    lms: Any, callbacks: Callbacks, a_message: Message
) -> None:
    lms.will_answer(raw(GOOD))
    assert await send(callbacks, a_message()) == CallbackSnapshot("0123456789abcdef0123")


@pytest.mark.parametrize("body", [b"", b"  \n"])
async def test_no_answer_yet_is_no_mistake(
    lms: Any, callbacks: Callbacks, a_message: Message, body: bytes
) -> None:
    lms.body = body
    snapshot = await send(callbacks, a_message(wants_allocation=True))
    assert (snapshot.allocation, snapshot.rejected) == (None, "")


async def rejected(lms: Any, callbacks: Callbacks, a_message: Message) -> str:
    """Why the answer was not believed; the message itself was taken."""
    snapshot = await send(callbacks, a_message(wants_allocation=True))
    assert snapshot.allocation is None
    assert snapshot.rejected
    return snapshot.rejected


async def test_an_unsigned_answer_is_not_believed(lms: Any, callbacks: Callbacks, a_message: Message) -> None:
    lms.will_answer(raw(GOOD), signs=False)
    assert "not signed" in await rejected(lms, callbacks, a_message)


async def test_an_answer_signed_with_another_secret_is_not_believed(
    lms: Any, callbacks: Callbacks, a_message: Message
) -> None:
    lms.secret = OTHER_SECRET
    lms.will_answer(raw(GOOD))
    assert "wrong" in await rejected(lms, callbacks, a_message)


async def test_an_answer_to_another_message_is_not_believed(
    lms: Any, callbacks: Callbacks, a_message: Message
) -> None:
    lms.answers_as = "another-message"
    lms.will_answer(raw(GOOD))
    assert "another message" in await rejected(lms, callbacks, a_message)


async def test_an_old_answer_played_again_is_not_believed(
    lms: Any, callbacks: Callbacks, a_message: Message, clock: Any
) -> None:
    old = StandardWebhooks([SECRET]).sign("0123456789abcdef0123", clock.now() - timedelta(hours=1), raw(GOOD))
    lms.body, lms.headers = raw(GOOD), old
    assert "too far" in await rejected(lms, callbacks, a_message)


async def test_a_body_that_was_changed_after_signing_is_not_believed(
    lms: Any, callbacks: Callbacks, a_message: Message, clock: Any
) -> None:
    lms.headers = StandardWebhooks([SECRET]).sign("0123456789abcdef0123", clock.now(), raw(GOOD))
    lms.body = raw(GOOD).replace(b"50000", b"50001")
    assert "wrong" in await rejected(lms, callbacks, a_message)


def changed(**members: object) -> dict[str, object]:
    return {**GOOD, **members}


def with_line(**members: object) -> dict[str, object]:
    return changed(allocations=[{"component": "principal", "amount_minor": 150_000, "due": "D-1", **members}])


MALFORMED: list[tuple[str, object]] = [
    ("another receipt", changed(receipt="rcpt-2")),
    ("another receipt", changed(receipt=None)),
    ("another receipt", {}),
    ("JSON object", []),
    ("JSON object", "ok"),
    ("no list", changed(allocations=[])),
    ("no list", changed(allocations={})),
    ("no list", changed(allocations=None)),
    ("no list", changed(allocations=[GOOD["allocations"]] * 1001)),
    ("JSON object", changed(allocations=[5])),
    ("component", with_line(component="gold")),
    ("component", with_line(component=None)),
    ("component", with_line(component=["principal"])),
    ("amount", with_line(amount_minor=0)),
    ("amount", with_line(amount_minor=-150_000)),
    ("amount", with_line(amount_minor="150000")),
    ("amount", with_line(amount_minor=150_000.0)),
    ("amount", with_line(amount_minor=True)),
    ("amount", with_line(amount_minor=None)),
    ("due", with_line(due=5)),
    ("due", with_line(due="")),
    ("due", with_line(due="x" * 201)),
    ("due", with_line(due="a\x00b")),
    ("parts sum to 149999", with_line(amount_minor=149_999)),
    ("parts sum to 150001", with_line(amount_minor=150_001)),
]


@pytest.mark.parametrize(("says", "document"), MALFORMED, ids=range(len(MALFORMED)))
async def test_a_signed_answer_that_makes_no_sense_is_not_believed(
    lms: Any, callbacks: Callbacks, a_message: Message, says: str, document: object
) -> None:
    lms.will_answer(raw(document))
    assert says in await rejected(lms, callbacks, a_message)


@pytest.mark.parametrize(
    "body", [b"OK", b"{", b"\xff", b"[" * 100_000, b"NaN", b'{"receipt":' + b"9" * 5000 + b"}"]
)
async def test_a_signed_answer_that_is_no_json_is_not_believed(
    lms: Any, callbacks: Callbacks, a_message: Message, body: bytes
) -> None:
    lms.will_answer(body)
    assert await rejected(lms, callbacks, a_message)


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=10) | st.floats(),
        lambda inner: (
            st.lists(inner, max_size=4)
            | st.dictionaries(
                st.sampled_from(["receipt", "allocations", "component", "amount_minor", "due"]), inner
            )
        ),
        max_leaves=15,
    )
)
def test_any_json_is_an_exact_allocation_or_unbelievable(document: object) -> None:
    try:
        lines = wire.allocation(raw(document), "r", 100)
    except wire.Unbelievable as why:
        assert str(why)
    else:
        assert sum(line.amount_minor for line in lines) == 100


@given(st.lists(st.integers(1, 10**12), min_size=1, max_size=20))
def test_every_exact_division_is_believed(parts: list[int]) -> None:
    told = [{"component": "principal", "amount_minor": part, "due": None} for part in parts]
    lines = wire.allocation(raw({"receipt": "r", "allocations": told}), "r", sum(parts))
    assert [line.amount_minor for line in lines] == parts


# -- settings -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "secret", ["", "whsec_", "plain", "whsec_!!!", "whsec_" + base64.b64encode(b"short").decode()]
)
def test_a_secret_that_cannot_sign_is_refused_and_not_shown(outside: Outside, secret: str) -> None:
    with pytest.raises(ConfigurationError, match="connection lms, setting secret") as wrong:
        connect(Connection("lms", "lms", Mode.TEST, {"secret": secret}), outside)
    assert secret in ("", "whsec_") or secret not in str(wrong.value)


def test_the_sockets_are_those_of_the_profile(outside: Outside) -> None:
    sockets = connect(Connection("lms", "lms", Mode.TEST, {"secret": SECRET}), outside)
    assert (
        {c for c in Capability if sockets.has(c)} == PROVIDER.profile.capabilities == {Capability.CALLBACKS}
    )
