"""What only Stripe does, from its page to the books: keys and their window, a late search, a success taken back."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from rigs.canaries import Canaries, every_value
from rigs.gateways import STRIPE, STRIPE_SECRET
from rigs.refunds import approve, back_at_the_gateway, received, unbanked
from rigs.river import River, river

from coopwire import app as composition

ASKED = 5_250_000
SWIFT = {"stripe": {"refund_seconds": "0.2"}}


async def _pages(hub: River) -> list[str]:
    return [page["reference"] for page in (await hub.outside.truth("stripe"))["pages"]]


async def _tell(hub: River, event: str, told: dict[str, Any]) -> None:
    body = {"id": "evt_1", "object": "event", "type": event, "livemode": False, "data": {"object": told}}
    await hub.notify(json.dumps(body).encode())


async def test_a_page_whose_answer_got_lost_is_the_same_page_when_it_is_sent_again(database_dsn: str) -> None:
    """It was opened: the list of sessions tells it with its address, and no second one is opened."""
    async with river(database_dsn, gateway=STRIPE) as hub:
        await hub.outside.fault("stripe", "create_session", "drop_after", times=1)
        accepted = await hub.accept()
        assert accepted.url is None
        await hub.until("SELECT page_sealed IS NOT NULL FROM attempts", seconds=30)
        assert await _pages(hub) == [accepted.attempt]
        told = await hub.pay(accepted.attempt)
        await hub.hint(accepted.attempt, told["charges"][0]["id"])
        await hub.settled(1)
        assert await hub.breaks() == []


async def test_a_page_that_was_never_opened_is_opened_by_the_second_send(database_dsn: str) -> None:
    async with river(database_dsn, gateway=STRIPE) as hub:
        await hub.outside.fault("stripe", "create_session", "drop_before", times=1)
        accepted = await hub.accept()
        await hub.until("SELECT page_sealed IS NOT NULL FROM attempts", seconds=30)
        assert await _pages(hub) == [accepted.attempt]


async def test_a_payment_is_booked_with_its_exact_fee_though_no_message_named_it(database_dsn: str) -> None:
    """The search is a minute late: the list of young payments tells it."""
    async with river(database_dsn, gateway=STRIPE) as hub:
        accepted = await hub.accept()
        await hub.pay(accepted.attempt)
        await hub.settled(1)
        [receipt] = await hub.rows("SELECT gross_minor, fee_minor, fee_exact, channel FROM receipts")
        assert tuple(receipt.values()) == (ASKED, 152_280, "152280", "card")
        assert await hub.breaks() == []


async def test_a_page_that_expired_leaves_its_payment_abandoned(database_dsn: str) -> None:
    async with river(database_dsn, gateway=STRIPE) as hub:
        accepted = await hub.accept()
        await hub.until("SELECT page_sealed IS NOT NULL FROM attempts", seconds=30)
        await hub.outside.control("stripe", "expire", reference=accepted.attempt)
        [told] = hub.outside.made["stripe"].vendor.desk.events
        await hub.notify(json.dumps(told).encode())
        await hub.until("SELECT state FROM attempts", expected="abandoned")
        await hub.until("SELECT count(*) FROM lookups WHERE noticed", expected=0)
        assert await hub.breaks() == []


async def test_a_page_that_expired_is_abandoned_though_the_message_was_lost(database_dsn: str) -> None:
    async with river(database_dsn, gateway=STRIPE) as hub:
        accepted = await hub.accept()
        await hub.until("SELECT page_sealed IS NOT NULL FROM attempts", seconds=30)
        await hub.outside.control("stripe", "expire", reference=accepted.attempt)
        await hub.until("SELECT state FROM attempts", expected="abandoned")


async def test_money_that_nobody_ordered_is_booked_to_suspense(database_dsn: str) -> None:
    async with river(database_dsn, gateway=STRIPE) as hub:
        told = await hub.outside.control("stripe", "dashboard_payment", amount=700_000, currency="NGN")
        charge = told["charges"][0]["id"]
        intent = {"id": charge, "object": "payment_intent", "status": "succeeded", "currency": "ngn"}
        await _tell(hub, "payment_intent.succeeded", {**intent, "metadata": {}})
        await hub.until("SELECT count(*) FROM receipts", expected=1)
        [receipt] = await hub.rows("SELECT charge, reference, gross_minor FROM receipts")
        assert tuple(receipt.values()) == (charge, charge, 700_000)
        assert await hub.value("SELECT component FROM allocations") == "suspense"


async def test_no_secret_of_a_page_or_a_payment_leaves_the_sealed_columns(
    database_dsn: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """The address of the page, the client secret, the key, the endpoint's secret and the payer's address."""
    canaries = Canaries()
    canaries.plant("e-mail", "ngozi.canary@members.example")
    canaries.plant("client secret", "_secret_simulated")
    canaries.plant("key", STRIPE_SECRET)
    canaries.plant("endpoint's secret", "whsec_simulated")
    async with river(database_dsn, gateway=STRIPE) as hub:
        accepted = await hub.accept(email="ngozi.canary@members.example")
        await hub.pay(accepted.attempt)
        [page] = hub.outside.made["stripe"].vendor.account.pages
        canaries.plant("page's secret", page.secret)
        for told in hub.outside.made["stripe"].vendor.desk.events:
            await hub.notify(json.dumps(told).encode())
        await hub.settled(1)
        assert canaries.planted["page's secret"] in str(accepted.url)
        rows = await every_value(hub)
    logged = capsys.readouterr()
    texts = [*rows, ("standard output", logged.out), ("standard error", logged.err)]
    assert canaries.leaks(texts) == []
    assert "effect_answered" in logged.out
    assert len(rows) > 100


async def test_money_goes_back_and_the_day_holds(database_dsn: str) -> None:
    async with river(database_dsn, gateway=STRIPE, simulated=SWIFT, change=unbanked) as hub:
        await approve(hub, await received(hub), 1_000_050)
        await hub.until("SELECT state FROM refunds", expected="succeeded")
        await hub.until("SELECT count(*) FROM effects WHERE state <> 'done'", expected=0)
        assert await back_at_the_gateway(hub) == [1_000_050]
        today = hub.app.network.routes.business_day(hub.app.clock.now())
        done = await composition.reconciler(hub.app).run(today, "a test", patience=timedelta(seconds=6))
    assert [finding.type.value for finding in done.report.findings] == []
    assert done.report.holds


async def test_a_refund_that_fails_after_its_success_is_taken_back_when_a_message_says_so(
    database_dsn: str,
) -> None:
    """The message names the payment intent alone, not the payment's reference."""
    async with river(database_dsn, gateway=STRIPE, simulated=SWIFT, change=unbanked) as hub:
        await approve(hub, await received(hub), 100_000)
        await hub.until("SELECT state FROM refunds", expected="succeeded")
        [there] = (await hub.outside.truth("stripe"))["refunds"]
        await hub.outside.control("stripe", "refund", id=there["id"], status="failed")
        told = hub.outside.made["stripe"].vendor.desk.events[-1]
        assert told["type"] == "refund.failed"
        assert told["data"]["object"]["metadata"]["reference"] != there["reference"]
        await hub.notify(json.dumps(told).encode())
        await hub.until("SELECT state FROM refunds", expected="failed")


async def test_a_refund_whose_answer_was_lost_is_found_by_our_reference_and_sent_once(
    database_dsn: str,
) -> None:
    async with river(database_dsn, gateway=STRIPE, simulated=SWIFT, change=unbanked) as hub:
        receipt = await received(hub)
        await hub.outside.fault("stripe", "create_refund", "drop_after", times=1)
        await approve(hub, receipt, 100_000)
        await hub.until("SELECT state FROM refunds", expected="succeeded", seconds=40)
        assert await back_at_the_gateway(hub) == [100_000]
