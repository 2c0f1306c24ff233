"""`coopwire authorizations`: ways to pay that members left with gateways, without their codes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from coopwire.cli import hub, listing, show

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

    listing.check_state(state, AuthorizationState)
    which = Filter(state=state, member=member)
    found = hub.on_database(lambda database: _listed(database, which, limit))
    listing.many(found, _COLUMNS, _row, none="no member left a way to pay", as_json=as_json)


@app.command("show")
def show_(authorization: _Id, as_json: _Json = False) -> None:
    """Show one: whose it is, which payment left it, and whether it may be charged."""
    found = hub.on_database(lambda database: _one(database, authorization))
    listing.one(found, as_json=as_json)


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
    return listing.there(
        await hub.queries(database).authorization(authorization), "authorization", authorization
    )


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
