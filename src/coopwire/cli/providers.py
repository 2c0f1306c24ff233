"""`coopwire providers`: who can do what, how far each is trusted, and whether a sandbox keeps to it."""

from __future__ import annotations

import asyncio
import sys
from typing import Annotated

import typer

from coopwire.cli import hub, show
from coopwire.cli.failures import FAILED, BadInput
from coopwire.cli.options import Json

_COLUMNS = ("kept", "capability", "promise", "what happened instead")


def providers(
    markdown: Annotated[
        bool, typer.Option("--markdown", help="The page docs/providers.md, with all settings.")
    ] = False,
    as_json: Json = False,
    check: Annotated[
        str | None,
        typer.Option(
            metavar="CONNECTION",
            help="Try this gateway's sandbox: reads, and one page that nobody pays. Refuses live keys.",
        ),
    ] = None,
    currency: Annotated[str, typer.Option(help="One that the sandbox's account takes.")] = "NGN",
) -> None:
    """Show who can do what, and how far each is trusted; or try a gateway's sandbox.

    Exit code 1 when a promise is broken there.
    """
    from coopwire.cli import pages
    from coopwire.providers import catalog

    if check is not None:
        _check(check, currency, as_json)
        return
    if markdown:
        sys.stdout.write(pages.providers())
        return
    rows = pages.capability_rows(catalog.sheet(name) for name in catalog.names())
    if as_json:
        names = [name.replace(" ", "_").replace("-", "_") for name in pages.CAPABILITY_COLUMNS]
        show.json_lines(dict(zip(names, row, strict=True)) for row in rows)
    else:
        show.table(pages.CAPABILITY_COLUMNS, rows, none="there are no providers")


def _check(name: str, currency: str, as_json: bool) -> None:
    from coopwire.cli.sandboxes import tried
    from coopwire.providers import catalog

    connections = hub.configured(hub.settings()).connections
    if name not in connections:
        raise BadInput(
            f"there is no connection {show.cell(name)}; there are: {', '.join(sorted(connections))}"
        )
    connection = connections[name]
    results = asyncio.run(tried(connection, catalog.sheet(connection.provider), currency))
    if as_json:
        show.json_lines(
            {
                "promise": one.name,
                "capability": one.capability and one.capability.value,
                "kept": one.passed,
                "failure": one.failure,
            }
            for one in results
        )
    else:
        rows = (
            (
                "yes" if one.passed else "NO",
                one.capability.value if one.capability else "",
                one.name,
                one.failure,
            )
            for one in results
        )
        show.table(_COLUMNS, rows, none="nothing can be tried there")
    if not all(one.passed for one in results):
        raise typer.Exit(FAILED)
