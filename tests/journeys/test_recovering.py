"""A hub restored from a backup finds out what the lost hour did, and neither repeats nor forgets anything of it."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from rigs.command_line import Ran, run
from rigs.places import all_places
from rigs.restoring import ACTOR, Passing, backup, hub_on, recovered, restore
from rigs.river import Outside, River, hub_settings, simulators
from rigs.served import SECRETS, connections_file, write

from coopwire import app as composition
from coopwire.application.paying import Rejected
from coopwire.domain.gates import Traffic
from coopwire.domain.money import Money

PLACES = [place for place in all_places() if place.endswith("recovery") or "enter writes" in place]


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


@dataclass(frozen=True)
class Lost:
    """What a hub that is gone had done since its backup."""

    since: datetime
    until: datetime
    receipts: dict[str, str]
    """Charges by receipt, those of the backup among them."""
    outside: dict[str, Any]


async def _lose(dsn: str, outside: Outside, passing: Passing, file: Path, length: timedelta) -> Lost:
    """Two receipts, a backup, then `length` with three more, of which nothing is left but the traces outside."""
    async with hub_on(dsn, outside, fresh=True, at=passing.now()) as hub:
        attempts = [await _asked(hub, n) for n in range(5)]
        await _pay(hub, attempts[0])
        await hub.settled(1)
        await _bank_gate(hub, close=True)
        await _pay(hub, attempts[1])
        await hub.until("SELECT count(*) FROM effects WHERE kind = 'journal' AND state = 'done'", expected=2)
        since = hub.app.clock.now()
        await asyncio.to_thread(backup, dsn, file)
    await passing.move(length / 2)
    async with hub_on(dsn, outside, at=passing.now()) as hub:
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
    async with hub_on(dsn, outside, at=passing.now()) as hub:
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
        await asyncio.to_thread(restore, tmp_path / "backup", second_dsn)

        async with hub_on(second_dsn, outside, sends=False, at=passing.now()) as hub:
            assert hub.app.clock.now() - lost.since >= timedelta(hours=1)
            assert await hub.value("SELECT count(*) FROM receipts") == 2
            done = await recovered(hub, lost.since, lost.until)
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
        await asyncio.to_thread(restore, tmp_path / "backup", second_dsn)
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
    async with simulators() as outside, hub_on(database_dsn, outside, fresh=True) as hub:
        await _bank_gate(hub, close=True)
        await _pay(hub, await _asked(hub, 1))
        await hub.until("SELECT count(*) FROM effects WHERE kind = 'posting'", expected=1)
        async with hub.app.database.begin("enter writes as unknown") as tx:
            now = hub.app.clock.now()
            assert await tx.effects.reenter(now, now) >= 1
        with pytest.raises(Rejected, match="not looked up yet"):
            await composition.recovery(hub.app).release(ACTOR)


async def test_a_recovery_that_does_not_fit_in_time_is_refused_and_closes_nothing(database_dsn: str) -> None:
    async with simulators() as outside, hub_on(database_dsn, outside, fresh=True) as hub:
        now = hub.app.clock.now()
        recovery = composition.recovery(hub.app)
        for since, until in (
            (now + timedelta(hours=1), None),
            (now - timedelta(hours=1), now - timedelta(hours=2)),
        ):
            with pytest.raises(Rejected):
                await recovery.recover(since, until, ACTOR, patience=timedelta())
        assert await hub.value("SELECT count(*) FROM gates") == 0


async def test_nothing_is_released_before_every_gateway_has_told_of_the_lost_hours(database_dsn: str) -> None:
    async with simulators() as outside, hub_on(database_dsn, outside, fresh=True) as hub:
        recovery, now = composition.recovery(hub.app), hub.app.clock.now()
        await outside.fault("paystack", "list_transactions", "http_500", times=None)
        done = await recovery.recover(now - timedelta(minutes=1), None, ACTOR, patience=timedelta())
        assert done.unread == ("paystack",)
        with pytest.raises(Rejected, match="not listed at every gateway"):
            await recovery.release(ACTOR)
        outside.made["paystack"].faults.clear()
        done = await recovery.recover(now - timedelta(minutes=1), None, ACTOR, patience=timedelta())
        assert done.unread == ()
        assert await recovery.release(ACTOR)
        assert not await recovery.release(ACTOR)
