"""`coopwire breaks`: the differences that wait for a person."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from coopwire.cli import hub, show
from coopwire.cli.failures import BadInput

if TYPE_CHECKING:
    from coopwire.ports.queries import BreakView, Filter
    from coopwire.storage.database import PostgresDatabase

app = typer.Typer(help="Differences that wait for a person: list.")


@app.callback()
def _breaks() -> None:
    """Keep `list` a command of its own, although it is the only one."""


@app.command("list")
def list_(
    type_: Annotated[str | None, typer.Option("--type", metavar="TYPE", help="Only of this type.")] = None,
    payment: Annotated[str | None, typer.Option(help="Only about this payment.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="At most so many.")] = 100,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False,
) -> None:
    """Show open breaks with their evidence, the newest first."""
    from coopwire.domain.breaks import BreakType
    from coopwire.ports.queries import Filter

    known = [one.value for one in BreakType]
    if type_ is not None and type_ not in known:
        raise BadInput(f"there is no type {show.cell(type_)}; there are: {', '.join(known)}")
    found = hub.on_database(lambda database: _listed(database, Filter(type=type_, payment=payment), limit))
    if as_json:
        show.json_lines(asdict(one) for one in found)
        return
    rows = [(b.opened_at, b.type.value, b.subject, b.payment, json.dumps(dict(b.evidence))) for b in found]
    show.table(("opened", "type", "subject", "payment", "evidence"), rows, none="there are no breaks")


async def _listed(database: PostgresDatabase, which: Filter, limit: int) -> tuple[BreakView, ...]:
    return (await hub.queries(database).breaks(which, limit, None)).items
