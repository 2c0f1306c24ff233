"""A hub restored from a backup finds out what the lost hour did, and neither repeats nor forgets anything of it."""

from __future__ import annotations

import asyncio
import subprocess
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from functools import partial
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import asyncpg
import pytest
from rigs.command_line import Ran, run
from rigs.places import all_places
from rigs.river import Outside, River, configured, hub_settings, prepare, simulators
from rigs.served import SECRETS, connections_file, write
from sqlalchemy.engine import make_url

from coopwire import app as composition
from coopwire.application.paying import Rejected
from coopwire.application.recovering import Recovered
from coopwire.domain.gates import Traffic
from coopwire.domain.money import Money
from coopwire.storage.embedded.binaries import installed
from coopwire.transport.clock import SystemClock

LAGOS = ZoneInfo("Africa/Lagos")
PLACES = [place for place in all_places() if place.endswith("recovery") or "enter writes" in place]
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


class Passing:
    """Time that the simulators and every hub of a test agree on, and that a test moves on."""

    def __init__(self, outside: Outside) -> None:
        self._outside = outside
        self._ahead = timedelta()

    def now(self) -> datetime:
        return datetime.now(UTC) + self._ahead

    async def move(self, length: timedelta) -> None:
        for name in self._outside.running:
            await self._outside.control(name, "clock", seconds=length.total_seconds())
        self._ahead += length

    async def move_to(self, hour: time) -> None:
        """To this hour in Lagos, tomorrow."""
        tomorrow = self.now().astimezone(LAGOS).date() + timedelta(days=1)
        await self.move(datetime.combine(tomorrow, hour, LAGOS) - self.now())


@asynccontextmanager
async def _hub(
    dsn: str,
    outside: Outside,
    *,
    sends: bool = True,
    fresh: bool = False,
    at: datetime | None = None,
) -> AsyncIterator[River]:
    """A hub on this database beside these systems; one that does not send only looks."""
    urls = {name: running.url for name, running in outside.running.items()}
    clock_of = SystemClock if at is None else lambda _, lengths: SystemClock(at, lengths)
    async with composition.opened(
        hub_settings(dsn), configured(urls), dsn, role="test", clock_of=clock_of
    ) as app:
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


@dataclass(frozen=True)
class Lost:
    """What a hub that is gone had done since its backup."""

    since: datetime
    until: datetime
    receipts: dict[str, str]
    """Charges by receipt, those of the backup among them."""
    outside: dict[str, Any]


async def _lose(dsn: str, outside: Outside, passing: Passing, backup: Path, length: timedelta) -> Lost:
    """Two receipts, a backup, then `length` with three more, of which nothing is left but the traces outside."""
    async with _hub(dsn, outside, fresh=True, at=passing.now()) as hub:
        attempts = [await _asked(hub, n) for n in range(5)]
        await _pay(hub, attempts[0])
        await hub.settled(1)
        await _bank_gate(hub, close=True)
        await _pay(hub, attempts[1])
        await hub.until("SELECT count(*) FROM effects WHERE kind = 'journal' AND state = 'done'", expected=2)
        since = hub.app.clock.now()
        await asyncio.to_thread(_backup, dsn, backup)
    await passing.move(length / 2)
    async with _hub(dsn, outside, at=passing.now()) as hub:
        await _bank_gate(hub, close=False)
        for attempt in attempts[2:4]:
            await _pay(hub, attempt)
        await _pay(hub, await _asked(hub, 9))
        await hub.settled(5)
        until = hub.app.clock.now()
        lost = {r["id"]: r["charge"] for r in await hub.rows("SELECT id, charge FROM receipts")}
    before = await _world(outside)
    assert set(before["journals"].values()) == set(before["postings"].values()) == {1}
    await passing.move(length / 2)
    # Somebody pays while there is no hub.
    await outside.control("paystack", "pay", reference=attempts[4])
    return Lost(since, until, lost, before)


async def _goes_on(dsn: str, outside: Outside, passing: Passing, lost: Lost) -> None:
    """The restored hub is released and at work again: everything is outside once, and known here."""
    async with _hub(dsn, outside, at=passing.now()) as hub:
        # It was closed when the backup was taken.
        await _bank_gate(hub, close=False)
        await hub.until("SELECT count(*) FROM effects WHERE state IN ('intended', 'sending')", expected=0)
        receipts = {r["id"]: r["charge"] for r in await hub.rows("SELECT id, charge FROM receipts")}
        assert lost.receipts.items() <= receipts.items()
        assert len(receipts) == 6
        after = await _world(outside)
        assert set(after["journals"].values()) == set(after["postings"].values()) == {1}
        assert lost.outside["journals"] <= after["journals"]
        assert lost.outside["postings"] <= after["postings"]
        [unmatched] = await hub.rows("SELECT id FROM receipts WHERE payment IS NULL")
        assert (after["postings"] - lost.outside["postings"]).total() == 1, "paid after the hub was gone"
        held = await hub.rows("SELECT receipt, kind, state FROM effects WHERE state IN ('held', 'unknown')")
        assert ("journal", "held") in [
            (e["kind"], e["state"]) for e in held if e["receipt"] == unmatched["id"]
        ]
    assert _recorded_once(await outside.truth("lms"), receipts)


@pytest.mark.parametrize(
    "hour",
    [pytest.param(time(10), marks=pytest.mark.whole), time(23, 15)],
    ids=["by day", "over midnight"],
)
async def test_a_hub_restored_from_a_backup_an_hour_old_repeats_nothing_and_finds_what_the_lost_hour_did(
    database_dsn: str, second_dsn: str, tmp_path: Path, hour: time
) -> None:
    async with simulators() as outside:
        passing = Passing(outside)
        await passing.move_to(hour)
        lost = await _lose(database_dsn, outside, passing, tmp_path / "backup", timedelta(hours=1))
        await asyncio.to_thread(_restore, tmp_path / "backup", second_dsn)

        async with _hub(second_dsn, outside, sends=False, at=passing.now()) as hub:
            assert hub.app.clock.now() - lost.since >= timedelta(hours=1)
            assert await hub.value("SELECT count(*) FROM receipts") == 2
            done = await _recovered(hub, lost.since, lost.until)
            assert await _world(outside) == lost.outside
            found = {f.type.value for day in done.days for f in day.report.findings}
            # A credit that was done before midnight would be ordered for the new day by now.
            later = {"posting_misdated"} if hour > time(23) else set()
            assert found <= {"posting_not_ordered", "journal_changed"} | later
            assert "posting_not_ordered" in found
            gates = await hub.rows("SELECT connection FROM gates WHERE kind = 'recovery' ORDER BY connection")
            assert [g["connection"] for g in gates] == ["bankone", "lms", "paystack", "quickbooks"]
            assert await composition.recovery(hub.app).release(ACTOR)

        await _goes_on(second_dsn, outside, passing, lost)


def _command(dsn: str, outside: Outside, folder: Path) -> Callable[..., Awaitable[Ran]]:
    """`coopwire recover` on this database, as a person calls it."""
    urls = {name: running.url for name, running in outside.running.items()}
    write(folder / "connections.toml", connections_file(urls, SECRETS, "hub"))
    key = hub_settings(dsn).secret_key
    assert key is not None
    environment = {
        "COOPWIRE_DATABASE": dsn,
        "COOPWIRE_CONNECTIONS": str(folder / "connections.toml"),
        "COOPWIRE_SECRET_KEY": key.get_secret_value(),
        "COOPWIRE_TIMINGS": "demo",
        "COOPWIRE_LOG_LEVEL": "warning",
    }

    async def recover(*words: str, **more: str) -> Ran:
        return await asyncio.to_thread(run, "recover", *words, env={**environment, **more})

    return recover


@pytest.mark.whole
@pytest.mark.parametrize("place", PLACES)
async def test_a_recovery_that_is_killed_anywhere_can_be_run_again(
    database_dsn: str, second_dsn: str, tmp_path: Path, place: str
) -> None:
    async with simulators() as outside:
        passing = Passing(outside)
        lost = await _lose(database_dsn, outside, passing, tmp_path / "backup", timedelta())
        await asyncio.to_thread(_restore, tmp_path / "backup", second_dsn)
        command = _command(second_dsn, outside, tmp_path)
        window = ("--since", lost.since.isoformat(), "--until", lost.until.isoformat(), "--wait", "25")
        recover, release = partial(command, *window), partial(command, "--release")
        steps = [release] if place.endswith("release recovery") else [recover, release]
        if steps == [release]:
            assert (await recover()).code == 0
        killed = await steps[0](COOPWIRE_FAIL_AT=place)
        assert killed.code == -9, f"{place} was never reached: {killed}"
        assert await _world(outside) == lost.outside, "a recovery sends nothing"
        for step in steps:
            assert (await step()).code == 0
        await _goes_on(second_dsn, outside, passing, lost)


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
