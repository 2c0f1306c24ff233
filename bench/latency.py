"""Milliseconds from a webhook to a consumer of its event, and whether a backlog drains as fast as an empty queue.

Webhooks come over HTTP at a constant rate to a hub in a process of its own: stored, drained, looked up at the
simulated gateway, booked, published, and a consumer of `receipt.recorded` writes a row. Books and bank take no part.
Beside it, at the same rate, a bare aio-pika message whose consumer writes the same row; both end when the row is
written. Then so many events wait in the outbox, and relay and consumer empty it one after the other; their rates over
consecutive shares stand beside those of one such share alone, measured before and after.
Usage: python bench/latency.py [--bus rabbitmq] [--rate 100] [--seconds 20] [--backlog 20000]
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import hmac
import itertools
import json
import os
import secrets
import statistics
import string
import time
from bisect import bisect_right
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager, redirect_stderr
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import aio_pika
import aiohttp
import asyncpg
from _broker import (
    CONSUMER,
    ROW,
    SCHEMA,
    bodies,
    broker_at,
    connected,
    fill_outbox,
    made,
    read,
    virtual_host,
    write_rows,
)
from _load import percentile
from _machine import (
    Apart,
    Cores,
    apart,
    database,
    database_process,
    execute,
    outside_at,
    simulators_apart,
    this_process,
)
from rigs.gateways import PAYSTACK_SECRET
from rigs.river import Outside, configured, hub_settings
from rigs.serving import serving

from coopwire import app as composition
from coopwire.application.bells import Bells
from coopwire.bus.postgres import PostgresBus
from coopwire.bus.sessions import BrokerBus
from coopwire.connections import Configured
from coopwire.domain.events import RECEIPT_RECORDED
from coopwire.domain.timings import DEFAULT
from coopwire.monitoring import logs
from coopwire.ports.bus import Consumer
from coopwire.ports.keys import Scope
from coopwire.storage.database import PostgresDatabase, connect
from coopwire.storage.sealing import Sealer
from coopwire.transport.clock import SystemClock
from coopwire.web.api import build_api
from coopwire.web.asgi import build_app
from coopwire.web.door import Door

AMOUNT = 100_000
ACCOUNTS = 500
SENDERS = 10
SHARES = 10
WARM_SECONDS = 2.0
_POLL_S = 0.2
_PATIENCE_S = 600.0
RECEIPTS = Consumer("receipts", (RECEIPT_RECORDED,), write_rows)


@dataclass(frozen=True)
class Drained:
    """Events per second over consecutive shares, and microseconds of a core an event, of hub and database."""

    rates: Sequence[float]
    cpu_us: float


# -- from webhook to consumer -----------------------------------------------------------------------------


@asynccontextmanager
async def hub(dsn: str, urls: Mapping[str, str], broker: str | None) -> AsyncIterator[tuple[str, str]]:
    """A hub with a gateway and the one consumer; its address and an API key. Without a broker PostgreSQL is its bus."""
    settings = hub_settings(dsn, "default")
    setup = _gateway_alone(urls)
    with _unheard():
        async with composition.opened(settings, setup, dsn, role="bench") as made_:
            app = replace(made_, bus=_bus(broker, made_.database, made_.clock, RECEIPTS, made_.bells))
            parts = composition.office(app)
            secret = (
                await parts.keys.create("bench", [Scope.PAYMENTS_WRITE], "bench", app.clock.now())
            ).secret
            door = Door(app.network, app.database, app.clock, app.bells, parts.meter)
            await app.sweeper.beat()
            working = [asyncio.create_task(door.run()), asyncio.create_task(app.run())]
            async with serving(build_app(door, build_api(parts))) as url:
                yield url, secret
            app.stop()
            for one in working:
                one.cancel()


@contextmanager
def _unheard() -> Iterator[None]:
    """A hub logs while it works: that is measured with the rest, and shown to nobody."""
    logs.configure("info", "json")
    with Path(os.devnull).open("w", encoding="utf-8") as nowhere, redirect_stderr(nowhere):
        yield


def _gateway_alone(urls: Mapping[str, str]) -> Configured:
    whole = configured(urls)
    routes = replace(whole.routes, books=None, core_bank=None, lms=None, receivable_gl={}, sources={})
    return Configured({"paystack": whole.connections["paystack"]}, routes)


def _bus(
    broker: str | None, rows: PostgresDatabase, clock: SystemClock, consumer: Consumer, bells: Bells
) -> PostgresBus | BrokerBus:
    if broker is None:
        return PostgresBus(rows, clock, [consumer], bells)
    return BrokerBus(broker_at(broker, consumer), rows, clock, [consumer], bells)


class Payments:
    """Payments that were asked for at the hub, and what happens to them outside."""

    def __init__(self, web: aiohttp.ClientSession, hub_: tuple[str, str], outside: Outside) -> None:
        self._web = web
        self._url, self._secret = hub_
        self._outside = outside

    async def asked_for(self, count: int) -> list[tuple[str, str]]:
        """So many fresh ones, each with its attempt."""
        gate = asyncio.Semaphore(SENDERS)

        async def one(n: int) -> tuple[str, str]:
            async with gate:
                return await self._ask(n)

        return list(await asyncio.gather(*(one(n) for n in range(count))))

    async def pay(self, attempt: str) -> bytes:
        """The member pays; the webhook that tells of it."""
        told = await self._outside.control("paystack", "pay", reference=attempt)
        data = {"id": told["charges"][0]["id"], "reference": attempt, "status": "success", "domain": "test"}
        whole = {"event": "charge.success", "data": {**data, "amount": AMOUNT, "currency": "NGN"}}
        return json.dumps(whole).encode()

    async def tell(self, body: bytes) -> None:
        """The gateway tells the hub."""
        signature = hmac.new(PAYSTACK_SECRET.encode(), body, hashlib.sha512).hexdigest()
        headers = {"x-paystack-signature": signature}
        async with self._web.post(f"{self._url}/webhooks/paystack", data=body, headers=headers) as answer:
            assert answer.status == 200, answer.status

    async def _ask(self, n: int) -> tuple[str, str]:
        body = {
            "kind": "savings",
            "amount_minor": AMOUNT,
            "currency": "NGN",
            "payer": {"member": f"M-{n % ACCOUNTS}", "name": "A Member", "phone": "+2348000000000"},
            "account": f"SV-{n % ACCOUNTS}",
        }
        # Of letters alone: one key in some thousand of hexadecimal digits would look like a card number.
        key = "".join(secrets.choice(string.ascii_lowercase) for _ in range(20))
        headers = {"Authorization": f"Bearer {self._secret}", "Idempotency-Key": key}
        async with self._web.post(f"{self._url}/v1/payments", json=body, headers=headers) as answer:
            told = await answer.json()
            assert answer.status == 201, (answer.status, told)
            return told["payment"]["reference"], told["attempt"]


async def through_the_hub(dsn: str, payments: Payments, rate: float, seconds: float) -> list[float]:
    """Milliseconds from webhook to consumer, one for each."""
    waiting = await payments.asked_for(round(rate * seconds))
    sent: dict[str, datetime] = {}

    async def tell(n: int) -> None:
        payment, attempt = waiting[n]
        # Paid no earlier, else a look-up by schedule would find it first.
        body = await payments.pay(attempt)
        sent[payment] = datetime.now(UTC)
        await payments.tell(body)

    await _arrive(tell, len(waiting), rate)
    return await _taken(dsn, sent)


async def bare(dsn: str, broker: str, rate: float, seconds: float) -> list[float]:
    """Milliseconds from publishing a message to the row of its consumer."""
    events = made(round(rate * seconds))
    sent: dict[str, datetime] = {}
    async with connected(broker) as line, asyncpg.create_pool(dsn, min_size=10) as pool:
        channel, name = line.channel, line.table.lanes["rows"].taking.name
        messages = [
            aio_pika.Message(body, delivery_mode=aio_pika.DeliveryMode.PERSISTENT) for body in bodies(events)
        ]

        async def take(message: aio_pika.abc.AbstractIncomingMessage) -> None:
            await pool.execute(ROW, *read(message.body))
            await message.ack()

        async def tell(n: int) -> None:
            sent[str(events[n].data["payment"])] = datetime.now(UTC)
            await channel.default_exchange.publish(messages[n], name, mandatory=True)

        queue = await channel.get_queue(name)
        tag = await queue.consume(take)
        await _arrive(tell, len(events), rate)
        took = await _taken(dsn, sent)
        await queue.cancel(tag)
        return took


async def _arrive(tell: Callable[[int], Awaitable[None]], count: int, rate: float) -> None:
    """Each when its time has come, whether or not earlier ones have been answered."""
    loop = asyncio.get_running_loop()
    begun = loop.time()
    async with asyncio.TaskGroup() as group:
        for n in range(count):
            await asyncio.sleep(begun + n / rate - loop.time())
            group.create_task(tell(n))


async def _taken(dsn: str, sent: Mapping[str, datetime]) -> list[float]:
    """Wait for every row. Sender and database share the clock of one machine."""
    db = await asyncpg.connect(dsn)
    try:
        await _until(db, "SELECT count(*) = $1 FROM heard", len(sent))
        rows = await db.fetch("SELECT payment, at FROM heard")
    finally:
        await db.close()
    return [(row["at"] - sent[row["payment"]]).total_seconds() * 1000 for row in rows]


async def _until(db: asyncpg.Connection, sql: str, *values: object) -> None:
    deadline = time.monotonic() + _PATIENCE_S
    while not await db.fetchval(sql, *values):
        assert time.monotonic() < deadline, "events are missing"
        await asyncio.sleep(_POLL_S)


async def latency(dsn: str, broker: str, hub_: Apart, simulators: Apart, rate: float, seconds: float) -> None:
    """Both sides at this rate; prints percentiles and their ratio."""
    # The hub closes what is idle for five seconds, as servers do.
    connector = aiohttp.TCPConnector(limit=0, keepalive_timeout=2)
    async with aiohttp.ClientSession(connector=connector) as web:
        payments = Payments(web, hub_.told, outside_at(simulators.told, web))
        sides: dict[str, Callable[[float], Awaitable[list[float]]]] = {
            "bare": lambda length: bare(dsn, broker, rate, length),
            "hub": lambda length: through_the_hub(dsn, payments, rate, length),
        }
        medians = {}
        for name, side in sides.items():
            for length in (min(seconds, WARM_SECONDS), seconds):
                await execute(dsn, "TRUNCATE heard")
                cores = Cores(
                    {
                        "hub": hub_.pid,
                        "database": database_process(),
                        "simulators": simulators.pid,
                        "load": this_process(),
                    }
                )
                took = await side(length)
            medians[name] = percentile(took, 50)
            told = f"p50 {medians[name]:.1f} ms, p99 {percentile(took, 99):.1f} ms"
            print(f"{name} at {rate:g}/s: {told}; of a core: {cores.told()}", flush=True)
    print(f"ratio latency: {medians['hub'] / medians['bare']:.2f}")


# -- a backlog --------------------------------------------------------------------------------------------


async def drain(dsn: str, broker: str | None, count: int, shares: int) -> tuple[Drained, Drained]:
    """So many events leave the outbox, and then a consumer takes them: what the relay did, and the consumer."""
    await execute(dsn, "TRUNCATE heard, outbox, deliveries")
    rows = await connect(dsn, Sealer([bytes(32)]))
    clock, bells = SystemClock(await rows.now(), DEFAULT), Bells()
    db = await asyncpg.connect(dsn)
    try:
        events = made(count)
        await fill_outbox(rows, events)
        cores = _cores()
        await _relay_all(rows, clock, broker)
        relayed = Drained(await _rates(db, "outbox", "published_at", shares), _cpu_us(cores, count))
        cores = _cores()
        consuming = asyncio.create_task(_bus(broker, rows, clock, CONSUMER, bells).run())
        # Looking for the last one costs nothing; counting all would cost the more, the more are done.
        await _until(db, "SELECT EXISTS (SELECT FROM heard WHERE event = $1)", events[-1].id)
        await _until(db, "SELECT count(*) = $1 FROM heard", count)
        used = _cpu_us(cores, count)
        bells.close()
        await consuming
        return relayed, Drained(await _rates(db, "heard", "at", shares), used)
    finally:
        await db.close()
        await rows.close()


def _cores() -> Cores:
    return Cores({"hub": this_process(), "database": database_process()})


def _cpu_us(cores: Cores, events: int) -> float:
    used = cores.seconds()
    return 1e6 * (used["hub"] + used["database"]) / events


async def _relay_all(rows: PostgresDatabase, clock: SystemClock, broker: str | None) -> None:
    if broker is None:
        bus = PostgresBus(rows, clock, [CONSUMER], Bells())
        while await bus.relay():
            pass
        return
    async with connected(broker) as line:
        relay = line.relay(rows, clock)
        while (await relay.relay())[0]:
            pass


async def _rates(db: asyncpg.Connection, table: str, at: str, shares: int) -> list[float]:
    """From mark to mark; what was done at the first moment is what the clock starts with."""
    moments = [row[0] for row in await db.fetch(f"SELECT {at} FROM {table} ORDER BY {at}")]
    marks = [moments[max(len(moments) * n // shares - 1, 0)] for n in range(shares + 1)]
    return [
        (bisect_right(moments, end) - bisect_right(moments, begin)) / (end - begin).total_seconds()
        for begin, end in itertools.pairwise(marks)
    ]


async def backlog(dsn: str, broker: str | None, count: int) -> None:
    """A share alone, the backlog, a share alone; prints the rates and the ratios of the backlog's to the others'.

    The time of the processor beside them says the same on a machine that others use too.
    """
    await drain(dsn, broker, count // SHARES, 1)
    before = await drain(dsn, broker, count // SHARES, 1)
    whole = await drain(dsn, broker, count, SHARES)
    after = await drain(dsn, broker, count // SHARES, 1)
    ratios = {}
    for name, one, many, other in zip(("relay", "consumer"), before, whole, after, strict=True):
        alone, cpu = statistics.mean((*one.rates, *other.rates)), statistics.mean((one.cpu_us, other.cpu_us))
        ratios[name] = statistics.median(many.rates) / alone
        told = " ".join(f"{rate / alone:.2f}" for rate in many.rates)
        print(f"{name}: {alone:.0f}/s with {count // SHARES} events; {count} in shares: {told}")
        print(f"{name}: {cpu:.0f} µs of a core an event, with {count}: {many.cpu_us:.0f} µs", flush=True)
    for name, ratio in ratios.items():
        print(f"ratio backlog {name}: {ratio:.2f}")


def main() -> None:
    """Set up, measure, clean up."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--bus", choices=("rabbitmq", "postgres"), default="rabbitmq")
    parser.add_argument("--rate", type=float, default=100.0, help="webhooks per second")
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--backlog", type=int, default=20_000, help="events that wait")
    given = parser.parse_args()
    logs.configure("warning", "json")
    with database() as dsn, virtual_host() as broker:
        bus = broker if given.bus == "rabbitmq" else None
        asyncio.run(execute(dsn, SCHEMA))
        with simulators_apart() as outside, apart(hub, dsn, outside.told, bus) as hub_:
            asyncio.run(latency(dsn, broker, hub_, outside, given.rate, given.seconds))
        asyncio.run(backlog(dsn, bus, given.backlog))


if __name__ == "__main__":
    main()
