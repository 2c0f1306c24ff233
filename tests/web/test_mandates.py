"""Mandates over HTTP: asked for once, read with what the member must do by whoever may, changed and ended."""

from __future__ import annotations

import secrets
from typing import Any

import pytest
from rigs.api import FrontDoor, Told

from coopwire.ports.keys import Scope

pytestmark = pytest.mark.asyncio(loop_scope="module")


def body(**changes: Any) -> dict[str, Any]:
    """A mandate of a member whom the gateway does not know yet."""
    email = f"{secrets.token_hex(6)}@members.example"
    payer = {"member": "M-1031", "name": "Ngozi Canary", "phone": "+2348000000000", "email": email}
    return {"currency": "NGN", "payer": payer, "ceiling_minor": 70_000, **changes}


async def ask(front: FrontDoor, told: dict[str, Any], once: str | None = None) -> Told:
    headers = {"idempotency-key": once or secrets.token_hex(8)}
    return await front.call("POST", "/v1/mandates", json=told, headers=headers)


async def begun(front: FrontDoor) -> str:
    id_: str = (await ask(front, body())).body["mandate"]["id"]
    await until(front, id_, "pending")
    return id_


async def active(front: FrontDoor) -> str:
    id_ = await begun(front)
    reference = await front.hub.value("SELECT provider_ref FROM mandates WHERE id = $1", id_)
    await front.hub.outside.control("paystack", "approve_mandate", reference=reference)
    await until(front, id_, "active")
    return id_


async def until(front: FrontDoor, id_: str, state: str) -> None:
    await front.hub.until("SELECT state FROM mandates WHERE id = $1", id_, expected=state, seconds=60)


async def test_a_mandate_is_asked_for_read_with_its_page_and_debited_by_a_payment(front: FrontDoor) -> None:
    answer = await ask(front, body())
    id_ = answer.body["mandate"]["id"]
    assert (answer.status, answer.headers["location"]) == (202, f"/v1/mandates/{id_}")
    assert (answer.body["mandate"]["state"], answer.body["url"]) == ("intended", None)
    await until(front, id_, "pending")
    path = f"/v1/mandates/{id_}"
    read = await front.get(path)
    assert "/mandate/" in read.body["url"]
    onlooker = await front.key(Scope.PAYMENTS_READ)
    assert (await front.get(path, key=onlooker)).body["url"] is None
    reference = read.body["mandate"]["provider_ref"]
    await front.hub.outside.control("paystack", "approve_mandate", reference=reference)
    await until(front, id_, "active")
    listed = await front.get("/v1/mandates?member=M-1031&state=active")
    assert id_ in {one["id"] for one in listed.body["items"]}
    assert b"AUTH_" not in listed.raw and b"Canary" not in listed.raw and b"/mandate/" not in listed.raw
    payer = {"member": "M-1031", "name": "Ngozi Canary", "phone": "+2348000000000"}
    wish = {"kind": "savings", "currency": "NGN", "payer": payer, "account": "SA-1", "authorization": id_}
    paid = await front.pay({**wish, "amount_minor": 60_000, "at_least_minor": 20_000})
    assert paid.status == 202
    payment = paid.body["payment"]["reference"]
    state = "SELECT state FROM payments WHERE reference = $1"
    await front.hub.until(state, payment, expected="succeeded", seconds=60)
    assert (await front.get(f"/v1/payments/{payment}")).body["payment"]["due_minor"] == 0
    refused = await front.pay({**wish, "amount_minor": 70_001})
    assert (refused.status, [one["field"] for one in refused.body["errors"]]) == (422, ["amount_minor"])


async def test_the_same_key_asks_for_one_mandate(front: FrontDoor) -> None:
    once, told = secrets.token_hex(8), body()
    first, second = await ask(front, told, once), await ask(front, told, once)
    assert second.headers["idempotent-replayed"] == "true"
    assert first.body["mandate"]["id"] == second.body["mandate"]["id"]
    other = await ask(front, body(ceiling_minor=1), once)
    assert (other.status, other.body["type"]) == (422, "urn:coopwire:problem:key-reused")


@pytest.mark.parametrize(
    ("field", "changes"),
    [
        ("gateway", {"gateway": "quickbooks"}),
        ("customer", {"customer": "CUS_x"}),
        ("ends_on", {"starts_on": "2027-03-02", "ends_on": "2027-03-01"}),
        ("account.number", {"account": {"number": "x", "bank": "058"}}),
        ("purpose", {"purpose": "ŋ"}),
        ("return_url", {"return_url": "http://lender.example/"}),
        ("callback_url", {"callback_url": "https://elsewhere.example/x"}),
    ],
)
async def test_what_must_be_mended_is_named_and_no_mandate_is_stored(
    front: FrontDoor, field: str, changes: dict[str, Any]
) -> None:
    count = "SELECT count(*) FROM mandates"
    before = await front.hub.value(count)
    answer = await ask(front, body(**changes))
    assert (answer.status, [one["field"] for one in answer.body["errors"]]) == (422, [field])
    assert await front.hub.value(count) == before


async def test_a_mandate_is_ended_with_a_reason_that_is_kept(front: FrontDoor) -> None:
    id_ = await active(front)
    ended = await front.call("POST", f"/v1/mandates/{id_}/end", json={"reason": "the member left"})
    assert (ended.status, ended.body["mandate"]["state"]) == (200, "ended")
    action = await front.hub.value("SELECT action FROM operator_actions WHERE subject = $1", id_)
    assert action == "end mandate"


@pytest.mark.parametrize("verb", ["suspend", "resume", "retry", "end"])
async def test_a_change_that_cannot_be_made_is_a_conflict_and_one_of_nobodys_mandate_is_unknown(
    front: FrontDoor, verb: str
) -> None:
    id_ = await begun(front)
    answer = await front.call("POST", f"/v1/mandates/{id_}/{verb}", json={"reason": "no"})
    assert (answer.status, answer.body["type"]) == (409, "urn:coopwire:problem:conflict")
    path = f"/v1/mandates/{'x' * 20}"
    assert (await front.call("POST", f"{path}/{verb}", json={"reason": "no"})).status == 404
    assert (await front.get(path)).status == 404
