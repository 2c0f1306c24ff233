"""Events per second that a consumer takes from a quorum queue, each with one row written once, beside four others.

The hub takes groups: dedupe, handler and the mark in one transaction. Beside it, on the same broker and the same
PostgreSQL: a bare aio-pika consumer that writes the same row and acknowledges, and Dramatiq and Celery workers with
the same job. A side's rate is taken from its own rows, first to last, so the start of its processes does not count.
Usage: python bench/consume.py [--events 10000] [--runs 3]
"""

from __future__ import annotations

import argparse
import asyncio
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import aio_pika
import asyncpg
from _broker import (
    CONSUMER,
    ROW,
    SCHEMA,
    WINDOW,
    bodies,
    broker_at,
    connected,
    fill_outbox,
    made,
    read,
    virtual_host,
)
from _machine import database, execute

from coopwire.application.bells import Bells
from coopwire.bus.sessions import BrokerBus
from coopwire.domain.events import Event
from coopwire.domain.timings import DEFAULT
from coopwire.storage.database import connect
from coopwire.storage.sealing import Sealer
from coopwire.transport.clock import SystemClock

_POLL_S = 0.05
_PATIENCE_S = 120.0
_RATE = "SELECT count(*) / extract(epoch FROM max(at) - min(at)) FROM heard"
_JOBS = Path(__file__).with_name("_jobs.py")


class Side:
    """Where a round happens."""

    def __init__(self, dsn: str, address: str) -> None:
        self.dsn = dsn
        self.address = address

    async def rate(self, count: int) -> float:
        """Wait until all rows are there; rows per second."""
        looking = await asyncpg.connect(self.dsn)
        try:
            deadline = time.monotonic() + _PATIENCE_S
            while await looking.fetchval("SELECT count(*) FROM heard") < count:
                assert time.monotonic() < deadline, "rows are missing"
                await asyncio.sleep(_POLL_S)
            return float(await looking.fetchval(_RATE))
        finally:
            await looking.close()


async def hub(side: Side, events: Sequence[Event]) -> float:
    """The hub's consumer over a full queue."""
    rows = await connect(side.dsn, Sealer([bytes(32)]))
    clock, bells = SystemClock(await rows.now(), DEFAULT), Bells()
    try:
        await fill_outbox(rows, events)
        async with connected(side.address) as broker:
            relay = broker.relay(rows, clock)
            while (await relay.relay())[0]:
                pass
        bus = asyncio.create_task(BrokerBus(broker_at(side.address), rows, clock, [CONSUMER], bells).run())
        rate = await side.rate(len(events))
        bells.close()
        await bus
        return rate
    finally:
        await rows.close()


async def bare(side: Side, events: Sequence[Event]) -> float:
    """A consumer without an engine: read, insert, acknowledge."""
    async with connected(side.address) as broker, asyncpg.create_pool(side.dsn, min_size=10) as pool:
        channel, name = broker.channel, broker.table.lanes["rows"].taking.name
        for first in range(0, len(events), WINDOW):
            messages = map(aio_pika.Message, bodies(events[first : first + WINDOW]))
            await asyncio.gather(*(channel.default_exchange.publish(one, name) for one in messages))
        await channel.set_qos(prefetch_count=WINDOW)
        queue = await channel.get_queue(name)

        async def take(message: aio_pika.abc.AbstractIncomingMessage) -> None:
            await pool.execute(ROW, *read(message.body))
            await message.ack()

        tag = await queue.consume(take)
        rate = await side.rate(len(events))
        await queue.cancel(tag)
        return rate


async def dramatiq(side: Side, events: Sequence[Event]) -> float:
    """A Dramatiq worker of one process with its own eight threads."""
    return await _others(
        side, events, "dramatiq", [sys.executable, "-m", "dramatiq", "_jobs", "--processes", "1"]
    )


async def celery(side: Side, events: Sequence[Event]) -> float:
    """A Celery worker with eight threads."""
    words = ["-m", "celery", "--app", "_jobs:celery_app", "worker", "--pool", "threads", "--concurrency", "8"]
    return await _others(side, events, "celery", [sys.executable, *words, "--loglevel", "error"])


async def _others(side: Side, events: Sequence[Event], name: str, worker: Sequence[str]) -> float:
    environment = {**os.environ, "BENCH_DSN": side.dsn, "BENCH_BROKER": side.address, "BENCH_SIDE": name}
    told = [sys.executable, str(_JOBS), str(len(events))]
    await asyncio.to_thread(subprocess.run, told, env=environment, check=True, cwd=_JOBS.parent)
    with _running(worker, environment):
        return await side.rate(len(events))


@contextmanager
def _running(words: Sequence[str], environment: Mapping[str, str]) -> Iterator[None]:
    quiet = subprocess.DEVNULL
    process = subprocess.Popen(words, env=environment, cwd=_JOBS.parent, stdout=quiet, stderr=quiet)
    try:
        yield
    finally:
        process.terminate()
        try:
            process.wait(15)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


SIDES: Mapping[str, Callable[[Side, Sequence[Event]], Awaitable[float]]] = {
    "hub": hub,
    "bare": bare,
    "dramatiq": dramatiq,
    "celery": celery,
}


async def measure(side: Side, count: int, runs: int) -> None:
    """Alternate the sides; print medians and the ratios."""
    rates: dict[str, list[float]] = {name: [] for name in SIDES}
    await execute(side.dsn, SCHEMA)
    for n in range(runs):
        for name, round_ in SIDES.items():
            await execute(side.dsn, "TRUNCATE heard, outbox, deliveries")
            rates[name].append(await round_(side, made(count)))
        told = ", ".join(f"{name} {found[-1]:.0f}/s" for name, found in rates.items())
        print(f"run {n + 1}: {told}", flush=True)
    median = {name: statistics.median(found) for name, found in rates.items()}
    print("events per second: " + ", ".join(f"{name} {rate:.0f}" for name, rate in median.items()))
    print(f"ratio to bare: {_ratio(rates, 'bare'):.2f}")
    better = max(("dramatiq", "celery"), key=lambda name: median[name])
    print(f"ratio to {better}: {_ratio(rates, better):.2f}")


def _ratio(rates: Mapping[str, Sequence[float]], other: str) -> float:
    return statistics.median(a / b for a, b in zip(rates["hub"], rates[other], strict=True))


def main() -> None:
    """Set up, measure, clean up."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--events", type=int, default=10_000)
    parser.add_argument("--runs", type=int, default=3)
    given = parser.parse_args()
    with database() as dsn, virtual_host() as address:
        asyncio.run(measure(Side(dsn, address), given.events, given.runs))


if __name__ == "__main__":
    main()
