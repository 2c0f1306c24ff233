"""`POST /v1/payments` and further attempts, over real HTTP and a simulated gateway."""

from __future__ import annotations

import asyncio
import copy
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from rigs.api import FrontDoor, Told

from coopwire.domain.references import REFERENCE
from coopwire.ports.keys import Scope
from coopwire.web import examples

pytestmark = pytest.mark.asyncio(loop_scope="module")

_OPEN = "initialize_transaction"
CARD = "4111 1111 1111 1111"


def body(**changes: Any) -> dict[str, Any]:
    """A repayment whose dues are fresh, with changes; None leaves a member out."""
    asked = copy.deepcopy(examples.PAYMENT_BODY)
    asked["dues"]["as_of"] = datetime.now(UTC).isoformat()
    asked.update(changes)
    return {name: value for name, value in asked.items() if value is not None}


def fields(told: Told) -> set[str]:
    """The fields that a problem names."""
    assert told.headers["content-type"] == "application/problem+json"
    return {error["field"] for error in told.body.get("errors", [])}


def is_problem(told: Told, status: int, name: str) -> bool:
    return (
        told.status == status == told.body["status"]
        and told.body["type"] == f"urn:coopwire:problem:{name}"
        and told.body["request_id"] == told.headers["x-request-id"]
    )


async def test_a_payment_is_accepted_with_its_page(front: FrontDoor) -> None:
    told = await front.pay(body())
    payment = told.body["payment"]
    assert told.status == 201
    assert REFERENCE.match(payment["reference"])
    assert told.headers["location"] == f"/v1/payments/{payment['reference']}"
    assert told.headers["cache-control"] == "no-store"
    assert told.body["checkout_url"].startswith("http")
    assert (payment["state"], payment["amount_minor"], payment["loan"]) == ("pending", 5_250_000, "LN-00457")
    assert "A Member" not in told.raw.decode()


async def test_what_was_accepted_can_be_read_again(front: FrontDoor) -> None:
    made = (await front.pay(body())).body
    told = await front.get(f"/v1/payments/{made['payment']['reference']}")
    assert (told.status, told.body) == (200, made)


async def test_a_key_that_only_reads_does_not_see_the_members_page(front: FrontDoor) -> None:
    made = (await front.pay(body())).body
    reader = await front.key(Scope.PAYMENTS_READ)
    told = await front.get(f"/v1/payments/{made['payment']['reference']}", key=reader)
    assert told.body == {**made, "checkout_url": None}


async def test_savings_name_an_account(front: FrontDoor) -> None:
    told = await front.pay(body(kind="savings", loan=None, dues=None, account="SV-1"))
    assert told.status == 201
    assert (told.body["payment"]["loan"], told.body["payment"]["account"]) == (None, "SV-1")


# -- idempotency -------------------------------------------------------------------------------------------


async def test_the_same_key_and_body_give_the_same_answer_and_one_page(front: FrontDoor) -> None:
    asked = body()
    first = await front.pay(asked, once="same")
    again = await front.pay(dict(reversed(asked.items())), once="same")
    assert (again.status, again.body) == (first.status, first.body)
    assert again.headers["idempotent-replayed"] == "true"
    assert "idempotent-replayed" not in first.headers
    pages = await front.hub.value(
        "SELECT count(*) FROM tries t JOIN effects e ON e.id = t.effect WHERE e.payment = $1",
        first.body["payment"]["reference"],
    )
    assert pages == 1


async def test_the_same_key_with_another_body_is_refused(front: FrontDoor) -> None:
    await front.pay(body(), once="reused")
    assert is_problem(await front.pay(body(amount_minor=1), once="reused"), 422, "key-reused")


async def test_keys_of_two_clients_do_not_meet(front: FrontDoor) -> None:
    other = await front.key(Scope.PAYMENTS_WRITE)
    first = await front.pay(body(), once="shared")
    second = await front.pay(body(), once="shared", key=other)
    assert second.status == 201
    assert first.body["payment"]["reference"] != second.body["payment"]["reference"]


@pytest.mark.parametrize("key", ["", " ", "a b", "ä", "x" * 256, "pay-4111111111111111"])
async def test_without_a_proper_idempotency_key_nothing_happens(front: FrontDoor, key: str) -> None:
    before = await front.hub.value("SELECT count(*) FROM payments")
    told = await front.call("POST", "/v1/payments", json=body(), headers={"idempotency-key": key})
    assert is_problem(told, 422, "invalid")
    assert (await front.call("POST", "/v1/payments", json=body())).status == 422
    assert await front.hub.value("SELECT count(*) FROM payments") == before


async def test_while_the_first_is_alive_the_same_key_is_told_to_wait(front: FrontDoor) -> None:
    await front.hub.outside.fault("paystack", _OPEN, "slow", times=1, params={"seconds": 1.0})
    asked = body()
    first = asyncio.create_task(front.pay(asked, once="slow"))
    await front.hub.until("SELECT count(*) FROM idempotency WHERE key = 'slow'", expected=1)
    told = await front.pay(asked, once="slow")
    assert is_problem(told, 409, "still-working")
    assert int(told.headers["retry-after"]) > 0
    assert (await first).status == 201
    assert (await front.pay(asked, once="slow")).body == (await first).body


async def test_many_at_once_under_one_key_make_one_payment(front: FrontDoor) -> None:
    asked = body()
    told = await asyncio.gather(*(front.pay(asked, once="storm") for _ in range(12)))
    assert {t.status for t in told} <= {201, 409}
    assert len({t.body["payment"]["reference"] for t in told if t.status == 201}) == 1


async def test_a_gateway_that_gives_no_answer_leaves_the_payment_without_a_page(front: FrontDoor) -> None:
    await front.hub.outside.fault("paystack", _OPEN, "silence_after", times=1)
    asked = body()
    told = await front.pay(asked, once="silent")
    reference = told.body["payment"]["reference"]
    assert (told.status, told.body["checkout_url"]) == (202, None)
    sent = "SELECT count(*) FROM tries t JOIN effects e ON e.id = t.effect WHERE e.payment = $1"
    again = await front.pay(asked, once="silent")
    assert again.status in (202, 409)
    assert await front.hub.value(sent, reference) == 1


async def test_a_gateway_that_refuses_is_told_and_told_again_alike(front: FrontDoor) -> None:
    payer = {**examples.PAYMENT_BODY["payer"], "email": "refused@members.example"}
    asked = body(payer=payer, currency="GHS")
    first = await front.pay(asked, once="declined")
    assert is_problem(first, 422, "gateway-refused")
    again = await front.pay(asked, once="declined")
    assert is_problem(again, 422, "gateway-refused")
    assert again.body["payment"] == first.body["payment"]
    assert again.headers["idempotent-replayed"] == "true"
    read = await front.get(f"/v1/payments/{first.body['payment']}")
    assert read.body["payment"]["state"] == "failed"


# -- further attempts --------------------------------------------------------------------------------------


async def _again(front: FrontDoor, reference: str, once: str) -> Told:
    headers = {"idempotency-key": once}
    return await front.call("POST", f"/v1/payments/{reference}/attempts", headers=headers)


async def test_a_further_attempt_opens_one_more_page_per_key(front: FrontDoor) -> None:
    made = (await front.pay(body())).body
    reference = made["payment"]["reference"]
    told = [await _again(front, reference, "again-1") for _ in range(3)]
    assert {t.status for t in told} == {201}
    assert len({t.body["attempt"] for t in told}) == 1
    assert told[0].body["attempt"] != made["attempt"]
    listed = await front.get(f"/v1/attempts?payment={reference}")
    assert len(listed.body["items"]) == 2


async def test_a_paid_payment_takes_no_further_attempt(front: FrontDoor) -> None:
    made = (await front.pay(body())).body
    await front.hub.pay(made["attempt"])
    await front.hub.hint(made["attempt"])
    reference = made["payment"]["reference"]
    await front.hub.until("SELECT state FROM payments WHERE reference = $1", reference, expected="succeeded")
    assert is_problem(await _again(front, reference, "again-2"), 409, "conflict")


@pytest.mark.parametrize("reference", ["a" * 20, "nothing", "%00", "A" * 20, "..%2f..", "é"])
async def test_an_attempt_of_no_payment_is_not_found(front: FrontDoor, reference: str) -> None:
    told = await _again(front, reference, "again-3")
    assert told.status in (400, 404)


# -- what is refused ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"amount_minor": 0}, "amount_minor"),
        ({"amount_minor": -5}, "amount_minor"),
        ({"amount_minor": 1.5}, "amount_minor"),
        ({"amount_minor": 5.0}, "amount_minor"),
        ({"amount_minor": "5"}, "amount_minor"),
        ({"amount_minor": True}, "amount_minor"),
        ({"amount_minor": 2**53}, "amount_minor"),
        ({"amount_minor": None}, "amount_minor"),
        ({"currency": "ngn"}, "currency"),
        ({"kind": "gift"}, "kind"),
        ({"loan": None}, "loan"),
        ({"account": "SV-1"}, "account"),
        ({"kind": "savings"}, "loan"),
        ({"kind": "savings", "loan": None}, "dues"),
        ({"loan": "x" * 65}, "loan"),
        ({"loan": "a\nb"}, "loan"),
        ({"branch": " "}, "branch"),
        ({"surprise": 1}, "surprise"),
        ({"gateway": "nowhere"}, "gateway"),
        ({"gateway": "bankone"}, "gateway"),
        ({"payer": {**examples.PAYMENT_BODY["payer"], "member": "M-NOBODY"}}, "payer.member"),
        ({"payer": {**examples.PAYMENT_BODY["payer"], "phone": "call me"}}, "payer.phone"),
        ({"payer": {**examples.PAYMENT_BODY["payer"], "email": "no address"}}, "payer.email"),
        ({"payer": {**examples.PAYMENT_BODY["payer"], "name": "a\u0000b"}}, "payer.name"),
        ({"payer": {**examples.PAYMENT_BODY["payer"], "name": "half \ud83d"}}, "payer.name"),
        ({"payer": "Ada"}, "payer"),
        ({"payer": {**examples.PAYMENT_BODY["payer"], "name": CARD}}, "payer.name"),
        ({"metadata": {"note": f"paid with {CARD}"}}, "metadata.note"),
        ({"metadata": {"a": [{"b": "4111-1111-1111-1111"}]}}, "metadata.a.0.b"),
        ({"metadata": {CARD: 1}}, "metadata"),
        ({"metadata": {"a": 1.5}}, "metadata"),
        ({"metadata": {"a": "x" * 4096}}, "metadata"),
        ({"metadata": []}, "metadata"),
        ({"callback_url": "https://evil.example/"}, "callback_url"),
        ({"callback_url": "http://127.0.0.1.evil.example/"}, "callback_url"),
        ({"callback_url": "http://evil.example#@127.0.0.1/"}, "callback_url"),
        ({"callback_url": "http://127.0.0.1@evil.example/"}, "callback_url"),
        ({"callback_url": "http://evil.example\\@127.0.0.1/"}, "callback_url"),
        ({"callback_url": "http://[::1/"}, "callback_url"),
        ({"callback_url": "http://127.0.0.1:99999/"}, "callback_url"),
        ({"callback_url": "ftp://127.0.0.1/"}, "callback_url"),
        ({"callback_url": "https://169.254.169.254/latest"}, "callback_url"),
        ({"return_url": "http://lender.example/back"}, "return_url"),
        ({"return_url": "javascript:alert(1)"}, "return_url"),
    ],
)  # fmt: skip
async def test_a_request_that_cannot_be_accepted_names_the_field_and_stores_nothing(
    front: FrontDoor, changes: dict[str, Any], field: str
) -> None:
    before = await front.hub.value("SELECT count(*) FROM payments")
    told = await front.pay(body(**changes))
    assert is_problem(told, 422, "invalid"), told.body
    assert field in fields(told), told.body
    assert await front.hub.value("SELECT count(*) FROM payments") == before
    assert "4111" not in told.raw.decode()


_LATER = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
_DUE = examples.PAYMENT_BODY["dues"]["lines"][0]


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"as_of": _LATER}, "dues.as_of"),
        ({"as_of": 1_700_000_000}, "dues.as_of"),
        ({"as_of": "1700000000"}, "dues.as_of"),
        ({"as_of": "2026-03-02T09:00:00"}, "dues.as_of"),
        ({"as_of": "0001-01-01T00:00:00+14:00"}, "dues.as_of"),
        ({"as_of": "9999-12-31T23:59:59-14:00"}, "dues.as_of"),
        ({"as_of": "2026-02-30T00:00:00Z"}, "dues.as_of"),
        ({"valid_until": "2020-01-01T00:00:00Z"}, "dues.valid_until"),
        ({"lines": [_DUE, _DUE]}, "dues.lines"),
        ({"lines": [{**_DUE, "component": "savings"}]}, "dues.lines.0.component"),
        ({"lines": [{**_DUE, "amount_minor": -1}]}, "dues.lines.0.amount_minor"),
        ({"lines": [{**_DUE, "due_on": 20_000}]}, "dues.lines.0.due_on"),
        ({"lines": [{**_DUE, "due_on": "2026-3-2"}]}, "dues.lines.0.due_on"),
        ({"lines": [{**_DUE, "id": f"{n}"} for n in range(501)]}, "dues.lines"),
    ],
)
async def test_dues_that_cannot_be_taken_name_the_field(
    front: FrontDoor, changes: dict[str, Any], field: str
) -> None:
    told = await front.pay(body(dues={**body()["dues"], **changes}))
    assert is_problem(told, 422, "invalid"), told.body
    assert field in fields(told), told.body


@pytest.mark.parametrize(
    ("sent", "media", "status"),
    [
        (b"{", "application/json", 400),
        (b"\xff\xfe{\x00}\x00", "application/json", 400),
        (b'{"a": 1, "a": 2}', "application/json", 400),
        (b'{"amount_minor": NaN}', "application/json", 400),
        (b'{"amount_minor": ' + b"9" * 5000 + b"}", "application/json", 400),
        (b'{"amount_minor": 1e400}', "application/json", 422),
        (b'{"a": "\x00"}', "application/json", 400),
        (b"[" * 200_000, "application/json", 400),
        (b"[" * 40 + b"]" * 40, "application/json", 400),
        (b"[]", "application/json", 422),
        (b"null", "application/json", 422),
        (b'"text"', "application/json", 422),
        (b"", "application/json", 422),
        (b"{}", "text/plain", 415),
        (b"a=1", "application/x-www-form-urlencoded", 415),
        (b"{}", "", 415),
        (b"{}", "\xff\xfe", 415),
        (b"{}", "application/json; charset=utf-8", 422),
        (b'{"a":"' + b"x" * (1 << 20) + b'"}', "application/json", 413),
    ],
)
async def test_a_body_that_is_no_request_is_told_so(
    front: FrontDoor, sent: bytes, media: str, status: int
) -> None:
    headers = {"idempotency-key": "body", "content-type": media}
    told = await front.call("POST", "/v1/payments", data=sent, headers=headers)
    assert told.status == status, told.body
    assert told.headers["content-type"] == "application/problem+json"


async def test_a_body_without_an_announced_length_is_cut_off_at_the_limit(front: FrontDoor) -> None:
    async def parts() -> Any:
        for _ in range(40):
            yield b" " * 65_536

    headers = {"idempotency-key": "body", "content-type": "application/json"}
    told = await front.call("POST", "/v1/payments", data=parts(), headers=headers)
    assert is_problem(told, 413, "too-large")


async def test_what_a_client_sent_is_never_repeated_in_a_problem(front: FrontDoor) -> None:
    secret = "canary-5e1f"
    payer = {"member": secret + "\n", "name": "\x01" + secret, "phone": secret, "email": secret}
    told = await front.pay(body(payer=payer, currency=secret, kind=secret, metadata=secret))
    assert told.status == 422
    assert secret not in told.raw.decode()


async def test_an_allowed_callback_address_is_taken(front: FrontDoor) -> None:
    told = await front.pay(
        body(callback_url="http://127.0.0.1:9/hooks?x=1", return_url="https://lender.example/a")
    )
    assert told.status == 201


async def test_the_idempotency_key_may_not_be_there_twice(front: FrontDoor) -> None:
    headers = [("idempotency-key", "one"), ("idempotency-key", "two"), ("content-type", "application/json")]
    key = f"Bearer {front.keys['all']}"
    async with front.web.post(
        front.url + "/v1/payments", data=json.dumps(body()), headers=[*headers, ("authorization", key)]
    ) as answer:
        assert answer.status == 422
