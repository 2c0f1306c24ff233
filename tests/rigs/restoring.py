"""What tests of a restore share: a backup, the hub that is made of it, and time that everybody agrees on."""

from __future__ import annotations

import asyncio
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from rigs.gateways import PAYSTACK, Gateway
from rigs.river import Outside, River, configured, hub_settings, prepare

from coopwire import app as composition
from coopwire.application.recovering import Recovered
from coopwire.storage.embedded.binaries import installed
from coopwire.transport.clock import SystemClock

LAGOS = ZoneInfo("Africa/Lagos")
ACTOR = "a test"
PATIENCE = timedelta(seconds=25)


def backup(dsn: str, file: Path) -> None:
    """A real backup, by the server's own tool."""
    subprocess.run([installed().bin / "pg_dump", "--format=custom", f"--file={file}", dsn], check=True)


def restore(file: Path, dsn: str) -> None:
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
async def hub_on(
    dsn: str,
    outside: Outside,
    *,
    sends: bool = True,
    fresh: bool = False,
    at: datetime | None = None,
    gateway: Gateway = PAYSTACK,
) -> AsyncIterator[River]:
    """A hub on this database beside these systems; one that does not send only looks."""
    urls = {name: running.url for name, running in outside.running.items()}
    clock_of = SystemClock if at is None else lambda _, lengths: SystemClock(at, lengths)
    async with composition.opened(
        hub_settings(dsn), configured(urls, gateway=gateway), dsn, role="test", clock_of=clock_of
    ) as app:
        if fresh:
            await prepare(app, outside)
        await app.sweeper.beat()
        loops = asyncio.create_task(app.run() if sends else app.look())
        try:
            yield River(app, outside, gateway)
        finally:
            app.stop()
            await loops


async def recovered(hub: River, since: datetime, until: datetime) -> Recovered:
    """What a recovery over these hours finds."""
    return await composition.recovery(hub.app).recover(since, until, ACTOR, patience=PATIENCE)
