"""Receipts per second from webhook to booked and banked, beside a hand-written pipeline without an engine.

Both sides run in this process against the same simulators (in a process of their own) and the same embedded
PostgreSQL, and do the same calls: look-up, journal, credit, and two callbacks. Rate budgets are off.
Usage: python bench/river.py [--receipts 3000] [--runs 5] [--soak MINUTES]
"""

from __future__ import annotations

import argparse
import asyncio
import json
import multiprocessing
import resource
import secrets
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import aiohttp
import asyncpg

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))

from rigs.river import (
    LMS_SECRET,
    PROVIDERS,
    Outside,
    configured,
    hub_settings,
    link_core_account,
    prepare,
)

from coopwire import app as composition
from coopwire.domain.timings import DEFAULT
from coopwire.ports.stores import Delivered
from coopwire.providers import catalog
from coopwire.simulation import kernel
from coopwire.storage import embedded, migrate
from coopwire.transport.signatures import StandardWebhooks

MEMBERS = 500
AMOUNT = 100_000
SENDERS = 20
PAYSTACK_KEY = "Bearer sk_test_simulated"


@dataclass(frozen=True)
class Figure:
    """One run: receipts per second, CPU milliseconds of this process a receipt, memory in MiB."""

    rate: float
    cpu_ms: float
    memory: float


# -- the outside ------------------------------------------------------------------------------------------


def _serve_simulators(pipe: Any) -> None:
    async def serve() -> None:
        urls = {}
        for name in PROVIDERS:
            sheet = catalog.sheet(name)
            urls[name] = (await kernel.start(sheet.load(sheet.simulator)({}))).url
        pipe.send(urls)
        await asyncio.Event().wait()

    asyncio.run(serve())


@contextmanager
def simulators_apart() -> Any:
    """All simulators in one process of their own; their addresses."""
    ours, theirs = multiprocessing.get_context("spawn").Pipe()
    process = multiprocessing.get_context("spawn").Process(target=_serve_simulators, args=(theirs,))
    process.start()
    try:
        yield ours.recv()
    finally:
        process.kill()
        process.join()


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
    SELECT n.reference, 'loan_repayment', $4, 'NGN', n.member, 'LN-' || n.n, 'loan:LN-' || n.n, $5, 'pending',
        'hub', a.id, '{}', now(), now()
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


async def hub_run(dsn: str, outside: Outside, receipts: int) -> Figure:
    """One run of the hub over fresh payments; waits until every receipt is booked, banked and told."""
    urls = {name: running.url for name, running in outside.running.items()}
    references = [f"pay{secrets.token_hex(8)}" for _ in range(receipts)]
    attempts = [f"att{secrets.token_hex(8)}" for _ in range(receipts)]
    charges = await paid_pages(outside, attempts)
    timings = replace(DEFAULT, worker_lost_after=DEFAULT.worker_lost_after * 4)
    async with composition.opened(
        hub_settings(dsn), configured(urls), dsn, role="bench", concurrency=SENDERS, timings=timings
    ) as app:
        await _prepared(app, outside)
        await app.database.pool.execute(_SEED, references, attempts, MEMBERS, AMOUNT, _dues())
        await app.sweeper.beat()
        running = asyncio.create_task(app.run())
        try:
            begun, cpu = time.perf_counter(), time.process_time()
            await _feed(app, charges)
            await _until_done(app, attempts)
            took, used = time.perf_counter() - begun, time.process_time() - cpu
        finally:
            app.stop()
            await running
    return Figure(receipts / took, used / receipts * 1000, _memory())


async def _prepared(app: Any, outside: Outside) -> None:
    if await app.database.pool.fetchval("SELECT count(*) FROM core_accounts") == 0:
        await prepare(app, outside)
        accounts = [{"nuban": f"{1_200_000_000 + n}", "name": f"Member {n}"} for n in range(MEMBERS)]
        await outside.control("bankone", "accounts", accounts=accounts)
        for n, account in enumerate(accounts):
            await link_core_account(app, f"M-{1029 + n}", account["nuban"])


async def _feed(app: Any, charges: Sequence[Charge]) -> None:
    """Webhooks arrive in the door's groups."""
    for start in range(0, len(charges), 50):
        now = app.clock.now()
        group = [
            Delivered("paystack", secrets.token_bytes(32), _webhook(charge), now)
            for charge in charges[start : start + 50]
        ]
        await app.database.accept(group)
        app.bells.ring("webhooks")


async def _until_done(app: Any, attempts: Sequence[str]) -> None:
    sql = (
        "SELECT count(*) FROM receipts r WHERE r.reference = ANY($1::text[]) AND NOT EXISTS "
        "(SELECT FROM effects e WHERE e.receipt = r.id AND e.state <> 'done')"
    )
    while await app.database.pool.fetchval(sql, list(attempts)) < len(attempts):
        await asyncio.sleep(0.2)


# -- the hand-written pipeline ----------------------------------------------------------------------------


async def plain_run(dsn: str, outside: Outside, receipts: int) -> Figure:
    """The same calls and rows by hand: a task per sender, a transaction per step, no engine around it."""
    charges = await paid_pages(outside, [f"pln{secrets.token_hex(8)}" for _ in range(receipts)])
    token = await _access_token(outside)
    pool = await asyncpg.create_pool(dsn, min_size=5, max_size=10)
    queue: asyncio.Queue[Charge] = asyncio.Queue()
    for charge in charges:
        queue.put_nowait(charge)
    begun, cpu = time.perf_counter(), time.process_time()
    async with aiohttp.ClientSession() as web:
        plain = _Plain(pool, web, {n: r.url for n, r in outside.running.items()}, token)
        await asyncio.gather(*(plain.work(queue) for _ in range(SENDERS)))
    took, used = time.perf_counter() - begun, time.process_time() - cpu
    await pool.close()
    return Figure(receipts / took, used / receipts * 1000, _memory())


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


def _memory() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


@dataclass(frozen=True)
class _At:
    url: str


async def measure(dsn: str, urls: dict[str, str], receipts: int, runs: int) -> None:
    """Alternate the two sides and print medians and the ratio."""
    async with aiohttp.ClientSession() as web:
        outside = Outside({name: _At(url) for name, url in urls.items()}, web)  # type: ignore[misc]
        await asyncpg_execute(dsn, _PLAIN_SCHEMA)
        ratios, ours, theirs = [], [], []
        for n in range(runs):
            theirs.append(await plain_run(dsn, outside, receipts))
            ours.append(await hub_run(dsn, outside, receipts))
            ratios.append(ours[-1].rate / theirs[-1].rate)
            print(f"run {n + 1}: hub {_told(ours[-1])}; by hand {_told(theirs[-1])}; ratio {ratios[-1]:.2f}")
    print(f"receipts per second: hub {_median(ours):.0f}, by hand {_median(theirs):.0f}")
    print(f"ratio river: {statistics.median(ratios):.2f}")


def _median(figures: Sequence[Figure]) -> float:
    return statistics.median(f.rate for f in figures)


def _told(figure: Figure) -> str:
    return f"{figure.rate:.0f}/s, {figure.cpu_ms:.1f} ms CPU, {figure.memory:.0f} MiB"


async def asyncpg_execute(dsn: str, statement: str) -> None:
    """One statement on a connection of its own."""
    connection = await asyncpg.connect(dsn)
    await connection.execute(statement)
    await connection.close()


def main() -> None:
    """Set up, measure, clean up."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--receipts", type=int, default=3000)
    parser.add_argument("--runs", type=int, default=5)
    given = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="coopwire-bench-", dir="/tmp"))
    folder.chmod(0o755)
    try:
        with embedded.start(folder / "data") as server, simulators_apart() as urls:
            asyncio.run(migrate.upgrade(server.dsn))
            asyncio.run(measure(server.dsn, urls, given.receipts, given.runs))
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
