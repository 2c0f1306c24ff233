"""`coopwire breakers`: whether the connections answer, judged over all workers; opened or closed by hand."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from coopwire.cli import hub, show, times
from coopwire.cli.gates import chosen_traffic
from coopwire.cli.options import Json, Reason

if TYPE_CHECKING:
    from collections.abc import Sequence

    from coopwire.app import App
    from coopwire.ports.queries import BreakerView

app = typer.Typer(help="Whether the connections answer: list, open (nothing passes), close (all passes).")

_COLUMNS = ("connection", "traffic", "state", "calls", "failed", "opened", "until", "reason")
_Connection = Annotated[str, typer.Argument(help="Which connection.")]
_Traffic = Annotated[list[str] | None, typer.Option(metavar="TRAFFIC", help="read or write; left out: both.")]


@app.command("list")
def list_(as_json: Json = False) -> None:
    """Show every connection's breakers with the calls that count now."""

    async def read(open_hub: App) -> Sequence[BreakerView]:
        clock, queries = open_hub.clock, hub.queries(open_hub.database)
        names = open_hub.network.connections.keys()
        return await queries.breakers(names, clock.now(), clock.timings.breaker_window)

    found = hub.on_hub(read)
    if as_json:
        show.json_lines(asdict(breaker) for breaker in found)
        return
    rows = [
        (b.connection, b.traffic.value, b.state.value, b.attempts, b.failures, b.opened_at, b.until, b.reason)
        for b in found
    ]
    show.table(_COLUMNS, rows, none="there are no connections")


@app.command("open")
def open_(
    connection: _Connection,
    reason: Reason,
    traffic: _Traffic = None,
    until: Annotated[
        str | None,
        typer.Option(metavar="TIME", help="When it is probed again, as 2026-11-30T18:00:00+01:00."),
    ] = None,
) -> None:
    """Let no call pass, in any process: what waits keeps its place and its tries."""
    end = times.instant(until, "--until") if until is not None else None
    chosen = chosen_traffic(traffic)

    async def open_it(open_hub: App) -> None:
        await hub.operator(open_hub).open_breaker(connection, chosen, hub.actor(), reason, end)

    hub.on_hub(open_it)
    show.say(f"the breaker of {connection} is open{f' until {until}' if until else ''}: nothing passes")


@app.command()
def close(connection: _Connection, reason: Reason, traffic: _Traffic = None) -> None:
    """Let calls pass again without a probe: what waits goes on in order."""
    chosen = chosen_traffic(traffic)

    async def close_it(open_hub: App) -> bool:
        return await hub.operator(open_hub).close_breaker(connection, chosen, hub.actor(), reason)

    closed = hub.on_hub(close_it)
    show.say(f"the breaker of {connection} {'is closed' if closed else 'was closed already'}: calls pass")
