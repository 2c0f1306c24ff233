"""Workers that share breakers over a real database, each with its own connections, under one moved clock."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import asyncpg

from coopwire.conformance.clock import ManualClock
from coopwire.domain.breakers import Breaker, BreakerState
from coopwire.domain.gates import Traffic
from coopwire.domain.timings import DEFAULT, Timings
from coopwire.ports.breakers import Heard, Told
from coopwire.storage.breaker_exchange import BreakerRows
from coopwire.storage.database import PostgresDatabase, connect
from coopwire.storage.sealing import Sealer
from coopwire.transport.shared_board import SharedBoard

CORE, WRITE, READ = "core", Traffic.WRITE, Traffic.READ
OPEN_FOR = DEFAULT.breaker_open


@dataclass
class Line:
    """The way to the database, which a test can cut."""

    rows: BreakerRows
    cut: bool = False

    async def exchange(
        self, worker: str, told: Told, now: datetime, counted_from: datetime, probe_until: datetime
    ) -> Heard:
        """As the rows do it, unless the line is cut."""
        if self.cut:
            raise ConnectionRefusedError("the database is away")
        return await self.rows.exchange(worker, told, now, counted_from, probe_until)


@dataclass
class Worker:
    """One worker with its board, and the turns that the board told."""

    board: SharedBoard
    line: Line
    clock: ManualClock
    turns: list[Breaker] = field(default_factory=list)

    def note(self, *answered: bool, traffic: Traffic = WRITE) -> None:
        """Calls ended."""
        for ok in answered:
            self.board.note(CORE, traffic, ok, self.clock.now())

    def passes(self, traffic: Traffic = WRITE) -> bool:
        """Whether a call may be sent; takes the probe if it is given."""
        return self.board.may_pass(CORE, traffic, self.clock.now())

    def state(self, traffic: Traffic = WRITE) -> BreakerState:
        """How the breaker stands for this worker."""
        return self.board.state(CORE, traffic, self.clock.now())

    async def probes(self) -> bool:
        """Ask for the probe, exchange, and try again: whether it passes."""
        if self.passes():
            return True
        await self.board.exchange()
        return self.passes()


@dataclass
class Team:
    """Workers of one deployment."""

    workers: list[Worker]
    clock: ManualClock
    database: PostgresDatabase

    async def meet(self) -> None:
        """Everybody tells, then everybody hears."""
        for _ in range(2):
            for worker in self.workers:
                await worker.board.exchange()

    async def wait(self, length: timedelta) -> None:
        """Time passes, and the workers have not stopped hearing of each other."""
        self.clock.advance(length)
        await self.meet()

    async def value(self, sql: str, *values: object) -> object:
        """One value from the database."""
        return await self.database.pool.fetchval(sql, *values)

    async def break_it(self) -> None:
        """The first worker sees it fail until it opens, and all hear of it."""
        self.workers[0].note(*[False] * 11)
        await self.meet()


@asynccontextmanager
async def team(
    dsn: str, size: int = 2, board: type[SharedBoard] = SharedBoard, timings: Timings = DEFAULT
) -> AsyncIterator[Team]:
    """So many workers with boards of this class on the database, which have heard of each other."""
    clock = ManualClock(timings=timings)
    database = await connect(dsn, Sealer([b"k" * 32]), size=4)
    workers = []
    try:
        for n in range(size):
            line, turns = Line(BreakerRows(database.pool)), list[Breaker]()
            workers.append(Worker(board(f"worker-{n}", line, clock, turns.append), line, clock, turns))
        made = Team(workers, clock, database)
        await made.meet()
        yield made
    finally:
        await database.close()


async def empty(dsn: str) -> None:
    """Forget every breaker of this database."""
    connection = await asyncpg.connect(dsn)
    try:
        await connection.execute("TRUNCATE breakers, breaker_buckets, gates")
    finally:
        await connection.close()
