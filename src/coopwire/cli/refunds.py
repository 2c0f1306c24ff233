"""`coopwire refunds`: money that goes back to members, and how far it is."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from coopwire.cli import hub, listing, show
from coopwire.cli.options import Id, Json

if TYPE_CHECKING:
    from coopwire.ports.queries import RefundView

app = typer.Typer(help="Money that goes back to members: list, show.")

_COLUMNS = ("id", "approved", "receipt", "amount", "state", "next look", "reason")


@app.command("list")
def list_(
    state: Annotated[str | None, typer.Option(help="Only those in this state.")] = None,
    payment: Annotated[str | None, typer.Option(help="Only of this payment.")] = None,
    receipt: Annotated[str | None, typer.Option(help="Only of this receipt.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="At most so many.")] = 100,
    as_json: Json = False,
) -> None:
    """Show refunds, the newest first."""
    from coopwire.domain.states import RefundState
    from coopwire.ports.queries import Filter

    listing.check_state(state, RefundState)
    which = Filter(state=state, payment=payment, receipt=receipt)
    found = hub.read(lambda queries: queries.refunds(which, limit, None)).items
    listing.many(found, _COLUMNS, _row, none="there are no refunds", as_json=as_json)


@app.command("show")
def show_(refund: Id, as_json: Json = False) -> None:
    """Show one refund: who wanted it, how far it is, and what it was taken from."""
    found = listing.there(hub.read(lambda queries: queries.refund(refund)), "refund", refund)
    if as_json:
        show.json_lines([asdict(found)])
        return
    listing.members({**asdict(found), "taken": None})
    if found.taken:
        show.say("\ntaken from")
        parts = ((part.component.value, part.due, part.amount_minor) for part in found.taken)
        show.table(("component", "due", "amount_minor"), parts, none="nothing")


def _row(refund: RefundView) -> tuple[object, ...]:
    from coopwire.domain.money import Money

    money = Money(refund.amount_minor, refund.currency)
    return (
        refund.id,
        refund.created_at,
        refund.receipt,
        money,
        refund.state.value,
        refund.look_at,
        refund.reason,
    )
