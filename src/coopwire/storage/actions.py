"""What operators did, as rows that nothing changes."""

from __future__ import annotations

from datetime import datetime

from coopwire.storage.audit.entries import Entries
from coopwire.storage.audit.nouns import ACTION
from coopwire.storage.rows import Connection


async def keep_action(
    db: Connection, entries: Entries, actor: str, action: str, subject: str, reason: str, now: datetime
) -> None:
    """Keep what an operator did, and its entry with the others of the transaction."""
    row = await db.fetchrow(
        "INSERT INTO operator_actions (at, actor, action, subject, reason) VALUES ($1, $2, $3, $4, $5) "
        "RETURNING *",
        now,
        actor,
        action,
        subject,
        reason,
    )
    entries.add(ACTION, [row])
