"""`coopwire providers`: who can do what, and how far each is trusted."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from coopwire.cli import show


def providers(
    markdown: Annotated[
        bool, typer.Option("--markdown", help="The page docs/providers.md, with all settings.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False,
) -> None:
    """Show who can do what, and how far each is trusted."""
    from coopwire.cli import pages
    from coopwire.providers import catalog

    if markdown:
        sys.stdout.write(pages.providers())
        return
    rows = pages.capability_rows(catalog.sheet(name) for name in catalog.names())
    if as_json:
        names = [name.replace(" ", "_").replace("-", "_") for name in pages.CAPABILITY_COLUMNS]
        show.json_lines(dict(zip(names, row, strict=True)) for row in rows)
    else:
        show.table(pages.CAPABILITY_COLUMNS, rows, none="there are no providers")
