"""`coopwire breaks`: the differences that wait for a person, and the two persons that a correction takes."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from coopwire.cli import files, hub, listing, show
from coopwire.cli.failures import BadInput
from coopwire.cli.options import Json

if TYPE_CHECKING:
    from coopwire.application.correcting import Corrections
    from coopwire.domain.corrections import Correction
    from coopwire.ports.queries import BreakView
    from coopwire.ports.stores import BreakRow

app = typer.Typer(
    help="Differences that wait for a person: list, show, comment, assign, look, resolve; and corrections, by two "
    "persons: request, propose, withdraw, reject, approve."
)

_LARGEST_FILE = 1 << 20
_COLUMNS = ("id", "age", "type", "state", "owner", "amount", "subject", "payment", "evidence")
_Id = Annotated[int, typer.Argument(metavar="ID", min=1, help="The number that the list shows.")]
_Reason = Annotated[str, typer.Option(help="Why; kept in the history with your name.")]


@app.command("list")
def list_(
    type_: Annotated[str | None, typer.Option("--type", metavar="TYPE", help="Only of this type.")] = None,
    state: Annotated[
        str | None,
        typer.Option(help="open, proposed, approved, resolved or written_off; left out: not closed."),
    ] = None,
    every: Annotated[bool, typer.Option("--all", help="Closed ones too.")] = False,
    owner: Annotated[str | None, typer.Option(help="Only those of this owner.")] = None,
    older_than: Annotated[
        float | None, typer.Option(metavar="HOURS", min=0, help="Only those open for longer.")
    ] = None,
    payment: Annotated[str | None, typer.Option(help="Only about this payment.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="At most so many.")] = 100,
    as_json: Json = False,
) -> None:
    """Show breaks that still ask for somebody with their evidence, the newest first."""
    from coopwire.domain.breaks import BreakType
    from coopwire.domain.states import BreakState
    from coopwire.ports.queries import Filter

    now = datetime.now(UTC)
    which = Filter(
        type=_one_of("type", type_, [one.value for one in BreakType]),
        state=_one_of("state", state, [one.value for one in BreakState]),
        closed=None if every or state is not None else False,
        owner=owner,
        until=now - timedelta(hours=older_than) if older_than is not None else None,
        payment=payment,
    )
    found = hub.read(lambda queries: queries.breaks(which, limit, None)).items
    if as_json:
        show.json_lines(asdict(one) for one in found)
        return
    show.table(_COLUMNS, [_row(one, now) for one in found], none="there are no breaks")


@app.command("show")
def show_(id: _Id, as_json: Json = False) -> None:
    """Show everything about one break.

    Its evidence, its history, the proposal, the effects that correct it, and what may be proposed.
    """
    found = listing.there(hub.read(lambda queries: queries.difference(id)), "break", str(id))
    if as_json:
        show.json_lines([asdict(found)])
        return
    told = asdict(found.difference)
    proposal = told.pop("proposal") or {}
    amount = _amount(found.difference)
    show.facts({**told, "evidence": json.dumps(told["evidence"]), "amount": amount, "amount_minor": None})
    if proposal:
        show.say("\nproposed")
        show.say(json.dumps(proposal.get("action"), ensure_ascii=True))
        show.say("\nit writes")
        for line in proposal.get("plan", ()):
            show.say(json.dumps(line, ensure_ascii=True))
    history = ((m.at, m.actor, m.move.value, m.text) for m in found.history)
    show.part("history", ("at", "who", "what", "said"), history)
    effects = ((e.id, e.kind.value, e.connection, e.state.value, e.reason) for e in found.effects)
    show.part("effects", ("id", "kind", "connection", "state", "reason"), effects)
    if found.corrections:
        show.say(f"\nmay be proposed: {', '.join(found.corrections)}")


@app.command()
def comment(id: _Id, text: Annotated[str, typer.Argument(help="What there is to say.")]) -> None:
    """Add a comment to the history."""
    _do(lambda desk: desk.comment(id, hub.person(), text))
    show.say(f"break {id} has your comment")


@app.command()
def assign(
    id: _Id, owner: Annotated[str | None, typer.Argument(help="Who cares for it; left out: nobody.")] = None
) -> None:
    """Say who cares for a break."""
    _do(lambda desk: desk.assign(id, hub.person(), owner))
    show.say(f"break {id} belongs to {owner or 'nobody'}")


@app.command()
def look(id: _Id) -> None:
    """Ask the outside system once more what it knows; the break stays as it is."""
    show.say(_do(lambda desk: desk.look_again(id, hub.person())))


@app.command()
def resolve(id: _Id, reason: _Reason) -> None:
    """Close a break without moving money: it is explained, or was put right outside."""
    _moved(lambda desk: desk.resolve(id, hub.person(), reason))


@app.command()
def request(
    subject: Annotated[str, typer.Argument(metavar="RECEIPT|EFFECT", help="What is to be corrected.")],
    reason: _Reason,
) -> None:
    """Open a break about a receipt or an effect that no rule complains about, to propose a correction of it."""
    opened = _do(lambda desk: desk.open_request(subject, hub.person(), reason))
    show.say(f"break {opened.id} is open")


@app.command()
def propose(
    id: _Id,
    reason: _Reason,
    action: Annotated[
        str | None,
        typer.Argument(
            help="allocate, reverse_journal, post_journal_again, reverse_posting, post_posting_again, "
            "credit_again, refund, write_off or book_settlement; or give a --file."
        ),
    ] = None,
    file: Annotated[
        Path | None, typer.Option(help="The whole correction as JSON, as the API takes it.")
    ] = None,
    receipt: Annotated[str | None, typer.Option(help="A receipt.")] = None,
    payment: Annotated[str | None, typer.Option(help="The payment to give the money to.")] = None,
    member: Annotated[str | None, typer.Option(help="The member to give the money to.")] = None,
    kind: Annotated[str | None, typer.Option(help="loan_repayment, savings, shares or fee.")] = None,
    loan: Annotated[str | None, typer.Option(help="The loan, or the account.")] = None,
    branch: Annotated[str | None, typer.Option(help="The branch, for the books.")] = None,
    line: Annotated[
        list[str] | None,
        typer.Option(
            metavar="COMPONENT:MINOR[:DUE]", help="Where a part of the money goes; repeat for more."
        ),
    ] = None,
    journal: Annotated[str | None, typer.Option(help="The effect of an entry in the books.")] = None,
    posting: Annotated[str | None, typer.Option(help="The effect of a posting at the bank.")] = None,
    refund: Annotated[str | None, typer.Option(help="A refund that failed.")] = None,
    settlement: Annotated[str | None, typer.Option(help="A settlement that does not tie.")] = None,
    amount_minor: Annotated[int | None, typer.Option(help="An amount in minor units.")] = None,
    connection: Annotated[
        str | None, typer.Option(help="The gateway whose clearing account is meant.")
    ] = None,
    on: Annotated[str | None, typer.Option(metavar="DATE", help="The day of the entry.")] = None,
) -> None:
    """Propose a correction that moves or books money.

    It is judged now, and done when another person approves it.
    """
    members = {
        "receipt": receipt,
        "payment": payment,
        "member": member,
        "kind": kind,
        "loan": loan,
        "branch": branch,
        "lines": [_line(one) for one in line] if line else None,
        "journal": journal,
        "posting": posting,
        "refund": refund,
        "settlement": settlement,
        "amount_minor": amount_minor,
        "connection": connection,
        "on": on,
    }
    given = {name: value for name, value in members.items() if value is not None}
    if (file is None) == (action is None) or (file is not None and given):
        raise BadInput("give an action with its options, or a --file")
    wanted = _correction(_told(file) if file is not None else {"action": action, **given})
    _moved(lambda desk: desk.propose(id, hub.person(), wanted, reason))


@app.command()
def withdraw(id: _Id, reason: _Reason) -> None:
    """Take your own proposal back."""
    _moved(lambda desk: desk.withdraw(id, hub.person(), reason))


@app.command()
def reject(id: _Id, reason: _Reason) -> None:
    """Say no to another person's proposal."""
    _moved(lambda desk: desk.reject(id, hub.person(), reason))


@app.command()
def approve(id: _Id, reason: _Reason) -> None:
    """Let another person's proposal be done, if it still would write what was proposed."""
    _moved(lambda desk: desk.approve(id, hub.person(), reason))


def _do(verb: Callable[[Corrections], Awaitable[Any]]) -> Any:
    return hub.on_hub(lambda open_hub: verb(hub.corrections(open_hub)))


def _moved(verb: Callable[[Corrections], Awaitable[BreakRow]]) -> None:
    row: BreakRow = _do(verb)
    show.say(f"break {row.id} is {row.state.value.replace('_', ' ')}")


def _one_of(what: str, given: str | None, known: list[str]) -> str | None:
    if given is not None and given not in known:
        raise BadInput(f"there is no {what} {show.cell(given)}; there are: {', '.join(known)}")
    return given


def _line(given: str) -> dict[str, object]:
    component, _, rest = given.partition(":")
    amount, _, due = rest.partition(":")
    if not amount.isdecimal():
        raise BadInput("--line must look like principal:400000 or principal:400000:D3, in minor units")
    return {"component": component, "amount_minor": int(amount), **({"due": due} if due else {})}


def _told(file: Path) -> Any:
    try:
        told = json.loads(files.text(file, _LARGEST_FILE))
    except ValueError:
        raise BadInput(f"{file}: it is not JSON") from None
    if not isinstance(told, dict):
        raise BadInput(f"{file}: it is not a JSON object")
    return told


def _correction(told: dict[str, Any]) -> Correction:
    from coopwire.domain.corrections import CorrectionUnreadable, read

    try:
        return read(told)
    except CorrectionUnreadable as error:
        raise BadInput(f"{show.cell(error.field)}: {error.message}") from None


def _row(one: BreakView, now: datetime) -> tuple[object, ...]:
    return (
        one.id,
        _age(one.opened_at, now),
        one.type.value,
        one.state.value,
        one.owner,
        _amount(one),
        one.subject,
        one.payment,
        json.dumps(dict(one.evidence)),
    )


def _age(opened_at: datetime, now: datetime) -> str:
    """Days, else hours, else minutes: what is old must be seen at a glance."""
    minutes = max(int((now - opened_at).total_seconds() // 60), 0)
    if minutes >= 2 * 24 * 60:
        return f"{minutes // (24 * 60)} d"
    return f"{minutes // 60} h" if minutes >= 2 * 60 else f"{minutes} min"


def _amount(one: BreakView) -> str | None:
    from coopwire.domain.money import Money

    if one.amount_minor is None or one.currency is None:
        return None
    return str(Money(one.amount_minor, one.currency))
