"""Writes what a message changes: breaks first, since each new one is also an event."""

from __future__ import annotations

from datetime import datetime

from coopwire.application.announce import break_event
from coopwire.ports.stores import Changes, Transaction


async def write(tx: Transaction, changes: Changes, now: datetime) -> None:
    """All rows of `changes` in this transaction; a break that is open already is not announced again."""
    for opened in await tx.open_breaks(changes.breaks, now):
        changes.events.append(break_event(opened, now))
    await tx.apply(changes, now)
