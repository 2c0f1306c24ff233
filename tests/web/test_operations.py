"""Operators over HTTP, the timeline of a payment that is stuck, and the probes of load balancers."""

from __future__ import annotations

import asyncio
from typing import Any
from urllib.parse import urlsplit

import pytest
from rigs.api import FrontDoor, Told
from rigs.scrapes import scrape

from coopwire.domain.references import new_reference
from coopwire.storage.migrate import HEAD
from coopwire.web import examples

pytestmark = pytest.mark.asyncio(loop_scope="module")

WHY = {"reason": "tried by hand"}


async def _paid(front: FrontDoor, **changes: Any) -> dict[str, Any]:
    """A payment whose charge is recorded."""
    made = (await front.pay({**examples.PAYMENT_BODY, **changes})).body
    await front.hub.pay(made["attempt"])
    await front.hub.hint(made["attempt"])
    reference = made["payment"]["reference"]
    await front.hub.until("SELECT count(*) FROM receipts WHERE payment = $1", reference, expected=1)
    payment: dict[str, Any] = made["payment"]
    return payment


async def _timeline(front: FrontDoor, payment: dict[str, Any]) -> Told:
    told = await front.get(f"/v1/payments/{payment['reference']}/timeline")
    assert told.status == 200
    return told


async def _gate(front: FrontDoor, verb: str, **more: Any) -> Told:
    body = {"connection": "bankone", "traffic": ["write"], **WHY, **more}
    return await front.call("POST", f"/v1/gates/{verb}", json=body)


async def test_a_closed_gate_is_seen_in_the_timeline_and_opened_again(front: FrontDoor) -> None:
    assert (await _gate(front, "close")).status == 204
    gates = (await front.get("/v1/gates")).body["items"]
    assert [(g["connection"], g["kind"], g["traffic"], g["until"]) for g in gates] == [
        ("bankone", "manual", "write", None)
    ]
    payment = await _paid(front)
    posting = "SELECT state FROM effects WHERE kind = 'posting' AND payment = $1"
    journal = "SELECT state FROM effects WHERE kind = 'journal' AND payment = $1"
    await front.hub.until(journal, payment["reference"], expected="done")
    why = (await _timeline(front, payment)).body["why"]
    assert why.startswith(
        "booked, not banked: the posting at bankone waits for the closed gate of bankone (manual (tried by hand))"
    )
    opened = await _gate(front, "open", kind="manual")
    assert (opened.status, opened.body) == (200, {"was_closed": True})
    assert (await _gate(front, "open", kind="manual")).body == {"was_closed": False}
    await front.hub.until(posting, payment["reference"], expected="done")
    await front.hub.until("SELECT count(*) FROM effects WHERE state <> 'done'", expected=0)
    assert (await _timeline(front, payment)).body["why"] == "booked and banked"


async def _breaker(front: FrontDoor, verb: str, **more: Any) -> Told:
    body = {"connection": "bankone", "traffic": ["write"], **WHY, **more}
    return await front.call("POST", f"/v1/breakers/{verb}", json=body)


async def test_a_breaker_opened_by_hand_stops_a_running_hub_until_it_is_closed(front: FrontDoor) -> None:
    assert (await _breaker(front, "open")).status == 204
    listed = (await front.get("/v1/breakers")).body["items"]
    assert {(b["connection"], b["traffic"]) for b in listed} == {
        (name, traffic)
        for name in ("paystack", "quickbooks", "bankone", "lms")
        for traffic in ("read", "write")
    }
    [opened] = [b for b in listed if b["state"] != "closed"]
    assert (opened["connection"], opened["state"], opened["until"]) == ("bankone", "open", None)
    assert opened["reason"] == "opened by hand: tried by hand"
    payment = await _paid(front)
    journal = "SELECT state FROM effects WHERE kind = 'journal' AND payment = $1"
    await front.hub.until(journal, payment["reference"], expected="done")
    posting = "SELECT state FROM effects WHERE kind = 'posting' AND payment = $1"
    assert await front.hub.value(posting, payment["reference"]) == "intended"
    assert (await _breaker(front, "close")).body == {"was_open": True}
    await front.hub.until(posting, payment["reference"], expected="done")
    assert (await _breaker(front, "close")).body == {"was_open": False}
    tries = "SELECT tries FROM effects WHERE kind = 'posting' AND payment = $1"
    assert await front.hub.value(tries, payment["reference"]) == 1
    actions = await front.hub.rows(
        "SELECT action, reason FROM operator_actions WHERE action LIKE '%breaker' ORDER BY id"
    )
    assert [(a["action"], a["reason"]) for a in actions] == [
        ("open write breaker", WHY["reason"]),
        ("close write breaker", WHY["reason"]),
    ]


async def test_opening_the_breakers_gate_closes_the_breaker_in_running_processes(front: FrontDoor) -> None:
    await _breaker(front, "open", connection="lms")
    assert (await _gate(front, "open", connection="lms", kind="breaker")).body == {"was_closed": True}
    payment = await _paid(front)
    callbacks = "SELECT count(*) FROM effects WHERE kind = 'callback' AND payment = $1 AND state <> 'done'"
    await front.hub.until("SELECT count(*) > 0 FROM effects WHERE kind = 'callback'", expected=True)
    await front.hub.until(callbacks, payment["reference"], expected=0)


async def test_an_unknown_posting_tells_when_it_is_looked_up(front: FrontDoor) -> None:
    await front.hub.outside.fault("bankone", "credit", "silence_after", times=1)
    payment = await _paid(front)
    posting = "SELECT state FROM effects WHERE kind = 'posting' AND payment = $1"
    await front.hub.until(posting, payment["reference"], expected="unknown", seconds=30)
    told = (await _timeline(front, payment)).body
    assert "the outcome of the posting at bankone is unknown since" in told["why"]
    assert "next look-up" in told["why"]
    await front.hub.until(posting, payment["reference"], expected="done", seconds=60)
    kinds = [e["kind"] for e in (await _timeline(front, payment)).body["entries"]]
    assert "posting.looked" in kinds
    times = [e["at"] for e in (await _timeline(front, payment)).body["entries"]]
    assert times == sorted(times)


async def test_a_timeline_tells_the_whole_story_and_no_secret(front: FrontDoor) -> None:
    payer = {
        "member": "M-1029",
        "name": "Canary Name",
        "phone": "+2348099999999",
        "email": "canary@members.example",
    }
    callback = "http://127.0.0.1:9/canary-hook"
    payment = await _paid(front, payer=payer, callback_url=callback, return_url="https://canary.example/back")
    sent = "SELECT count(*) FROM tries t JOIN effects e ON e.id = t.effect WHERE e.kind = 'callback' AND e.payment = $1"
    await front.hub.until(f"SELECT ({sent}) > 0", payment["reference"])
    told = await _timeline(front, payment)
    kinds = {e["kind"] for e in told.body["entries"]}
    assert {
        "payment.accepted", "attempt.created", "checkout.sent", "checkout.answered", "webhook.received", "look",
        "receipt.recorded", "receipt.allocated", "journal.intended", "posting.intended", "callback.sent",
    } <= kinds  # fmt: skip
    page = await front.office.queries.page_address(
        await front.hub.value("SELECT reference FROM attempts WHERE payment = $1", payment["reference"])
    )
    assert page is not None
    everything = told.raw.decode()
    for path in ("payments", "attempts", "receipts", "effects", "journals", "postings", "breaks"):
        everything += (await front.get(f"/v1/{path}?limit=200")).raw.decode()
    for canary in ("Canary", "canary", "99999999", page, "1100000000", "127.0.0.1:9"):
        assert canary not in everything


async def test_a_held_effect_is_resumed_and_an_unwanted_one_skipped_with_the_keys_name(
    front: FrontDoor,
) -> None:
    id_ = await _effect(front, "held")
    told = await front.call("POST", f"/v1/effects/{id_}/skip", json=WHY)
    assert (told.status, told.body["state"]) == (200, "cancelled")
    again = await front.call("POST", f"/v1/effects/{id_}/resume", json=WHY)
    assert (again.status, again.body["type"]) == (409, "urn:coopwire:problem:conflict")
    [row] = await front.hub.rows("SELECT * FROM operator_actions WHERE subject = $1", id_)
    assert (row["action"], row["reason"]) == ("skip effect never sent", "tried by hand")
    assert row["actor"].startswith("key ") and "a test" in row["actor"]

    other = await _effect(front, "held")
    told = await front.call("POST", f"/v1/effects/{other}/resume", json=WHY)
    assert (told.status, told.body["state"]) == (200, "intended")


async def _effect(front: FrontDoor, state: str) -> str:
    id_ = new_reference()
    await front.hub.app.database.pool.execute(
        'INSERT INTO effects (id, kind, connection, reference, "order", fingerprint, state, created_at, due_at) '
        "VALUES ($1, 'checkout', 'nowhere', $1, '{}', 'f', $2, now(), now())",
        id_,
        state,
    )
    return id_


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "reason"),
        ({"reason": ""}, "reason"),
        ({"reason": "  "}, "reason"),
        ({"reason": "x" * 501}, "reason"),
        ({"reason": "card 4111111111111111"}, "reason"),
        ({"reason": "a", "force": True}, "force"),
    ],
)
async def test_an_operator_must_say_why(front: FrontDoor, body: dict[str, Any], field: str) -> None:
    id_ = await _effect(front, "held")
    told = await front.call("POST", f"/v1/effects/{id_}/skip", json=body)
    assert (told.status, told.body["errors"][0]["field"]) == (422, field)


@pytest.mark.parametrize("id_", ["a" * 20, "x", "%20"])
async def test_an_effect_that_does_not_exist_is_not_found(front: FrontDoor, id_: str) -> None:
    assert (await front.get(f"/v1/effects/{id_}")).status == 404
    assert (await front.call("POST", f"/v1/effects/{id_}/skip", json=WHY)).status == 404
    assert (await front.get(f"/v1/receipts/{id_}")).status == 404
    assert (await front.get(f"/v1/payments/{id_}")).status == 404
    assert (await front.get(f"/v1/payments/{id_}/timeline")).status == 404


@pytest.mark.parametrize(
    ("verb", "more", "status"),
    [
        ("close", {"connection": "nowhere"}, 404),
        ("close", {"until": "2020-01-01T00:00:00Z"}, 422),
        ("close", {"until": "2999-01-01T00:00:00Z"}, 422),
        ("close", {"traffic": []}, 422),
        ("close", {"traffic": ["both"]}, 422),
        ("open", {"kind": "door"}, 422),
        ("open", {}, 422),
    ],
)
async def test_a_gate_that_cannot_be_moved_is_told_so(
    front: FrontDoor, verb: str, more: dict[str, Any], status: int
) -> None:
    assert (await _gate(front, verb, **more)).status == status


# -- probes ------------------------------------------------------------------------------------------------


async def test_probes_need_no_key(front: FrontDoor) -> None:
    assert (await front.get("/healthz", key=None)).body == {"status": "ok"}
    ready = await front.get("/readyz", key=None)
    assert (ready.status, ready.body) == (200, {"ready": True, "schema": HEAD, "workers": 1})


async def test_metrics_count_by_route_and_never_by_what_a_client_wrote(front: FrontDoor) -> None:
    await front.get(f"/v1/payments/{'a' * 20}")
    await front.call("PROPFIND", "/canary-path")
    await front.call("POST", "/webhooks/canary-connection")
    text = (await front.get("/metrics", key=None)).raw.decode()
    assert 'route="/v1/payments/{reference}",status="404"' in text
    assert 'coopwire_webhooks_total{connection="",word="unknown_connection"} 1.0' in text
    assert "canary" not in text
    assert 'method="other"' in text


async def test_metrics_tell_how_the_hub_stands(front: FrontDoor) -> None:
    told = scrape((await front.get("/metrics", key=None)).raw)
    assert (told.value("coopwire_database_up"), told.value("coopwire_workers")) == (1, 1)
    assert told.value("coopwire_breaker_open", connection="paystack", traffic="read") == 0
    assert told.value("coopwire_dead_letters", consumer="settle-receipts") == 0


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/", 404),
        ("GET", "/v1", 404),
        ("GET", "/v1/payments/", 404),
        ("GET", "/v2/payments", 404),
        ("DELETE", "/v1/payments", 405),
        ("PATCH", "/v1/core-accounts", 405),
        ("PROPFIND", "/healthz", 405),
        ("GET", "/docs", 404),
    ],
)
async def test_what_the_api_does_not_know_is_a_problem(
    front: FrontDoor, method: str, path: str, status: int
) -> None:
    told = await front.call(method, path)
    assert told.status == status
    assert told.headers["content-type"] == "application/problem+json"
    assert told.body["request_id"] == told.headers["x-request-id"]
    assert status != 405 or told.headers["allow"]


async def test_the_methods_of_a_path_are_told_all_together(front: FrontDoor) -> None:
    for path, methods in (
        ("/v1/payments", "GET, POST"),
        ("/v1/core-accounts", "GET, PUT"),
        ("/metrics", "GET"),
    ):
        assert (await front.call("PATCH", path)).headers["allow"] == methods


@pytest.mark.parametrize("host", [b"[::1", b"a b", b"\xff", b"evil.example"])
async def test_a_hostile_host_is_never_our_failure(front: FrontDoor, host: bytes) -> None:
    parts = urlsplit(front.url)
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
    key = f"authorization: Bearer {front.keys['all']}".encode()
    lines = [
        b"POST /v1/payments HTTP/1.1",
        b"host: " + host,
        b"connection: close",
        key,
        b"idempotency-key: h",
    ]
    writer.write(b"\r\n".join([*lines, b"content-type: application/json", b"content-length: 2", b"", b"{}"]))
    status = (await reader.read()).split(b" ")[1]
    writer.close()
    assert status in (b"400", b"422")


async def test_a_failure_inside_is_told_with_its_number_and_nothing_else(
    front: FrontDoor, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    class Broken:
        async def gates(self, now: object) -> object:
            raise RuntimeError("canary of the database")

    front.api.state.office = type(front.office)(**{**vars(front.office), "queries": Broken()})
    try:
        told = await front.get("/v1/gates")
    finally:
        front.api.state.office = front.office
    assert told.status == 500
    assert told.body == {
        "type": "urn:coopwire:problem:internal",
        "title": "Something went wrong in the hub",
        "status": 500,
        "request_id": told.headers["x-request-id"],
    }
    logged = capsys.readouterr().out + caplog.text
    assert told.body["request_id"] in logged
    assert "RuntimeError" in logged
    assert "canary" not in logged
    assert "Traceback" not in logged


async def test_a_database_that_is_away_is_a_503_that_passes(front: FrontDoor) -> None:
    payment = await _paid(front)  # by now every loop of the hub runs
    await front.hub.app.database.pool.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
        "WHERE pid <> pg_backend_pid() AND datname = current_database()"
    )
    told = await asyncio.gather(*(front.get("/v1/payments") for _ in range(30)))
    assert {t.status for t in told} <= {200, 503}
    assert (await front.get("/v1/payments")).status == 200
    posting = "SELECT state FROM effects WHERE kind = 'posting' AND payment = $1"
    await front.hub.until(posting, payment["reference"], expected="done", seconds=60)


async def test_the_end_of_the_audit_trail_grows_with_what_operators_do(front: FrontDoor) -> None:
    before = (await front.get("/v1/audit/head")).body
    assert (await _gate(front, "close")).status == 204
    assert (await _gate(front, "open", kind="manual")).status == 200
    await front.hub.until("SELECT count(*) FROM audit WHERE position IS NULL", expected=0)
    told = await front.get("/v1/audit/head")
    assert told.status == 200
    assert told.body["position"] >= before["position"] + 2
    assert told.body["waiting"] == 0
    kept = await front.hub.value("SELECT hash FROM audit WHERE position = $1", told.body["position"])
    assert kept.hex() == told.body["hash"]
