"""`coopwire budgets`: how often the connections may still be called, over all workers."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

import typer

from coopwire.cli import hub, show
from coopwire.cli.options import Json

if TYPE_CHECKING:
    from collections.abc import Sequence

    from coopwire.app import App
    from coopwire.ports.queries import BudgetView

app = typer.Typer(help="How often the connections may still be called.", no_args_is_help=True)

_COLUMNS = ("connection", "span", "limit", "used", "left", "until")


@app.callback()
def budgets() -> None:
    """Every limit of every connection is set in the connections file or stated by the provider."""


@app.command("list")
def list_(as_json: Json = False) -> None:
    """Show what every limit has left; what workers have leased counts as used."""

    async def read(open_hub: App) -> Sequence[BudgetView]:
        clock, queries = open_hub.clock, hub.queries(open_hub.database)
        now = clock.now()
        return await queries.budgets(open_hub.network.budgets(), now, now - clock.timings.worker_lost_after)

    found = hub.on_hub(read)
    if as_json:
        show.json_lines(asdict(budget) for budget in found)
        return
    rows = [(b.connection, b.span, b.limit, b.used, b.left, b.until) for b in found]
    show.table(_COLUMNS, rows, none="no connection has a limit")
