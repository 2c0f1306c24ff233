"""Events per second from the outbox to a quorum queue with confirms, beside a bare aio-pika loop with the same window.

Both sides publish the same bytes, persistent, mandatory and confirmed, over one channel, and wait for each window. The
hub reads its events from the outbox of an embedded PostgreSQL, lays down their deliveries and marks them; the bare
loop has them in memory and remembers nothing.
Usage: python bench/relay.py [--events 10000] [--runs 5]
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import time
from collections.abc import Sequence

import aio_pika
from _broker import WINDOW, Line, bodies, connected, fill_outbox, made, virtual_host
from _machine import Cores, database, database_process, execute, this_process

from coopwire.domain.events import Event
from coopwire.domain.timings import DEFAULT
from coopwire.storage.database import PostgresDatabase, connect
from coopwire.storage.sealing import Sealer
from coopwire.transport.clock import SystemClock


async def relayed(rows: PostgresDatabase, broker: Line, events: Sequence[Event]) -> float:
    """Seconds in which the hub's relay empties the outbox."""
    await fill_outbox(rows, events)
    relay = broker.relay(rows, SystemClock(await rows.now(), DEFAULT))
    begun = time.perf_counter()
    assert await relay.relay() == (len(events), 0)
    return time.perf_counter() - begun


async def published(broker: Line, bodies: Sequence[bytes]) -> float:
    """Seconds in which a loop without an outbox publishes the same."""
    queue = broker.table.lanes["rows"].taking.name
    exchange = broker.channel.default_exchange
    begun = time.perf_counter()
    for first in range(0, len(bodies), WINDOW):
        window = bodies[first : first + WINDOW]
        messages = [aio_pika.Message(body, delivery_mode=aio_pika.DeliveryMode.PERSISTENT) for body in window]
        await asyncio.gather(*(exchange.publish(message, queue, mandatory=True) for message in messages))
    return time.perf_counter() - begun


async def emptied(broker: Line) -> None:
    """Nothing of an earlier round is left on the broker."""
    queue = await broker.channel.get_queue(broker.table.lanes["rows"].taking.name)
    await queue.purge()


async def measure(dsn: str, address: str, count: int, runs: int) -> None:
    """Alternate the sides; print medians and the ratio."""
    rows = await connect(dsn, Sealer([bytes(32)]))
    ratios, ours, theirs = [], [], []
    cores = Cores({"this process": this_process(), "database": database_process()})
    try:
        async with connected(address) as broker:
            for n in range(runs):
                events = made(count)
                theirs.append(count / await published(broker, bodies(events)))
                await emptied(broker)
                ours.append(count / await relayed(rows, broker, events))
                await emptied(broker)
                await execute(dsn, "TRUNCATE outbox, deliveries")
                ratios.append(ours[-1] / theirs[-1])
                print(
                    f"run {n + 1}: hub {ours[-1]:.0f}/s, bare {theirs[-1]:.0f}/s, ratio {ratios[-1]:.2f}",
                    flush=True,
                )
    finally:
        await rows.close()
    print(f"cores: {cores.told()}")
    print(f"events per second: hub {statistics.median(ours):.0f}, bare {statistics.median(theirs):.0f}")
    print(f"ratio relay: {statistics.median(ratios):.2f}")


def main() -> None:
    """Set up, measure, clean up."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--events", type=int, default=10_000)
    parser.add_argument("--runs", type=int, default=5)
    given = parser.parse_args()
    with database() as dsn, virtual_host() as address:
        asyncio.run(measure(dsn, address, given.events, given.runs))


if __name__ == "__main__":
    main()
