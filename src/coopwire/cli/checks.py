"""The doctor's checks, one after another: each says what it found and, where it is wrong, how to mend it."""

from __future__ import annotations

import asyncio
import shutil
import socket
import sys
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from pathlib import Path

import asyncpg

from coopwire import app
from coopwire.application.coverage import unmapped
from coopwire.conformance.tokens import MemoryTokens
from coopwire.connections import Configured, load
from coopwire.domain.books import keys_needed
from coopwire.domain.gates import GateKind
from coopwire.domain.payments import Mode
from coopwire.domain.receipts import Source
from coopwire.ports.bus import BusUnavailable
from coopwire.ports.providers import ConfigurationError, Connection, Outside, Role
from coopwire.ports.queries import GateView
from coopwire.providers import catalog
from coopwire.settings import Settings, read
from coopwire.storage import embedded, migrate
from coopwire.storage.audit.chain import head_view
from coopwire.storage.audit.marks import Marker
from coopwire.storage.audit.verify import end_is_right
from coopwire.storage.connections import ConnectionStore
from coopwire.storage.embedded import EmbeddedError
from coopwire.storage.embedded.looking import SCARCE_BYTES
from coopwire.storage.facts import closed_gates
from coopwire.storage.health import Health
from coopwire.storage.rows import Connection as DatabaseConnection
from coopwire.storage.rows import set_codecs
from coopwire.storage.sealing import Sealer, SealError
from coopwire.transport.clock import SystemClock
from coopwire.transport.guard import LocalBoard
from coopwire.transport.http import GuardedHttp, HttpTransport

LEAST_PYTHON = (3, 11)
LEAST_POSTGRES = 15
LATE_AFTER = timedelta(minutes=1)
"""An event or a webhook that waits longer than this shows that no worker is at it."""
LAST_ENTRIES = 1000
"""Entries of the audit trail that the doctor checks; coopwire audit verify checks all."""
_CONNECT_WITHIN_S = 10.0


class Verdict(StrEnum):
    """How a check ended; only WRONG makes the doctor's exit code 1."""

    FINE = "fine"
    NOTICE = "notice"
    WRONG = "wrong"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True)
class Finding:
    """What one check found; `mend` says what to do, where something is to be done."""

    check: str
    verdict: Verdict
    says: str
    mend: str = ""


def examine() -> Iterator[Finding]:
    """Every finding in order; a check that needs what is missing is skipped and says so."""
    yield _python()
    try:
        settings = read()
    except ConfigurationError as error:
        yield _wrong("settings", str(error), "correct the COOPWIRE_ variables; docs/settings.md lists them")
        return
    yield _fine("settings", f"time zone {settings.zone.key}, timings {settings.timings}")
    configured, finding = _connections_file(settings)
    yield finding
    if configured is not None:
        for connection in configured.connections.values():
            yield _connection(connection, settings)
        for source in configured.routes.sources.values():
            yield _source(source)
    yield _disk_space(settings)
    yield _bus(settings)
    yield from _database(settings, configured)


def _fine(check: str, says: str) -> Finding:
    return Finding(check, Verdict.FINE, says)


def _notice(check: str, says: str, mend: str) -> Finding:
    return Finding(check, Verdict.NOTICE, says, mend)


def _wrong(check: str, says: str, mend: str) -> Finding:
    return Finding(check, Verdict.WRONG, says, mend)


def _skipped(check: str, needs: str) -> Finding:
    return Finding(check, Verdict.SKIPPED, f"needs {needs}")


# -- this machine -----------------------------------------------------------------------------------------


def _python() -> Finding:
    version = ".".join(map(str, sys.version_info[:3]))
    if sys.version_info >= LEAST_PYTHON:
        return _fine("python", version)
    return _wrong("python", version, f"install Python {'.'.join(map(str, LEAST_PYTHON))} or later")


def _disk_space(settings: Settings) -> Finding:
    folder = settings.data_folder if settings.database is not None else None
    place = _existing(folder or Path.cwd())
    free = shutil.disk_usage(place).free
    told = f"{free >> 20} MiB are free at {place}"
    if free < SCARCE_BYTES:
        return _wrong("disk space", told, "make room: a database on a full disk stops")
    return _fine("disk space", told)


def _bus(settings: Settings) -> Finding:
    """Whether a broker lets us in and has what the hub needs; nothing is made there."""
    name = "bus"
    try:
        broker = app.broker(settings)
        if broker is None:
            return _fine(name, "the database carries the events")
        there = asyncio.run(broker.standing())
    except ConfigurationError as error:
        return _wrong(name, str(error), "as it says; docs/runbook.md has more about the bus")
    except BusUnavailable as error:
        return _wrong(name, str(error), "until it is there, events wait in the outbox and nothing is lost")
    if there.missing:
        told = f"the broker at {there.host} has not yet {', '.join(there.missing)}"
        return _notice(name, told, "nothing: the next start of coopwire serve or coopwire worker makes them")
    return _fine(name, f"the broker at {there.host} has what is needed; {there.waiting} messages wait there")


def _existing(folder: Path) -> Path:
    path = folder.resolve()
    return next(place for place in (path, *path.parents) if _can_see(place))


def _can_see(place: Path) -> bool:
    try:
        return place.exists()
    except PermissionError:
        return False


def _port(settings: Settings, workers: int) -> Finding:
    place = f"{settings.host}:{settings.port}"
    taken = _why_taken(settings.host, settings.port)
    if taken is None:
        return _fine("port", f"{place} is free")
    if workers:
        return _fine("port", f"{place} is in use, and a hub is running")
    return _wrong(
        "port", f"{place}: {taken}", "end the program that has it, or set COOPWIRE_HOST and COOPWIRE_PORT"
    )


def _why_taken(host: str, port: int) -> str | None:
    """Why one cannot listen there; None when one can."""
    try:
        [(family, kind, protocol, _, address), *_] = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        with socket.socket(family, kind, protocol) as door:
            door.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            door.bind(address)
    except OSError as error:
        return error.strerror or type(error).__name__
    return None


# -- connections ------------------------------------------------------------------------------------------


def _connections_file(settings: Settings) -> tuple[Configured | None, Finding]:
    name, path = "connections file", settings.connections
    if path is None:
        mend = "name the file; docs/providers.md says what stands in it"
        return None, _wrong(name, "COOPWIRE_CONNECTIONS is not set", mend)
    try:
        configured = load(path, settings)
    except ConfigurationError as error:
        return None, _wrong(name, str(error), "correct it; docs/providers.md lists the fields")
    if path.stat().st_mode & 0o004:
        told = f"{path} can be read by every user of this machine"
        return configured, _notice(name, told, f"chmod o-r {path}, if secrets stand in it as plain text")
    return configured, _fine(name, f"{path}: {', '.join(configured.connections)}")


def _connection(connection: Connection, settings: Settings) -> Finding:
    """Whether the adapter takes its settings; nothing is sent."""
    name = f"connection {connection.name}"
    sheet = catalog.sheet(connection.provider)
    clock = SystemClock(datetime.now(UTC), settings.durations)
    board = LocalBoard(clock.timings, lambda *_: None)
    http = GuardedHttp(connection.name, HttpTransport(), board, clock)
    try:
        sheet.load(sheet.connect)(connection, Outside(http, MemoryTokens(), clock))
        if sheet.webhooks is not None:
            sheet.load(sheet.webhooks)(connection)
    except ConfigurationError as error:
        return _wrong(
            name, str(error), "correct it in the connections file; docs/providers.md lists the fields"
        )
    told = f"{sheet.profile.title}, {connection.mode.value} mode"
    if connection.mode is Mode.LIVE and connection.fees is not None and connection.fees.example:
        mend = "name your contract's price list in its field fees (docs/fees.md), or write `none`"
        return _notice(
            name, f"{told}; its fees are shown beside an example of a price list, which makes no break", mend
        )
    return _fine(name, told)


def _source(source: Source) -> Finding:
    """A source has no settings that could be wrong and were not read yet: it is named, with what it may do."""
    told = "a second person releases what it brings" if source.checker else "what it brings is booked at once"
    return _fine(f"source {source.name}", f"{source.kind.value.replace('_', '-')}; {told}")


# -- the database -----------------------------------------------------------------------------------------


def _database(settings: Settings, configured: Configured | None) -> Iterator[Finding]:
    if settings.database is None:
        mend = "name a server (postgresql://user:password@host/name) or a data folder (embedded:PATH)"
        yield _wrong("database", "COOPWIRE_DATABASE is not set", mend)
        return
    if settings.data_folder is not None:
        facts, reachable = _data_folder(settings.data_folder, settings.embedded_user)
        yield facts
        if not reachable:
            yield _skipped("database", "a data folder with a database")
            yield _port(settings, 0)
            return
    try:
        with app.database_dsn(settings) as dsn:
            yield from asyncio.run(_in_database(settings, configured, dsn))
    except EmbeddedError as error:
        yield _wrong("database", str(error), "see the line above")


def _data_folder(folder: Path, run_as: str | None) -> tuple[Finding, bool]:
    """What can be seen of an embedded database's folder, and whether there is a database to look into."""
    name = "data folder"
    try:
        seen = embedded.describe(folder, run_as=run_as)
    except EmbeddedError as error:
        return _wrong(
            name, str(error), "choose a folder of your own, or be the user whom it belongs to"
        ), False
    if seen.problems:
        return _wrong(name, "; ".join(seen.problems), "mend it as it says, and ask the doctor again"), False
    if not seen.initialised:
        told = f"{seen.folder} holds no database yet"
        return _notice(name, told, "nothing: the first coopwire serve makes it"), False
    if seen.hub_pid is not None and not seen.running:
        told = f"the hub with pid {seen.hub_pid} is starting on {seen.folder}"
        return _notice(name, told, "ask the doctor again in a moment"), False
    state = f"used by the hub with pid {seen.hub_pid}" if seen.running else "not in use"
    return _fine(name, f"{seen.folder}, PostgreSQL {seen.data_version}, {state}"), True


@dataclass(frozen=True, slots=True)
class _Patient:
    """What the checks of the database look at."""

    settings: Settings
    configured: Configured | None
    health: Health
    db: DatabaseConnection
    now: datetime


async def _in_database(settings: Settings, configured: Configured | None, dsn: str) -> list[Finding]:
    try:
        db = await asyncpg.connect(dsn, timeout=_CONNECT_WITHIN_S)
    except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, ValueError) as error:
        mend = "check COOPWIRE_DATABASE: host, port, name, user, password; and that the server runs"
        return [_wrong("database", _why_unreachable(error), mend), _port(settings, 0)]
    try:
        await set_codecs(db)
        health = Health(db)
        found = [await _server(health), finding := await _schema(dsn)]
        patient = _Patient(settings, configured, health, db, await health.now())
        if finding.verdict is not Verdict.FINE:
            return [*found, _skipped("what the hub keeps", "a schema of this version"), _port(settings, 0)]
        found += [finding for check in _CHECKS for finding in await check(patient)]
        since = patient.now - settings.durations.worker_lost_after
        return [*found, _port(settings, await health.workers(since))]
    finally:
        await db.close()


def _why_unreachable(error: Exception) -> str:
    if isinstance(error, asyncpg.PostgresError):
        return f"the server refuses us: {error.args[0]}"
    if isinstance(error, TimeoutError):
        return f"no answer within {_CONNECT_WITHIN_S:g} s"
    if isinstance(error, OSError):
        return f"cannot be reached: {error.strerror or type(error).__name__}"
    return "its address cannot be read"


async def _server(health: Health) -> Finding:
    version = await health.server_version()
    if version < LEAST_POSTGRES:
        mend = f"use PostgreSQL {LEAST_POSTGRES} or later"
        return _wrong("database", f"it is PostgreSQL {version}", mend)
    return _fine("database", f"PostgreSQL {version} answers")


async def _schema(dsn: str) -> Finding:
    current, newest = await migrate.current(dsn), migrate.HEAD
    if current == newest:
        return _fine("schema", f"revision {newest}")
    if current is None:
        return _notice("schema", "the database is empty", "nothing: the first coopwire serve lays the schema")
    mend = "start coopwire serve of this version, which migrates; or use the version that the hub runs"
    return _wrong("schema", f"the database has revision {current}, this version needs {newest}", mend)


async def _secret_key(patient: _Patient) -> list[Finding]:
    name = "secret key"
    try:
        sealer = app.sealer(patient.settings)
    except (SealError, OSError) as error:
        mend = 'set COOPWIRE_SECRET_KEY="$(head -c 32 /dev/urandom | base64)", and keep it'
        return [_wrong(name, str(error), mend)]
    samples = await patient.health.sealed_samples()
    shut = sorted({table for table, sealed in samples if not _opens(sealer, sealed)})
    if shut:
        told = f"it does not open what is sealed in {', '.join(shut)}"
        return [_wrong(name, told, "add the key that sealed it to COOPWIRE_SECRET_KEY, behind a comma")]
    return [_fine(name, "it opens what is sealed" if samples else "nothing is sealed yet")]


def _opens(sealer: Sealer, sealed: bytes) -> bool:
    try:
        sealer.open(sealed)
    except SealError:
        return False
    return True


async def _consent(patient: _Patient) -> list[Finding]:
    if patient.configured is None:
        return []
    asked = [
        connection.name
        for connection in patient.configured.connections.values()
        if catalog.sheet(connection.provider).consent is not None
    ]
    return [
        _fine(f"consent of {name}", "tokens are stored")
        if await patient.health.has_tokens(name)
        else _wrong(f"consent of {name}", "nobody has consented yet", f"coopwire connect {name}")
        for name in asked
    ]


async def _mapping(patient: _Patient) -> list[Finding]:
    """Coverage only: the chart is another house's, `coopwire mapping check` asks it."""
    name = "mapping"
    if patient.configured is None:
        return [_skipped(name, "a connections file")]
    books = patient.configured.routes.books
    if books is None:
        return [
            _notice(
                name, "no books are routed: nothing is posted", "name them under [routes] if it should be"
            )
        ]
    active = await ConnectionStore(patient.db, Sealer([bytes(32)])).mapping(books)
    if active is None:
        mend = f"coopwire mapping load {books} FILE, then mapping check and mapping activate"
        return [_wrong(name, f"no mapping of {books} is active", mend)]
    gateways = [
        connection.name
        for connection in patient.configured.connections.values()
        if catalog.sheet(connection.provider).profile.role is Role.GATEWAY
    ]
    needed = keys_needed(gateways, patient.configured.routes.sources.values())
    missing = [gap.key for gap in unmapped(active.entries, needed)]
    if missing:
        mend = f"coopwire mapping load {books} FILE with them, then mapping activate"
        return [_wrong(name, f"version {active.version} of {books} lacks {', '.join(missing)}", mend)]
    return [
        _fine(
            name, f"version {active.version} of {books} has every key; coopwire mapping check asks the chart"
        )
    ]


async def _core_accounts(patient: _Patient) -> list[Finding]:
    name = "core accounts"
    if patient.configured is None:
        return [_skipped(name, "a connections file")]
    bank = patient.configured.routes.core_bank
    if bank is None:
        return [
            _notice(
                name, "no core bank is routed: nothing is banked", "name it under [routes] if it should be"
            )
        ]
    count = await patient.health.core_accounts(bank)
    if not count:
        return [_wrong(name, f"no member is linked to an account of {bank}", "coopwire accounts import FILE")]
    return [_fine(name, f"{count} of {bank}")]


async def _gates(patient: _Patient) -> list[Finding]:
    closed = await closed_gates(patient.db, patient.now)
    return [_gate(gate) for gate in closed] or [_fine("gates", "all are open")]


def _gate(gate: GateView) -> Finding:
    name = f"gate of {gate.connection}"
    told = f"{gate.kind.value} is closed for {gate.traffic.value}s: {gate.reason}"
    if gate.kind is GateKind.CREDENTIALS:
        mend = f"mend key or consent, then coopwire gates open {gate.connection} {gate.kind.value}"
        return _wrong(name, told, mend)
    until = f"it opens by itself at {gate.until:%Y-%m-%d %H:%M:%S} UTC" if gate.until else ""
    return _notice(name, told, until or f"coopwire gates open {gate.connection} {gate.kind.value}")


async def _waiting(patient: _Patient) -> list[Finding]:
    waiting = await patient.health.waiting()
    found = []
    for name, oldest in (("outbox", waiting.oldest_event_at), ("webhooks", waiting.oldest_webhook_at)):
        age = patient.now - oldest if oldest is not None else timedelta(0)
        if age > LATE_AFTER:
            told = f"the oldest waits since {age.total_seconds():.0f} s"
            found.append(_wrong(name, told, "start coopwire serve or coopwire worker"))
        else:
            found.append(_fine(name, "nothing waits for long"))
    if waiting.dead_letters:
        told = f"{waiting.dead_letters} deliveries were given up"
        found.append(_notice("dead letters", told, "coopwire letters list says why"))
    return found


async def _audit_trail(patient: _Patient) -> list[Finding]:
    name = "audit trail"
    try:
        marker = Marker.of(app.sealer(patient.settings))
    except (SealError, OSError):
        return [_skipped(name, "a secret key")]
    async with patient.db.transaction(isolation="repeatable_read", readonly=True):
        right = await end_is_right(patient.db, marker, LAST_ENTRIES)
        head = await head_view(patient.db)
    if not right:
        mend = "coopwire audit verify says which; docs/runbook.md says what to do"
        return [_wrong(name, f"something is wrong among its last {LAST_ENTRIES} entries", mend)]
    oldest = (await patient.health.waiting()).oldest_entry_at
    age = patient.now - oldest if oldest is not None else timedelta(0)
    if age > LATE_AFTER:
        told = f"{head.waiting} entries have no place, the oldest since {age.total_seconds():.0f} s"
        return [_wrong(name, told, "start coopwire serve or coopwire worker")]
    return [_fine(name, f"up to date at place {head.position}, its last {LAST_ENTRIES} entries are right")]


_CHECKS: tuple[Callable[[_Patient], Awaitable[list[Finding]]], ...] = (
    _secret_key,
    _consent,
    _mapping,
    _core_accounts,
    _gates,
    _waiting,
    _audit_trail,
)
