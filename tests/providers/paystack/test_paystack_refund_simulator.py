"""Refunds at the Paystack simulator over HTTP: queued, moved, listed, and never above what came in."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from rigs.answering import answering

from coopwire.providers.paystack.simulator import build
from coopwire.providers.paystack.simulator.vendor import Paystack
from coopwire.simulation.kernel import Simulator, running
from coopwire.simulation.settings import SettingError

KEY = "sk_test_simulated"
SAMPLES = Path(__file__).parents[4] / "shared/specs/payments/paystack-doc-samples.json"


@dataclass
class Till:
    """A running simulator with one paid charge of 5,000.00, and the merchant's webhook address."""

    simulator: Simulator[Paystack]
    url: str
    http: aiohttp.ClientSession
    charge: int = 0
    heard: list[Any] = field(default_factory=list)

    async def get(self, path: str, **query: str) -> tuple[int, Any]:
        async with self.http.get(f"{self.url}{path}", params=query) as answer:
            return answer.status, await answer.json()

    async def post(self, path: str, body: object) -> tuple[int, Any]:
        async with self.http.post(f"{self.url}{path}", json=body) as answer:
            return answer.status, await answer.json()

    async def refund(self, amount: int | None, **more: object) -> tuple[int, Any]:
        order = {"transaction": str(self.charge), "currency": "NGN", **more}
        return await self.post("/refund", order if amount is None else {**order, "amount": amount})


@pytest.fixture
async def till() -> AsyncIterator[Till]:
    simulator = build({"refund_ends": "stays"})
    headers = {"Authorization": f"Bearer {KEY}"}
    async with running(simulator) as listening, aiohttp.ClientSession(headers=headers) as http:
        one = Till(simulator, listening.url, http)

        async def hear(request: web.Request) -> web.Response:
            one.heard.append(json.loads(await request.read()))
            return web.Response()

        await one.post(
            "/transaction/initialize", {"email": "p@example.com", "amount": "500000", "reference": "ref1"}
        )
        _, told = await one.post("/_sim/pay", {"reference": "ref1"})
        one.charge = told["charges"][0]["id"]
        async with answering(hear) as server:
            simulator.vendor.configure({"webhook_url": f"{server}/hook"})
            yield one


async def test_a_refund_is_queued_with_its_transaction_nested_and_read_with_its_id(till: Till) -> None:
    status, told = await till.refund(1_000, merchant_note="coopwire:abc", customer_note="x")
    assert (status, told["message"]) == (200, "Refund has been queued for processing")
    queued = told["data"]
    assert (queued["transaction"]["id"], queued["status"], queued["amount"]) == (
        till.charge,
        "pending",
        1_000,
    )
    _, fetched = await till.get(f"/refund/{queued['id']}")
    assert (fetched["data"]["transaction"], fetched["data"]["merchant_note"]) == (till.charge, "coopwire:abc")


@pytest.mark.skipif(not SAMPLES.exists(), reason="the official samples are not beside this checkout")
async def test_the_members_are_those_of_the_official_samples(till: Till) -> None:
    samples = json.loads(SAMPLES.read_text())
    _, queued = await till.refund(1_000)
    official = samples["doc/payments/refunds/create-refund/index.json"]["data"]
    assert {"transaction", "id", "amount", "currency", "status", "merchant_note", "customer_note"} <= set(
        official
    ) & set(queued["data"])
    _, listed = await till.get("/refund")
    row = samples["doc/payments/refunds/list-refunds/index.json"]["data"][0]
    assert set(row) <= set(listed["data"][0])
    await till.simulator.backstage.idle()
    event = samples["doc/payments/refunds/events/refund-pending.json"]
    assert set(till.heard[0]["data"]) == set(event["data"])
    assert isinstance(till.heard[0]["data"]["amount"], str)


async def test_refunds_never_exceed_the_charge(till: Till) -> None:
    assert (await till.refund(500_001))[0] == 400
    assert (await till.refund(300_000))[0] == 200
    status, told = await till.refund(200_001)
    assert (status, told["message"]) == (400, "Refund amount cannot be more than the transaction amount")
    assert (await till.refund(None))[1]["data"]["amount"] == 200_000
    status, told = await till.refund(1)
    assert (status, told["message"]) == (400, "Transaction has been fully reversed")


async def test_a_failed_refund_gives_its_part_free(till: Till) -> None:
    _, told = await till.refund(None)
    await till.post("/_sim/refund", {"id": told["data"]["id"], "status": "failed", "reason": "closed"})
    assert (await till.refund(500_000))[0] == 200


@pytest.mark.parametrize(
    "order",
    [
        {"transaction": "nobody", "amount": 1},
        {"amount": 1},
        {"transaction": True},
        {"transaction": "ref1", "amount": 0},
        {"transaction": "ref1", "amount": -5},
        {"transaction": "ref1", "amount": "many"},
        {"transaction": "ref1", "amount": 5, "currency": "USD"},
    ],
)
async def test_nonsense_is_refused_and_nothing_is_queued(till: Till, order: dict[str, object]) -> None:
    assert (await till.post("/refund", order))[0] == 400
    assert till.simulator.vendor.truth()["refunds"] == []


async def test_what_was_never_paid_is_not_refunded(till: Till) -> None:
    await till.post("/transaction/initialize", {"email": "p@e.com", "amount": "100", "reference": "ref2"})
    assert (await till.post("/refund", {"transaction": "ref2"}))[0] == 400


async def test_each_move_is_told_by_a_webhook(till: Till) -> None:
    _, told = await till.refund(1_000)
    for status in ("processing", "needs-attention", "processed", "failed"):
        await till.post("/_sim/refund", {"id": told["data"]["id"], "status": status})
    await till.simulator.backstage.idle()
    assert sorted(one["event"] for one in till.heard) == sorted(
        f"refund.{word}" for word in ("pending", "processing", "needs-attention", "processed", "failed")
    )
    amounts = {one["event"]: one["data"]["amount"] for one in till.heard}
    assert (amounts["refund.processed"], amounts["refund.failed"]) == ("1000", 1000)


async def test_a_refund_ends_by_itself_as_the_setting_says(till: Till) -> None:
    for end in ("processed", "failed", "needs-attention"):
        till.simulator.vendor.configure({"refund_ends": end, "refund_seconds": "0"})
        _, told = await till.refund(1_000)
        await till.simulator.backstage.idle()
        assert (await till.get(f"/refund/{told['data']['id']}"))[1]["data"]["status"] == end
    with pytest.raises(SettingError):
        till.simulator.vendor.configure({"refund_ends": "never"})


async def test_a_charge_given_back_whole_is_reversed(till: Till) -> None:
    _, told = await till.refund(None)
    assert (await till.get("/transaction/verify/ref1"))[1]["data"]["status"] == "success"
    await till.post("/_sim/refund", {"id": told["data"]["id"]})
    assert (await till.get("/transaction/verify/ref1"))[1]["data"]["status"] == "reversed"
    await till.post("/_sim/refund", {"id": told["data"]["id"], "status": "failed"})
    assert (await till.get("/transaction/verify/ref1"))[1]["data"]["status"] == "success"


async def test_notes_come_back_as_they_were_or_in_their_own_words(till: Till) -> None:
    await till.refund(1_000, merchant_note="coopwire:abc")
    till.simulator.vendor.configure({"echo_notes": "false"})
    await till.refund(1_000, merchant_note="coopwire:abc")
    await till.post("/_sim/dashboard_refund", {"reference": "ref1", "amount": 5})
    _, listed = await till.get("/refund")
    notes = [row["merchant_note"] for row in listed["data"]]
    assert notes[2] == "coopwire:abc"
    assert all(note.startswith("Refund for transaction ref1 by") for note in notes[:2])


async def test_the_dashboard_is_held_to_the_same_limit(till: Till) -> None:
    status, told = await till.post("/_sim/dashboard_refund", {"reference": "ref1", "amount": 500_001})
    assert (status, "more than" in told["error"]) == (400, True)
    assert (await till.post("/_sim/dashboard_refund", {"reference": "ref1", "id": 1}))[0] == 400


async def test_the_list_is_filtered_and_paged(till: Till) -> None:
    await till.post("/transaction/initialize", {"email": "p@e.com", "amount": "100", "reference": "ref2"})
    await till.post("/_sim/pay", {"reference": "ref2"})
    await till.post("/_sim/dashboard_refund", {"reference": "ref2"})
    till.simulator.clock.advance(3600)
    for _ in range(3):
        await till.refund(1_000)
    _, listed = await till.get("/refund", transaction=str(till.charge), perPage="2", page="2")
    assert (len(listed["data"]), listed["meta"]["total"], listed["meta"]["pageCount"]) == (1, 3, 2)
    _, early = await till.get("/refund", to=(await till.get("/refund"))[1]["data"][-1]["createdAt"])
    assert early["meta"]["total"] in (0, 1)
    assert (await till.get("/refund/1"))[0] == 400


@pytest.mark.parametrize("path", ["/refund", "/refund/3018284"])
async def test_a_wrong_key_reads_nothing(till: Till, path: str) -> None:
    async with till.http.get(till.url + path, headers={"Authorization": "Bearer x"}) as answer:
        assert answer.status == 401


@pytest.mark.parametrize(
    ("kind", "done"), [("drop_before", 0), ("drop_after", 1), ("http_500", 0), ("html", 0)]
)
async def test_faults_spoil_a_refund_as_any_call(till: Till, kind: str, done: int) -> None:
    till.simulator.faults.add("create_refund", kind)
    with pytest.raises((aiohttp.ClientError, AssertionError)):
        status, _ = await till.refund(1_000)
        assert status == 200
    assert len(till.simulator.vendor.truth()["refunds"]) == done  # type: ignore[arg-type]
