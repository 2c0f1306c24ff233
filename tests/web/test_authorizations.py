"""What members left, over HTTP: kept by a payment that asked for it, charged by another one, ended."""

from __future__ import annotations

from typing import Any

import pytest
from rigs.api import FrontDoor

pytestmark = pytest.mark.asyncio(loop_scope="module")


def body(**changes: Any) -> dict[str, Any]:
    payer = {"member": "M-1031", "name": "Ngozi Example", "phone": "+2348000000000"}
    told = {"kind": "savings", "amount_minor": 50_000, "currency": "NGN", "payer": payer, "account": "SA-1"}
    return {**told, **changes}


async def left(front: FrontDoor) -> str:
    asked = await front.pay(body(save_authorization=True))
    told = await front.hub.pay(asked.body["attempt"])
    await front.hub.hint(asked.body["attempt"], told["charges"][0]["id"])
    payment = asked.body["payment"]["reference"]
    sql = "SELECT count(*) FROM authorizations WHERE payment = $1"
    await front.hub.until(sql, payment, expected=1, seconds=60)
    listed = await front.get(f"/v1/authorizations?payment={payment}")
    assert b"AUTH_" not in listed.raw
    return str(listed.body["items"][0]["id"])


async def test_what_was_left_is_charged_by_a_payment_and_ended(front: FrontDoor) -> None:
    authorization = await left(front)
    answer = await front.pay(body(authorization=authorization, amount_minor=61_000))
    assert (answer.status, answer.body["checkout_url"]) == (202, None)
    payment = answer.body["payment"]["reference"]
    state = "SELECT state FROM payments WHERE reference = $1"
    await front.hub.until(state, payment, expected="succeeded", seconds=60)
    timeline = await front.get(f"/v1/payments/{payment}/timeline")
    assert timeline.status == 200
    path = f"/v1/authorizations/{authorization}"
    assert (await front.get(path)).body["state"] == "active"
    ended = await front.call("POST", f"{path}/end", json={"reason": "the member asked for it"})
    assert (ended.status, ended.body["state"]) == (200, "ended")
    refused = await front.pay(body(authorization=authorization))
    assert (refused.status, refused.body["type"]) == (409, "urn:coopwire:problem:conflict")


async def test_what_nobody_left_is_named(front: FrontDoor) -> None:
    answer = await front.pay(body(authorization="x" * 20))
    assert (answer.status, [one["field"] for one in answer.body["errors"]]) == (422, ["authorization"])
    for method, path in (("GET", "/v1/authorizations/{}"), ("POST", "/v1/authorizations/{}/end")):
        more = {"json": {"reason": "?"}} if method == "POST" else {}
        assert (await front.call(method, path.format("x" * 20), **more)).status == 404


async def test_a_declined_charge_is_told_as_the_gateways_refusal(front: FrontDoor) -> None:
    authorization = await left(front)
    [code] = [
        f"AUTH_{one['id']:x}"
        for one in (await front.hub.outside.truth("paystack"))["charges"]
        if one["status"] == "success" and one["channel"] == "card"
    ][-1:]
    await front.hub.outside.control("paystack", "plan", code=code, outcome="failed")
    answer = await front.pay(body(authorization=authorization))
    assert (answer.status, answer.body["type"]) == (422, "urn:coopwire:problem:gateway-refused")
