"""Breaks and corrections over HTTP: scopes, two keys, filters, and what is refused."""

from __future__ import annotations

from typing import Any

import pytest
from rigs.api import FrontDoor, Told

from coopwire.domain.breaks import Break, BreakType
from coopwire.domain.references import new_reference
from coopwire.ports.keys import Scope
from coopwire.web import examples

pytestmark = pytest.mark.asyncio(loop_scope="module")

WHY = {"reason": "agreed with the branch"}


async def _broken(front: FrontDoor, **evidence: object) -> tuple[int, str]:
    """A break about money of another amount than was asked; its number and the receipt."""
    made = (await front.pay(examples.PAYMENT_BODY)).body
    told = await front.hub.pay(made["attempt"], amount=100_000)
    await front.hub.hint(made["attempt"], told["charges"][0]["id"])
    sql = "SELECT id, receipt FROM breaks WHERE payment = $1"
    await front.hub.until(f"SELECT count(*) FROM ({sql}) b", made["payment"]["reference"], expected=1)
    [row] = await front.hub.rows(sql, made["payment"]["reference"])
    return row["id"], row["receipt"]


async def _do(front: FrontDoor, id_: object, verb: str, body: object = None, key: str = "all") -> Told:
    more: dict[str, Any] = {} if body is None else {"json": body}
    return await front.call("POST", f"/v1/breaks/{id_}/{verb}", key, **more)


def _savings(receipt: str) -> dict[str, Any]:
    correction = {
        "action": "allocate",
        "receipt": receipt,
        "member": "M-1029",
        "kind": "savings",
        "loan": "SV-1",
    }
    return {"correction": correction, **WHY}


async def test_one_key_proposes_and_another_one_approves(front: FrontDoor) -> None:
    maker, checker = await front.key(Scope.OPERATE), await front.key(Scope.BREAKS_APPROVE)
    id_, receipt = await _broken(front)
    detail = (await front.get(f"/v1/breaks/{id_}")).body
    assert detail["difference"]["state"] == "open"
    assert (detail["difference"]["amount_minor"], detail["difference"]["currency"]) == (100_000, "NGN")
    assert "allocate" in detail["corrections"]
    assert (await _do(front, id_, "comment", {"text": "asking the branch"}, maker)).status == 200
    assert (await _do(front, id_, "assign", {"owner": "finance"}, maker)).body["difference"][
        "owner"
    ] == "finance"
    proposed = await _do(front, id_, "propose", _savings(receipt), maker)
    assert (proposed.status, proposed.body["difference"]["state"]) == (200, "proposed")
    plan = proposed.body["difference"]["proposal"]["plan"]
    assert [one.get("write") for one in plan] == [None, "journal", "posting", "callback"]
    approved = await _do(front, id_, "approve", WHY, checker)
    assert (approved.status, approved.body["difference"]["state"]) == (200, "approved")
    await front.hub.until("SELECT state FROM breaks WHERE id = $1", id_, expected="resolved")
    detail = (await front.get(f"/v1/breaks/{id_}")).body
    moves = [line["move"] for line in detail["history"]]
    assert moves == ["opened", "commented", "assigned", "proposed", "approved", "resolved"]
    assert {effect["state"] for effect in detail["effects"]} == {"done"}
    assert detail["difference"]["proposed_by"] != detail["difference"]["approved_by"]


async def test_the_key_that_proposed_cannot_approve_whatever_it_may_do(front: FrontDoor) -> None:
    admin = await front.key(Scope.ADMIN)
    id_, receipt = await _broken(front)
    await _do(front, id_, "propose", _savings(receipt), admin)
    for verb in ("approve", "reject"):
        told = await _do(front, id_, verb, WHY, admin)
        assert (told.status, told.body["type"]) == (409, "urn:coopwire:problem:conflict")
    assert (await front.get(f"/v1/breaks/{id_}")).body["difference"]["state"] == "proposed"
    assert (await _do(front, id_, "reject", WHY)).body["difference"]["state"] == "open"
    again = await _do(front, id_, "reject", WHY)
    assert again.status == 409
    assert "rejected the proposal at" in again.body["detail"]


@pytest.mark.parametrize(
    ("verb", "scope"),
    [
        ("comment", Scope.PAYMENTS_READ),
        ("propose", Scope.BREAKS_APPROVE),
        ("resolve", Scope.BREAKS_APPROVE),
        ("approve", Scope.OPERATE),
        ("reject", Scope.OPERATE),
        ("withdraw", Scope.BREAKS_APPROVE),
        ("look", Scope.PAYMENTS_READ),
    ],
)
async def test_each_verb_needs_its_scope(front: FrontDoor, verb: str, scope: Scope) -> None:
    key = await front.key(scope)
    assert (await _do(front, 1, verb, WHY, key)).status == 403


async def test_a_timeline_tells_of_proposals_and_corrections(front: FrontDoor) -> None:
    id_, receipt = await _broken(front)
    payment = await front.hub.value("SELECT payment FROM breaks WHERE id = $1", id_)
    await _do(front, id_, "propose", _savings(receipt), await front.key(Scope.OPERATE))
    told = (await front.get(f"/v1/payments/{payment}/timeline")).body
    assert (
        f"the correction allocate of break {id_} is proposed, another person must approve it" in told["why"]
    )
    assert any(e["kind"] == "break.proposed" and "proposed allocate" in e["text"] for e in told["entries"])
    await _do(front, id_, "approve", WHY)
    await front.hub.until("SELECT state FROM breaks WHERE id = $1", id_, expected="resolved")
    waiting = "SELECT count(*) FROM effects WHERE receipt = $1 AND state <> 'done'"
    settled = "SELECT count(*) FROM effects WHERE receipt = $1 AND kind = 'callback'"
    await front.hub.until(settled, receipt, expected=3)
    await front.hub.until(waiting, receipt, expected=0)
    told = (await front.get(f"/v1/payments/{payment}/timeline")).body
    assert told["why"] == "booked and banked"
    assert any(e["kind"] == "break.resolved" for e in told["entries"])


async def test_breaks_are_found_by_state_owner_type_and_age(front: FrontDoor) -> None:
    owner = new_reference()
    async with front.hub.app.database.begin("test") as tx:
        found = [Break(BreakType.NOTICE_UNREADABLE, "s", f"{owner}{n}") for n in range(3)]
        await tx.open_breaks(found, front.hub.app.clock.now())
        ids = [row.id for row in (await tx.breaks.known([one.once for one in found])).values()]
    for id_ in ids:
        await _do(front, id_, "assign", {"owner": owner})
    await _do(front, ids[0], "resolve", WHY)

    async def listed(query: str) -> list[int]:
        told = await front.get(f"/v1/breaks?owner={owner}&{query}")
        assert told.status == 200, told.body
        return sorted(one["id"] for one in told.body["items"])

    assert await listed("closed=false") == sorted(ids[1:])
    assert await listed("closed=true") == await listed("state=resolved") == ids[:1]
    assert await listed("type=notice_unreadable") == sorted(ids)
    assert await listed("type=wrong_mode") == []
    assert await listed("until=2026-01-01T00:00:00Z") == []
    part = await front.get(f"/v1/breaks?owner={owner}&limit=2")
    more = await front.get(f"/v1/breaks?owner={owner}&limit=2&cursor={part.body['next']}")
    assert [len(part.body["items"]), len(more.body["items"])] == [2, 1]


async def test_a_correction_of_what_is_right_by_the_rules_is_asked_for_first(front: FrontDoor) -> None:
    _, receipt = await _broken(front)
    told = await front.call("POST", "/v1/corrections", json={"subject": receipt, **WHY})
    assert (told.status, told.body["difference"]["type"]) == (201, "correction_requested")
    again = await front.call("POST", "/v1/corrections", json={"subject": receipt, **WHY})
    assert again.status == 409
    assert (await front.call("POST", "/v1/corrections", json={"subject": "x" * 20, **WHY})).status == 404


async def test_looking_again_asks_the_gateway_and_keeps_the_line(front: FrontDoor) -> None:
    id_, _ = await _broken(front)
    before = await front.hub.value("SELECT count(*) FROM looks")
    told = await _do(front, id_, "look")
    assert told.status == 200
    assert "is looked up at paystack" in told.body["history"][-1]["text"]
    await front.hub.until("SELECT count(*) > $1 FROM looks", before)


@pytest.mark.parametrize("id_", ["0", "999999999", "x", "-1", "1e3", "9" * 30])
async def test_a_break_that_does_not_exist_is_not_found(front: FrontDoor, id_: str) -> None:
    assert (await front.get(f"/v1/breaks/{id_}")).status == 404
    assert (await _do(front, id_, "resolve", WHY)).status == 404
    assert (await _do(front, id_, "approve", WHY)).status == 404


@pytest.mark.parametrize(
    ("correction", "field"),
    [
        ({}, "correction"),
        ({"action": "steal"}, "correction"),
        ({"action": "refund", "receipt": "r"}, "correction.refund.amount_minor"),
        ({"action": "refund", "receipt": "r", "amount_minor": 1.5}, "correction.refund.amount_minor"),
        ({"action": "refund", "receipt": "r", "amount_minor": 1, "force": True}, "correction.refund.force"),
        ({"action": "allocate", "receipt": "r", "lines": []}, "correction.allocate.lines"),
        ({"action": "reverse_journal", "journal": "j", "on": "tomorrow"}, "correction.reverse_journal.on"),
    ],
)
async def test_a_correction_that_cannot_be_read_names_the_field(
    front: FrontDoor, correction: dict[str, Any], field: str
) -> None:
    told = await _do(front, 1, "propose", {"correction": correction, **WHY})
    assert (told.status, told.body["errors"][0]["field"]) == (422, field)
