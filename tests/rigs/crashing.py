"""Drives hub processes that are killed, and judges from outside what is left when the dust has settled."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import random
import signal
import sys
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import asyncpg
from rigs.gateways import PAYSTACK, Gateway
from rigs.published import hold_to_the_catalogue
from rigs.river import Outside, configured, hub_settings, prepare, simulators
from rigs.trail import verified

from coopwire import app as composition
from coopwire.storage.audit.verify import Wrong
from coopwire.storage.rows import set_codecs

_TESTS = Path(__file__).parent.parent


class Died(Exception):
    """The hub process is gone."""


class HubProcess:
    """One hub process."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process

    @classmethod
    async def start(
        cls,
        dsn: str,
        outside: Outside,
        fail_at: str | None = None,
        bus: str = "postgres",
        gateway: Gateway = PAYSTACK,
    ) -> HubProcess:
        """A started process; it may already be dying."""
        urls = {name: running.url for name, running in outside.running.items()}
        given = json.dumps(
            {"dsn": dsn, "urls": urls, "fail_at": fail_at, "bus": bus, "gateway": gateway.name}
        )
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "rigs.hub_process",
            given,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=None,
            env={**os.environ, "PYTHONPATH": str(_TESTS)},
        )
        hub = cls(process)
        await hub._answer()
        return hub

    async def ask(self, **command: object) -> dict[str, Any]:
        """Give a command; Died when the process is killed before it answers."""
        assert self.process.stdin is not None
        try:
            self.process.stdin.write(json.dumps(command).encode() + b"\n")
            await self.process.stdin.drain()
        except (BrokenPipeError, ConnectionResetError):
            raise Died from None
        return await self._answer()

    async def _answer(self) -> dict[str, Any]:
        assert self.process.stdout is not None
        line = await self.process.stdout.readline()
        while line and not line.startswith(b"{"):
            line = await self.process.stdout.readline()
        if not line:
            raise Died
        value: dict[str, Any] = json.loads(line)
        return value

    @property
    def alive(self) -> bool:
        """Whether it still runs."""
        return self.process.returncode is None

    async def kill(self) -> None:
        """SIGKILL."""
        if self.alive:
            self.process.send_signal(signal.SIGKILL)
        await self.process.wait()

    async def end(self) -> None:
        """Let it end in good order."""
        if self.alive and self.process.stdin is not None:
            self.process.stdin.close()
        await asyncio.wait_for(self.process.wait(), 20)


class World:
    """The outside, the database and what was asked."""

    def __init__(
        self, dsn: str, outside: Outside, db: Any, bus: str = "postgres", gateway: Gateway = PAYSTACK
    ) -> None:
        self.gateway = gateway
        self.dsn = dsn
        self.bus = bus
        self.outside = outside
        self.db = db

    async def start(self, fail_at: str | None = None) -> HubProcess:
        """A hub process on this world."""
        return await HubProcess.start(self.dsn, self.outside, fail_at, self.bus, self.gateway)

    async def paid(self, payments: int = 1, **asked: object) -> None:
        """So many payments are asked for, paid and booked by a hub that ends in good order."""
        hub = await self.start()
        for n in range(payments):
            await hub.ask(accept=n, **asked)
        await self.pay_everything(hub)
        await self.quiet()
        await hub.end()

    async def dies_at(self, place: str, work: Callable[[HubProcess], Awaitable[object]]) -> None:
        """A hub is killed at this place while it has this work; AssertionError when it never comes there."""
        assert await self._died_at(place, work), f"{place} was never reached"

    async def _died_at(self, place: str, work: Callable[[HubProcess], Awaitable[object]]) -> bool:
        try:
            hub = await self.start(fail_at=place)
        except Died:
            return True
        working = asyncio.ensure_future(work(hub))
        try:
            while hub.alive and not working.done():
                await asyncio.sleep(0.1)
            # What follows from the work goes on behind it.
            for _ in range(300):
                if not hub.alive:
                    return True
                await asyncio.sleep(0.1)
        finally:
            working.cancel()
            with contextlib.suppress(Died, asyncio.CancelledError):
                await working
            await hub.kill()
        return False

    async def until(self, sql: str, expected: object = True, seconds: float = 60) -> None:
        """Wait until the database answers so."""
        deadline = asyncio.get_running_loop().time() + seconds
        while (last := await self.db.fetchval(sql)) != expected:
            if asyncio.get_running_loop().time() > deadline:
                rows = await self.db.fetch("SELECT kind, state, reason, looks, due_at, census FROM effects")
                rows += await self.db.fetch("SELECT * FROM looks ORDER BY at")
                raise AssertionError(f"still {last!r}: {sql}\n" + "\n".join(str(dict(row)) for row in rows))
            await asyncio.sleep(0.1)

    async def pay_everything(self, hub: HubProcess) -> None:
        """Every page that is open and unpaid is paid, and its webhook arrives."""
        truth = await self.outside.truth(self.gateway.name)
        paid = {c["reference"] for c in truth["charges"] if c["status"] == self.gateway.paid}
        for reference in sorted({page["reference"] for page in truth["pages"]} - paid):
            told = await self.outside.control(self.gateway.name, "pay", reference=reference)
            await hub.ask(hint=reference, charge=told["charges"][0]["id"])

    async def quiet(self, seconds: float = 90) -> None:
        """Wait until nothing moves but what waits for a person."""
        sql = """
            SELECT (SELECT count(*) FROM effects WHERE state IN ('intended', 'sending') AND NOT EXISTS
                      (SELECT FROM effects p WHERE p.id = effects."after" AND p.state = 'unknown'))
                 + (SELECT count(*) FROM effects WHERE state = 'unknown' AND kind <> 'posting')
                 + (SELECT count(*) FROM effects WHERE state = 'unknown' AND kind = 'posting' AND looks < 2)
                 + (SELECT count(*) FROM webhooks WHERE drained_at IS NULL)
                 + (SELECT count(*) FROM lookups WHERE noticed)
                 + (SELECT count(*) FROM outbox WHERE published_at IS NULL)
                 + (SELECT count(*) FROM deliveries WHERE state = 'waiting')
        """
        deadline = asyncio.get_running_loop().time() + seconds
        calm = 0
        while calm < 3:
            busy = await self.db.fetchval(sql)
            calm = calm + 1 if busy == 0 else 0
            if asyncio.get_running_loop().time() > deadline:
                rows = await self.db.fetch(
                    "SELECT kind, state, reason, looks, due_at, claimed_by, now() FROM effects WHERE state <> 'done'"
                )
                rows += await self.db.fetch(
                    "SELECT state, wait_event, query FROM pg_stat_activity WHERE datname = current_database()"
                )
                rows += await self.db.fetch("SELECT * FROM workers")
                rows += await self.db.fetch("SELECT * FROM gates")
                raise AssertionError(f"never quiet: {busy}\n" + "\n".join(str(dict(r)) for r in rows))
            await asyncio.sleep(0.1)

    async def judge(self) -> Counter[str]:
        """Every paid charge is one receipt, one entry, at most one credit; what is missing is unknown."""
        theirs = (await self.outside.truth(self.gateway.name))["charges"]
        charges = [c for c in theirs if c["status"] == self.gateway.paid]
        receipts = await self.db.fetch("SELECT id, charge, gross_minor FROM receipts")
        assert sorted(str(c["id"]) for c in charges) == sorted(r["charge"] for r in receipts), (
            "lost or doubled"
        )
        effects = await self.db.fetch(
            "SELECT kind, receipt, reference, state FROM effects WHERE receipt IS NOT NULL"
        )
        entries = Counter(j["doc_number"] for j in (await self.outside.truth("quickbooks"))["journals"])
        credits = Counter(p["reference"] for p in (await self.outside.truth("bankone"))["postings"])
        assert max([*entries.values(), *credits.values(), 0]) <= 1, "doubled outside"
        found: Counter[str] = Counter()
        for receipt in receipts:
            mine = [e for e in effects if e["receipt"] == receipt["id"]]
            [journal] = [e for e in mine if e["kind"] == "journal"]
            [posting] = [e for e in mine if e["kind"] == "posting"]
            assert journal["state"] == "done"
            assert entries.pop(journal["reference"]) == 1
            there = credits.pop(posting["reference"], 0)
            assert there == (posting["state"] == "done"), (
                f"the bank has {there}, the effect is {posting['state']}"
            )
            found[posting["state"]] += 1
        assert not entries, "an entry that nobody ordered"
        assert not credits, "a credit that nobody ordered"
        assert await self._trail() == [], "the audit trail and the rows differ"
        return found

    async def _trail(self) -> list[Wrong]:
        """What is wrong in the audit trail; the events are held to their schemas on the way."""
        db = await asyncpg.connect(self.dsn)
        try:
            await set_codecs(db)
            await hold_to_the_catalogue(db)
            async with db.transaction(isolation="repeatable_read", readonly=True):
                return (await verified(db))[0]
        finally:
            await db.close()


@asynccontextmanager
async def world(dsn: str, bus: str = "postgres", gateway: Gateway = PAYSTACK) -> AsyncIterator[World]:
    """Simulators and a prepared database, without a hub."""
    async with simulators(gateway=gateway) as outside:
        urls = {name: running.url for name, running in outside.running.items()}
        setup = configured(urls, gateway=gateway)
        async with composition.opened(hub_settings(dsn), setup, dsn, role="prepare") as app:
            await prepare(app, outside, members=5)
        db = await asyncpg.connect(dsn)
        try:
            yield World(dsn, outside, db, bus, gateway)
        finally:
            await db.close()


@asynccontextmanager
async def killed_at_random(outside: World, kills: int, seed: int) -> AsyncIterator[None]:
    """Two hubs are killed in turn by the dice while they are asked and paid; both run, judged, for the block."""
    dice, asked = random.Random(seed), 0
    hubs = [await outside.start(), await outside.start()]
    for _ in range(kills):
        for _ in range(3):
            with contextlib.suppress(Died):
                await hubs[dice.randrange(2)].ask(accept=asked)
            asked += 1
        with contextlib.suppress(Died):
            await outside.pay_everything(hubs[0])
        await asyncio.sleep(dice.random() * 0.8)
        victim = dice.randrange(2)
        await hubs[victim].kill()
        hubs[victim] = await outside.start()
    # What was not accepted because of a kill is asked for again, under the same keys.
    for n in range(asked):
        with contextlib.suppress(Died):
            await hubs[0].ask(accept=n)
    await outside.quiet(90)
    await outside.pay_everything(hubs[0])
    await outside.quiet(90)
    found = await outside.judge()
    assert found["done"] + found["unknown"] + found["intended"] == asked
    assert found["done"] > 0
    yield
    for hub in hubs:
        await hub.end()
