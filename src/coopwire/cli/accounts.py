"""`coopwire accounts`: which core account belongs to which member or loan."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from coopwire.cli import files, hub, show
from coopwire.cli.failures import BAD_INPUT
from coopwire.cli.options import Json

if TYPE_CHECKING:
    from coopwire.app import App
    from coopwire.application.accounts import ImportReport

app = typer.Typer(help="Core accounts of members and loans: import, list, check.")

_LARGEST_FILE = 16 << 20
_MOST_REFUSALS_SHOWN = 50
_COLUMNS = ("id", "connection", "member", "loan", "updated")


@app.command("import")
def import_(
    file: Annotated[
        Path, typer.Argument(help="CSV with the columns member,number and, if need be, loan,connection.")
    ],
) -> None:
    """Link members to their core accounts: every line of a CSV file, or none.

    A line without a loan is for all money of the member. Without a connection the core bank of the routes is
    meant. The same file can be imported again.
    """
    from coopwire.application.accounts import AccountImport, csv_lines

    lines = csv_lines(files.text(file, _LARGEST_FILE))

    async def put(open_hub: App) -> ImportReport:
        from coopwire.storage.core_accounts import CoreAccountRows

        table = CoreAccountRows(open_hub.database.pool, hub.sealer())
        return await AccountImport(open_hub.network, table, open_hub.clock).put(lines, hub.actor())

    report = hub.on_hub(put)
    for one in report.refused[:_MOST_REFUSALS_SHOWN]:
        show.note(f"line {one.line}, {one.field}: {one.message}")
    if report.refused:
        show.note(f"{len(report.refused)} lines cannot be stored, so none is")
        raise typer.Exit(BAD_INPUT)
    show.say(", ".join(f"{count} {result}" for result, count in report.counts.items()))


@app.command("list")
def list_(
    member: Annotated[str | None, typer.Option(help="Only those of this member.")] = None,
    connection: Annotated[str | None, typer.Option(help="Only those of this core bank.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=20_000, help="At most so many.")] = 100,
    as_json: Json = False,
) -> None:
    """Show which members and loans have an account, without the numbers."""
    from coopwire.ports.queries import Filter

    which = Filter(member=member, connection=connection)
    found = hub.read(lambda queries: queries.core_accounts(which, limit, None)).items
    if as_json:
        show.json_lines(asdict(one) for one in found)
        return
    rows = [(a.id, a.connection, a.member, a.loan, a.updated_at) for a in found]
    show.table(_COLUMNS, rows, none="no member is linked to an account: coopwire accounts import FILE")


@app.command()
def check(
    member: Annotated[str | None, typer.Option(help="Only those of this member.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=20_000, help="At most so many.")] = 1000,
) -> None:
    """Ask the core bank whether the linked accounts exist and can be credited; exit code 1 if one cannot."""
    from coopwire.application.enquiries import Standing, standings
    from coopwire.ports.queries import Filter

    async def ask(open_hub: App) -> list[Standing]:
        queries = hub.queries(open_hub.database)
        found = (await queries.core_accounts(Filter(member=member), limit, None)).items
        return await standings(open_hub.network, open_hub.database, [one.id for one in found])

    asked = hub.on_hub(ask)
    wrong = [one for one in asked if one.problem]
    if wrong:
        rows = [(one.id, one.connection, one.member, one.loan, one.status, one.problem) for one in wrong]
        show.table(("id", "connection", "member", "loan", "status", "problem"), rows, none="")
        raise typer.Exit(1)
    show.say(f"{len(asked)} accounts can be credited")
