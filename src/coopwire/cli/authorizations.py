"""`coopwire authorizations`: ways to pay that members left with gateways, without their codes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from coopwire.cli import hub, listing, show
from coopwire.cli.options import Id, Json, Reason

if TYPE_CHECKING:
    from coopwire.app import App
    from coopwire.ports.queries import AuthorizationView

app = typer.Typer(help="Ways to pay that members left with gateways: list, show, end.")

_COLUMNS = ("id", "kept", "connection", "member", "channel", "brand", "expires", "state")


@app.command("list")
def list_(
    state: Annotated[str | None, typer.Option(help="Only those in this state.")] = None,
    member: Annotated[str | None, typer.Option(help="Only those of this member.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=20_000, help="At most so many.")] = 100,
    as_json: Json = False,
) -> None:
    """Show what members left, the newest first."""
    from coopwire.domain.states import AuthorizationState
    from coopwire.ports.queries import Filter

    listing.check_state(state, AuthorizationState)
    which = Filter(state=state, member=member)
    found = hub.read(lambda queries: queries.authorizations(which, limit, None)).items
    listing.many(found, _COLUMNS, _row, none="no member left a way to pay", as_json=as_json)


@app.command("show")
def show_(authorization: Id, as_json: Json = False) -> None:
    """Show one: whose it is, which payment left it, and whether it may be charged."""
    found = listing.there(
        hub.read(lambda queries: queries.authorization(authorization)), "authorization", authorization
    )
    listing.one(found, as_json=as_json)


@app.command()
def end(authorization: Id, reason: Reason) -> None:
    """Charge it no more, and have it ended at the gateway."""

    async def work(open_hub: App) -> None:
        await open_hub.authorization_desk.end(authorization, hub.actor(), reason)

    hub.on_hub(work)
    show.say("it is charged no more; the gateway is told by a worker")


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
