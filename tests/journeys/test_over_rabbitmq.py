"""Repayments whose events go over a real broker: they land as they do over the database, with the broker away too."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial

import pytest
from rigs.crashing import World, killed_at_random, world
from rigs.rabbitmq import node, until
from rigs.refunds import approve
from rigs.river import River, river

BROKERS = ["broker_url", "kafka_url"]


async def _repay(hub: River) -> str:
    accepted = await hub.accept()
    assert accepted.url is not None
    await hub.pay(accepted.attempt)
    await hub.hint(accepted.attempt)
    return accepted.attempt


async def _landed(hub: River, receipts: int) -> None:
    await hub.settled(receipts)
    await hub.until("SELECT count(*) FROM effects WHERE kind = 'callback'", expected=2 * receipts, seconds=60)
    await hub.settled(receipts)
    books, core = await hub.outside.truth("quickbooks"), await hub.outside.truth("bankone")
    assert len(books["journals"]) == receipts, books
    assert len(core["postings"]) == receipts, core


@pytest.fixture
def broker(request: pytest.FixtureRequest) -> str:
    """The address of an empty broker of this fixture."""
    url: str = request.getfixturevalue(request.param)
    return url


@pytest.mark.parametrize("broker", BROKERS, indirect=True)
async def test_a_repayment_lands_exactly_once_everywhere(database_dsn: str, broker: str) -> None:
    async with river(database_dsn, bus=broker) as hub:
        await _repay(hub)
        await _landed(hub, 1)
        assert await hub.value("SELECT state FROM payments") == "succeeded"
        await hub.until("SELECT count(*) FROM outbox WHERE published_at IS NULL", expected=0)
        await hub.until("SELECT count(*) FROM deliveries WHERE state <> 'done'", expected=0)
        assert await hub.value("SELECT count(*) FROM deliveries") > 0


async def test_a_refund_goes_its_way_over_the_broker(database_dsn: str, broker_url: str) -> None:
    async with river(database_dsn, bus=broker_url) as hub:
        await _repay(hub)
        await _landed(hub, 1)
        receipt = await hub.value("SELECT id FROM receipts")
        await approve(hub, receipt, 60_000)
        # The debit of the core account is announced on the bus, and only then the gateway is asked.
        await hub.until("SELECT count(*) FROM refunds WHERE state = 'succeeded'", expected=1, seconds=60)


async def test_money_goes_on_while_the_broker_is_away_and_events_follow_when_it_is_back(
    database_dsn: str,
) -> None:
    with node() as rabbit:
        async with river(database_dsn, bus=rabbit.url()) as hub:
            await _repay(hub)
            await _landed(hub, 1)
            await asyncio.to_thread(rabbit.kill)
            await _repay(hub)
            await hub.settled(2)
            assert await hub.value("SELECT count(*) FROM outbox WHERE published_at IS NULL") > 0
            assert await hub.value("SELECT count(*) FROM effects WHERE kind = 'callback'") == 3
            await asyncio.to_thread(rabbit.start)
            await _landed(hub, 2)
            await hub.until("SELECT count(*) FROM outbox WHERE published_at IS NULL", expected=0)


@pytest.mark.timeout(1800)
@pytest.mark.whole
@pytest.mark.parametrize("broker", BROKERS, indirect=True)
async def test_workers_killed_at_random_lose_and_double_nothing(
    database_dsn: str, broker: str, proof_count: Callable[[int, int], int]
) -> None:
    kills = proof_count(1, 10)
    async with world(database_dsn, broker) as outside, killed_at_random(outside, kills, 20261126):
        for sql in (
            "SELECT count(*) FROM outbox WHERE published_at IS NULL",
            "SELECT count(*) FROM deliveries WHERE state <> 'done'",
        ):
            await until(f"nothing is left of: {sql}", partial(_is_zero, outside, sql), 60)


async def _is_zero(outside: World, sql: str) -> bool:
    return bool(await outside.db.fetchval(sql) == 0)
