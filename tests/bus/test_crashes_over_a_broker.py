"""Killed at every place of the bus, broker and database taken away in a burst: each event has its effect once."""

from __future__ import annotations

import asyncio
import itertools
import random
from collections.abc import Callable
from contextlib import AsyncExitStack, suppress
from dataclasses import replace
from datetime import timedelta

import pytest
from rigs import kafka
from rigs.bus_process import run_into
from rigs.buses import TIMINGS, heard, on_rabbitmq, opened, over_broker, running, say
from rigs.database import kill_server
from rigs.folders import open_folder
from rigs.places import all_places
from rigs.proof import WHOLE
from rigs.rabbitmq import cluster, node, until

from coopwire.conformance.bus import Listener, event
from coopwire.ports.stores import StorageUnavailable
from coopwire.storage import embedded, migrate
from coopwire.storage.database import PostgresDatabase

SENDING = [
    place
    for place in all_places()
    if place.endswith(("prepare events", "after publish events", "mark events published"))
]
TAKING = ["before commit consume listener", "after commit consume listener", "before acknowledge"]
FAILING = ["before commit put back listener", "after commit put back listener"]
_QUICK = {
    "broker_url": {"after publish events", "after commit consume listener"},
    "kafka_url": {"before acknowledge"},
}
_AHEAD = 300
AGAIN = [place for place in all_places() if place.endswith(("overdue deliveries", "hand over deliveries"))]


def _chosen(places: list[str]) -> list[tuple[str, str]]:
    """Brokers and places: all in the whole proof, else those between a commit and the word to the broker."""
    return [(broker, place) for broker in _QUICK for place in places if WHOLE or place in _QUICK[broker]]


@pytest.fixture
def broker(request: pytest.FixtureRequest) -> str:
    """The address of an empty broker of this fixture."""
    url: str = request.getfixturevalue(request.param)
    return url


def test_the_places_of_a_broker_are_the_code_s_own() -> None:
    assert len(SENDING) == 5
    assert len(AGAIN) == 4
    assert {"before acknowledge", "after publish events"} <= set(all_places())


@pytest.mark.parametrize(("broker", "place"), _chosen([*SENDING, *TAKING]), indirect=["broker"])
async def test_a_process_killed_at_this_place_has_each_effect_once(
    database_dsn: str, broker: str, place: str
) -> None:
    said = [event(f"{n}") for n in range(20)]
    async with opened(database_dsn) as database:
        await say(database, said)
        assert await run_into(place, database_dsn, broker), f"{place} was never reached"
        await _goes_on(database, database_dsn, broker, [one.subject for one in said])


@pytest.mark.parametrize(("broker", "place"), _chosen([*FAILING, "before acknowledge"]), indirect=["broker"])
async def test_a_process_killed_while_a_delivery_fails_loses_neither_it_nor_its_mates(
    database_dsn: str, broker: str, place: str
) -> None:
    said = [event(f"{n}") for n in range(5)]
    async with opened(database_dsn) as database:
        await say(database, said)
        assert await run_into(place, database_dsn, broker, bad="2"), f"{place} was never reached"
        await _goes_on(database, database_dsn, broker, [one.subject for one in said])


@pytest.mark.parametrize("place", AGAIN if WHOLE else AGAIN[2:3])
@pytest.mark.parametrize("broker", list(_QUICK) if WHOLE else ["broker_url"], indirect=True)
async def test_a_process_killed_while_it_delivers_again_has_the_effect_once(
    database_dsn: str, broker: str, place: str
) -> None:
    async with opened(database_dsn) as database:
        await say(database, [event("a")])
        await _published_elsewhere(database)
        assert await run_into(place, database_dsn, broker), f"{place} was never reached"
        await _goes_on(database, database_dsn, broker, ["a"])


@pytest.mark.timeout(1800)
async def test_a_broker_killed_in_a_burst_and_the_outbox_agree_to_the_last_event(
    proof_count: Callable[[int, int], int],
) -> None:
    events, kills = proof_count(400, 20_000), proof_count(1, 10)
    with open_folder() as folder, embedded.start(folder / "data") as server, node() as rabbit:
        await migrate.upgrade(server.dsn)
        async with opened(server.dsn) as database:
            listener = Listener()
            async with running(server.dsn, on_rabbitmq(rabbit.url()), [listener.consumer]):
                bursting = asyncio.create_task(_burst(database, events))
                for kill in range(1, kills + 1):
                    await _heard_at_least(database, kill * events // (kills + 2))
                    await asyncio.to_thread(rabbit.restart)
                await bursting
                await _agree(database, events)


@pytest.mark.whole
@pytest.mark.timeout(1800)
async def test_a_kafka_that_forgets_everything_in_a_burst_and_the_outbox_agree_to_the_last_event(
    database_dsn: str, kafka_node: kafka.Node, proof_count: Callable[[int, int], int]
) -> None:
    events, kills = proof_count(400, 6_000), proof_count(1, 10)
    # What a broker lost is handed to it again when it is due, which is an hour in a house. So short a time hands over
    # more than once what only waits.
    soon = replace(TIMINGS, bus_sent_again_after=timedelta(seconds=4))
    async with opened(database_dsn) as database:
        make = over_broker(kafka_node.url)
        async with running(database_dsn, make, [Listener().consumer], timings=soon):
            bursting = asyncio.create_task(_burst(database, events))
            for kill in range(1, kills + 1):
                await _heard_at_least(database, kill * events // (kills + 2))
                await asyncio.to_thread(kafka_node.restart)
            await bursting
            await _agree(database, events)


@pytest.mark.whole
@pytest.mark.timeout(1800)
async def test_nodes_of_a_cluster_killed_in_a_burst_lose_nothing() -> None:
    events, kills, dice = 6_000, 6, random.Random(20261126)
    with open_folder() as folder, embedded.start(folder / "data") as server, cluster() as nodes:
        await migrate.upgrade(server.dsn)
        async with opened(server.dsn) as database:
            make = on_rabbitmq(",".join(node.url() for node in nodes))
            async with running(server.dsn, make, [Listener().consumer]):
                bursting = asyncio.create_task(_burst(database, events))
                for kill in range(1, kills + 1):
                    await _heard_at_least(database, kill * events // (kills + 2))
                    victim = dice.choice(nodes)
                    await asyncio.to_thread(victim.restart)
                await bursting
                await _agree(database, events)


@pytest.mark.timeout(1800)
@pytest.mark.whole
@pytest.mark.parametrize("broker", list(_QUICK), indirect=True)
async def test_a_database_restarted_in_a_burst_and_the_broker_agree_to_the_last_event(
    broker: str, proof_count: Callable[[int, int], int]
) -> None:
    events, kills = proof_count(400, 20_000), proof_count(1, 10)
    with open_folder() as folder:
        with embedded.start(folder / "data") as server:
            await migrate.upgrade(server.dsn)
        listener = Listener()
        for round_ in range(kills + 1):
            with embedded.start(folder / "data") as server:
                async with opened(server.dsn) as database:
                    await _burst(database, events // (kills + 1))
                    if round_ == 0:
                        bus = running(server.dsn, over_broker(broker), [listener.consumer])
                        await bus.__aenter__()
                    await _heard_at_least(database, (round_ + 1) * events // (kills + 2))
        with embedded.start(folder / "data") as server:
            async with opened(server.dsn) as database:
                try:
                    await _agree(database, events // (kills + 1) * (kills + 1))
                finally:
                    await bus.__aexit__(None, None, None)


@pytest.mark.whole
@pytest.mark.timeout(1800)
async def test_a_database_killed_in_a_burst_keeps_what_it_promised_and_agrees_with_the_broker(
    broker_url: str, proof_count: Callable[[int, int], int]
) -> None:
    events, kills = proof_count(400, 20_000), proof_count(1, 10)
    share, promised, listener = events // (kills + 1), list[str](), Listener()
    async with AsyncExitStack() as bus:
        with open_folder() as folder:
            for round_ in range(kills + 1):
                with embedded.start(folder / "data") as server:
                    if round_ == 0:
                        await migrate.upgrade(server.dsn)
                        make = on_rabbitmq(broker_url)
                        await bus.enter_async_context(running(server.dsn, make, [listener.consumer]))
                    async with opened(server.dsn) as database:
                        bursting = asyncio.create_task(_promises(database, f"{round_}", listener, promised))
                        enough = len(listener.called) + share
                        await until("a share is heard", lambda n=enough: len(listener.called) >= n, 240)
                        if round_ < kills:
                            kill_server(folder / "data")
                        bursting.cancel()
                        await asyncio.wait([bursting])
                        if round_ == kills:
                            await _agree(
                                database, await database.pool.fetchval("SELECT count(*) FROM outbox")
                            )
                            missing = set(promised) - set(await heard(database, "listener"))
                            assert not missing
                            await bus.aclose()


async def _promises(database: PostgresDatabase, name: str, listener: Listener, promised: list[str]) -> None:
    """Say events in small commits, and note those that the database says it has, until it is gone.

    Never far ahead of the consumer, so that both are in the midst of something when it is killed.
    """
    with suppress(StorageUnavailable):
        for start in itertools.count(0, 20):
            while len(promised) - len(listener.called) > _AHEAD:
                await asyncio.sleep(0.05)
            group = [f"{name}-{n}" for n in range(start, start + 20)]
            await say(database, [event(subject) for subject in group])
            promised += group


async def _burst(database: PostgresDatabase, count: int) -> None:
    for start in range(0, count, 50):
        await say(database, [event(f"{start + n}") for n in range(min(50, count - start))])


async def _heard_at_least(database: PostgresDatabase, count: int) -> None:
    async def hold() -> bool:
        return len(await heard(database, "listener")) >= count

    await until(f"{count} events are heard", hold, 120)


async def _agree(database: PostgresDatabase, count: int) -> None:
    """Every event is published, had its effect once, and no delivery is left over."""
    await _heard_at_least(database, count)
    assert len(await heard(database, "listener")) == count
    assert await database.pool.fetchval("SELECT count(*) FROM outbox") == count
    await until(
        "every event is marked as published",
        lambda: _is_zero(database, "SELECT count(*) FROM outbox WHERE published_at IS NULL"),
    )
    assert await _is_zero(database, "SELECT count(*) FROM deliveries WHERE state <> 'done'")


async def _is_zero(database: PostgresDatabase, sql: str) -> bool:
    return bool(await database.pool.fetchval(sql) == 0)


async def _goes_on(database: PostgresDatabase, dsn: str, broker: str, subjects: list[str]) -> None:
    """Another process comes, and in the end each event has had its effect once."""
    async with running(dsn, over_broker(broker), [Listener().consumer]):

        async def all_heard() -> bool:
            return set(await heard(database, "listener")) >= set(subjects)

        await until("everything is heard", all_heard, 30)
        await asyncio.sleep(0.5)
        assert sorted(await heard(database, "listener")) == sorted(subjects)
        assert await _is_zero(database, "SELECT count(*) FROM deliveries WHERE state <> 'done'")


async def _published_elsewhere(database: PostgresDatabase) -> None:
    """As the PostgreSQL bus leaves an event that it relayed and nobody took."""
    async with database.begin("relay") as tx:
        await tx.outbox.publish({"listener": [event("x").type]}, 10, await database.now())
