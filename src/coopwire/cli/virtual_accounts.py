"""`coopwire virtual-accounts`: accounts in members' names at gateways, without their numbers."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Annotated

import typer

from coopwire.cli import hub, listing, show
from coopwire.cli.failures import BadInput
from coopwire.cli.options import Id, Json, Reason

if TYPE_CHECKING:
    from coopwire.app import App
    from coopwire.ports.queries import VirtualAccountView

app = typer.Typer(help="Accounts in members' names: list, show, close, requery.")

_COLUMNS = ("id", "asked for", "connection", "member", "for", "bank", "state", "reason")


@app.command("list")
def list_(
    state: Annotated[str | None, typer.Option(help="Only those in this state.")] = None,
    member: Annotated[str | None, typer.Option(help="Only those of this member.")] = None,
    connection: Annotated[str | None, typer.Option(help="Only those at this gateway.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=20_000, help="At most so many.")] = 100,
    as_json: Json = False,
) -> None:
    """Show members' accounts, the newest first."""
    from coopwire.domain.states import AccountState
    from coopwire.ports.queries import Filter

    listing.check_state(state, AccountState)
    which = Filter(state=state, member=member, connection=connection)
    found = hub.read(lambda queries: queries.virtual_accounts(which, limit, None)).items
    listing.many(found, _COLUMNS, _row, none="there are no virtual accounts", as_json=as_json)


@app.command("show")
def show_(account: Id, as_json: Json = False) -> None:
    """Show one account: whose it is, what money on it is for, and how far it is."""
    found = listing.there(
        hub.read(lambda queries: queries.virtual_account(account)), "virtual account", account
    )
    listing.one(found, as_json=as_json)


@app.command()
def close(account: Id, reason: Reason) -> None:
    """Have an account closed at the gateway; money that still comes to it goes to suspense."""

    async def work(open_hub: App) -> None:
        await open_hub.account_desk.close(account, hub.actor(), reason)

    hub.on_hub(work)
    show.say("it is closed as soon as a worker has told the gateway")


@app.command()
def requery(
    account: Id,
    on: Annotated[str, typer.Option(metavar="DAY", help="The day of the transfer, YYYY-MM-DD.")],
) -> None:
    """Ask the gateway to look for transfers of a day that it missed."""
    try:
        day = date.fromisoformat(on)
    except ValueError:
        raise BadInput("write the day as YYYY-MM-DD") from None

    async def work(open_hub: App) -> None:
        await open_hub.account_desk.requery(account, day, hub.actor())

    hub.on_hub(work)
    show.say("the gateway looks; what it finds arrives by webhook")


def _row(account: VirtualAccountView) -> tuple[object, ...]:
    what = account.loan or account.account
    purpose = f"{account.kind.value} {what}" if what else account.kind.value
    return (
        account.id,
        account.created_at,
        account.connection,
        account.member,
        purpose,
        account.bank,
        account.state.value,
        account.reason,
    )
