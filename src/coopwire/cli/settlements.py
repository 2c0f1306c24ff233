"""`coopwire settlements`: what a gateway pays out, read from it at this moment, beside where it stands here."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict
from datetime import date
from typing import TYPE_CHECKING, Annotated

import typer

from coopwire.cli import hub, show
from coopwire.cli.failures import BadInput
from coopwire.cli.options import Json

if TYPE_CHECKING:
    from coopwire.app import App
    from coopwire.application.settled import SettlementInFull, SettlementReader
    from coopwire.domain.fees import ExpectedTotal
    from coopwire.ports.gateways import SettlementLine, SettlementSnapshot
    from coopwire.ports.queries import SettlementDetail, SettlementView
    from coopwire.storage.queries import PostgresQueries

app = typer.Typer(help="What a gateway pays out to the bank, and whether it is tied and booked: list, show.")

_COLUMNS = ("id", "day", "state", "here", "gross", "fee", "deductions", "net", "missing", "reason")
_LINES = ("kind", "charge or other", "reference", "gross", "fee", "exact fee", "paid", "tied to")
_NOT_HERE = "not read yet"
_Connection = Annotated[str, typer.Argument(help="The connection of the gateway.")]


@app.command("list")
def list_(
    connection: _Connection,
    from_: Annotated[str, typer.Option("--from", metavar="DAY", help="First day, like 2026-03-02.")],
    to: Annotated[str | None, typer.Option(metavar="DAY", help="Last day; left out: the first.")] = None,
    as_json: Json = False,
) -> None:
    """Show the settlements of these days, the newest first."""
    first = _day(from_)
    last = first if to is None else _day(to)
    found, here = hub.on_hub(lambda opened: _listed(opened, connection, first, last))
    if as_json:
        show.json_lines(_facts(one, here.get(one.provider_ref)) for one in found)
        return
    rows = [_row(one, here.get(one.provider_ref)) for one in found]
    show.table(_COLUMNS, rows, none="there are no settlements of these days")


@app.command("show")
def show_(
    connection: _Connection,
    settlement: Annotated[str, typer.Argument(metavar="ID", help="The gateway's id of it.")],
    as_json: Json = False,
) -> None:
    """Show one settlement with every line in it, and what of ours each is tied to."""
    found, here = hub.on_hub(lambda opened: _shown(opened, connection, settlement))
    stands, ties = (None, {}) if here is None else (here.settlement, _ties(here))
    if as_json:
        lines = [{**_line_facts(one), "tied_to": ties.get(_about(one))} for one in found.lines]
        expected = None if here is None or here.expected_fee is None else asdict(here.expected_fee)
        show.json_lines([{**_facts(found.settlement, stands), "expected_fee": expected, "lines": lines}])
        return
    show.table(_COLUMNS, [_row(found.settlement, stands)], none="")
    show.say("")
    show.table(_LINES, _lines(found.lines, ties), none="there are no lines in it")
    if here is not None and here.expected_fee is not None:
        show.say(f"\n{_expected(here.expected_fee, here.settlement)}")


async def _listed(
    opened: App, connection: str, first: date, last: date
) -> tuple[list[SettlementSnapshot], Mapping[str, SettlementView]]:
    found = await _reader(opened).of(connection, first, last)
    here = await _queries(opened).stands(connection, [one.provider_ref for one in found])
    return found, here


async def _shown(
    opened: App, connection: str, provider_ref: str
) -> tuple[SettlementInFull, SettlementDetail | None]:
    from coopwire.domain.settlements import settlement_id

    found = await _reader(opened).in_full(connection, provider_ref)
    return found, await _queries(opened).settlement(settlement_id(connection, provider_ref))


def _reader(opened: App) -> SettlementReader:
    from coopwire.application.settled import SettlementReader

    return SettlementReader(opened.network)


def _queries(opened: App) -> PostgresQueries:
    return hub.queries(opened.database)


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise BadInput(f"write a day like 2026-03-02, not {show.cell(text)}") from None


def _row(one: SettlementSnapshot, here: SettlementView | None) -> tuple[object, ...]:
    from coopwire.domain.money import Money

    amounts = (one.gross_minor, one.fee_minor, one.deductions_minor, one.net_minor)
    money = (Money(amount, one.currency) for amount in amounts)
    missing = Money(one.gap_minor, one.currency) if one.gap_minor else ""
    stand = here.stand.value if here is not None else _NOT_HERE
    return (one.provider_ref, one.settled_on, one.state.value, stand, *money, missing, one.reason)


def _lines(lines: Iterable[SettlementLine], ties: Mapping[str, str]) -> Iterable[tuple[object, ...]]:
    from coopwire.domain.money import Money

    for one in lines:
        gross, fee = Money(one.gross_minor, one.currency), Money(one.fee_minor, one.currency)
        about = one.charge or one.subject
        tied = ties.get(_about(one), "")
        yield one.kind.value, about, one.reference, gross, fee, one.fee_exact, one.paid_at, tied


def _about(one: SettlementLine) -> str:
    return f"{one.kind.value} {one.subject or one.charge}"


def _ties(here: SettlementDetail) -> dict[str, str]:
    """What each line is tied to, by what it is about."""
    named = {
        f"{line.kind.value} {line.subject or line.charge}": _tied(line.receipt, line.refund, line.dispute)
        for line in here.lines
    }
    return {about: tied for about, tied in named.items() if tied}


def _tied(receipt: str | None, refund: str | None, dispute: str | None) -> str:
    names = (("receipt", receipt), ("refund", refund), ("dispute", dispute))
    return " ".join(f"{noun} {id}" for noun, id in names if id is not None)


def _expected(fee: ExpectedTotal, here: SettlementView) -> str:
    from coopwire.domain.money import Money

    told, taken = Money(fee.minor, here.currency), Money(here.fee_minor, here.currency)
    unpriced = f"; no rule speaks of {fee.unpriced} of its charges" if fee.unpriced else ""
    return f"by the price list its charges cost {told}, the gateway took {taken}{unpriced}"


def _facts(one: SettlementSnapshot, here: SettlementView | None) -> dict[str, object]:
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
        "here": None if here is None else asdict(here),
    }


def _line_facts(one: SettlementLine) -> dict[str, object]:
    return {
        "kind": one.kind.value,
        "subject": one.subject,
        "charge": one.charge,
        "reference": one.reference,
        "currency": one.currency,
        "gross_minor": one.gross_minor,
        "fee_minor": one.fee_minor,
        "fee_exact": one.fee_exact,
        "paid_at": one.paid_at,
    }
