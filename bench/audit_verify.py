"""Rows per second of `coopwire audit verify`, beside reading the same rows in order and hashing their text.

The rows are receipts with two lines each and as many finished journals, recorded and chained as the hub does it, on
the embedded PostgreSQL. The baseline proves nothing: it is what reading everything once costs.
Usage: python bench/audit_verify.py [--rows 200000] [--runs 5]
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import statistics
import time
from datetime import UTC, datetime

from _machine import database, execute, memory, this_process

from coopwire.application.chaining import audit_head
from coopwire.domain.effects import Effect, EffectKind
from coopwire.domain.payments import Component
from coopwire.domain.receipts import AllocationLine, AllocationState, FeeBearer, Receipt
from coopwire.domain.states import EffectState
from coopwire.ports.stores import Changes, NewReceipt
from coopwire.storage.audit.verify import Verification, Wrong
from coopwire.storage.database import PostgresDatabase, connect
from coopwire.storage.rows import Connection
from coopwire.storage.sealing import Sealer

GROUP = 500
"""Rows of a kind that are recorded with one commit."""
PART = 2000
"""Rows that the baseline has in memory at a time, as many as the verification."""
TABLES = ("receipts", "allocations", "effects")


# -- the trail --------------------------------------------------------------------------------------------


async def fill(database: PostgresDatabase, rows: int) -> None:
    """Record so many rows, half of them receipts and half of them journals, and chain their entries."""
    for first in range(0, rows // 2, GROUP):
        await _record(database, range(first, min(first + GROUP, rows // 2)))
    await audit_head(database)


async def _record(database: PostgresDatabase, numbers: range) -> None:
    now = datetime.now(UTC)
    effects = [_journal(n, now) for n in numbers]
    async with database.begin("bench") as tx:
        await tx.apply(Changes(receipts=[_receipt(n, now) for n in numbers], effects=effects), now)
        tx.audited("effect", [effect.id for effect in effects])


def _receipt(n: int, now: datetime) -> NewReceipt:
    receipt = Receipt(
        f"receipt{n:013d}", "paystack", f"reference{n:011d}", str(n), None, None, "NGN", 100_000, 100_000, 1_500,
        "1500", FeeBearer.LENDER, "card", now, now,
    )  # fmt: skip
    lines = (
        AllocationLine(Component.INTEREST, 20_000, "D1"),
        AllocationLine(Component.PRINCIPAL, 80_000, "D2"),
    )
    return NewReceipt(receipt, f"loan:LN-{n}", AllocationState.ALLOCATED, lines, "1")


def _journal(n: int, now: datetime) -> Effect:
    lines = [["gateway_clearing.paystack", "debit", 100_000], ["loan_principal", "credit", 100_000]]
    order = {"kind": "loan_repayment", "on": "2026-11-20", "currency": "NGN", "branch": None, "lines": lines}
    return Effect(
        f"journal{n:013d}", EffectKind.JOURNAL, "books", f"entry{n:015d}", {**order, "narrative": f"receipt {n}"},
        hashlib.sha256(str(n).encode()).hexdigest(), EffectState.DONE, now, now, receipt=f"receipt{n:013d}",
    )  # fmt: skip


# -- measuring --------------------------------------------------------------------------------------------


async def verify(database: PostgresDatabase) -> int:
    """Check the whole trail; how many rows were right."""
    told: list[Wrong] = []
    async with database.unhurried() as db:
        verdict = await Verification(db, database.marker, told.append).run()
    assert told == [], told[:3]
    return sum(one.right for one in verdict.nouns)


async def plain(database: PostgresDatabase) -> None:
    """Read every row in order and hash its text."""
    async with database.unhurried() as db:
        for table in TABLES:
            await _hash(db, table)


async def _hash(db: Connection, table: str) -> bytes:
    digest = hashlib.sha256()
    cursor = await db.cursor(f"SELECT t::text FROM {table} t ORDER BY 1")
    while part := await cursor.fetch(PART):
        for row in part:
            digest.update(row[0].encode())
    return digest.digest()


async def measure(dsn: str, rows: int, runs: int) -> None:
    """Alternate both and print the median rate and the median of the paired ratios."""
    database = await connect(dsn, Sealer([bytes(32)]), size=2)
    try:
        await fill(database, rows)
        await execute(dsn, "VACUUM ANALYZE")
        rates, ratios = [], []
        for n in range(runs):
            begun = time.perf_counter()
            assert await verify(database) == rows // 2 * 2
            verified = time.perf_counter() - begun
            begun = time.perf_counter()
            await plain(database)
            hashed = time.perf_counter() - begun
            rates.append(rows / verified)
            ratios.append(hashed / verified)
            print(
                f"run {n + 1}: verify {rows / verified:6.0f} rows/s, plain {rows / hashed:6.0f} rows/s",
                flush=True,
            )
        print(f"memory: {memory(this_process()):.0f} MiB")
        print(f"median: {statistics.median(rates):.0f} rows/s verified")
        print(f"ratio audit_verify: {statistics.median(ratios):.2f}")
    finally:
        await database.close()


def main() -> None:
    """Set up, measure, clean up."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rows", type=int, default=200_000)
    parser.add_argument("--runs", type=int, default=5)
    given = parser.parse_args()
    with database() as dsn:
        asyncio.run(measure(dsn, given.rows, given.runs))


if __name__ == "__main__":
    main()
