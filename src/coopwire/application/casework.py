"""Moves a break along its table, with a line of its history for every move, and tells when it is closed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from coopwire.application import announce
from coopwire.domain.states import BREAK_MOVES, BreakState, move
from coopwire.ports.stores import BreakMove, BreakNote, BreakRow, Changes, Transaction

_MOVE_TO = {BreakState.RESOLVED: BreakMove.RESOLVED, BreakState.WRITTEN_OFF: BreakMove.WRITTEN_OFF}


async def close(
    tx: Transaction,
    row: BreakRow,
    state: BreakState,
    actor: str,
    text: str,
    now: datetime,
    facts: Mapping[str, object] | None = None,
) -> BreakRow:
    """Resolve a break or write it off, and announce it; the caller holds its lock. ForbiddenMove."""
    move("break", BREAK_MOVES, row.state, state)
    closed = replace(row, state=state, resolution=text, closed_at=now)
    await tx.breaks.save(closed)
    await tx.breaks.note(BreakNote(row.id, now, actor, _MOVE_TO[state], text, facts or {}))
    await tx.apply(Changes(events=[announce.closed_event(row.found, state, text, now)]), now)
    return closed


async def reopen(
    tx: Transaction,
    row: BreakRow,
    actor: str,
    text: str,
    now: datetime,
    *,
    how: BreakMove = BreakMove.REOPENED,
    facts: Mapping[str, object] | None = None,
) -> BreakRow:
    """Back to open, without its proposal; the caller holds its lock. ForbiddenMove."""
    move("break", BREAK_MOVES, row.state, BreakState.OPEN)
    opened = replace(
        row,
        state=BreakState.OPEN,
        proposal=None,
        proposed_by=None,
        proposer=None,
        approved_by=None,
        resolution=None,
        refund=None,
        closed_at=None,
    )
    await tx.breaks.save(opened)
    await tx.breaks.unlink(row.id)
    await tx.breaks.note(BreakNote(row.id, now, actor, how, text, facts or {}))
    return opened
