"""The day on which the core books: observed, kept when it changes, and the value date of postings."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from rigs.river import River, river
from structlog.testing import capture_logs

from coopwire.application.network import CoreDay
from coopwire.connections import Configured
from coopwire.storage import sealing
from coopwire.storage.database import connect

NIGHT = datetime(2026, 3, 2, 22, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)


async def _set_date(hub: River, on: date) -> None:
    await hub.outside.control("bankone", "settings", business_date=on.isoformat())


async def _dates(hub: River) -> list[date]:
    return [row["business_on"] for row in await hub.rows("SELECT * FROM business_dates ORDER BY seen_at")]


def _nobody_to_ask(configured: Configured) -> Configured:
    core = configured.connections["bankone"]
    settings = {**core.settings, "date_account": ""}
    return replace(
        configured, connections={**configured.connections, "bankone": replace(core, settings=settings)}
    )


async def test_a_date_is_kept_at_the_start_and_whenever_it_changes(database_dsn: str) -> None:
    async with river(database_dsn) as hub:
        await hub.until("SELECT count(*) FROM business_dates", expected=1)
        today = (await _dates(hub))[0]
        await _set_date(hub, today + timedelta(days=1))
        for _ in range(3):
            await hub.app.calendar.look()
        assert await _dates(hub) == [today, today + timedelta(days=1)]


async def test_the_loop_sees_a_change_by_itself(database_dsn: str) -> None:
    async with river(database_dsn) as hub:
        await hub.until("SELECT count(*) FROM business_dates", expected=1)
        await _set_date(hub, date(2027, 1, 4))
        await hub.until("SELECT max(business_on) FROM business_dates", expected=date(2027, 1, 4))


async def test_a_posting_has_the_cores_date_and_an_entry_the_calendars(database_dsn: str) -> None:
    async with river(database_dsn) as hub:
        friday = date(2026, 11, 20)
        await _set_date(hub, friday)
        await hub.app.calendar.look()
        accepted = await hub.accept()
        told = await hub.pay(accepted.attempt)
        await hub.hint(accepted.attempt, told["charges"][0]["id"])
        await hub.settled(1)
        rows = await hub.rows("""SELECT kind, "order" FROM effects WHERE kind IN ('posting', 'journal')""")
        orders = {row["kind"]: row["order"] for row in rows}
        assert orders["posting"]["value_on"] == "2026-11-20"
        today = hub.app.network.routes.business_day(hub.app.clock.now())
        assert orders["journal"]["on"] == today.isoformat()


async def test_a_core_that_cannot_be_asked_is_told_once_and_the_calendar_stands_in(database_dsn: str) -> None:
    with capture_logs() as logged:
        async with river(database_dsn, change=_nobody_to_ask) as hub:
            for _ in range(3):
                await hub.app.calendar.look()
            now = hub.app.clock.now()
            assert hub.app.network.value_day(now) == hub.app.network.routes.business_day(now)
            assert await _dates(hub) == []
    told = [line for line in logged if line["event"] == "business_date_unknown"]
    assert [(line["log_level"], line["error"]) for line in told] == [("warning", "Unsupported")]
    assert "date_account" in told[0]["reason"]


async def test_a_core_that_does_not_answer_leaves_what_was_heard_before(database_dsn: str) -> None:
    async with river(database_dsn) as hub:
        await _set_date(hub, date(2027, 1, 4))
        await hub.app.calendar.look()
        kept = await _dates(hub)
        with capture_logs() as logged:
            await hub.outside.fault("bankone", "business_date", "http_503", times=None)
            for _ in range(2):
                await hub.app.calendar.look()
        assert [line["error"] for line in logged if line["event"] == "business_date_unknown"] == ["TryLater"]
        assert await _dates(hub) == kept
        assert hub.app.network.value_day(hub.app.clock.now()) == date(2027, 1, 4)


def test_what_was_heard_is_good_for_a_while_only() -> None:
    day = CoreDay(date(2026, 3, 2), NIGHT)
    assert day.at(NIGHT - HOUR) == date(2026, 3, 2)
    assert day.at(NIGHT) is None
    assert CoreDay().at(NIGHT) is None


@pytest.fixture
async def database(database_dsn: str) -> Any:
    opened = await connect(database_dsn, sealing.Sealer([bytes(32)]))
    yield opened
    await opened.close()


async def _see(database: Any, on: date, at: datetime) -> bool:
    async with database.begin("business date") as tx:
        await tx.lock(["business date:core"])
        return bool(await tx.connections.see_business_date("core", on, at))


async def _in_force(database: Any, start: datetime, end: datetime) -> list[int]:
    async with database.begin("business date") as tx:
        return sorted(on.day for on in await tx.connections.business_dates("core", start, end))


async def test_the_dates_of_a_time_are_those_in_force_at_any_moment_of_it(database: Any) -> None:
    assert await _in_force(database, NIGHT, NIGHT + HOUR) == []
    for on, at in ((2, NIGHT), (2, NIGHT + HOUR), (3, NIGHT + 2 * HOUR), (6, NIGHT + 4 * HOUR)):
        await _see(database, date(2026, 3, on), at)
    assert await _in_force(database, NIGHT - 2 * HOUR, NIGHT - HOUR) == []
    assert await _in_force(database, NIGHT - HOUR, NIGHT) == [2]
    assert await _in_force(database, NIGHT + HOUR, NIGHT + HOUR) == [2]
    assert await _in_force(database, NIGHT + HOUR, NIGHT + 2 * HOUR) == [2, 3]
    assert await _in_force(database, NIGHT + 3 * HOUR, NIGHT + 3 * HOUR) == [3]
    assert await _in_force(database, NIGHT, NIGHT + 9 * HOUR) == [2, 3, 6]
    assert await _in_force(database, NIGHT + 8 * HOUR, NIGHT + 9 * HOUR) == [6]
    async with database.begin("business date") as tx:
        assert await tx.connections.business_dates("another", NIGHT, NIGHT + HOUR) == set()


async def test_workers_that_see_one_change_at_once_keep_it_once(database: Any) -> None:
    await _see(database, date(2026, 3, 2), NIGHT)
    moments = [NIGHT + HOUR + timedelta(milliseconds=n) for n in range(8)]
    seen = await asyncio.gather(*(_see(database, date(2026, 3, 3), at) for at in moments))
    kept = await database.pool.fetch("SELECT business_on FROM business_dates ORDER BY seen_at")
    assert [row["business_on"].day for row in kept] == [2, 3]
    assert sum(seen) == 1
    assert await _see(database, date(2026, 3, 3), NIGHT + 2 * HOUR) is False
