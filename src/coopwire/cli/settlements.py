"""`coopwire settlements`: what a gateway has paid out, read from it at this moment."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import TYPE_CHECKING, Annotated

import typer

from coopwire.cli import hub, show
from coopwire.cli.failures import BadInput

if TYPE_CHECKING:
    from coopwire.app import App
    from coopwire.application.settled import SettlementReader
    from coopwire.ports.gateways import SettlementLine, SettlementSnapshot

app = typer.Typer(help="What a gateway has paid out to the bank: list, show. Nothing of it is kept.")

_COLUMNS = ("id", "day", "state", "gross", "fee", "deductions", "net", "missing", "reason")
_LINES = ("charge", "reference", "gross", "fee", "exact fee", "paid")
_Connection = Annotated[str, typer.Argument(help="The connection of the gateway.")]
_Json = Annotated[bool, typer.Option("--json", help="One JSON object a line.")]


@app.command("list")
def list_(
    connection: _Connection,
    from_: Annotated[str, typer.Option("--from", metavar="DAY", help="First day, like 2026-03-02.")],
    to: Annotated[str | None, typer.Option(metavar="DAY", help="Last day; left out: the first.")] = None,
    as_json: _Json = False,
) -> None:
    """Show the settlements of these days, the newest first."""
    first = _day(from_)
    last = first if to is None else _day(to)
    found = hub.on_hub(lambda opened: _reader(opened).of(connection, first, last))
    if as_json:
        show.json_lines(map(_facts, found))
        return
    show.table(_COLUMNS, map(_row, found), none="there are no settlements of these days")


@app.command("show")
def show_(
    connection: _Connection,
    settlement: Annotated[str, typer.Argument(metavar="ID", help="The gateway's id of it.")],
    as_json: _Json = False,
) -> None:
    """Show one settlement with every charge in it."""
    found = hub.on_hub(lambda opened: _reader(opened).in_full(connection, settlement))
    if as_json:
        show.json_lines([{**_facts(found.settlement), "lines": [_line_facts(one) for one in found.lines]}])
        return
    show.table(_COLUMNS, [_row(found.settlement)], none="")
    show.say("")
    show.table(_LINES, _lines(found.lines), none="there are no charges in it")


def _reader(opened: App) -> SettlementReader:
    from coopwire.application.settled import SettlementReader

    return SettlementReader(opened.network)


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise BadInput(f"write a day like 2026-03-02, not {show.cell(text)}") from None


def _row(one: SettlementSnapshot) -> tuple[object, ...]:
    from coopwire.domain.money import Money

    amounts = (one.gross_minor, one.fee_minor, one.deductions_minor, one.net_minor)
    money = (Money(amount, one.currency) for amount in amounts)
    missing = Money(one.gap_minor, one.currency) if one.gap_minor else ""
    return (one.provider_ref, one.settled_on, one.state.value, *money, missing, one.reason)


def _lines(lines: Iterable[SettlementLine]) -> Iterable[tuple[object, ...]]:
    from coopwire.domain.money import Money

    for one in lines:
        gross, fee = Money(one.gross_minor, one.currency), Money(one.fee_minor, one.currency)
        yield one.charge, one.reference, gross, fee, one.fee_exact, one.paid_at


def _facts(one: SettlementSnapshot) -> dict[str, object]:
    return {
        "id": one.provider_ref,
        "settled_on": one.settled_on,
        "state": one.state.value,
        "currency": one.currency,
        "gross_minor": one.gross_minor,
        "fee_minor": one.fee_minor,
        "deductions_minor": one.deductions_minor,
        "net_minor": one.net_minor,
        "gap_minor": one.gap_minor,
        "reason": one.reason,
    }


def _line_facts(one: SettlementLine) -> dict[str, object]:
    return {
        "charge": one.charge,
        "reference": one.reference,
        "currency": one.currency,
        "gross_minor": one.gross_minor,
        "fee_minor": one.fee_minor,
        "fee_exact": one.fee_exact,
        "paid_at": one.paid_at,
    }
