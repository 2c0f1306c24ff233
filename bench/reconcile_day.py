"""A day of many receipts compared with three sources, beside a bare DuckDB join of the same rows in files.

The hub's side is the whole comparison as it runs at the close of a day: three sources that read files are listed
through the sockets of a gateway, of books and of a core bank, ours is read from PostgreSQL, both are compared and
digested, and report and breaks are kept. One row in a thousand is spoiled. DuckDB reads the same rows of both sides
from the same files and joins them; it keeps nothing. A last run has twice the rows.
Usage: python bench/reconcile_day.py [--receipts 100000] [--runs 5]
"""

from __future__ import annotations

import argparse
import asyncio
import csv
import gc
import statistics
import tempfile
import time
from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import duckdb
from _machine import database, execute, memory, this_process
from rigs.days import CHARGES, CLEARING, PRINCIPAL, SUSPENSE
from rigs.river import hub_settings

from coopwire import app as composition
from coopwire.application.bells import Bells
from coopwire.application.network import Network, Routes
from coopwire.application.reconciling.reconciler import Reconciler
from coopwire.domain.books import Side
from coopwire.domain.payments import AllocationMode, Mode
from coopwire.domain.receipts import FeeBearer
from coopwire.domain.states import PaymentState
from coopwire.domain.timings import DEFAULT
from coopwire.ports.books import JournalOrderLine, JournalSnapshot
from coopwire.ports.corebank import StatementRow
from coopwire.ports.gateways import ChargeSnapshot
from coopwire.ports.providers import Connected, Connection, Sockets
from coopwire.ports.writes import Finding, FindingWord
from coopwire.providers import catalog
from coopwire.storage.database import connect
from coopwire.storage.days import DayRows
from coopwire.transport.clock import SystemClock

LAGOS = ZoneInfo("Africa/Lagos")
DAY = date(2026, 3, 2)
NOON = datetime(2026, 3, 2, 11, tzinfo=UTC)
ACCOUNTS = 500
SPOILED = 1000
"""One row in so many is spoiled in each source."""
MAPPING = {
    "gateway_clearing.gate": CLEARING,
    "gateway_charges": CHARGES,
    "loan_principal": PRINCIPAL,
    "suspense": SUSPENSE,
}


# -- the rows ---------------------------------------------------------------------------------------------


def write_files(folder: Path, receipts: int) -> None:
    """What the three sources say, and ours beside it, one file each."""
    numbers = range(receipts)
    _write(folder / "charges.csv", ("charge", "reference", "amount", "fee"), map(_charge, numbers))
    _write(folder / "entries.csv", ("id", "reference", "amount", "fee"), map(_entry, numbers))
    _write(folder / "rows.csv", ("id", "account", "reference", "amount"), map(_row, numbers))
    _write(
        folder / "ours.csv",
        ("n", "charge", "journal", "posting", "account", "amount", "fee"),
        map(_own, numbers),
    )


def _write(path: Path, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(columns)
        writer.writerows(rows)


def _amount(n: int) -> int:
    return 100_000 + n % 7_919


def _own(n: int) -> tuple[object, ...]:
    return n, 5_100_000_000 + n, f"j{n:019d}", f"T{n:011d}", n % ACCOUNTS + 1, _amount(n), 1_500


def _charge(n: int) -> tuple[object, ...]:
    return 5_100_000_000 + n, f"a{n:019d}", _amount(n) + (n % SPOILED == 7), 1_500


def _entry(n: int) -> tuple[object, ...]:
    return n, f"j{n:019d}", _amount(n) + (n % SPOILED == 11), 1_500


def _row(n: int) -> tuple[object, ...]:
    return f"A{n}", n % ACCOUNTS + 1, f"T{n:011d}", _amount(n) + (n % SPOILED == 13)


# -- the hub's side ---------------------------------------------------------------------------------------


def _read(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


class FileCharges:
    """A gateway whose charges stand in a file."""

    def __init__(self, path: Path) -> None:
        self._path = path

    async def find(self, reference: str, charges: tuple[str, ...] = ()) -> tuple[ChargeSnapshot, ...]:
        """Nothing: whatever is there is in the list."""
        return ()

    async def list_window(self, start: datetime, end: datetime) -> AsyncIterator[ChargeSnapshot]:
        """Every charge of the file."""
        for row in _read(self._path):
            yield ChargeSnapshot(
                charge=row["charge"],
                reference=row["reference"],
                state=PaymentState.SUCCEEDED,
                amount_minor=int(row["amount"]),
                requested_minor=None,
                currency="NGN",
                fee_minor=int(row["fee"]),
                fee_exact=row["fee"],
                fee_bearer=FeeBearer.LENDER,
                fee_known=True,
                mode=Mode.TEST,
                channel="card",
                paid_at=NOON,
                created_at=NOON,
            )


class FileJournals:
    """Books whose entries stand in a file."""

    def __init__(self, path: Path) -> None:
        self._path = path

    async def find(self, order: object, sent_at: datetime) -> Finding[JournalSnapshot]:
        """Nothing: whatever is there is in the list."""
        return Finding(FindingWord.ABSENT)

    async def list_days(self, start: date, end: date) -> AsyncIterator[JournalSnapshot]:
        """Every entry of the file."""
        for row in _read(self._path):
            amount, fee = int(row["amount"]), int(row["fee"])
            lines = (
                JournalOrderLine(CLEARING, Side.DEBIT, amount - fee),
                JournalOrderLine(CHARGES, Side.DEBIT, fee),
                JournalOrderLine(PRINCIPAL, Side.CREDIT, amount),
            )
            yield JournalSnapshot(row["id"], row["reference"], DAY, "NGN", lines)


class FileStatements:
    """A core bank whose statement rows stand in a file."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._by_account: dict[str, list[dict[str, str]]] = {}

    async def rows(self, account: str, start: date, end: date) -> AsyncIterator[StatementRow]:
        """The rows of one account; the file is read once a run."""
        if not self._by_account:
            for row in _read(self._path):
                self._by_account.setdefault(row["account"], []).append(row)
        for row in self._by_account.get(account, ()):
            yield StatementRow(row["id"], DAY, Side.CREDIT, int(row["amount"]), "NGN", row["reference"])


def network(folder: Path) -> Network:
    """The three sources as connections."""
    sockets: dict[str, dict[str, Any]] = {
        "gate": {"charges": FileCharges(folder / "charges.csv")},
        "books": {"journals": FileJournals(folder / "entries.csv")},
        "core": {"statements": FileStatements(folder / "rows.csv")},
    }
    providers = {"gate": "paystack", "books": "quickbooks", "core": "bankone"}
    connections = {
        name: Connected(
            Connection(name, provider, Mode.TEST, {}, LAGOS),
            catalog.sheet(provider).profile,
            Sockets(**sockets[name]),
            None,
        )
        for name, provider in providers.items()
    }
    routes = Routes("gate", "books", "core", None, AllocationMode.HUB, {"gate": "1001"}, LAGOS)
    return Network(connections, routes)


_SEED = f"""
INSERT INTO receipts (id, connection, reference, charge, account_key, currency, gross_minor, fee_minor, fee_exact,
    fee_bearer, channel, paid_at, recorded_at, allocation_state)
SELECT 'r' || lpad(n::text, 19, '0'), 'gate', 'a' || lpad(n::text, 19, '0'), (5100000000 + n)::text, 'k' || n, 'NGN',
    100000 + n % 7919, 1500, '1500', 'lender', 'card', $2, $2, 'allocated' FROM generate_series(0, $1::int - 1) AS n;
INSERT INTO effects (id, kind, connection, reference, "order", fingerprint, state, receipt, created_at, due_at,
    first_sent_at, finished_at, provider_ref)
SELECT 'j' || lpad(n::text, 19, '0'), 'journal', 'books', 'j' || lpad(n::text, 19, '0'),
    jsonb_build_object('on', '2026-03-02', 'currency', 'NGN', 'kind', 'loan_repayment', 'narrative', '', 'branch', NULL,
        'lines', jsonb_build_array(jsonb_build_array('gateway_clearing.gate', 'debit', 98500 + n % 7919),
            jsonb_build_array('gateway_charges', 'debit', 1500),
            jsonb_build_array('loan_principal', 'credit', 100000 + n % 7919))),
    '', 'done', 'r' || lpad(n::text, 19, '0'), $2, $2, $2, $2, n::text FROM generate_series(0, $1::int - 1) AS n;
INSERT INTO tries (effect, token, worker, body_sealed, mapping_version, claimed_at)
SELECT 'j' || lpad(n::text, 19, '0'), 't', 'w', '', 1, $2 FROM generate_series(0, $1::int - 1) AS n;
INSERT INTO effects (id, kind, connection, reference, "order", fingerprint, state, lane, receipt, created_at, due_at,
    first_sent_at, finished_at, provider_ref)
SELECT 'p' || lpad(n::text, 19, '0'), 'posting', 'core', 'T' || lpad(n::text, 11, '0'),
    jsonb_build_object('core_account', n % {ACCOUNTS} + 1, 'gl', '1001', 'amount_minor', 100000 + n % 7919,
        'currency', 'NGN', 'value_on', '2026-03-02', 'narration', ''),
    '', 'done', 'core:core:' || n % {ACCOUNTS} + 1, 'r' || lpad(n::text, 19, '0'), $2, $2, $2, $2, 'A' || n
    FROM generate_series(0, $1::int - 1) AS n
"""


async def seed(dsn: str, receipts: int) -> None:
    """Ours in the database: what the hub itself would have kept."""
    await execute(
        dsn,
        # The history of breaks refuses to be emptied.
        "ALTER TABLE break_moves DISABLE TRIGGER USER; "
        "TRUNCATE receipts, effects, tries, breaks, reconciliations, core_accounts, mappings CASCADE; "
        "ALTER TABLE break_moves ENABLE TRIGGER USER",
    )
    settings = hub_settings(dsn)
    sealer = composition.sealer(settings)
    opened = await connect(dsn, sealer, idle_limit=timedelta(minutes=10))
    try:
        for statement in _SEED.split(";\n"):
            given = (receipts, NOON) if "$2" in statement else (receipts,)
            await opened.pool.execute(statement, *given, timeout=600)
        numbers = [sealer.seal(str(n).encode()) for n in range(1, ACCOUNTS + 1)]
        await opened.pool.execute("ALTER SEQUENCE core_accounts_id_seq RESTART")
        await opened.pool.execute(
            "INSERT INTO core_accounts (connection, member, number_sealed, updated_at) "
            "SELECT 'core', 'M-' || n, sealed, $2 FROM unnest($1::bytea[]) WITH ORDINALITY AS x(sealed, n)",
            numbers,
            NOON,
        )
        await opened.pool.execute("INSERT INTO mappings VALUES ('books', 1, $1, $2, $2, true)", MAPPING, NOON)
        await opened.pool.execute("ANALYZE")
    finally:
        await opened.close()


@dataclass(frozen=True)
class Figure:
    """One comparison: seconds, and MiB of this process at its end."""

    seconds: float
    memory: float


async def by_the_hub(dsn: str, folder: Path, receipts: int) -> Figure:
    """One whole run."""
    gc.collect()
    opened = await connect(dsn, composition.sealer(hub_settings(dsn)), idle_limit=timedelta(minutes=10))
    try:
        clock = SystemClock(await opened.now(), DEFAULT)
        reconciler = Reconciler(network(folder), opened, DayRows(opened.pool), clock, Bells())
        begun = time.perf_counter()
        done = await reconciler.run(DAY, "bench", patience=timedelta())
        seconds = time.perf_counter() - begun
    finally:
        await opened.close()
    expected = sum(1 for n in range(receipts) if n % SPOILED in (7, 11, 13))
    assert len(done.report.findings) == expected, (len(done.report.findings), expected)
    return Figure(seconds, memory(this_process()))


# -- the baseline -----------------------------------------------------------------------------------------

_JOIN = """
SELECT count(*) FILTER (WHERE o.n IS NULL OR t.{key} IS NULL OR o.amount <> t.amount) FROM
    read_csv('{folder}/ours.csv') o FULL OUTER JOIN read_csv('{folder}/{file}') t ON o.{own} = t.{key}
"""


def by_duckdb(folder: Path, receipts: int) -> Figure:
    """The same files, joined and counted."""
    gc.collect()
    begun = time.perf_counter()
    with duckdb.connect() as db:
        different = 0
        for file, own, key in (
            ("charges.csv", "charge", "charge"),
            ("entries.csv", "journal", "reference"),
            ("rows.csv", "posting", "reference"),
        ):
            [(count,)] = db.execute(_JOIN.format(folder=folder, file=file, own=own, key=key)).fetchall()
            different += count
    seconds = time.perf_counter() - begun
    assert different == sum(1 for n in range(receipts) if n % SPOILED in (7, 11, 13))
    return Figure(seconds, memory(this_process()))


# -- measuring --------------------------------------------------------------------------------------------


async def measure(dsn: str, folder: Path, receipts: int, runs: int) -> None:
    """Alternate the two sides; print medians, then what twice the rows take."""
    write_files(folder, receipts)
    await seed(dsn, receipts)
    ours, theirs = [], []
    for n in range(runs):
        theirs.append(by_duckdb(folder, receipts))
        ours.append(await by_the_hub(dsn, folder, receipts))
        print(
            f"run {n + 1}: hub {ours[-1].seconds:.2f} s, {ours[-1].memory:.0f} MiB; duckdb {theirs[-1].seconds:.2f} s",
            flush=True,
        )
    once = statistics.median(f.seconds for f in ours)
    write_files(folder, 2 * receipts)
    await seed(dsn, 2 * receipts)
    twice = statistics.median(
        [(await by_the_hub(dsn, folder, 2 * receipts)).seconds for _ in range(min(runs, 3))]
    )
    print(f"seconds for {receipts} receipts against three sources: {once:.2f}")
    print(f"rows per second: {6 * receipts / once:.0f}")
    print(f"memory: {statistics.median(f.memory for f in ours):.0f} MiB")
    print(f"ratio twice the rows: {twice / once:.2f}")
    print(f"ratio to duckdb: {once / statistics.median(f.seconds for f in theirs):.2f}")


def main() -> None:
    """Set up, measure, clean up."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--receipts", type=int, default=100_000)
    parser.add_argument("--runs", type=int, default=5)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="coopwire-bench-") as folder, database() as dsn:
        asyncio.run(measure(dsn, Path(folder), given.receipts, given.runs))


if __name__ == "__main__":
    main()
