"""A hub restored from a backup finds out what the lost hour did, and neither repeats nor forgets anything of it."""

from __future__ import annotations

import asyncio
import subprocess
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from rigs.river import Outside, River, configured, hub_settings, prepare, simulators
from sqlalchemy.engine import make_url

from coopwire import app as composition
from coopwire.application.paying import Rejected
from coopwire.application.recovering import Recovered
from coopwire.domain.gates import Traffic
from coopwire.domain.money import Money
from coopwire.storage.embedded.binaries import installed

ACTOR = "a test"
PATIENCE = timedelta(seconds=25)


def _backup(dsn: str, file: Path) -> None:
    """A real backup, by the server's own tool."""
    subprocess.run([installed().bin / "pg_dump", "--format=custom", f"--file={file}", dsn], check=True)


@pytest.fixture
def second_dsn(postgres: str, database_dsn: str) -> Iterator[str]:
    """An empty database on the same server."""
    name = f"restored_{make_url(database_dsn).database}"
    asyncio.run(_execute(postgres, f"CREATE DATABASE {name}"))
    yield make_url(postgres).set(database=name).render_as_string(hide_password=False)
    asyncio.run(_execute(postgres, f"DROP DATABASE {name} WITH (FORCE)"))


async def _execute(dsn: str, statement: str) -> None:
    connection = await asyncpg.connect(dsn)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()


def _restore(file: Path, dsn: str) -> None:
    subprocess.run(
        [installed().bin / "pg_restore", "--no-owner", f"--dbname={dsn}", file],
        check=True,
        stdout=subprocess.DEVNULL,
    )


@asynccontextmanager
async def _hub(
    dsn: str, outside: Outside, *, sends: bool = True, fresh: bool = False
) -> AsyncIterator[River]:
    """A hub on this database beside these systems; one that does not send only looks."""
    urls = {name: running.url for name, running in outside.running.items()}
    async with composition.opened(hub_settings(dsn), configured(urls), dsn, role="test") as app:
        if fresh:
            await prepare(app, outside)
        await app.sweeper.beat()
        loops = asyncio.create_task(app.run() if sends else app.look())
        try:
            yield River(app, outside)
        finally:
            app.stop()
            await loops


async def _pay(hub: River, attempt: str) -> None:
    told = await hub.pay(attempt)
    await hub.hint(attempt, told["charges"][0]["id"])


async def _asked(hub: River, n: int) -> str:
    return (await hub.accept(loan=f"LN-{n}", money=Money(100_000 + n, "NGN"))).attempt


async def _bank_gate(hub: River, *, close: bool) -> None:
    from coopwire.application.operating import Operator
    from coopwire.domain.gates import GateKind

    operator = Operator(hub.app.network, hub.app.database, hub.app.clock)
    if close:
        await operator.close_gate("bankone", {Traffic.WRITE}, ACTOR, "the bank closes its day")
    else:
        await operator.open_gate("bankone", GateKind.MANUAL, {Traffic.WRITE}, ACTOR, "it is open again")


async def _world(outside: Outside) -> dict[str, Any]:
    """What the outside holds: every entry, every credit, every receipt that the loan system knows of."""
    journals = (await outside.truth("quickbooks"))["journals"]
    postings = (await outside.truth("bankone"))["postings"]
    return {
        "journals": Counter(j["doc_number"] for j in journals),
        "postings": Counter(p["reference"] for p in postings),
    }


async def _recovered(hub: River, since: datetime, until: datetime) -> Recovered:
    return await composition.recovery(hub.app).recover(since, until, ACTOR, patience=PATIENCE)


async def test_a_hub_restored_from_a_real_backup_repeats_nothing_and_finds_what_the_lost_hour_did(
    database_dsn: str, second_dsn: str, tmp_path: Path
) -> None:
    backup = tmp_path / "backup"
    async with simulators() as outside:
        async with _hub(database_dsn, outside, fresh=True) as hub:
            attempts = [await _asked(hub, n) for n in range(5)]
            await _pay(hub, attempts[0])
            await hub.settled(1)
            await _bank_gate(hub, close=True)
            await _pay(hub, attempts[1])
            await hub.until(
                "SELECT count(*) FROM effects WHERE kind = 'journal' AND state = 'done'", expected=2
            )
            since = hub.app.clock.now()
            await asyncio.to_thread(_backup, database_dsn, backup)
            # From here on nothing of what the hub writes is in the backup.
            await _bank_gate(hub, close=False)
            for attempt in attempts[2:4]:
                await _pay(hub, attempt)
            await _pay(hub, await _asked(hub, 9))
            await hub.settled(5)
            until = hub.app.clock.now()
            lost = {r["id"]: r["charge"] for r in await hub.rows("SELECT id, charge FROM receipts")}
        before = await _world(outside)
        assert set(before["journals"].values()) == set(before["postings"].values()) == {1}
        # The lost hub is gone; somebody pays while there is none.
        await outside.control("paystack", "pay", reference=attempts[4])
        await asyncio.to_thread(_restore, backup, second_dsn)

        async with _hub(second_dsn, outside, sends=False) as hub:
            assert await hub.value("SELECT count(*) FROM receipts") == 2
            done = await _recovered(hub, since, until)
            assert await _world(outside) == before
            receipts = {r["id"]: r["charge"] for r in await hub.rows("SELECT id, charge FROM receipts")}
            assert lost.items() <= receipts.items()
            assert len(receipts) == 6
            found = {f.type.value for day in done.days for f in day.report.findings}
            assert found <= {"posting_not_ordered", "journal_changed"}
            assert "posting_not_ordered" in found
            gates = await hub.rows("SELECT connection FROM gates WHERE kind = 'recovery' ORDER BY connection")
            assert [g["connection"] for g in gates] == ["bankone", "lms", "paystack", "quickbooks"]
            assert await composition.recovery(hub.app).release(ACTOR)

        async with _hub(second_dsn, outside) as hub:
            # It was closed when the backup was taken.
            await _bank_gate(hub, close=False)
            await hub.until("SELECT count(*) FROM effects WHERE state IN ('intended', 'sending')", expected=0)
            after = await _world(outside)
            assert set(after["journals"].values()) == set(after["postings"].values()) == {1}
            assert before["journals"] <= after["journals"]
            assert before["postings"] <= after["postings"]
            [unmatched] = await hub.rows("SELECT id FROM receipts WHERE payment IS NULL")
            assert (after["postings"] - before["postings"]).total() == 1, "paid after the lost hub was gone"
            held = await hub.rows(
                "SELECT receipt, kind, state FROM effects WHERE state IN ('held', 'unknown')"
            )
            assert ("journal", "held") in [
                (e["kind"], e["state"]) for e in held if e["receipt"] == unmatched["id"]
            ]
        told = await outside.truth("lms")
        assert _recorded_once(told, receipts)


def _recorded_once(lms: Any, receipts: dict[str, str]) -> bool:
    """Whether the loan system knows each receipt by one message, however often it was sent."""
    messages = Counter(told["receipt"] for told in lms["callbacks"] if told["type"] == "receipt.recorded")
    return set(messages) == set(receipts) and set(messages.values()) == {1}


async def test_nothing_is_released_before_everything_that_may_have_been_sent_was_looked_up(
    database_dsn: str,
) -> None:
    async with simulators() as outside, _hub(database_dsn, outside, fresh=True) as hub:
        await _bank_gate(hub, close=True)
        await _pay(hub, await _asked(hub, 1))
        await hub.until("SELECT count(*) FROM effects WHERE kind = 'posting'", expected=1)
        async with hub.app.database.begin("enter writes as unknown") as tx:
            now = hub.app.clock.now()
            assert await tx.effects.reenter(now, now, now + timedelta(days=1), "a test") >= 1
        with pytest.raises(Rejected, match="not looked up yet"):
            await composition.recovery(hub.app).release(ACTOR)


async def test_a_recovery_that_does_not_fit_in_time_is_refused_and_closes_nothing(database_dsn: str) -> None:
    async with simulators() as outside, _hub(database_dsn, outside, fresh=True) as hub:
        now = hub.app.clock.now()
        recovery = composition.recovery(hub.app)
        for since, until in (
            (now + timedelta(hours=1), None),
            (now - timedelta(hours=1), now - timedelta(hours=2)),
        ):
            with pytest.raises(Rejected):
                await recovery.recover(since, until, ACTOR, patience=timedelta())
        assert await hub.value("SELECT count(*) FROM gates") == 0
