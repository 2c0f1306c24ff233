"""Milliseconds that `POST /v1/payments` adds to the gateway call that it makes, at a constant rate of arrivals.

The hub runs as `coopwire serve` does, in its own process, the simulators in another. Requests are sent when their
time has come, whether or not earlier ones are answered; the bare side opens a page at the gateway directly.
Usage: python bench/overhead.py [--runs 5] [--seconds 10] [--rate 50]
"""

from __future__ import annotations

import argparse
import asyncio
import secrets
import statistics
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import aiohttp
from _load import percentile
from _machine import (
    Apart,
    Cores,
    apart,
    database,
    database_process,
    outside_at,
    simulators_apart,
    this_process,
)
from rigs.gateways import PAYSTACK_SECRET
from rigs.river import configured, hub_settings, prepare

from coopwire import app as composition
from coopwire.ports.keys import Scope

MEMBERS = 50
AMOUNT = 5_250_000
PATIENCE = aiohttp.ClientTimeout(total=30)


# -- the two sides ----------------------------------------------------------------------------------------


@asynccontextmanager
async def hub(dsn: str, urls: Mapping[str, str]) -> AsyncIterator[tuple[str, str]]:
    """The whole hub with its loops; its address and an API key."""
    settings = hub_settings(dsn, "default").model_copy(update={"port": 0})
    setup = configured(urls)
    async with composition.opened(settings, setup, dsn, role="bench") as app, aiohttp.ClientSession() as web:
        await prepare(app, outside_at(urls, web), MEMBERS)
        keys = composition.office(app).keys
        secret = (await keys.create("benchmark", [Scope.PAYMENTS_WRITE], "benchmark", app.clock.now())).secret
    listening: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    serving = asyncio.create_task(composition.run_server(settings, setup, dsn, listening.set_result))
    yield await listening, secret
    serving.cancel()


Ask = Callable[[int], Awaitable[None]]
"""Sends the n-th request and waits for its whole answer."""


def through_the_hub(web: aiohttp.ClientSession, url: str, secret: str) -> Ask:
    """A repayment asked for at the hub."""
    now = datetime.now(UTC).replace(microsecond=0)
    parts = (("D1", "penalty", 150_000), ("D2", "interest", 1_100_000), ("D3", "principal", 4_000_000))
    due_on = (now + timedelta(days=7)).date().isoformat()
    lines = [{"id": i, "component": c, "amount_minor": a, "due_on": due_on} for i, c, a in parts]

    async def ask(n: int) -> None:
        payer = {"member": f"M-{1029 + n % MEMBERS}", "name": "A Member", "phone": "+2348000000000"}
        body = {
            "kind": "loan_repayment",
            "amount_minor": AMOUNT,
            "currency": "NGN",
            "payer": payer,
            "loan": f"LN-{n % MEMBERS}",
            "dues": {"as_of": now.isoformat(), "version": "1", "lines": lines},
        }
        headers = {"Authorization": f"Bearer {secret}", "Idempotency-Key": secrets.token_hex(16)}
        async with web.post(f"{url}/v1/payments", json=body, headers=headers) as answer:
            told = await answer.json()
            assert answer.status == 201, (answer.status, told)

    return ask


def at_the_gateway(web: aiohttp.ClientSession, url: str) -> Ask:
    """The call that the hub makes for it."""
    headers = {"Authorization": f"Bearer {PAYSTACK_SECRET}"}

    async def ask(n: int) -> None:
        body = {"email": f"m-{n}@example.com", "amount": AMOUNT, "reference": secrets.token_hex(10)}
        async with web.post(f"{url}/transaction/initialize", json=body, headers=headers) as answer:
            told = await answer.json()
            assert answer.status == 200, (answer.status, told)

    return ask


# -- measuring --------------------------------------------------------------------------------------------


async def arrive(ask: Ask, rate: float, seconds: float) -> list[float]:
    """Send at a constant rate; milliseconds until each answer."""
    took: list[float] = []
    loop = asyncio.get_running_loop()
    begun = loop.time()

    async def one(n: int) -> None:
        sent = time.perf_counter()
        await ask(n)
        took.append((time.perf_counter() - sent) * 1000)

    async with asyncio.TaskGroup() as group:
        for n in range(round(rate * seconds)):
            await asyncio.sleep(begun + n / rate - loop.time())
            group.create_task(one(n))
    return took


@dataclass
class Found:
    """What the pairs of runs gave, in milliseconds."""

    p50: list[float] = field(default_factory=list)
    p99: list[float] = field(default_factory=list)
    ratio: list[float] = field(default_factory=list)

    def add(self, ours: Sequence[float], bare: Sequence[float]) -> None:
        """One pair."""
        self.p50.append(percentile(ours, 50) - percentile(bare, 50))
        self.p99.append(percentile(ours, 99) - percentile(bare, 99))
        self.ratio.append(percentile(ours, 50) / percentile(bare, 50))


async def measure(hub_: Apart, simulators: Apart, runs: int, seconds: float, rate: float) -> None:
    """Alternate the two sides and print medians of the paired differences."""
    url, secret = hub_.told
    processes = {"hub": hub_.pid, "database": database_process(), "simulators": simulators.pid}
    found = Found()
    async with aiohttp.ClientSession(timeout=PATIENCE, connector=aiohttp.TCPConnector(limit=0)) as web:
        ours, bare = through_the_hub(web, url, secret), at_the_gateway(web, simulators.told["paystack"])
        for side in (ours, bare):
            await arrive(side, rate, min(seconds, 2))
        for n in range(runs):
            by_gateway = await arrive(bare, rate, seconds)
            cores = Cores({**processes, "load": this_process()})
            by_hub = await arrive(ours, rate, seconds)
            used = cores.told()
            found.add(by_hub, by_gateway)
            print(
                f"run {n + 1}: hub {_told(by_hub)}; bare {_told(by_gateway)}; of a core: {used}", flush=True
            )
    print(f"overhead p50: {statistics.median(found.p50):.1f} ms")
    print(f"overhead p99: {statistics.median(found.p99):.1f} ms")
    print(f"ratio overhead: {statistics.median(found.ratio):.2f}")


def _told(took: Sequence[float]) -> str:
    return f"p50 {percentile(took, 50):.1f} ms, p99 {percentile(took, 99):.1f} ms"


def main() -> None:
    """Set up, measure, clean up."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--rate", type=float, default=50.0, help="requests per second")
    given = parser.parse_args()
    with database() as dsn, simulators_apart() as outside, apart(hub, dsn, outside.told) as hub_:
        asyncio.run(measure(hub_, outside, given.runs, given.seconds, given.rate))


if __name__ == "__main__":
    main()
