"""Disputes and settlements over the API: read live, answered once under a key, accepted by two."""

from __future__ import annotations

from typing import Any

from rigs.api import FrontDoor, front_door
from rigs.refunds import received
from rigs.settlements import settled, stands

from coopwire.ports.keys import Scope

MESSAGE = "The member has signed for this repayment"


async def disputed(front: FrontDoor) -> str:
    """The id of a dispute of a receipt that is booked and banked."""
    receipt = await received(front.hub)
    reference = await front.hub.value("SELECT reference FROM receipts WHERE id = $1", receipt)
    made = await front.hub.outside.control("paystack", "dispute", reference=reference)
    await front.hub.app.database.pool.execute(
        "UPDATE dispute_looks SET look_at = now() WHERE provider_ref = ''"
    )
    front.hub.app.bells.ring("disputes")
    await front.hub.until("SELECT count(*) FROM disputes", expected=1)
    assert made["dispute"]["status"] == "awaiting-merchant-feedback"
    found: str = await front.hub.value("SELECT id FROM disputes")
    return found


async def answer(front: FrontDoor, id: str, once: str, **body: Any) -> Any:
    place = await front.call("POST", f"/v1/disputes/{id}/evidence-place")
    assert place.status == 200
    body = {"message": MESSAGE, "evidence_file": place.body["evidence_file"], **body}
    headers = {"idempotency-key": once}
    return await front.call("POST", f"/v1/disputes/{id}/answer", json=body, headers=headers)


async def test_a_dispute_is_listed_answered_by_two_and_shown_at_its_payment(database_dsn: str) -> None:
    async with front_door(database_dsn) as front:
        id = await disputed(front)
        listed = await front.get("/v1/disputes?state=open")
        [one] = listed.body["items"]
        assert (one["id"], one["state"], one["amount_minor"]) == (id, "open", 5_250_000)
        assert one["deadline_at"] is not None
        payment = await front.get(f"/v1/payments/{one['payment']}")
        assert payment.body["payment"]["disputed"] is True

        waiting = await answer(front, id, "key-1", verdict="accept", refund_minor=1_000_001)
        assert waiting.status == 202
        assert waiting.body["answers"][0]["state"] == "proposed"
        assert MESSAGE not in str((await front.get(f"/v1/disputes/{id}")).body)
        reason = {"reason": "the member was right"}
        same = await front.call("POST", f"/v1/disputes/{id}/answer/approve", json=reason)
        assert same.status == 409 and "second person" in same.body["detail"]
        second = await front.key(Scope.BREAKS_APPROVE)
        approved = await front.call("POST", f"/v1/disputes/{id}/answer/approve", key=second, json=reason)
        assert (approved.status, approved.body["answers"][0]["state"]) == (200, "approved")
        await front.hub.until("SELECT state FROM disputes", expected="lost")
        [told] = (await front.hub.outside.truth("paystack"))["disputes"]
        assert (told["resolution"], told["amount_minor"]) == ("merchant-accepted", 1_000_001)
        late = await answer(front, id, "key-2", verdict="contest")
        assert late.status == 409


async def test_the_same_key_is_the_same_answer_and_what_is_wrong_names_its_field(database_dsn: str) -> None:
    async with front_door(database_dsn) as front:
        id = await disputed(front)
        place = await front.call("POST", f"/v1/disputes/{id}/evidence-place")
        body = {"verdict": "contest", "message": MESSAGE, "evidence_file": place.body["evidence_file"]}
        url, headers = f"/v1/disputes/{id}/answer", {"idempotency-key": "key-1"}
        for wrong, field in (
            ({"refund_minor": 5}, "refund_minor"),
            ({"message": "card 4084 0840 8408 4081"}, "message"),
            ({"verdict": "maybe"}, "verdict"),
        ):
            told = await front.call("POST", url, json={**body, **wrong}, headers={"idempotency-key": field})
            assert told.status == 422 and told.body["errors"][0]["field"] == field
        first = await front.call("POST", url, json=body, headers=headers)
        again = await front.call("POST", url, json=body, headers=headers)
        assert (first.status, again.status) == (201, 201)
        assert again.headers["idempotent-replayed"] == "true"
        assert (await front.call("POST", url, json={**body, "message": "x"}, headers=headers)).status == 422
        await front.hub.until("SELECT state FROM disputes", expected="under_review")
        assert len(list(front.hub.outside.made["paystack"].record.entries("resolve_dispute"))) == 1
        assert (await front.get("/v1/disputes/aaaaaaaaaaaaaaaaaaaa")).status == 404


async def test_settlements_are_read_live_with_their_lines_and_add_up(database_dsn: str) -> None:
    async with front_door(database_dsn) as front:
        await received(front.hub)
        made = await front.hub.outside.control("paystack", "settle", deductions=1_000)
        [there] = made["settlements"]
        url = f"/v1/settlements/live?connection=paystack&from={there['on']}&to={there['on']}"
        [one] = (await front.get(url)).body
        assert (one["id"], one["net_minor"], one["deductions_minor"], one["gap_minor"]) == (
            str(there["id"]),
            there["net_minor"],
            1_000,
            0,
        )
        whole = await front.get(f"/v1/settlements/live/{one['id']}?connection=paystack")
        [line] = whole.body["lines"]
        receipt = await front.hub.rows("SELECT reference, charge, fee_exact FROM receipts")
        assert (line["reference"], line["charge"], line["fee_exact"]) == tuple(receipt[0].values())
        for wrong in (
            url.replace("paystack", "bankone"),
            url.replace("paystack", "nobody"),
            "/v1/settlements/live?connection=paystack&from=2026-03-02&to=2026-03-01",
            "/v1/settlements/live?connection=paystack&from=2026-01-01&to=2026-12-01",
        ):
            assert (await front.get(wrong)).status == 422, wrong
        assert (await front.get("/v1/settlements/live/..%2F1?connection=paystack")).status == 404
        await front.hub.outside.fault("paystack", "list_settlements", "http_500", times=None)
        assert (await front.get(url)).status == 503


async def test_settlements_that_were_read_are_listed_with_what_they_are_tied_to(database_dsn: str) -> None:
    async with front_door(database_dsn) as front:
        receipt = await received(front.hub)
        made = await settled(front.hub)
        await stands(front.hub, "booked")
        listed = await front.get(f"/v1/settlements?state=booked&receipt={receipt}")
        [one] = listed.body["items"]
        assert (one["provider_ref"], one["stand"], one["net_minor"]) == (
            str(made["id"]),
            "booked",
            made["net_minor"],
        )
        assert (await front.get("/v1/settlements?state=differs")).body["items"] == []
        whole = (await front.get(f"/v1/settlements/{one['id']}")).body
        assert [(line["kind"], line["receipt"]) for line in whole["lines"]] == [("charge", receipt)]
        assert whole["settlement"]["effect"] == one["effect"] is not None
        assert whole["expected_fee"]["priced"] + whole["expected_fee"]["unpriced"] == 1
        assert (await front.get("/v1/settlements/aaaaaaaaaaaaaaaaaaaa")).status == 404
