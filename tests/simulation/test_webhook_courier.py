"""Webhooks on their way: retried until a 200, and misdelivered on command."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

Shop = Any
Mailbox = Any
Until = Callable[[Callable[[], bool]], Awaitable[None]]


async def test_a_webhook_arrives_signed(shop: Shop, mailbox: Mailbox) -> None:
    shop.kiosk.tell("paid", mailbox.url)
    await shop.simulator.backstage.idle()
    assert mailbox.heard == [("paid", "good")]


async def test_it_comes_again_until_somebody_says_200(shop: Shop, mailbox: Mailbox, until: Until) -> None:
    mailbox.statuses = [500, 401]
    shop.kiosk.tell("paid", mailbox.url)
    for tried in (1, 2):
        await until(lambda tried=tried: len(shop.simulator.courier.deliveries) == tried)  # type: ignore[misc]
        shop.simulator.clock.advance(60)
    await shop.simulator.backstage.idle()
    assert len(mailbox.heard) == 3
    assert [one.status for one in shop.simulator.courier.deliveries] == [500, 401, 200]


async def test_it_gives_up_after_the_last_try(shop: Shop, mailbox: Mailbox) -> None:
    mailbox.statuses = [500]
    shop.kiosk.tell("paid", mailbox.url, tries=1)
    await shop.simulator.backstage.idle()
    assert len(mailbox.heard) == 1


async def test_nobody_at_home_counts_as_a_failed_try(shop: Shop) -> None:
    shop.kiosk.tell("paid", "http://127.0.0.1:1/hook", tries=1)
    await shop.simulator.backstage.idle()
    assert [one.status for one in shop.simulator.courier.deliveries] == [0]


async def test_a_missing_webhook_never_comes(shop: Shop, mailbox: Mailbox) -> None:
    shop.simulator.faults.add("webhook", "missing")
    shop.kiosk.tell("lost", mailbox.url)
    shop.kiosk.tell("paid", mailbox.url)
    await shop.simulator.backstage.idle()
    assert mailbox.heard == [("paid", "good")]
    assert [one.manner for one in shop.simulator.courier.deliveries] == ["missing", "plain"]


async def test_a_duplicate_comes_as_often_as_asked(shop: Shop, mailbox: Mailbox) -> None:
    shop.simulator.faults.add("webhook", "duplicate", params={"copies": 3})
    shop.kiosk.tell("paid", mailbox.url)
    await shop.simulator.backstage.idle()
    assert mailbox.heard == [("paid", "good")] * 3


async def test_a_forged_copy_comes_beside_the_true_one(shop: Shop, mailbox: Mailbox) -> None:
    shop.simulator.faults.add("webhook", "forged")
    shop.kiosk.tell("paid", mailbox.url)
    await shop.simulator.backstage.idle()
    assert sorted(mailbox.heard) == [("paid", "bad"), ("paid", "good")]


async def test_a_forged_message_can_take_the_place_of_the_true_one(shop: Shop, mailbox: Mailbox) -> None:
    mailbox.statuses = [401]
    shop.simulator.faults.add("webhook", "forged", params={"instead": True})
    shop.kiosk.tell("paid", mailbox.url)
    await shop.simulator.backstage.idle()
    assert mailbox.heard == [("paid", "bad")]


async def test_a_delayed_webhook_comes_when_the_clock_says_so(shop: Shop, mailbox: Mailbox) -> None:
    shop.simulator.faults.add("webhook", "delayed", params={"seconds": 600}, match="slow")
    shop.kiosk.tell("slow", mailbox.url)
    shop.kiosk.tell("quick", mailbox.url)
    await mailbox.hears(1)
    shop.simulator.clock.advance(600)
    await shop.simulator.backstage.idle()
    assert [text for text, _ in mailbox.heard] == ["quick", "slow"]


async def test_a_webhook_out_of_order_is_overtaken_by_the_next_one(shop: Shop, mailbox: Mailbox) -> None:
    shop.simulator.faults.add("webhook", "out_of_order", match="first")
    shop.kiosk.tell("first", mailbox.url)
    shop.kiosk.tell("second", mailbox.url)
    await shop.simulator.backstage.idle()
    assert [text for text, _ in mailbox.heard] == ["second", "first"]


async def test_a_webhook_that_nobody_overtakes_comes_in_the_end(shop: Shop, mailbox: Mailbox) -> None:
    shop.simulator.faults.add("webhook", "out_of_order", params={"seconds": 600})
    shop.kiosk.tell("alone", mailbox.url)
    shop.simulator.clock.advance(600)
    await shop.simulator.backstage.idle()
    assert mailbox.heard == [("alone", "good")]


async def test_a_reset_calls_back_what_is_under_way(shop: Shop, mailbox: Mailbox) -> None:
    shop.simulator.faults.add("webhook", "delayed", params={"seconds": 600})
    shop.kiosk.tell("slow", mailbox.url)
    await shop.control("POST", "reset")
    assert shop.simulator.backstage.busy == 0
    assert mailbox.heard == []
    assert await shop.control("GET", "webhooks") == (200, {"under_way": 0, "deliveries": []})
