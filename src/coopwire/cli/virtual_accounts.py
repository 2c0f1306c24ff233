"""`coopwire virtual-accounts`: accounts in members' names at gateways, without their numbers."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Annotated

import typer

from coopwire.cli import hub, listing, show
from coopwire.cli.failures import BadInput

if TYPE_CHECKING:
    from coopwire.app import App
    from coopwire.ports.queries import Filter, VirtualAccountView
    from coopwire.storage.database import PostgresDatabase

app = typer.Typer(help="Accounts in members' names: list, show, close, requery.")

_Json = Annotated[bool, typer.Option("--json", help="One JSON object a line.")]
_Id = Annotated[str, typer.Argument(metavar="ID", help="The id that the list shows.")]
_COLUMNS = ("id", "asked for", "connection", "member", "for", "bank", "state", "reason")


@app.command("list")
def list_(
    state: Annotated[str | None, typer.Option(help="Only those in this state.")] = None,
    member: Annotated[str | None, typer.Option(help="Only those of this member.")] = None,
    connection: Annotated[str | None, typer.Option(help="Only those at this gateway.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=20_000, help="At most so many.")] = 100,
    as_json: _Json = False,
) -> None:
    """Show members' accounts, the newest first."""
    from coopwire.domain.states import AccountState
    from coopwire.ports.queries import Filter

    listing.check_state(state, AccountState)
    which = Filter(state=state, member=member, connection=connection)
    found = hub.on_database(lambda database: _listed(database, which, limit))
    listing.many(found, _COLUMNS, _row, none="there are no virtual accounts", as_json=as_json)


@app.command("show")
def show_(account: _Id, as_json: _Json = False) -> None:
    """Show one account: whose it is, what money on it is for, and how far it is."""
    found = hub.on_database(lambda database: _one(database, account))
    listing.one(found, as_json=as_json)


@app.command()
def close(
    account: _Id,
    reason: Annotated[str, typer.Option(help="Why; it stands in the audit.")],
) -> None:
    """Have an account closed at the gateway; money that still comes to it goes to suspense."""

    async def work(open_hub: App) -> None:
        await open_hub.account_desk.close(account, hub.actor(), reason)

    hub.on_hub(work)
    show.say("it is closed as soon as a worker has told the gateway")


@app.command()
def requery(
    account: _Id,
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


async def _listed(database: PostgresDatabase, which: Filter, limit: int) -> tuple[VirtualAccountView, ...]:
    return (await hub.queries(database).virtual_accounts(which, limit, None)).items


async def _one(database: PostgresDatabase, account: str) -> VirtualAccountView:
    return listing.there(await hub.queries(database).virtual_account(account), "virtual account", account)


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
