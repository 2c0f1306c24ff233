"""Receipts per second from webhook to booked and banked, beside a hand-written pipeline without an engine.

Both sides run in this process against the same simulators (in a process of their own) and the same embedded
PostgreSQL, and do the same calls: look-up, journal, credit, and two callbacks. Rate budgets are off. A first run
of the hub, not timed, counts what it asks of the database. With --old the hub runs instead on a database with so many
old receipts, beside an empty one.
Usage: python bench/river.py [--receipts 3000] [--runs 5] [--old RECEIPTS] | --soak MINUTES
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import json
import math
import os
import secrets
import statistics
import time
from collections import Counter, deque
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, redirect_stderr
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import aiohttp
import asyncpg
from _counting import Counts, counting
from _machine import (
    Cores,
    database,
    database_process,
    execute,
    memory,
    outside_at,
    simulators_apart,
    this_process,
)
from _old import give_past
from _sampling import hub_stages, sampling
from rigs.river import LMS_SECRET, Outside, configured, hub_settings, link_core_account, prepare
from sqlalchemy.engine import make_url

from coopwire import app as composition
from coopwire.domain.timings import DEFAULT
from coopwire.monitoring import logs
from coopwire.ports.stores import Delivered
from coopwire.transport.signatures import StandardWebhooks

MEMBERS = 500
AMOUNT = 100_000
SENDERS = 20
COUNTED = 500
"""Receipts of the run that counts statements and commits."""
ASKED = 20
"""Receipts of which the database is asked at a time whether they are done; they end about in the order fed."""
BATCH, BATCHES = 50, 12
"""Receipts that a soak feeds at a time, and how many batches are under way together."""
WARM_UP = 60.0
"""Seconds of a soak that its trend leaves out."""
FALL = 10.0
"""Per cent over a whole soak from which the rate is said to have fallen."""
FULL = 85.0
"""Per cent of a core from which it is said to be full."""
PAYSTACK_KEY = "Bearer sk_test_simulated"


@dataclass(frozen=True)
class Figure:
    """One run: receipts per second, CPU milliseconds a receipt and per cent of a core by process, memory in MiB."""

    rate: float
    cpu_ms: Mapping[str, float]
    cores: Mapping[str, float]
    memory: float


class Meter:
    """Measures a run from its making."""

    def __init__(self, processes: Mapping[str, int]) -> None:
        self._cores = Cores(processes)
        self._begun = time.perf_counter()

    def figure(self, receipts: int) -> Figure:
        """What so many receipts took."""
        took = time.perf_counter() - self._begun
        cpu_ms = {name: used / receipts * 1000 for name, used in self._cores.seconds().items()}
        return Figure(receipts / took, cpu_ms, self._cores.percent(), memory(this_process()))


# -- the outside ------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Charge:
    """A page that was paid at the gateway."""

    reference: str
    charge: int


async def paid_pages(outside: Outside, references: Sequence[str]) -> list[Charge]:
    """Open and pay a page for each reference."""
    base = outside.running["paystack"].url
    gate = asyncio.Semaphore(SENDERS)

    async def one(reference: str) -> Charge:
        async with gate:
            body = {"email": "m@example.com", "amount": AMOUNT, "reference": reference}
            headers = {"Authorization": PAYSTACK_KEY}
            async with outside.web.post(
                f"{base}/transaction/initialize", json=body, headers=headers
            ) as answer:
                assert answer.status == 200
            told = await outside.control("paystack", "pay", reference=reference)
            return Charge(reference, told["charges"][0]["id"])

    return list(await asyncio.gather(*(one(r) for r in references)))


# -- the hub ----------------------------------------------------------------------------------------------

_SEED = """
WITH new AS (
    SELECT r.reference, r.attempt, 'M-' || (1029 + r.n % $3) AS member, r.n
    FROM unnest($1::text[], $2::text[]) WITH ORDINALITY AS r(reference, attempt, n)
), p AS (
    INSERT INTO payments (reference, kind, amount_minor, currency, member, loan, account_key, dues, state,
        allocation, core_account, metadata, created_at, updated_at)
    SELECT n.reference, 'loan_repayment', $4, 'NGN', n.member, 'LN-' || n.reference, 'loan:LN-' || n.reference,
        $5, 'pending', 'hub', a.id, '{}', now(), now()
    FROM new n JOIN core_accounts a ON a.member = n.member
)
INSERT INTO attempts (reference, payment, connection, amount_minor, currency, state, created_at, updated_at)
SELECT attempt, reference, 'paystack', $4, 'NGN', 'pending', now(), now() FROM new
"""


def _dues() -> dict[str, object]:
    now = datetime.now(UTC)
    line = {"component": "interest", "amount_minor": 20_000, "due_on": "2026-11-20", "id": "D1"}
    rest = {"component": "principal", "amount_minor": 900_000, "due_on": "2026-11-20", "id": "D2"}
    until = now.replace(year=now.year + 1)
    return {"as_of": now.isoformat(), "version": "1", "valid_until": until.isoformat(), "lines": [line, rest]}


def _webhook(charge: Charge) -> bytes:
    data = {"id": charge.charge, "reference": charge.reference, "status": "success", "domain": "test"}
    return json.dumps(
        {"event": "charge.success", "data": {**data, "amount": AMOUNT, "currency": "NGN"}}
    ).encode()


@dataclass(frozen=True)
class Batch:
    """Payments that members have paid, and the webhooks that tell of it."""

    attempts: Sequence[str]
    charges: Sequence[Charge]


class Hub:
    """A running hub in this process; `watch` is a pool of its own, so that watching is not counted."""

    def __init__(self, app: Any, outside: Outside, watch: Any) -> None:
        self.app = app
        self.watch = watch
        self._outside = outside

    async def paid(self, receipts: int) -> Batch:
        """Fresh payments, with pages that are paid at the gateway."""
        references = [f"pay{secrets.token_hex(8)}" for _ in range(receipts)]
        attempts = [f"att{secrets.token_hex(8)}" for _ in range(receipts)]
        charges = await paid_pages(self._outside, attempts)
        await self.watch.execute(_SEED, references, attempts, MEMBERS, AMOUNT, json.dumps(_dues()))
        return Batch(attempts, charges)

    async def feed(self, batch: Batch) -> None:
        """Webhooks arrive in the door's groups."""
        for start in range(0, len(batch.charges), 50):
            now = self.app.clock.now()
            group = [
                Delivered("paystack", secrets.token_bytes(32), _webhook(charge), now)
                for charge in batch.charges[start : start + 50]
            ]
            await self.app.database.accept(group)
            self.app.bells.ring("webhooks")

    async def until_done(self, batch: Batch) -> None:
        """Wait until every receipt is booked, banked and told twice; asks for few at a time, to cost little."""
        waiting = deque(batch.attempts)
        while waiting:
            asked = [waiting.popleft() for _ in range(min(ASKED, len(waiting)))]
            done = {row["reference"] for row in await self.watch.fetch(_DONE, asked)}
            left = [reference for reference in asked if reference not in done]
            waiting.extendleft(reversed(left))
            if left:
                await asyncio.sleep(0.2)


_DONE = """
SELECT r.reference FROM receipts r WHERE r.reference = ANY($1::text[]) AND
    (SELECT count(*) FROM effects e WHERE e.receipt = r.id AND e.state = 'done') = 4
"""


@asynccontextmanager
async def running_hub(dsn: str, outside: Outside) -> AsyncIterator[Hub]:
    """A hub with all its loops, ended in good order."""
    urls = {name: running.url for name, running in outside.running.items()}
    # Two busy cores starve the heart now and then; that is not what is measured.
    timings = replace(DEFAULT, worker_lost_after=DEFAULT.worker_lost_after * 4)
    async with composition.opened(
        hub_settings(dsn), configured(urls), dsn, role="bench", concurrency=SENDERS, timings=timings
    ) as app:
        await _prepared(app, outside)
        await app.sweeper.beat()
        running = asyncio.create_task(app.run())
        watch = await asyncpg.create_pool(dsn, min_size=1, max_size=BATCHES)
        try:
            yield Hub(app, outside, watch)
        finally:
            await watch.close()
            app.stop()
            await running


async def _prepared(app: Any, outside: Outside) -> None:
    if await app.database.pool.fetchval("SELECT count(*) FROM core_accounts") == 0:
        await prepare(app, outside)
        accounts = [{"nuban": f"{1_200_000_000 + n}", "name": f"Member {n}"} for n in range(MEMBERS)]
        await outside.control("bankone", "accounts", accounts=accounts)
        for n, account in enumerate(accounts):
            await link_core_account(app, f"M-{1029 + n}", account["nuban"])


async def hub_run(
    dsn: str, outside: Outside, receipts: int, processes: Mapping[str, int]
) -> tuple[Figure, Counter[str]]:
    """One run of the hub over fresh payments, and where in it the processor was seen."""
    async with running_hub(dsn, outside) as hub:
        batch = await hub.paid(receipts)
        meter = Meter(processes)
        with sampling(hub_stages()) as stages:
            await hub.feed(batch)
            await hub.until_done(batch)
        return meter.figure(receipts), stages


async def counted_run(dsn: str, outside: Outside, receipts: int) -> Counts:
    """What the hub asks of the database for so many receipts, from webhook to told."""
    async with running_hub(dsn, outside) as hub:
        batch = await hub.paid(receipts)
        async with counting(hub.app.database.pool, hub.watch) as counts:
            await hub.feed(batch)
            await hub.until_done(batch)
        return counts


# -- the hand-written pipeline ----------------------------------------------------------------------------


async def plain_run(dsn: str, outside: Outside, receipts: int, processes: Mapping[str, int]) -> Figure:
    """The same calls and rows by hand: a task per sender, a transaction per step, no engine around it."""
    charges = await paid_pages(outside, [f"pln{secrets.token_hex(8)}" for _ in range(receipts)])
    token = await _access_token(outside)
    pool = await asyncpg.create_pool(dsn, min_size=5, max_size=10)
    queue: asyncio.Queue[Charge] = asyncio.Queue()
    for charge in charges:
        queue.put_nowait(charge)
    meter = Meter(processes)
    async with aiohttp.ClientSession() as web:
        plain = _Plain(pool, web, {n: r.url for n, r in outside.running.items()}, token)
        await asyncio.gather(*(plain.work(queue) for _ in range(SENDERS)))
    figure = meter.figure(receipts)
    await pool.close()
    return figure


_PLAIN_SCHEMA = """
CREATE TABLE IF NOT EXISTS plain_webhooks (id bigserial PRIMARY KEY, digest bytea UNIQUE, body bytea);
CREATE TABLE IF NOT EXISTS plain_receipts (id text PRIMARY KEY, charge text UNIQUE, amount bigint, fee bigint);
CREATE TABLE IF NOT EXISTS plain_allocations (receipt text, n int, component text, amount bigint,
    PRIMARY KEY (receipt, n));
CREATE TABLE IF NOT EXISTS plain_effects (id text PRIMARY KEY, receipt text, kind text, state text, body bytea,
    provider_ref text);
"""


class _Plain:
    """One receipt after the other, five calls and a transaction per step."""

    def __init__(self, pool: Any, web: aiohttp.ClientSession, urls: dict[str, str], token: str) -> None:
        self._pool, self._web, self._urls, self._token = pool, web, urls, token
        self._signer = StandardWebhooks([LMS_SECRET])
        self._n = 0

    async def work(self, queue: asyncio.Queue[Charge]) -> None:
        while not queue.empty():
            self._n += 1
            await self._one(queue.get_nowait(), self._n)

    async def _one(self, charge: Charge, n: int) -> None:
        await self._pool.execute(
            "INSERT INTO plain_webhooks (digest, body) VALUES ($1, $2)",
            secrets.token_bytes(32),
            _webhook(charge),
        )
        url = f"{self._urls['paystack']}/transaction/verify/{charge.reference}"
        async with self._web.get(url, headers={"Authorization": PAYSTACK_KEY}) as answer:
            data = (await answer.json())["data"]
        receipt, fee = secrets.token_hex(10), data["fees"]
        bodies = self._bodies(receipt, data["amount"], fee, n)
        async with self._pool.acquire() as db, db.transaction():
            await db.execute(
                "INSERT INTO plain_receipts VALUES ($1, $2, $3, $4)",
                receipt,
                str(data["id"]),
                data["amount"],
                fee,
            )
            await db.executemany(
                "INSERT INTO plain_allocations VALUES ($1, $2, $3, $4)",
                [(receipt, 0, "interest", 20_000), (receipt, 1, "principal", data["amount"] - 20_000)],
            )
            await db.executemany(
                "INSERT INTO plain_effects VALUES ($1, $2, $3, 'sending', $4, NULL)",
                [(f"{receipt}{kind[0]}", receipt, kind, body) for kind, (_, body, _) in bodies.items()],
            )
        for kind, (url, body, headers) in bodies.items():
            async with self._web.post(url, data=body, headers=headers) as answer:
                await answer.read()
                assert answer.status == 200, (kind, answer.status)
            await self._pool.execute(
                "UPDATE plain_effects SET state = 'done', provider_ref = 'x' WHERE id = $1",
                f"{receipt}{kind[0]}",
            )

    def _bodies(
        self, receipt: str, amount: int, fee: int, n: int
    ) -> dict[str, tuple[str, bytes, dict[str, str]]]:
        base = f"{self._urls['quickbooks']}/v3/company/9130350000000001/journalentry?minorversion=75"
        sides = [("Debit", "91", amount - fee), ("Debit", "64", fee), ("Credit", "82", 20_000)]
        sides.append(("Credit", "120", amount - 20_000))
        lines = [
            {
                "DetailType": "JournalEntryLineDetail",
                "Amount": minor / 100,
                "JournalEntryLineDetail": {"PostingType": side, "AccountRef": {"value": account}},
            }
            for side, account, minor in sides
        ]
        journal = {"DocNumber": receipt[:20], "TxnDate": "2026-11-20", "Line": lines}
        headers = {"Authorization": f"Bearer {self._token}", "Accept": "application/json"}
        credit = {
            "RetrievalReference": f"B{receipt[:11].upper()}",
            "AccountNumber": f"{1_200_000_000 + n % MEMBERS}",
            "Amount": str(amount),
            "Fee": "0",
            "Narration": "loan repayment",
            "GLCode": "1001",
            "Token": "simulated-token",
            "NibssCode": "100000",
        }
        tell = json.dumps({"type": "receipt.recorded", "allocation": "decided", "data": {"receipt": receipt}})
        signed = self._signer.sign(receipt, datetime.now(UTC), tell.encode())
        again = self._signer.sign(f"{receipt}s", datetime.now(UTC), tell.encode())
        json_type = {"Content-Type": "application/json"}
        core = f"{self._urls['bankone']}/thirdpartyapiservice/apiservice/CoreTransactions/Credit"
        return {
            "journal": (base, json.dumps(journal).encode(), {**headers, **json_type}),
            "posting": (core, json.dumps(credit).encode(), json_type),
            "callback": (f"{self._urls['lms']}/callbacks", tell.encode(), {**signed, **json_type}),
            "told": (f"{self._urls['lms']}/callbacks", tell.encode(), {**again, **json_type}),
        }


async def _access_token(outside: Outside) -> str:
    url = f"{outside.running['quickbooks'].url}/oauth2/v1/tokens/bearer"
    form = {"grant_type": "refresh_token", "refresh_token": "simulated-refresh-token"}
    headers = {"Authorization": aiohttp.encode_basic_auth("simulated-client", "simulated-secret")}
    async with outside.web.post(url, data=form, headers=headers) as answer:
        return str((await answer.json())["access_token"])


# -- measuring --------------------------------------------------------------------------------------------


async def measure(dsn: str, outside: Outside, receipts: int, runs: int, processes: Mapping[str, int]) -> None:
    """Alternate the two sides; print medians, what a receipt costs, what limits, and the ratio."""
    counted = min(receipts, COUNTED)
    counts = await counted_run(dsn, outside, counted)
    ratios, ours, theirs, stages = [], [], [], Counter[str]()
    for n in range(runs):
        theirs.append(await plain_run(dsn, outside, receipts, processes))
        figure, seen = await hub_run(dsn, outside, receipts, processes)
        ours.append(figure)
        stages += seen
        ratios.append(figure.rate / theirs[-1].rate)
        print(
            f"run {n + 1}: hub {_told(figure)}; by hand {_told(theirs[-1])}; ratio {ratios[-1]:.2f}",
            flush=True,
        )
    print(f"statements a receipt: {counts.statements / counted:.2f}")
    print(f"commits a receipt: {counts.commits / counted:.2f}")
    print(f"hub's CPU by stage: {_shares(stages)}")
    print(f"limited by: {_limit(ours)}")
    print(f"receipts per second: hub {_median(ours):.0f}, by hand {_median(theirs):.0f}")
    print(f"ratio river: {statistics.median(ratios):.2f}")


def _median(figures: Sequence[Figure]) -> float:
    return statistics.median(f.rate for f in figures)


def _told(figure: Figure) -> str:
    return f"{figure.rate:.0f}/s, {figure.memory:.0f} MiB, CPU ms a receipt: {_costs(figure)}"


def _costs(figure: Figure) -> str:
    return ", ".join(f"{name} {ms:.1f}" for name, ms in figure.cpu_ms.items())


def _shares(stages: Counter[str]) -> str:
    total = stages.total() or 1
    return ", ".join(f"{name} {100 * count / total:.0f} %" for name, count in stages.most_common())


def _limit(figures: Sequence[Figure]) -> str:
    """What was full: the core that the hub's one thread can use, all cores together, or neither."""
    cores = {name: statistics.median(f.cores[name] for f in figures) for name in figures[0].cores}
    shares = ", ".join(f"{name} {share:.0f} %" for name, share in cores.items())
    if cores["hub"] >= FULL:
        return f"the one core that the hub's process can use ({shares})"
    if sum(cores.values()) >= FULL * (os.cpu_count() or 1):
        return f"the cores of this machine ({shares} of one)"
    return f"waiting, neither one core nor all are full ({shares} of one)"


async def measure_old(
    dsn: str, outside: Outside, receipts: int, runs: int, old: int, processes: Mapping[str, int]
) -> None:
    """Alternate a hub on an empty database and one with a past; print medians and the ratio."""
    aged = make_url(dsn).set(database="aged").render_as_string(hide_password=False)
    await execute(dsn, "CREATE DATABASE aged")
    for one in (dsn, aged):
        async with running_hub(one, outside):
            pass
    await give_past(aged, old, json.dumps(_dues()))
    ratios, rates = [], {dsn: [], aged: []}
    for n in range(runs):
        for one, found in rates.items():
            figure, _ = await hub_run(one, outside, receipts, processes)
            found.append(figure.rate)
        ratios.append(rates[aged][-1] / rates[dsn][-1])
        print(
            f"run {n + 1}: empty {rates[dsn][-1]:.0f}/s, old {rates[aged][-1]:.0f}/s, ratio {ratios[-1]:.2f}",
            flush=True,
        )
    told = ", ".join(
        f"{name} {statistics.median(rates[one]):.0f}" for name, one in (("empty", dsn), ("old", aged))
    )
    print(f"receipts per second: {told}")
    print(f"ratio old to empty: {statistics.median(ratios):.2f}")


# -- the soak ---------------------------------------------------------------------------------------------


async def soak(dsn: str, outside: Outside, minutes: float, processes: Mapping[str, int]) -> None:
    """Feed without a pause; print a line a minute, and whether the rate fell."""
    async with running_hub(dsn, outside) as hub:
        progress = Progress(processes)
        until = time.perf_counter() + 60 * minutes
        async with asyncio.TaskGroup() as group:
            for _ in range(BATCHES):
                group.create_task(_feed_until(until, hub, progress))
        progress.conclude()


async def _feed_until(until: float, hub: Hub, progress: Progress) -> None:
    """At least two batches each, so that there is a trend however slow the machine is."""
    for n in itertools.count():
        if n >= 2 and time.perf_counter() >= until:
            return
        batch = await hub.paid(BATCH)
        await hub.feed(batch)
        await hub.until_done(batch)
        progress.add_batch()


class Progress:
    """Receipts over time, told once a minute."""

    def __init__(self, processes: Mapping[str, int]) -> None:
        self._processes = processes
        self._begun = time.perf_counter()
        self._ends: list[float] = []
        self._meter, self._receipts, self._minute = Meter(processes), 0, 1

    def add_batch(self) -> None:
        """One more batch is done."""
        now = time.perf_counter() - self._begun
        self._ends.append(now)
        self._receipts += BATCH
        if now >= 60 * self._minute:
            figure = self._meter.figure(self._receipts)
            simulators = memory(self._processes["simulators"])
            print(
                f"minute {self._minute}: {figure.rate:.0f}/s; hub {figure.memory:.0f} MiB, "
                f"simulators {simulators:.0f} MiB; CPU ms a receipt: {_costs(figure)}",
                flush=True,
            )
            self._meter, self._receipts, self._minute = Meter(self._processes), 0, self._minute + 1

    def conclude(self) -> None:
        """Fit a curve of steady growth through the rates of equal shares; its end beside its beginning."""
        last = self._ends[-1]
        warm = min(WARM_UP, last / 10)
        ends = [end for end in self._ends if end > warm]
        shares = max(2, min(10, int(last / 60)))
        marks = [ends[len(ends) * n // shares - 1] for n in range(1, shares + 1)]
        receipts = BATCH * len(ends) / shares
        rates = [receipts / (to - since) for since, to in itertools.pairwise((warm, *marks))]
        slope, intercept = statistics.linear_regression(range(shares), [math.log(rate) for rate in rates])
        begins, ratio = math.exp(intercept), math.exp(slope * (shares - 1))
        word = "fell" if ratio < 1 - FALL / 100 else "did not fall"
        print(f"receipts per second: {statistics.median(rates):.0f}")
        print(
            f"the rate {word}: {begins:.0f}/s at the beginning, {begins * ratio:.0f}/s at the end of its trend"
        )
        print(f"ratio soak: {ratio:.2f}")


def main() -> None:
    """Set up, measure, clean up."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--receipts", type=int, default=3000)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--old", type=int, metavar="RECEIPTS")
    parser.add_argument("--soak", type=float, metavar="MINUTES")
    given = parser.parse_args()
    with database() as dsn, simulators_apart() as simulators:
        processes = {"hub": this_process(), "database": database_process(), "simulators": simulators.pid}
        # A hub logs while it works: that is measured with the rest, and shown to nobody.
        logs.configure("info", "json")
        composition.spare_the_collector()
        with Path(os.devnull).open("w", encoding="utf-8") as nowhere, redirect_stderr(nowhere):
            asyncio.run(_measured(dsn, simulators.told, given, processes))


async def _measured(
    dsn: str, urls: Mapping[str, str], given: argparse.Namespace, processes: Mapping[str, int]
) -> None:
    async with aiohttp.ClientSession() as web:
        outside = outside_at(urls, web)
        if given.soak is not None:
            await soak(dsn, outside, given.soak, processes)
        elif given.old is not None:
            await measure_old(dsn, outside, given.receipts, given.runs, given.old, processes)
        else:
            await execute(dsn, _PLAIN_SCHEMA)
            await measure(dsn, outside, given.receipts, given.runs, processes)


if __name__ == "__main__":
    main()
