"""`coopwire letters`: events that a consumer could not take, why, and another delivery or none."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from coopwire.cli import hub, show
from coopwire.cli.failures import BadInput
from coopwire.cli.options import Json, Reason

if TYPE_CHECKING:
    from coopwire.application.letters import LetterDesk
    from coopwire.application.timeline import LetterTimeline
    from coopwire.domain.letters import Letters
    from coopwire.ports.queries import LetterGroupView, LetterView
    from coopwire.ports.stores import Lot
    from coopwire.storage.database import PostgresDatabase

app = typer.Typer(help="Dead letters of the bus: list, show, redrive, discard.")

ResultT = TypeVar("ResultT")
_GROUPS = ("group", "consumer", "cause", "dead", "on their way", "discarded", "events", "first failed")
_LETTERS = ("id", "type", "subject", "state", "group", "first failed", "tries", "next", "cause")
_LOTS = ("consumer", "event", "cause", "letters", "first at", "last at", "overtaking")
_LOOK_SECONDS = 1.0
_Ids = Annotated[
    list[str] | None, typer.Argument(metavar="[ID]...", help="CONSUMER:EVENT, as the list shows it.")
]
_Group = Annotated[str | None, typer.Option(help="Those of this group.")]
_Consumer = Annotated[str | None, typer.Option(help="Those of this consumer.")]
_All = Annotated[bool, typer.Option("--all", help="All that are dead.")]
_Limit = Annotated[int | None, typer.Option(min=1, help="The oldest so many of them.")]


@app.command("list")
def list_(
    single: Annotated[bool, typer.Option("--all", help="Single letters, not groups of them.")] = False,
    group: _Group = None,
    consumer: _Consumer = None,
    state: Annotated[str | None, typer.Option(help="dead, waiting, discarded or done.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="At most so many single letters.")] = 100,
    as_json: Json = False,
) -> None:
    """Show the dead letters, grouped by their cause.

    With --all, or a choice of them, one by one: those that failed last first.
    """
    if not single and (group, consumer, state) == (None, None, None):
        _show(hub.read(lambda queries: queries.letter_groups()), _GROUPS, _group_row, as_json)
        return
    from coopwire.ports.queries import Filter

    which = Filter(group=group, consumer=consumer, state=state)
    found = hub.read(lambda queries: queries.letters(which, limit, None)).items
    _show(found, _LETTERS, _letter_row, as_json)


@app.command("show")
def show_(
    letter: Annotated[str, typer.Argument(metavar="ID", help="CONSUMER:EVENT, as the list shows it.")],
    as_json: Json = False,
) -> None:
    """Show one letter: what its event tells, and the timeline of the payment that it is about."""
    found = hub.on_database(lambda database: _everything(database, letter))
    if as_json:
        show.json_lines([asdict(found)])
        return
    show.facts({**asdict(found.letter), "payment": found.payment})
    show.part("what it tells", ("member", "value"), found.data.items())
    show.part("timeline", ("at", "what", "text"), ((e.at, e.kind, e.text) for e in found.entries))


@app.command()
def redrive(
    ids: _Ids = None,
    group: _Group = None,
    consumer: _Consumer = None,
    everything: _All = False,
    limit: _Limit = None,
    rate: Annotated[
        str | None,
        typer.Option(metavar="N/s", help="At most so many a second to each consumer, like 5/s or 0.5/s."),
    ] = None,
    preview: Annotated[bool, typer.Option("--preview", help="Only say what would go, and when.")] = False,
    follow: Annotated[bool, typer.Option("--follow", help="Stay until they are delivered.")] = False,
    reason: Reason = "",
    as_json: Json = False,
) -> None:
    """Deliver dead letters again, when their cause is mended.

    One or some by their ids, a group, those of a consumer, or --all. Letters of one key keep their order. It may be
    ended and run again: what goes already does not go twice. A discarded letter comes back when its id is given.
    """
    which, per_second = _chosen(ids, group, consumer, everything, limit), _rate(rate)
    if preview:
        lots = _at_desk(lambda desk: desk.plan(which, per_second))
    else:
        lots = _at_desk(lambda desk: desk.redrive(which, hub.actor(), reason, per_second))
    _show(lots, _LOTS, _lot_row, as_json)
    if not as_json:
        count = sum(lot.letters for lot in lots)
        show.say(f"{_letters(count)} would be delivered again" if preview else f"{_letters(count)} go again")
    if follow and not preview:
        hub.on_database(_follow)


@app.command()
def discard(
    reason: Reason,
    ids: _Ids = None,
    group: _Group = None,
    consumer: _Consumer = None,
    everything: _All = False,
    limit: _Limit = None,
) -> None:
    """Let dead letters be delivered to nobody.

    They are kept. `redrive` with the id brings one back.
    """
    which = _chosen(ids, group, consumer, everything, limit)
    count = _at_desk(lambda desk: desk.discard(which, hub.actor(), reason))
    show.say(f"{_letters(count)} discarded")


def _chosen(
    ids: list[str] | None, group: str | None, consumer: str | None, everything: bool, limit: int | None
) -> Letters:
    """Which letters are meant. BadInput unless it was said in exactly one way."""
    from coopwire.domain.letters import Letters

    if sum([bool(ids), group is not None, consumer is not None, everything]) != 1:
        raise BadInput("say which: ids, --group, --consumer or --all")
    return Letters(tuple(ids or ()), group, consumer, limit)


def _rate(given: str | None) -> float | None:
    if given is None:
        return None
    try:
        return float(given.removesuffix("/s"))
    except ValueError:
        raise BadInput(f"a rate is written like 5/s, not {show.cell(given)}") from None


def _at_desk(work: Callable[[LetterDesk], Awaitable[ResultT]]) -> ResultT:
    async def at(database: PostgresDatabase) -> ResultT:
        return await work(await hub.letter_desk(database))

    return hub.on_database(at)


async def _everything(database: PostgresDatabase, id: str) -> LetterTimeline:
    from coopwire.application.timeline import letter_timeline

    queries = hub.queries(database)
    found = await queries.letter(id)
    if found is None:
        raise BadInput(f"there is no dead letter {show.cell(id)}")
    payment = found.payment
    facts = await queries.facts(payment, await database.now()) if payment is not None else None
    return letter_timeline(found, facts)


async def _follow(database: PostgresDatabase) -> None:
    """Tell how many are still on their way, until none is."""
    told = None
    while True:
        groups = await hub.queries(database).letter_groups()
        waiting, dead = sum(one.waiting for one in groups), sum(one.dead for one in groups)
        last = max((one.last_due_at for one in groups if one.last_due_at is not None), default=None)
        if (waiting, dead) != told:
            until = f", the last at {show.cell(last)}" if last is not None else ""
            show.say(f"{_letters(waiting)} on their way{until}; {_letters(dead)} dead")
        if not waiting:
            return
        told = (waiting, dead)
        await asyncio.sleep(_LOOK_SECONDS)


def _letters(count: int) -> str:
    return "1 letter" if count == 1 else f"{count} letters"


def _show(
    found: Iterable[ResultT],
    columns: tuple[str, ...],
    row: Callable[[ResultT], tuple[object, ...]],
    as_json: bool,
) -> None:
    if as_json:
        show.json_lines(asdict(one) for one in found)  # type: ignore[call-overload]
    else:
        show.table(columns, map(row, found), none="there are no dead letters")


def _group_row(one: LetterGroupView) -> tuple[object, ...]:
    return (
        one.id,
        one.consumer,
        one.cause,
        one.dead,
        one.waiting or None,
        one.discarded or None,
        ", ".join(one.types),
        one.first_failed_at,
    )


def _letter_row(one: LetterView) -> tuple[object, ...]:
    return (
        one.id,
        one.type,
        one.subject,
        one.state.value,
        one.group,
        one.first_failed_at,
        one.tries,
        one.due_at,
        one.cause,
    )


def _lot_row(lot: Lot) -> tuple[object, ...]:
    return (lot.consumer, lot.type, lot.cause, lot.letters, lot.first_at, lot.last_at, lot.overtaking or None)
