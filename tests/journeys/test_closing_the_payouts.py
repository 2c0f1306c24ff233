"""The close of a day over money that goes out: what left is what was ordered, and what nobody ordered is told."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

from rigs.corrections import ADA
from rigs.corrections import desk as corrections_desk
from rigs.gateways import FLUTTERWAVE, PAYSTACK_SECRET
from rigs.payouts import ACCOUNT, AMOUNT, BANK, ask, until
from rigs.river import River, river

from coopwire import app as composition
from coopwire.application.reconciling.reconciler import COMPLETE, INCOMPLETE, Reconciled

SWIFT = {"paystack": {"transfer_seconds": "0.1"}}
QUIET = {"paystack": {"transfer_ends": "stays"}}


async def _closed(hub: River, seconds: float = 20) -> Reconciled:
    today = hub.app.network.routes.business_day(hub.app.clock.now())
    return await composition.reconciler(hub.app).run(today, "a test", patience=timedelta(seconds=seconds))


def _types(done: Reconciled) -> list[str]:
    return [finding.type.value for finding in done.report.findings]


def _parts(done: Reconciled) -> dict[str, tuple[int, int]]:
    """What the gateway paid out, by part."""
    [section] = [one for one in done.report.sections if one.source == "payouts"]
    return {bucket.name: (bucket.sum.count, bucket.sum.minor) for bucket in section.theirs}


async def _in_the_dashboard(hub: River, amount: int) -> str:
    """Somebody who has the key pays out past the hub; the code of the transfer."""
    account = {"type": "nuban", "name": "Stranger", "account_number": ACCOUNT, "bank_code": BANK}
    made = await _told(hub, "/transferrecipient", {**account, "currency": "NGN"})
    order = {"source": "balance", "amount": amount, "reference": "made-in-the-dashboard-1", "reason": "rent"}
    told = await _told(hub, "/transfer", {**order, "recipient": made["recipient_code"], "currency": "NGN"})
    return str(told["transfer_code"])


async def _told(hub: River, path: str, body: dict[str, object]) -> Any:
    headers = {"Authorization": f"Bearer {PAYSTACK_SECRET}"}
    url = f"{hub.outside.running['paystack'].url}{path}"
    async with hub.outside.web.post(url, json=body, headers=headers) as answer:
        assert answer.status in (200, 201), await answer.text()
        return (await answer.json())["data"]


async def test_a_transfer_made_in_the_dashboard_is_found_once_named_and_asked_about(
    database_dsn: str,
) -> None:
    async with river(database_dsn, simulated=SWIFT) as hub:
        await until(hub, await ask(hub), "succeeded")
        well = await _closed(hub)
        assert (well.state, well.report.holds, _parts(well)) == (COMPLETE, True, {"succeeded": (1, AMOUNT)})
        code = await _in_the_dashboard(hub, 70_000)
        done, again = await _closed(hub), await _closed(hub)
        assert (_types(done), done.report.holds, done.waiting) == (["payout_not_ordered"], False, 1)
        assert _parts(done) == {"succeeded": (1, AMOUNT), "not ordered here": (1, 70_000)}
        assert again.report.outcome_digest == done.report.outcome_digest
        [row] = await hub.rows("SELECT id, subject, evidence, amount_minor FROM breaks")
        assert (row["subject"], row["amount_minor"]) == (f"paystack:transfer:{code}", 70_000)
        assert row["evidence"]["theirs"]["reference"] == "made-in-the-dashboard-1"
        said = await corrections_desk(hub).look_again(row["id"], ADA)
        assert said.startswith(f"transfer {code} at paystack: ")
        await hub.outside.control("paystack", "transfer", code=code, status="reversed")
        gone = await _closed(hub)
        assert (gone.report.holds, gone.resolved) == (True, 1)
        assert _parts(gone)["not ordered here, and no money left"] == (1, 70_000)


async def test_an_end_that_nobody_told_is_mended_and_one_that_cannot_be_is_a_break(database_dsn: str) -> None:
    async with river(database_dsn, simulated=QUIET, timings="default") as hub:
        payouts = [await ask(hub) for _ in range(3)]
        for payout in payouts:
            await until(hub, payout, "processing")
        codes = [
            await hub.value("SELECT provider_ref FROM payouts WHERE id = $1", payout.id) for payout in payouts
        ]
        arrived, back, failed = codes
        for code, status in ((arrived, "success"), (back, "success"), (failed, "failed")):
            await hub.outside.control("paystack", "transfer", code=code, status=status)
        done = await _closed(hub)
        assert (_types(done), done.report.holds) == ([], True)
        assert set(done.report.healed) == {f"paystack:{payout.id}" for payout in payouts}
        assert _parts(done) == {"succeeded": (2, 2 * AMOUNT), "failed": (1, AMOUNT)}
        await hub.outside.control("paystack", "transfer", code=back, status="reversed")
        assert (await _closed(hub)).report.holds
        assert await hub.value("SELECT state FROM payouts WHERE provider_ref = $1", back) == "reversed"
        await hub.outside.control("paystack", "transfer", code=failed, status="success")
        stays = await _closed(hub)
        assert _types(stays) == ["payout_state_differs"]
        found = await hub.rows("SELECT type FROM breaks ORDER BY type")
        assert [row["type"] for row in found] == ["payout_changed", "payout_reversed", "payout_state_differs"]


async def test_a_transfer_whose_answer_was_lost_is_found_by_the_run_and_is_no_difference(
    database_dsn: str,
) -> None:
    async with river(database_dsn, simulated=QUIET) as hub:
        await hub.outside.fault("paystack", "create_transfer", "drop_after")
        payout = await ask(hub)
        await hub.until("SELECT count(*) FROM effects WHERE state = 'unknown'", expected=1)
        await hub.rows("UPDATE effects SET due_at = now() + interval '1 day' WHERE state = 'unknown'")
        early = await _closed(hub, seconds=0)
        assert (_types(early), early.report.holds) == ([], True)
        assert _parts(early) == {"on its way": (1, AMOUNT)}
        await _closed(hub)
        await until(hub, payout, "processing")


async def test_a_day_that_is_compared_while_money_leaves_shows_no_false_difference(database_dsn: str) -> None:
    async with river(database_dsn, simulated=SWIFT) as hub:
        flowing = asyncio.create_task(_paid_out(hub, 5))
        while not flowing.done():
            assert _types(await _closed(hub)) == []
        await flowing
        done = await _closed(hub)
        assert (done.report.holds, _parts(done)) == (True, {"succeeded": (5, 5 * AMOUNT)})


async def _paid_out(hub: River, count: int) -> None:
    for _ in range(count):
        payout = await ask(hub)
        await until(hub, payout, "succeeded")


async def test_transfers_that_cannot_be_listed_are_not_taken_for_none(database_dsn: str) -> None:
    async with river(database_dsn, simulated=SWIFT) as hub:
        await until(hub, await ask(hub), "succeeded")
        await hub.outside.fault("paystack", "list_transfers", "http_500", times=50)
        done = await _closed(hub)
        assert (done.state, done.report.findings, done.report.holds) == (INCOMPLETE, (), False)
        problems = {one.source: one.problem for one in done.report.sections}
        assert problems["payouts"].startswith("TryLater")
        assert problems["gateway"] == "", "what came in is compared all the same"


async def test_a_transfer_that_was_tried_again_in_their_dashboard_is_the_same_payout(
    database_dsn: str,
) -> None:
    simulated = {"flutterwave": {"transfer_seconds": "0.1", "approval": "true"}}
    async with river(database_dsn, simulated=simulated, gateway=FLUTTERWAVE, timings="default") as hub:
        payout = await ask(hub, connection="flutterwave")
        await until(hub, payout, "awaiting_approval")
        reference = await hub.value("SELECT transfer FROM payouts")
        await hub.outside.control("flutterwave", "transfer", reference=reference, status="FAILED")
        again = await hub.outside.control("flutterwave", "retry", reference=reference)
        second = again["transfer"]["reference"]
        await hub.outside.control("flutterwave", "transfer", reference=second, status="SUCCESSFUL")
        done = await _closed(hub)
        assert (_types(done), done.report.holds) == ([], True)
        assert _parts(done) == {"succeeded": (1, AMOUNT), "failed and tried again": (1, AMOUNT)}
        assert await hub.value("SELECT state FROM payouts") == "succeeded"
        await hub.outside.control("flutterwave", "transfer", reference=reference, status="SUCCESSFUL")
        assert _types(await _closed(hub)) == ["payout_doubled"]
