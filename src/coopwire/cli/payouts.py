"""`coopwire payouts`, `banks`, `name` and `balances`: money that is paid out, and what a gateway knows of accounts."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from coopwire.cli import hub, listing, show
from coopwire.cli.failures import BadInput
from coopwire.cli.options import Id, Json, Reason

if TYPE_CHECKING:
    from coopwire.application.paying_out import PayoutDesk
    from coopwire.domain.payouts import Payout
    from coopwire.ports.queries import PayoutView

app = typer.Typer(help="Money that is paid out: list, show, release, cancel, otp.")

_Connection = Annotated[str, typer.Argument(metavar="CONNECTION", help="A gateway connection.")]
_COLUMNS = ("id", "asked for", "amount", "member", "loan", "state", "held for", "next look", "reason")


@app.command("list")
def list_(
    state: Annotated[str | None, typer.Option(help="Only those in this state, such as held.")] = None,
    member: Annotated[str | None, typer.Option(help="Only of this member.")] = None,
    loan: Annotated[str | None, typer.Option(help="Only of this loan.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="At most so many.")] = 100,
    as_json: Json = False,
) -> None:
    """Show payouts, the newest first."""
    from coopwire.domain.states import PayoutState
    from coopwire.ports.queries import Filter

    listing.check_state(state, PayoutState)
    which = Filter(state=state, member=member, loan=loan)
    found = hub.read(lambda queries: queries.payouts(which, limit, None)).items
    listing.many(found, _COLUMNS, _row, none="there are no payouts", as_json=as_json)


@app.command("show")
def show_(payout: Id, as_json: Json = False) -> None:
    """Show one payout: who wanted it, how far it is, and why it waits."""
    found = listing.there(hub.read(lambda queries: queries.payout(payout)), "payout", payout)
    listing.one(found, as_json=as_json)


@app.command()
def release(payout: Id, reason: Reason) -> None:
    """Let a held payout go out as it was asked for; only somebody else than who asked for it can."""
    _moved(lambda desk: desk.release(payout, hub.person(), reason))


@app.command()
def cancel(payout: Id, reason: Reason) -> None:
    """End a payout of which nothing was sent. It cannot be undone."""
    _moved(lambda desk: desk.cancel(payout, hub.person(), reason))


@app.command()
def otp(
    payout: Id,
    resend: Annotated[
        bool, typer.Option("--resend", help="Have another one sent to the lender's phone.")
    ] = False,
) -> None:
    """Give the gateway the one-time password that a payout waits for; it is asked for and not shown."""
    if resend:
        _moved(lambda desk: desk.resend_otp(payout, hub.person()))
        return
    # Not an option: what stands in a command line is seen by every user of the machine, and kept by shells.
    password = typer.prompt("One-time password", hide_input=True, err=True)
    _moved(lambda desk: desk.give_otp(payout, password, hub.person()))


def banks(
    connection: _Connection,
    currency: Annotated[str, typer.Option(help="Banks that take this currency.")] = "NGN",
    as_json: Json = False,
) -> None:
    """Show the banks that a gateway pays to."""
    found = hub.on_hub(lambda open_hub: open_hub.payouts.banks(connection, currency))
    if as_json:
        show.json_lines(asdict(one) for one in found)
        return
    rows = ((one.code, one.name, one.currency, "" if one.active else "not active") for one in found)
    show.table(("code", "name", "currency", ""), rows, none="it pays to no bank in this currency")


def name(
    connection: _Connection,
    bank: Annotated[str, typer.Argument(metavar="BANK", help="The bank's code.")],
    account: Annotated[str, typer.Argument(metavar="ACCOUNT", help="The account's number, noughts and all.")],
) -> None:
    """Show who holds a bank account, as the bank tells it."""
    holder, reason = hub.on_hub(lambda open_hub: open_hub.payouts.holder(connection, account, bank))
    if holder is None:
        raise BadInput(f"nobody can be named: {show.cell(reason)}")
    show.say(show.cell(holder))


def balances(
    connection: Annotated[str | None, typer.Argument(metavar="[CONNECTION]", help="Only this one.")] = None,
    as_json: Json = False,
) -> None:
    """Show what stands at the gateways and can be paid out."""
    found = hub.on_hub(lambda open_hub: _balances(open_hub.payouts, connection, open_hub.network.gateways()))
    if as_json:
        show.json_lines(found)
        return
    from coopwire.domain.money import Money

    rows = (
        (one["connection"], Money(int(str(one["available_minor"])), str(one["currency"]))) for one in found
    )
    show.table(("connection", "can be paid out"), rows, none="no gateway tells its balance")


async def _balances(
    desk: PayoutDesk, connection: str | None, gateways: tuple[str, ...]
) -> list[dict[str, object]]:
    names = gateways if connection is None else (connection,)
    return [{"connection": one, **asdict(balance)} for one in names for balance in await desk.balances(one)]


def _moved(move: Callable[[PayoutDesk], Awaitable[Payout]]) -> None:
    moved = hub.on_hub(lambda open_hub: move(open_hub.payouts))
    show.say(f"payout {moved.id} is {moved.state.value}")


def _row(payout: PayoutView) -> tuple[object, ...]:
    from coopwire.domain.money import Money

    return (
        payout.id,
        payout.created_at,
        Money(payout.amount_minor, payout.currency),
        payout.member,
        payout.loan,
        payout.state.value,
        payout.hold,
        payout.look_at,
        payout.reason,
    )
