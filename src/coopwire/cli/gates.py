"""`coopwire gates`: what is closed and why, and a gate closed or opened by hand."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from coopwire.cli import hub, show, times
from coopwire.cli.failures import BadInput
from coopwire.cli.options import Json, Reason

if TYPE_CHECKING:
    from collections.abc import Collection

    from coopwire.app import App
    from coopwire.domain.gates import Traffic
    from coopwire.ports.queries import GateView
    from coopwire.storage.database import PostgresDatabase

app = typer.Typer(help="What is closed, and why: list, open, close.")

_COLUMNS = ("connection", "kind", "traffic", "closed", "until", "reason")
_Connection = Annotated[str, typer.Argument(help="Which connection.")]
_Traffic = Annotated[list[str] | None, typer.Option(metavar="TRAFFIC", help="read or write; left out: both.")]


@app.command("list")
def list_(as_json: Json = False) -> None:
    """Show the gates that are closed now."""

    async def read(database: PostgresDatabase) -> list[GateView]:
        from coopwire.storage.facts import closed_gates

        async with database.pool.acquire() as connection:
            return list(await closed_gates(connection, await database.now()))

    found = hub.on_database(read)
    if as_json:
        show.json_lines(asdict(gate) for gate in found)
        return
    rows = [(g.connection, g.kind.value, g.traffic.value, g.closed_at, g.until, g.reason) for g in found]
    show.table(_COLUMNS, rows, none="all gates are open")


@app.command("open")
def open_(
    connection: _Connection,
    kind: Annotated[str, typer.Argument(help="Which gate: breaker, credentials, calendar, budget, manual.")],
    reason: Reason,
    traffic: _Traffic = None,
) -> None:
    """Open a gate: what waits goes on in order."""
    from coopwire.domain.gates import GateKind

    known = {one.value: one for one in GateKind}
    if kind not in known:
        raise BadInput(f"there is no gate {show.cell(kind)}; there are: {', '.join(known)}")
    chosen = chosen_traffic(traffic)

    async def open_it(open_hub: App) -> bool:
        return await hub.operator(open_hub).open_gate(connection, known[kind], chosen, hub.actor(), reason)

    opened = hub.on_hub(open_it)
    show.say(f"the {kind} gate of {connection} is open" if opened else f"the {kind} gate was open already")


@app.command()
def close(
    connection: _Connection,
    reason: Reason,
    traffic: _Traffic = None,
    until: Annotated[
        str | None,
        typer.Option(metavar="TIME", help="When it opens by itself, as 2026-11-30T18:00:00+01:00."),
    ] = None,
) -> None:
    """Close the manual gate: what waits keeps its place; what is under way ends."""
    end = times.instant(until, "--until") if until is not None else None
    chosen = chosen_traffic(traffic)

    async def close_it(open_hub: App) -> None:
        await hub.operator(open_hub).close_gate(connection, chosen, hub.actor(), reason, end)

    hub.on_hub(close_it)
    show.say(f"the manual gate of {connection} is closed{f' until {until}' if until else ''}")


def chosen_traffic(words: list[str] | None) -> Collection[Traffic]:
    """The kinds of calls that are meant, both when none was named. BadInput."""
    from coopwire.domain.gates import Traffic

    known = {one.value: one for one in Traffic}
    unknown = sorted(set(words or []) - known.keys())
    if unknown:
        raise BadInput(f"traffic must be {' or '.join(known)}")
    return frozenset(known[word] for word in words or known)
