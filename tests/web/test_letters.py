"""Dead letters over HTTP, within a running hub: what a consumer could not take is looked at and goes again."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from rigs.api import FrontDoor, Told

from coopwire.domain.events import BANK_POSTED
from coopwire.domain.letters import cause_group
from coopwire.web import examples

pytestmark = pytest.mark.asyncio(loop_scope="module")

CONSUMER = "settle-receipts"
WHY = {"reason": "the cause is mended"}


async def _bury(front: FrontDoor, cause: str, payment: str, consumer: str = CONSUMER) -> str:
    """A dead letter about a payment, of an event that its consumer passes over; its id."""
    event = str(uuid.uuid4())
    await front.hub.app.database.pool.execute(
        "WITH o AS (INSERT INTO outbox (id, type, subject, key, data, occurred_at, published_at) "
        "VALUES ($1, 'coopwire.bank.posted.v1', 'b1', $2, $3, now(), now()) RETURNING seq) "
        "INSERT INTO deliveries (consumer, seq, tries, due_at, state, cause, cause_group, first_failed_at) "
        "SELECT $4, seq, 4, now(), 'dead', $5, $6, now() FROM o",
        event,
        payment,
        {**BANK_POSTED.example, "payment": payment, "receipt": None},
        consumer,
        cause,
        cause_group(consumer, cause),
    )
    return f"{consumer}:{event}"


async def _post(front: FrontDoor, verb: str, **body: Any) -> Told:
    return await front.call("POST", f"/v1/letters/{verb}", json=body)


async def test_a_letter_is_found_by_its_cause_and_told_within_its_payments_timeline(front: FrontDoor) -> None:
    made = (await front.pay(examples.PAYMENT_BODY)).body["payment"]["reference"]
    id_ = await _bury(front, "KeyError: 'GL-77'", made)
    groups = (await front.get("/v1/letter-groups")).body["items"]
    [group] = [one for one in groups if one["cause"] == "KeyError: '#'"]
    assert (group["consumer"], group["dead"]) == (CONSUMER, 1)
    [letter] = (await front.get(f"/v1/letters?group={group['id']}&state=dead")).body["items"]
    assert letter["id"] == id_
    told = (await front.get(f"/v1/letters/{id_}")).body
    assert told["payment"] == made
    kinds = [entry["kind"] for entry in told["entries"]]
    assert kinds[0] == "payment.accepted"
    assert kinds[-2:] == ["event", "letter.failed"] or "letter.failed" in kinds
    assert (await front.get("/v1/letters/no-such")).status == 404
    assert (await front.get(f"/v1/letters/{CONSUMER}:{uuid.uuid4()}")).status == 404
    await _post(front, "discard", ids=[id_], **WHY)


async def test_a_group_is_looked_at_ahead_and_delivered_by_the_running_bus_once(front: FrontDoor) -> None:
    ids = [await _bury(front, f"ValueError: no account {n}", f"p{n}") for n in range(3)]
    group = cause_group(CONSUMER, "ValueError: no account 1")
    ahead = await _post(front, "preview", group=group, per_second=20.0)
    assert (ahead.status, ahead.body["letters"]) == (200, 3)
    went = await _post(front, "redrive", group=group, per_second=20.0, **WHY)
    assert (went.status, went.body["letters"]) == (200, 3)
    assert (await _post(front, "redrive", ids=ids, **WHY)).body == {"letters": 0, "lots": []}
    sql = "SELECT count(*) FROM deliveries WHERE cause_group = $1 AND state = 'done' AND redrives = 1"
    await front.hub.until(sql, group, expected=3)
    [row] = await front.hub.rows("SELECT * FROM operator_actions WHERE subject = $1", f"group {group}")
    assert (row["action"], row["reason"]) == ("redrive 3 dead letters at 20/s", WHY["reason"])
    assert row["actor"].startswith("key ")
    kinds = [entry["kind"] for entry in (await front.get(f"/v1/letters/{ids[0]}")).body["entries"]]
    assert kinds == ["event", "letter.failed", "letter.redriven", "letter.delivered"]


async def test_a_discarded_letter_stays_until_it_is_named(front: FrontDoor) -> None:
    id_ = await _bury(front, "ValueError: nobody wants it", "p9")
    assert (await _post(front, "discard", ids=[id_], **WHY)).body == {"letters": 1}
    assert (await _post(front, "discard", ids=[id_], **WHY)).body == {"letters": 0}
    assert (await _post(front, "redrive", all=True, **WHY)).body["letters"] == 0
    assert (await _post(front, "redrive", ids=[id_], **WHY)).body["letters"] == 1
    await front.hub.until(
        "SELECT count(*) FROM deliveries WHERE state IN ('dead', 'discarded', 'waiting') AND cause LIKE '%wants it'",
        expected=0,
    )


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "ids"),
        ({"all": True, "group": "0" * 12}, "ids"),
        ({"all": False}, "all"),
        ({"ids": []}, "ids"),
        ({"ids": ["nothing"]}, "ids.0"),
        ({"group": "x"}, "group"),
        ({"all": True, "per_second": 0}, "per_second"),
        ({"all": True, "per_second": 1001.0}, "per_second"),
        ({"all": True, "limit": 0}, "limit"),
        ({"all": True, "reason": "card 4111111111111111"}, "reason"),
    ],
)
async def test_it_must_be_clear_which_letters_go(front: FrontDoor, body: dict[str, Any], field: str) -> None:
    told = await _post(front, "redrive", **{**WHY, **body})
    assert (told.status, told.body["errors"][0]["field"]) == (422, field)


async def test_a_letter_that_is_not_there_is_not_found(front: FrontDoor) -> None:
    told = await _post(front, "redrive", ids=[f"{CONSUMER}:{uuid.uuid4()}"], **WHY)
    assert told.status == 404
