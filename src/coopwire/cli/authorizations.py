"""`coopwire authorizations`: ways to pay that members left with gateways, without their codes."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from coopwire.cli import hub, show
from coopwire.cli.failures import BadInput

if TYPE_CHECKING:
    from coopwire.app import App
    from coopwire.ports.queries import AuthorizationView, Filter
    from coopwire.storage.database import PostgresDatabase

app = typer.Typer(help="Ways to pay that members left with gateways: list, show, end.")

_Json = Annotated[bool, typer.Option("--json", help="One JSON object a line.")]
_Id = Annotated[str, typer.Argument(metavar="ID", help="The id that the list shows.")]
_COLUMNS = ("id", "kept", "connection", "member", "channel", "brand", "expires", "state")


@app.command("list")
def list_(
    state: Annotated[str | None, typer.Option(help="Only those in this state.")] = None,
    member: Annotated[str | None, typer.Option(help="Only those of this member.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=20_000, help="At most so many.")] = 100,
    as_json: _Json = False,
) -> None:
    """Show what members left, the newest first."""
    from coopwire.domain.states import AuthorizationState
    from coopwire.ports.queries import Filter

    known = [one.value for one in AuthorizationState]
    if state is not None and state not in known:
        raise BadInput(f"there is no state {show.cell(state)}; there are: {', '.join(known)}")
    which = Filter(state=state, member=member)
    found = hub.on_database(lambda database: _listed(database, which, limit))
    if as_json:
        show.json_lines(asdict(one) for one in found)
        return
    show.table(_COLUMNS, map(_row, found), none="no member left a way to pay")


@app.command("show")
def show_(authorization: _Id, as_json: _Json = False) -> None:
    """Show one: whose it is, which payment left it, and whether it may be charged."""
    found = hub.on_database(lambda database: _one(database, authorization))
    if as_json:
        show.json_lines([asdict(found)])
        return
    for name, value in asdict(found).items():
        if value is not None and value != "":
            show.say(f"{name:<14}{show.cell(value)}")


@app.command()
def end(
    authorization: _Id,
    reason: Annotated[str, typer.Option(help="Why; it stands in the audit.")],
) -> None:
    """Charge it no more, and have it ended at the gateway."""

    async def work(open_hub: App) -> None:
        await open_hub.authorization_desk.end(authorization, hub.actor(), reason)

    hub.on_hub(work)
    show.say("it is charged no more; the gateway is told by a worker")


async def _listed(database: PostgresDatabase, which: Filter, limit: int) -> tuple[AuthorizationView, ...]:
    return (await hub.queries(database).authorizations(which, limit, None)).items


async def _one(database: PostgresDatabase, authorization: str) -> AuthorizationView:
    found = await hub.queries(database).authorization(authorization)
    if found is None:
        raise BadInput(f"there is no authorization {show.cell(authorization)}")
    return found


def _row(one: AuthorizationView) -> tuple[object, ...]:
    return (
        one.id,
        one.created_at,
        one.connection,
        one.member,
        one.channel,
        one.brand,
        one.expires,
        one.state.value,
    )
