"""The outbox is pruned: what every consumer took goes after its time, what one did not take stays."""

from __future__ import annotations

from datetime import timedelta

from rigs.buses import opened, say

from coopwire.conformance.bus import event


async def test_events_go_when_all_consumers_took_them_and_stay_while_one_did_not(database_dsn: str) -> None:
    async with opened(database_dsn) as database:
        said = {name: event(name) for name in ("taken", "dead", "waiting", "unpublished")}
        await say(database, list(said.values()))
        subscribers = {"one": [said["taken"].type], "two": [said["taken"].type]}
        now = await database.now()
        async with database.begin("test") as tx:
            rows = {e.event.subject: e.seq for e in await tx.outbox.prepare(subscribers, 10, now, 0)}
            await tx.outbox.published([seq for name, seq in rows.items() if name != "unpublished"], now)
            for name in ("taken", "dead"):
                await tx.outbox.done("one", await tx.outbox.take("one", [said[name].id]), now)
            await tx.outbox.done("two", await tx.outbox.take("two", [said["taken"].id]), now)
            [poison] = await tx.outbox.take("two", [said["dead"].id])
            await tx.outbox.failed("two", poison, "ValueError", now, None)
        async with database.begin("test") as tx:
            await tx.forget(now, now - timedelta(days=1), now)
        assert await database.pool.fetchval("SELECT count(*) FROM outbox") == 4
        async with database.begin("test") as tx:
            await tx.forget(now, now + timedelta(days=1), now)
        left = await database.pool.fetch("SELECT subject FROM outbox ORDER BY seq")
        assert [row["subject"] for row in left] == ["dead", "waiting", "unpublished"]
        letters = await database.pool.fetch("SELECT consumer, seq FROM deliveries WHERE state = 'dead'")
        assert [tuple(row) for row in letters] == [("two", rows["dead"])]


async def test_one_process_at_a_time_is_alone_under_a_name(database_dsn: str) -> None:
    async with opened(database_dsn) as database:
        async with (
            database.alone("relay") as first,
            database.alone("relay") as second,
            database.alone("x") as other,
        ):
            assert (first(), second(), other()) == (True, False, True)
        async with database.alone("relay") as next_one:
            assert next_one()


async def test_who_was_alone_hears_that_the_database_dropped_it(database_dsn: str) -> None:
    async with opened(database_dsn) as database, database.alone("relay") as held:
        await database.pool.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND pid <> pg_backend_pid()"
        )
        while held():
            await database.pool.fetchval("SELECT pg_sleep(0.01)")
