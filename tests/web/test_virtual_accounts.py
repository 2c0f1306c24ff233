"""Accounts in members' names over HTTP: asked for once, read with the number by whoever may, closed and asked again."""

from __future__ import annotations

import secrets
from typing import Any

import pytest
from rigs.api import FrontDoor, Told

from coopwire.ports.keys import Scope

pytestmark = pytest.mark.asyncio(loop_scope="module")


def body(**changes: Any) -> dict[str, Any]:
    """A request of a holder whom the gateway does not know yet."""
    email = f"{secrets.token_hex(6)}@members.example"
    holder = {"member": "M-1030", "name": "Ngozi Canary", "phone": "+2348000000000", "email": email}
    return {"kind": "savings", "currency": "NGN", "holder": holder, "account": "SA-9", **changes}


async def ask(front: FrontDoor, told: dict[str, Any], once: str | None = None, **more: Any) -> Told:
    headers = {"idempotency-key": once or secrets.token_hex(8)}
    return await front.call("POST", "/v1/virtual-accounts", json=told, headers=headers, **more)


async def opened(front: FrontDoor) -> str:
    answer = await ask(front, body())
    id_: str = answer.body["account"]["id"]
    await front.hub.until(
        "SELECT state FROM virtual_accounts WHERE id = $1", id_, expected="active", seconds=60
    )
    return id_


async def test_an_account_is_asked_for_and_read_with_its_number_when_the_bank_has_assigned_it(
    front: FrontDoor,
) -> None:
    answer = await ask(front, body())
    id_ = answer.body["account"]["id"]
    assert (answer.status, answer.headers["location"]) == (202, f"/v1/virtual-accounts/{id_}")
    assert (answer.body["account"]["state"], answer.body["number"]) == ("intended", None)
    assert (answer.body["account"]["account"], answer.body["account"]["loan"]) == ("SA-9", None)
    await front.hub.until(
        "SELECT state FROM virtual_accounts WHERE id = $1", id_, expected="active", seconds=60
    )
    read = await front.get(f"/v1/virtual-accounts/{id_}")
    there = (await front.hub.outside.truth("paystack"))["accounts"]
    assert read.body["number"] in {one["number"] for one in there}
    onlooker = await front.key(Scope.PAYMENTS_READ)
    assert (await front.get(f"/v1/virtual-accounts/{id_}", key=onlooker)).body["number"] is None
    listed = await front.get("/v1/virtual-accounts?member=M-1030&state=active")
    assert id_ in {one["id"] for one in listed.body["items"]}
    assert read.body["number"].encode() not in listed.raw and b"Canary" not in listed.raw


async def test_the_same_key_asks_once(front: FrontDoor) -> None:
    once, told = secrets.token_hex(8), body()
    first, second = await ask(front, told, once), await ask(front, told, once)
    assert second.headers["idempotent-replayed"] == "true"
    assert first.body["account"]["id"] == second.body["account"]["id"]
    other = await ask(front, body(account="SA-10"), once)
    assert (other.status, other.body["type"]) == (422, "urn:coopwire:problem:key-reused")


@pytest.mark.parametrize(
    ("field", "changes"),
    [
        ("currency", {"currency": "USD"}),
        ("holder.name", {"holder": {"member": "M-1030", "name": "Ngozi", "phone": "+2348000000000"}}),
        ("holder.member", {"holder": {"member": "M-404", "name": "A B", "phone": "+2348000000000"}}),
        ("loan", {"kind": "loan_repayment", "account": None}),
        ("bank", {"bank": "Not A Slug"}),
        ("identity.bvn", {"identity": {"bvn": "x", "account_number": "0155500123", "bank_code": "058"}}),
        ("callback_url", {"callback_url": "https://elsewhere.example/x"}),
        ("gateway", {"gateway": "quickbooks"}),
    ],
)
async def test_what_must_be_mended_is_named_and_nothing_is_stored(
    front: FrontDoor, field: str, changes: dict[str, Any]
) -> None:
    count = "SELECT count(*) FROM virtual_accounts"
    before = await front.hub.value(count)
    answer = await ask(front, body(**changes))
    assert (answer.status, [one["field"] for one in answer.body["errors"]]) == (422, [field])
    assert await front.hub.value(count) == before


async def test_an_account_is_closed_with_a_reason_that_is_kept(front: FrontDoor) -> None:
    id_ = await opened(front)
    path = f"/v1/virtual-accounts/{id_}/close"
    assert (await front.call("POST", path, json={"reason": "the member left"})).status == 200
    await front.hub.until("SELECT state FROM virtual_accounts WHERE id = $1", id_, expected="closed")
    action = await front.hub.value("SELECT action FROM operator_actions WHERE subject = $1", id_)
    assert action == "close virtual account"
    assert (await front.call("POST", path, json={"reason": "again"})).status == 200
    unknown = f"/v1/virtual-accounts/{'x' * 20}/close"
    assert (await front.call("POST", unknown, json={"reason": "?"})).status == 404


async def test_an_account_that_is_not_open_can_neither_be_closed_nor_asked_about(front: FrontDoor) -> None:
    await front.hub.outside.fault("paystack", "assign_account", "decline")
    id_ = (await ask(front, body())).body["account"]["id"]
    await front.hub.until(
        "SELECT state FROM virtual_accounts WHERE id = $1", id_, expected="failed", seconds=60
    )
    for verb, told in (("close", {"reason": "no"}), ("requery", {"on": "2026-03-02"})):
        answer = await front.call("POST", f"/v1/virtual-accounts/{id_}/{verb}", json=told)
        assert (answer.status, answer.body["type"]) == (409, "urn:coopwire:problem:conflict")


async def test_transfers_of_a_day_are_asked_for_again(front: FrontDoor) -> None:
    id_ = await opened(front)
    path = f"/v1/virtual-accounts/{id_}/requery"
    assert (await front.call("POST", path, json={"on": "2026-03-02"})).status == 202
    await front.hub.outside.fault("paystack", "requery_account", "http_500")
    assert (await front.call("POST", path, json={"on": "2026-03-02"})).status == 409
