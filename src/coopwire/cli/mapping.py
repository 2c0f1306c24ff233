"""`coopwire mapping`: versions of the table from neutral keys to the accounts of the books."""

from __future__ import annotations

import csv
import difflib
import io
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from coopwire.cli import files, hub, show
from coopwire.cli.failures import FAILED, BadInput
from coopwire.cli.options import Json

if TYPE_CHECKING:
    from coopwire.app import App
    from coopwire.application.coverage import Gap
    from coopwire.connections import Configured
    from coopwire.ports.stores import AccountMapping
    from coopwire.storage.database import PostgresDatabase, PostgresTransaction

app = typer.Typer(help="Accounts of the books: load, check, show, activate.")

_LARGEST_FILE = 1 << 20
_LONGEST_ACCOUNT = 64
_COLUMNS = ("key", "account")
_Connection = Annotated[str | None, typer.Argument(help="Books connection; left out: that of the routes.")]
_Version = Annotated[int | None, typer.Option(min=1, help="Which version; left out: the newest.")]


@app.command()
def load(
    connection: Annotated[str, typer.Argument(help="Books connection.")],
    file: Annotated[Path, typer.Argument(help="CSV with the columns key,account, or TOML of key = account.")],
) -> None:
    """Keep a further version of a mapping; it is used after `mapping activate`."""
    configured = hub.configured(hub.settings())
    _books(configured, connection)
    entries = _entries(file)
    needed = _needed(configured)
    _warn_of_strangers(entries, needed)

    async def keep(database: PostgresDatabase) -> AccountMapping:
        now = await database.now()
        async with database.begin("load mapping") as tx:
            await _lock(tx, connection)
            kept = await tx.mappings.add(connection, entries, now)
            subject = f"{connection} version {kept.version}"
            await tx.audit(hub.actor(), "load mapping", subject, "from a file", now)
            return kept

    kept = hub.on_database(keep)
    show.say(f"{connection}: version {kept.version} with {len(entries)} keys is kept, and not active")
    missing = sorted(needed - entries.keys())
    if missing:
        show.note(f"it has no account for {', '.join(missing)}")


@app.command("show")
def show_(connection: _Connection = None, version: _Version = None, as_json: Json = False) -> None:
    """Show the keys and accounts of a version, and which versions there are."""
    configured = hub.configured(hub.settings())
    name = _books(configured, connection)

    async def versions(database: PostgresDatabase) -> list[AccountMapping]:
        async with database.begin("read mappings") as tx:
            return await tx.mappings.versions(name)

    found = hub.on_database(versions)
    shown = _of_version(name, found, version)
    rows = sorted(shown.entries.items())
    if as_json:
        facts = {"connection": name, "version": shown.version, "active": shown.active}
        show.json_lines({**facts, "key": key, "account": account} for key, account in rows)
        return
    show.table(_COLUMNS, rows, none=f"version {shown.version} of {name} is empty")
    told = ", ".join(f"{one.version}{' (active)' if one.active else ''}" for one in found)
    show.say(f"{name}: this is version {shown.version}; there are {told}")


@app.command()
def check(connection: _Connection = None, version: _Version = None, as_json: Json = False) -> None:
    """Hold a version against the live chart of accounts; exit code 1 when something could not be posted."""
    judged, gaps = hub.on_hub(lambda open_hub: _judged(open_hub, connection, version))
    _show_gaps(judged, gaps, as_json)
    if gaps:
        raise typer.Exit(FAILED)


@app.command()
def activate(connection: _Connection = None, version: _Version = None) -> None:
    """Use a version from now on; refused while `mapping check` finds anything in it."""

    async def use(open_hub: App) -> tuple[AccountMapping, list[Gap]]:
        judged, gaps = await _judged(open_hub, connection, version)
        if not gaps:
            await _activate(open_hub, judged)
        return judged, gaps

    judged, gaps = hub.on_hub(use)
    if gaps:
        _show_gaps(judged, gaps, as_json=False)
        raise typer.Exit(FAILED)
    show.say(f"{judged.connection}: version {judged.version} is active; resume what was held for want of it")


async def _judged(
    open_hub: App, connection: str | None, version: int | None
) -> tuple[AccountMapping, list[Gap]]:
    from coopwire.application.coverage import gaps
    from coopwire.domain.books import keys_needed

    name = hub.chosen(connection, open_hub.network.routes.books, "books")
    connected = open_hub.network.connections.get(name)
    chart = connected.sockets.chart_of_accounts if connected else None
    if chart is None:
        raise BadInput(f"there is no connection {show.cell(name)} with a chart of accounts")
    async with open_hub.database.begin("read mappings") as tx:
        found = await tx.mappings.versions(name)
    judged = _of_version(name, found, version)
    needed = keys_needed(open_hub.network.gateways(), open_hub.network.routes.sources.values())
    return judged, gaps(judged.entries, needed, await chart.accounts())


async def _activate(open_hub: App, judged: AccountMapping) -> None:
    name, now = judged.connection, open_hub.clock.now()
    async with open_hub.database.begin("activate mapping") as tx:
        await _lock(tx, name)
        await tx.mappings.activate(name, judged.version, now)
        subject = f"{name} version {judged.version}"
        await tx.audit(hub.actor(), "activate mapping", subject, "checked against the chart", now)


async def _lock(tx: PostgresTransaction, connection: str) -> None:
    await tx.lock([f"mapping:{connection}"])


def _of_version(name: str, found: list[AccountMapping], version: int | None) -> AccountMapping:
    """The version asked for, else the newest one."""
    for one in found:
        if version in (None, one.version):
            return one
    if not found:
        raise BadInput(f"no mapping is loaded for {name}: coopwire mapping load {name} FILE")
    raise BadInput(f"{name} has no version {version}; the newest one is {found[0].version}")


def _show_gaps(judged: AccountMapping, gaps: list[Gap], as_json: bool) -> None:
    if as_json:
        show.json_lines(
            {
                "connection": judged.connection,
                "version": judged.version,
                "key": gap.key,
                "flaw": gap.flaw.value,
                "account": gap.account,
                "name": gap.name,
                "type": gap.type,
            }
            for gap in gaps
        )
        return
    rows = [(gap.key, gap.account, gap.name, gap.type, gap.remedy) for gap in gaps]
    fine = f"every key can be posted to ({len(judged.entries)} keys)"
    show.table(("key", "account", "name", "type", "what is wrong"), rows, none=fine)
    state = "active" if judged.active else "not active"
    show.say(f"{judged.connection}: version {judged.version} ({state}), {len(gaps)} problems")


# -- what is mapped ---------------------------------------------------------------------------------------


def _books(configured: Configured, name: str | None) -> str:
    """The name of a books connection. BadInput when it is none."""
    from coopwire.ports.providers import Role
    from coopwire.providers import catalog

    chosen = hub.chosen(name, configured.routes.books, "books")
    known = [
        connection.name
        for connection in configured.connections.values()
        if catalog.sheet(connection.provider).profile.role is Role.BOOKS
    ]
    if chosen not in known:
        raise BadInput(f"{show.cell(chosen)} is no books connection; there are: {', '.join(known) or 'none'}")
    return chosen


def _needed(configured: Configured) -> frozenset[str]:
    from coopwire.domain.books import keys_needed
    from coopwire.ports.providers import Role
    from coopwire.providers import catalog

    gateways = (
        connection.name
        for connection in configured.connections.values()
        if catalog.sheet(connection.provider).profile.role is Role.GATEWAY
    )
    return keys_needed(gateways, configured.routes.sources.values())


def _warn_of_strangers(entries: Mapping[str, str], needed: Iterable[str]) -> None:
    for key in sorted(entries.keys() - set(needed)):
        near = difflib.get_close_matches(key, list(needed), n=1)
        hint = f"; did you mean {near[0]}?" if near else ""
        show.note(f"no posting rule needs {show.cell(key)}{hint}")


def _entries(file: Path) -> dict[str, str]:
    """Key → account id. BadInput names the line or the key that cannot be read."""
    text = files.text(file, _LARGEST_FILE)
    pairs = list(_from_toml(file, text) if file.suffix.lower() == ".toml" else _from_csv(file, text))
    entries = dict(pairs)
    if not entries:
        raise BadInput(f"{file}: it maps nothing")
    if len(entries) < len(pairs):
        keys = [key for key, _ in pairs]
        twice = sorted({key for key in keys if keys.count(key) > 1})
        raise BadInput(f"{file}: given twice: {', '.join(map(show.cell, twice))}")
    return entries


def _from_csv(file: Path, text: str) -> Iterator[tuple[str, str]]:
    rows = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        if tuple(name.strip().lower() for name in next(rows, [])) != _COLUMNS:
            raise BadInput(f"{file}: the first line must be {','.join(_COLUMNS)}")
        for row in rows:
            words = [word.strip() for word in row]
            if not any(words):
                continue
            if len(words) != len(_COLUMNS) or not _may_be_mapped(*words):
                raise BadInput(f"{file}, line {rows.line_num}: it must be a key and the id of an account")
            yield words[0], words[1]
    except csv.Error:
        raise BadInput(f"{file}, line {rows.line_num}: it is not CSV") from None


def _from_toml(file: Path, text: str) -> Iterator[tuple[str, str]]:
    try:
        document = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise BadInput(f"{file}: it is not TOML ({show.cell(error)})") from None
    for key, account in _flat(document):
        if isinstance(account, bool) or not isinstance(account, str | int):
            raise BadInput(f"{file}: {show.cell(key)} must be the id of an account")
        if not _may_be_mapped(key, str(account)):
            raise BadInput(f"{file}: {show.cell(key)} must be the id of an account")
        yield key, str(account)


def _flat(document: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, object]]:
    """A key with a dot may be written as a table: [gateway_clearing] main = "91"."""
    for name, value in document.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value


def _may_be_mapped(key: str, account: str) -> bool:
    return bool(key and account) and len(account) <= _LONGEST_ACCOUNT and (key + account).isprintable()
