"""Webhooks stored per second by the hub's door, beside a minimal handler and beside FastAPI with an ORM.

All three verify Paystack's signature, drop what is known already, commit, and answer 200; each is one uvicorn
process over the same embedded PostgreSQL, loaded from this process with distinct signed bodies. The hub's door is
wired as `coopwire serve` does it; the loops that work on what was stored do not run.
Usage: python bench/webhook_ingest.py [--runs 5] [--seconds 4] [--connections 32 64]
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import hmac
import json
import statistics
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

import asyncpg
from _load import Answers, load, request
from _machine import Apart, Cores, Serve, apart, database, database_process, execute, this_process
from fastapi import Depends, FastAPI, HTTPException
from rigs.gateways import PAYSTACK, PAYSTACK_SECRET
from rigs.river import BESIDE, configured, hub_settings
from rigs.serving import serving
from sqlalchemy import DateTime, LargeBinary, UniqueConstraint
from sqlalchemy.engine import make_url
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from coopwire import app as composition
from coopwire.web.api import build_api
from coopwire.web.asgi import build_app
from coopwire.web.door import Door

PATH = "/webhooks/paystack"
SIGNATURE = "x-paystack-signature"
KEY = PAYSTACK_SECRET.encode()
FASTEST = 20_000
"""Requests per second for which bodies are prepared; a run that is faster ends earlier."""
POOL = 10
"""Database connections of each server; the hub's own number."""

_BASELINE_TABLE = """
CREATE TABLE {name} (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, connection text NOT NULL,
    digest bytea NOT NULL, body bytea NOT NULL, received_at timestamptz NOT NULL, UNIQUE (connection, digest))
"""


# -- the three servers ------------------------------------------------------------------------------------


@asynccontextmanager
async def hub(dsn: str) -> AsyncIterator[str]:
    """The hub's front door; nothing outside is called."""
    nowhere = dict.fromkeys((PAYSTACK.name, *BESIDE), "http://127.0.0.1:9")
    async with composition.opened(hub_settings(dsn), configured(nowhere), dsn, role="bench") as app:
        parts = composition.office(app)
        door = Door(app.network, app.database, app.clock, app.bells, parts.meter)
        committing = asyncio.create_task(door.run())
        async with serving(build_app(door, build_api(parts))) as url:
            yield url
        committing.cancel()


def _is_signed(headers: Mapping[str, str], body: bytes) -> bool:
    made = hmac.new(KEY, body, hashlib.sha512).hexdigest()
    return hmac.compare_digest(made, headers.get(SIGNATURE, ""))


_INSERT = (
    "INSERT INTO minimal_webhooks (connection, digest, body, received_at) VALUES ($1, $2, $3, $4) "
    "ON CONFLICT DO NOTHING"
)


@asynccontextmanager
async def minimal(dsn: str) -> AsyncIterator[str]:
    """Starlette and asyncpg by hand: one insert and one commit per request."""
    pool = await asyncpg.create_pool(dsn, min_size=POOL, max_size=POOL)

    async def take(received: Request) -> Response:
        body = await received.body()
        if not _is_signed(received.headers, body):
            return Response(status_code=401)
        name = received.path_params["connection"]
        await pool.execute(_INSERT, name, hashlib.sha256(body).digest(), body, datetime.now(UTC))
        return Response(b"{}", media_type="application/json")

    routes = [Route("/webhooks/{connection}", take, methods=["POST"])]
    async with serving(Starlette(routes=routes)) as url:
        yield url


class _Rows(DeclarativeBase):
    pass


class OrmWebhook(_Rows):
    """A webhook as an ORM keeps it."""

    __tablename__ = "orm_webhooks"
    __table_args__ = (UniqueConstraint("connection", "digest"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    connection: Mapped[str]
    digest: Mapped[bytes] = mapped_column(LargeBinary)
    body: Mapped[bytes] = mapped_column(LargeBinary)
    received_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))


@asynccontextmanager
async def orm(dsn: str) -> AsyncIterator[str]:
    """FastAPI and SQLAlchemy's asynchronous ORM, a session per request."""
    address = make_url(dsn).set(drivername="postgresql+asyncpg")
    engine = create_async_engine(address, pool_size=POOL, max_overflow=0)
    sessions = async_sessionmaker(engine, expire_on_commit=False)
    api = FastAPI()

    async def session() -> AsyncIterator[AsyncSession]:
        async with sessions() as one:
            yield one

    a_session = Depends(session)

    async def take(connection: str, received: Request, db: AsyncSession = a_session) -> dict[str, str]:
        body = await received.body()
        if not _is_signed(received.headers, body):
            raise HTTPException(401)
        digest, now = hashlib.sha256(body).digest(), datetime.now(UTC)
        db.add(OrmWebhook(connection=connection, digest=digest, body=body, received_at=now))
        try:
            await db.commit()
        except IntegrityError:
            await db.rollback()
        return {}

    # The annotations of a nested function are text that the framework could not resolve.
    take.__annotations__ |= {"connection": str, "received": Request, "db": AsyncSession}
    api.post("/webhooks/{connection}")(take)
    async with serving(api) as url:
        yield url


@dataclass(frozen=True)
class Side:
    """One of the three: how it is served, and the tables in which it keeps webhooks, the first with one row each."""

    name: str
    serve: Serve
    tables: tuple[str, ...]


MINIMAL = Side("minimal handler", minimal, ("minimal_webhooks",))
HUB = Side("hub", hub, ("webhooks", "webhook_bodies"))
ORM = Side("orm", orm, ("orm_webhooks",))
SIDES = (MINIMAL, HUB, ORM)


# -- measuring --------------------------------------------------------------------------------------------


def signed_requests(count: int) -> list[bytes]:
    """So many distinct webhooks of about 1 kB, signed, as whole requests."""
    return [_signed_request(n) for n in range(count)]


def _signed_request(n: int) -> bytes:
    charge = {
        "id": 4_099_260_000 + n,
        "domain": "test",
        "status": "success",
        "reference": f"bench{n:015d}",
        "amount": 100_000 + n,
        "currency": "NGN",
        "channel": "card",
        "fees": 1_500,
        "gateway_response": "Successful",
        "metadata": {"note": "x" * 600},
        "customer": {"id": 180_000_000 + n, "customer_code": f"CUS_{n:015d}", "email": "m@example.com"},
    }
    body = json.dumps({"event": "charge.success", "data": charge}).encode()
    return request(PATH, body, {SIGNATURE: hmac.new(KEY, body, hashlib.sha512).hexdigest()})


@dataclass(frozen=True)
class Bench:
    """What the runs share."""

    dsn: str
    running: Mapping[Side, Apart]
    requests: Sequence[bytes]

    async def run(self, side: Side, connections: int, seconds: float) -> float:
        """Load one side on empty tables; webhooks stored per second."""
        await execute(self.dsn, f"TRUNCATE {', '.join(side.tables)}")
        processes = {"server": self.running[side].pid, "database": database_process()}
        cores = Cores({**processes, "load": this_process()})
        answers = await load(self.running[side].told, self.requests, connections, seconds)
        used = cores.told()
        await self._check(side, answers)
        print(f"  {side.name:15} {_told(answers)}; of a core: {used}", flush=True)
        return answers.rate

    async def _check(self, side: Side, answers: Answers) -> None:
        """Every 200 is a row."""
        assert not answers.refused, (side.name, answers.refused[0])
        db = await asyncpg.connect(self.dsn)
        for table in side.tables:
            stored = await db.fetchval(f"SELECT count(*) FROM {table}")
            assert stored == len(answers.seconds), (table, stored, len(answers.seconds))
        await db.close()


def _told(answers: Answers) -> str:
    p50, p99 = answers.percentile_ms(50), answers.percentile_ms(99)
    return f"{answers.rate:6.0f}/s, p50 {p50:5.1f} ms, p99 {p99:5.1f} ms"


async def measure(bench: Bench, connections: Sequence[int], runs: int, seconds: float) -> None:
    """Alternate the sides and print the medians of the paired ratios."""
    ratios: dict[Side, list[float]] = {MINIMAL: [], ORM: []}
    for side in SIDES:
        await load(bench.running[side].told, bench.requests, connections[0], seconds / 4)
    for number in connections:
        for n in range(runs):
            print(f"{number} connections, run {n + 1}:")
            # Every other round goes backwards, so that no side is always first.
            order = SIDES if n % 2 == 0 else SIDES[::-1]
            rates = {side: await bench.run(side, number, seconds) for side in order}
            for baseline, found in ratios.items():
                found.append(rates[HUB] / rates[baseline])
        _say_ratios(f"{number} connections, ", {side: found[-runs:] for side, found in ratios.items()})
    _say_ratios("", ratios)


def _say_ratios(where: str, ratios: Mapping[Side, Sequence[float]]) -> None:
    for side, found in ratios.items():
        print(f"{where}ratio to {side.name}: {statistics.median(found):.2f}")


def main() -> None:
    """Set up, measure, clean up."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=4.0)
    parser.add_argument("--connections", type=int, nargs="+", default=[32, 64])
    given = parser.parse_args()
    with database() as dsn, ExitStack() as stack:
        asyncio.run(execute(dsn, *(_BASELINE_TABLE.format(name=s.tables[0]) for s in (MINIMAL, ORM))))
        running = {side: stack.enter_context(apart(side.serve, dsn)) for side in SIDES}
        bench = Bench(dsn, running, signed_requests(int(given.seconds * FASTEST)))
        asyncio.run(measure(bench, given.connections, given.runs, given.seconds))


if __name__ == "__main__":
    main()
