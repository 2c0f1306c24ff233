"""Payouts over the API: asked for once, released by a second person, no account shown anywhere."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator
from typing import Any

import pytest
from rigs.api import FrontDoor, Told, front_door

from coopwire.ports.keys import Scope

ACCOUNT = "0000014579"
BODY: dict[str, Any] = {
    "connection": "paystack",
    "amount_minor": 250_050,
    "currency": "NGN",
    "beneficiary": {"account": ACCOUNT, "bank": "011", "name": "Simulated Holder"},
    "purpose": "Loan LN-00457",
    "member": "M-1029",
    "loan": "LN-00457",
}
SOMEBODY = {**BODY, "beneficiary": {**BODY["beneficiary"], "name": "Somebody Else"}}


@pytest.fixture
async def front(database_dsn: str) -> AsyncIterator[FrontDoor]:
    simulated = {"paystack": {"transfer_seconds": "0.2"}}
    async with front_door(database_dsn, simulated=simulated) as door:
        door.keys["maker"] = await door.key(Scope.PAYOUTS_WRITE)
        door.keys["checker"] = await door.key(Scope.PAYOUTS_APPROVE)
        yield door


async def ask(front: FrontDoor, body: dict[str, Any], once: str = "", key: str = "maker") -> Told:
    headers = {"idempotency-key": once or secrets.token_hex(8)}
    return await front.call("POST", "/v1/payouts", key, json=body, headers=headers)


async def until(front: FrontDoor, id: str, state: str) -> dict[str, Any]:
    await front.hub.until("SELECT state FROM payouts WHERE id = $1", id, expected=state)
    told = await front.get(f"/v1/payouts/{id}", key="checker")
    view: dict[str, Any] = told.body
    return view


async def test_a_payout_is_asked_for_once_and_read_to_its_end(front: FrontDoor) -> None:
    first = await ask(front, BODY, "one")
    assert (first.status, first.body["state"]) == (202, "checking")
    again = await ask(front, BODY, "one")
    assert (again.status, again.body["id"]) == (200, first.body["id"])
    assert again.headers["idempotent-replayed"] == "true"
    assert (await ask(front, SOMEBODY, "one")).status == 422
    view = await until(front, first.body["id"], "succeeded")
    assert (view["name_score"], view["fee_minor"], view["hold"]) == (100, 1_000, None)
    listed = await front.get("/v1/payouts?state=succeeded&loan=LN-00457&member=M-1029", key="checker")
    assert [one["id"] for one in listed.body["items"]] == [first.body["id"]]
    for told in (first, again, listed):
        assert ACCOUNT.encode() not in told.raw
        assert b"Holder" not in told.raw


async def test_whoever_asked_cannot_release_and_a_second_key_can(front: FrontDoor) -> None:
    front.keys["both"] = await front.key(Scope.PAYOUTS_WRITE, Scope.PAYOUTS_APPROVE)
    id = (await ask(front, SOMEBODY, key="both")).body["id"]
    assert (await until(front, id, "held"))["hold"] == "name_mismatch"
    reason = {"reason": "it is her maiden name"}
    own = await front.call("POST", f"/v1/payouts/{id}/release", "both", json=reason)
    assert (own.status, own.body["detail"]) == (409, "who asked for a payout cannot release it")
    assert (await front.call("POST", f"/v1/payouts/{id}/release", "maker", json=reason)).status == 403
    told = await front.call("POST", f"/v1/payouts/{id}/release", "checker", json=reason)
    assert (told.status, told.body["state"]) == (200, "intended")
    await until(front, id, "succeeded")
    late = await front.call("POST", f"/v1/payouts/{id}/cancel", "checker", json=reason)
    assert late.status == 409


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"amount_minor": 0}, "amount_minor"),
        ({"connection": "bankone"}, "connection"),
        ({"purpose": "x" * 101}, "purpose"),
        ({"purpose": "card 4111 1111 1111 1111"}, "purpose"),
        ({"beneficiary": {"account": "1", "bank": "011", "name": "A"}}, "beneficiary.account"),
        ({"beneficiary": {"account": 14579, "bank": "011", "name": "A"}}, "beneficiary.account"),
        ({"beneficiary": {"account": ACCOUNT, "bank": "../", "name": "A"}}, "beneficiary.bank"),
        ({"stranger": 1}, "stranger"),
    ],
)
async def test_what_must_be_mended_is_named_and_nothing_is_stored(
    front: FrontDoor, change: dict[str, Any], field: str
) -> None:
    told = await ask(front, {**BODY, **change})
    assert told.status == 422
    assert [one["field"] for one in told.body["errors"]] == [field]
    assert ACCOUNT.encode() not in told.raw
    assert await front.hub.value("SELECT count(*) FROM payouts") == 0


async def ask_many(front: FrontDoor, lines: list[dict[str, Any]], once: str = "") -> Told:
    headers = {"idempotency-key": once or secrets.token_hex(8)}
    return await front.call("POST", "/v1/payouts/batch", "maker", json={"payouts": lines}, headers=headers)


async def test_each_line_of_a_batch_is_a_payout_that_goes_its_own_way(front: FrontDoor) -> None:
    lines = [BODY, SOMEBODY, {**BODY, "amount_minor": 99}]
    first, twin = await asyncio.gather(ask_many(front, lines, "many"), ask_many(front, lines, "many"))
    assert {first.status, twin.status} == {202, 200}
    ids = [one["id"] for one in first.body["payouts"]]
    assert [one["id"] for one in twin.body["payouts"]] == ids
    assert [one["amount_minor"] for one in first.body["payouts"]] == [250_050, 250_050, 99]
    assert await front.hub.value("SELECT count(*) FROM payouts") == 3
    for id, state in zip(ids, ("succeeded", "held", "succeeded"), strict=True):
        await until(front, id, state)
    again = await ask_many(front, lines, "many")
    assert (again.status, again.headers["idempotent-replayed"]) == (200, "true")
    assert [one["state"] for one in again.body["payouts"]] == ["succeeded", "held", "succeeded"]
    assert (await ask_many(front, lines[:2], "many")).status == 422
    assert len((await front.hub.outside.truth("paystack"))["transfers"]) == 2
    for told in (first, twin, again):
        assert ACCOUNT.encode() not in told.raw


async def test_one_line_that_must_be_mended_keeps_the_whole_batch_from_being_stored(front: FrontDoor) -> None:
    nobody = {**BODY, "connection": "bankone", "amount_minor": 7}
    told = await ask_many(front, [BODY, nobody, {**BODY}])
    assert told.status == 422
    assert [one["field"] for one in told.body["errors"]] == ["payouts.1.connection", "payouts.2.payout"]
    card = await ask_many(front, [BODY, {**BODY, "purpose": "card 4111 1111 1111 1111"}])
    assert [one["field"] for one in card.body["errors"]] == ["payouts.1.purpose"]
    shape = await ask_many(front, [BODY, {**BODY, "amount_minor": 0}, {"connection": "paystack"}])
    assert {one["field"] for one in shape.body["errors"]} >= {
        "payouts.1.amount_minor",
        "payouts.2.beneficiary",
    }
    for number in (0, 101):
        many = [{**BODY, "amount_minor": 1 + n} for n in range(number)]
        assert (await ask_many(front, many)).status == 422
    assert ACCOUNT.encode() not in told.raw
    assert await front.hub.value("SELECT count(*) FROM payouts") == 0


async def test_banks_names_and_balances_are_read_at_the_gateway(front: FrontDoor) -> None:
    banks = await front.get("/v1/connections/paystack/banks", key="maker")
    assert "011" in [one["code"] for one in banks.body["items"]]
    asked = {"account": ACCOUNT, "bank": "011"}
    named = await front.call("POST", "/v1/connections/paystack/account-name", "maker", json=asked)
    assert named.body == {"name": "SIMULATED HOLDER", "reason": ""}
    balances = await front.get("/v1/connections/paystack/balances", key="maker")
    assert balances.body["items"] == [{"currency": "NGN", "available_minor": 10_000_000_000}]
    await front.hub.outside.fault("paystack", "read_balance", "http_500")
    away = await front.get("/v1/connections/paystack/balances", key="maker")
    assert (away.status, away.body["type"]) == (502, "urn:coopwire:problem:gateway-away")
    assert (await front.get("/v1/connections/nobody/balances", key="maker")).status == 404
    assert (await front.get("/v1/connections/bankone/banks", key="maker")).status == 409


async def test_a_one_time_password_is_given_over_the_api(front: FrontDoor) -> None:
    await front.hub.outside.control("paystack", "settings", otp="928783")
    id = (await ask(front, BODY)).body["id"]
    await until(front, id, "awaiting_otp")
    wrong = await front.call("POST", f"/v1/payouts/{id}/otp", "checker", json={"otp": "111111"})
    assert wrong.status == 409
    assert (await front.call("POST", f"/v1/payouts/{id}/otp/resend", "checker")).status == 200
    given = await front.call("POST", f"/v1/payouts/{id}/otp", "checker", json={"otp": "928783"})
    assert given.status == 200
    assert b"928783" not in given.raw
    await until(front, id, "succeeded")
