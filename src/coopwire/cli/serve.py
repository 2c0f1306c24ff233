"""`coopwire serve` and `coopwire worker`: the hub itself."""

from __future__ import annotations

import asyncio
import sys
from typing import Annotated

import typer

from coopwire.cli import hub


def _announce(address: str) -> None:
    sys.stdout.write(f"{address}\n")
    sys.stdout.flush()


def serve(
    host: Annotated[str | None, typer.Option(help="Address to listen on, instead of COOPWIRE_HOST.")] = None,
    port: Annotated[
        int | None, typer.Option(min=0, max=65535, help="Port, instead of COOPWIRE_PORT; 0: a free one.")
    ] = None,
) -> None:
    """Run the hub: API, webhook door and workers in one process. Prints its address when it listens."""
    from coopwire import app
    from coopwire.monitoring import logs

    of = hub.settings()
    changes = {name: value for name, value in (("host", host), ("port", port)) if value is not None}
    of = of.model_copy(update=changes)
    told = hub.configured(of)
    logs.configure(of.log_level, of.log_format)
    with app.database_dsn(of) as dsn:
        asyncio.run(app.run_server(of, told, dsn, _announce))


def worker() -> None:
    """Run one more worker on the same database, without API."""
    from coopwire import app
    from coopwire.monitoring import logs

    of = hub.settings()
    told = hub.configured(of)
    logs.configure(of.log_level, of.log_format)
    with app.database_dsn(of) as dsn:
        asyncio.run(app.run_worker(of, told, dsn))
