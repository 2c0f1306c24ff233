"""`coopwire mandates`: members' leave to debit their bank accounts, without codes and account numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from coopwire.cli import hub, listing, show
from coopwire.cli.options import Id, Json, Reason

if TYPE_CHECKING:
    from coopwire.app import App
    from coopwire.domain.mandates import MandateChange
    from coopwire.ports.queries import MandateView

app = typer.Typer(help="Members' mandates: list, show, suspend, resume, retry, end.")

_COLUMNS = ("id", "asked for", "connection", "member", "bank", "up to", "state", "reason")


@app.command("list")
def list_(
    state: Annotated[str | None, typer.Option(help="Only those in this state.")] = None,
    member: Annotated[str | None, typer.Option(help="Only those of this member.")] = None,
    connection: Annotated[str | None, typer.Option(help="Only those at this gateway.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=20_000, help="At most so many.")] = 100,
    as_json: Json = False,
) -> None:
    """Show members' mandates, the newest first."""
    from coopwire.domain.states import MandateState
    from coopwire.ports.queries import Filter

    listing.check_state(state, MandateState)
    which = Filter(state=state, member=member, connection=connection)
    found = hub.read(lambda queries: queries.mandates(which, limit, None)).items
    listing.many(found, _COLUMNS, _row, none="there are no mandates", as_json=as_json)


@app.command("show")
def show_(mandate: Id, as_json: Json = False) -> None:
    """Show one mandate: whose it is, what it allows, and how far it is."""
    found = listing.there(hub.read(lambda queries: queries.mandate(mandate)), "mandate", mandate)
    listing.one(found, as_json=as_json)


@app.command()
def suspend(mandate: Id, reason: Reason) -> None:
    """Debit nothing on it from now on, and have it suspended at the gateway."""
    from coopwire.domain.mandates import MandateChange

    _change(mandate, MandateChange.SUSPEND, reason)
    show.say("nothing is debited any more; the gateway is told by a worker")


@app.command()
def resume(mandate: Id, reason: Reason) -> None:
    """Have a suspended mandate resumed at the gateway."""
    from coopwire.domain.mandates import MandateChange

    _change(mandate, MandateChange.RESUME, reason)
    show.say("it is debited again as soon as the gateway says that it is active")


@app.command()
def retry(mandate: Id, reason: Reason) -> None:
    """Have the gateway try again to activate what the member has approved."""
    from coopwire.domain.mandates import MandateChange

    _change(mandate, MandateChange.RETRY, reason)
    show.say("the gateway is asked by a worker")


@app.command()
def end(mandate: Id, reason: Reason) -> None:
    """Debit nothing on it any more, and have it ended at the gateway."""
    from coopwire.domain.mandates import MandateChange

    _change(mandate, MandateChange.END, reason)
    show.say("nothing is debited any more; the gateway is told by a worker")


def _change(mandate: str, change: MandateChange, reason: str) -> None:
    async def work(open_hub: App) -> None:
        await open_hub.mandate_desk.change(mandate, change, hub.actor(), reason)

    hub.on_hub(work)


def _row(mandate: MandateView) -> tuple[object, ...]:
    from coopwire.domain.money import Money

    ceiling = mandate.ceiling_minor
    return (
        mandate.id,
        mandate.created_at,
        mandate.connection,
        mandate.member,
        mandate.bank,
        str(Money(ceiling, mandate.currency)) if ceiling is not None else mandate.currency,
        mandate.state.value,
        mandate.reason,
    )
