"""`coopwire keys`: who may use the API, and for what."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from coopwire.cli import hub, show
from coopwire.cli.failures import BadInput
from coopwire.cli.options import Json

if TYPE_CHECKING:
    from coopwire.ports.keys import ApiKey, NewApiKey, Scope
    from coopwire.storage.database import PostgresDatabase

app = typer.Typer(help="Keys of API clients: create, list, revoke.")

_USUAL_SCOPES = ["payments:write"]
"""Enough for a loan system: it asks for payments and reads them."""


@app.command()
def create(
    name: Annotated[str, typer.Argument(help="Who the key is for, as the list will show it.")],
    scope: Annotated[
        list[str], typer.Option(metavar="SCOPE", help="What it may do, such as operate; repeat for more.")
    ] = _USUAL_SCOPES,
    as_json: Json = False,
) -> None:
    """Make a key. It is shown this once and kept as a digest only."""
    scopes = _scopes(scope)

    async def make(database: PostgresDatabase) -> NewApiKey:
        from coopwire.storage.keys import KeyRows

        return await KeyRows(database.pool, hub.sealer()).create(
            name, scopes, hub.actor(), await database.now()
        )

    try:
        made = hub.on_database(make)
    except ValueError as error:
        raise BadInput(str(error)) from None
    if as_json:
        show.json_lines([{**_facts(made.key), "secret": made.secret}])
        return
    show.note(f"key {made.key.id} for {made.key.name}; keep it well, it is not shown again:")
    show.say(made.secret)


@app.command("list")
def list_(as_json: Json = False) -> None:
    """Show every key, revoked ones too, the newest first."""

    async def read(database: PostgresDatabase) -> list[ApiKey]:
        from coopwire.storage.keys import KeyRows

        return await KeyRows(database.pool, hub.sealer()).list()

    found = hub.on_database(read)
    if as_json:
        show.json_lines(_facts(key) for key in found)
        return
    rows = [(k.id, k.name, " ".join(sorted(k.scopes)), k.created_at, k.revoked_at) for k in found]
    columns = ("id", "name", "scopes", "created", "revoked")
    show.table(columns, rows, none="there are no keys: coopwire keys create NAME")


@app.command()
def revoke(key: Annotated[str, typer.Argument(help="The id that the list shows.")]) -> None:
    """End a key at once and for good."""

    async def end(database: PostgresDatabase) -> bool:
        from coopwire.storage.keys import KeyRows

        return await KeyRows(database.pool, hub.sealer()).revoke(key, hub.actor(), await database.now())

    if not hub.on_database(end):
        raise BadInput(f"there is no key {show.cell(key)} that still counts")
    show.say(f"key {key} is revoked")


def _scopes(words: list[str]) -> frozenset[Scope]:
    from coopwire.ports.keys import Scope

    known = {scope.value: scope for scope in Scope}
    unknown = sorted(set(words) - known.keys())
    if unknown:
        raise BadInput(f"no scope {', '.join(map(show.cell, unknown))}; there are: {', '.join(known)}")
    return frozenset(known[word] for word in words)


def _facts(key: ApiKey) -> dict[str, object]:
    return {
        "id": key.id,
        "name": key.name,
        "scopes": sorted(scope.value for scope in key.scopes),
        "created_at": key.created_at,
        "revoked_at": key.revoked_at,
    }
