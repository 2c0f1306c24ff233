"""`coopwire effects`: outgoing writes, where they stand, and the two things a person may do to one."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from coopwire.cli import hub, show
from coopwire.cli.failures import BadInput
from coopwire.cli.options import Id, Json, Reason

if TYPE_CHECKING:
    from coopwire.application.operating import Operator
    from coopwire.domain.effects import Effect
    from coopwire.ports.queries import BreakView, EffectDetail, EffectView, Filter
    from coopwire.storage.database import PostgresDatabase

app = typer.Typer(help="Outgoing writes: list, show, resume, skip, replay.")

_STANDS_STILL = ("held", "unknown", "refused")
_COLUMNS = ("id", "kind", "connection", "state", "since", "tries", "next", "reason")


@app.command("list")
def list_(
    state: Annotated[
        list[str] | None, typer.Option(help="Which state; repeat for more; left out: held, unknown, refused.")
    ] = None,
    kind: Annotated[str | None, typer.Option(help="checkout, journal, posting or callback.")] = None,
    connection: Annotated[str | None, typer.Option(help="Only those of this connection.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="At most so many of each state.")] = 100,
    as_json: Json = False,
) -> None:
    """Show what stands still, or what is in a --state.

    The newest first.
    """
    from coopwire.ports.queries import Filter

    which = [Filter(state=one, kind=_kind(kind), connection=connection) for one in _states(state)]
    found = hub.on_database(lambda database: _listed(database, which, limit))
    if as_json:
        show.json_lines(asdict(one) for one in found)
    else:
        show.table(
            _COLUMNS, map(_row, found), none="no effect stands still" if not state else "there are none"
        )


@app.command("show")
def show_(effect: Id, as_json: Json = False) -> None:
    """Show one effect and everything about it.

    Its tries, its look-ups, what it waits for, and the breaks.
    """
    detail, before, breaks = hub.on_database(lambda database: _everything(database, effect))
    if as_json:
        waits_for = {"waits_for": asdict(before) if before is not None else None}
        show.json_lines([{**asdict(detail), **waits_for, "breaks": [asdict(one) for one in breaks]}])
        return
    show.facts(asdict(detail.effect))
    if before is not None:
        show.say(f"\nit waits for effect {before.id}, which is {before.state.value}")
    tries = ((t.claimed_at, t.ended_at, t.outcome, t.late or None, t.detail) for t in detail.tries_made)
    show.part("tries", ("claimed", "ended", "outcome", "too late", "detail"), tries)
    show.part("look-ups", ("at", "answer"), ((look.at, look.answer) for look in detail.looks_made))
    show.part(
        "breaks", ("opened", "type", "evidence"), ((b.opened_at, b.type.value, b.evidence) for b in breaks)
    )


@app.command()
def resume(effect: Id, reason: Reason) -> None:
    """Go on with an effect.

    A held one goes out again, unless it may have been done: then it is looked up first. An unknown one is
    looked up again, never sent.
    """
    moved = _moved(lambda operator: operator.resume(effect, hub.actor(), reason))
    show.say(f"effect {moved.id} is {moved.state.value}")


@app.command()
def skip(effect: Id, reason: Reason) -> None:
    """Let an effect be done by nobody.

    The hub will not do it any more, and the next one in its lane goes on. It cannot be undone.
    """
    moved = _moved(lambda operator: operator.skip(effect, hub.actor(), reason))
    show.say(f"effect {moved.id} is {moved.state.value}")


@app.command()
def replay(effect: Id, reason: Reason) -> None:
    """Send a callback that is over once more, as a new message to the loan system."""
    again = _moved(lambda operator: operator.replay(effect, hub.actor(), reason))
    show.say(f"effect {effect} is sent again as {again.id}")


def _moved(move: Callable[[Operator], Awaitable[Effect]]) -> Effect:
    return hub.on_hub(lambda open_hub: move(hub.operator(open_hub)))


def _states(given: list[str] | None) -> list[str]:
    from coopwire.domain.states import EffectState

    known = [state.value for state in EffectState]
    unknown = sorted(set(given or []) - set(known))
    if unknown:
        raise BadInput(f"no state {', '.join(map(show.cell, unknown))}; there are: {', '.join(known)}")
    return list(dict.fromkeys(given or _STANDS_STILL))


def _kind(given: str | None) -> str | None:
    from coopwire.domain.effects import EffectKind

    known = [kind.value for kind in EffectKind]
    if given is not None and given not in known:
        raise BadInput(f"no kind {show.cell(given)}; there are: {', '.join(known)}")
    return given


async def _listed(database: PostgresDatabase, which: Iterable[Filter], limit: int) -> list[EffectView]:
    queries = hub.queries(database)
    found = [one for each in which for one in (await queries.effects(each, limit, None)).items]
    return sorted(found, key=lambda one: one.created_at, reverse=True)


async def _everything(
    database: PostgresDatabase, effect: str
) -> tuple[EffectDetail, EffectView | None, list[BreakView]]:
    """The effect, the predecessor that it still waits for, and the breaks about it."""
    from coopwire.domain.states import FINISHED_EFFECT
    from coopwire.ports.queries import Filter

    queries = hub.queries(database)
    detail = await queries.effect(effect)
    if detail is None:
        raise BadInput(f"there is no effect {show.cell(effect)}")
    of = detail.effect
    before = await queries.effect(of.after) if of.after is not None else None
    waits = before is not None and before.effect.state not in FINISHED_EFFECT
    about = Filter(payment=of.payment, receipt=of.receipt)
    breaks = [one for one in (await queries.breaks(about, 100, None)).items if one.effect == of.id]
    return detail, before.effect if before is not None and waits else None, breaks


def _row(effect: EffectView) -> tuple[object, ...]:
    return (
        effect.id,
        f"{effect.kind.value} {effect.about}".strip(),
        effect.connection,
        effect.state.value,
        effect.unknown_since or effect.created_at,
        effect.tries,
        effect.due_at,
        effect.reason,
    )
