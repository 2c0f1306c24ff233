"""Dead letters of the bus: events that a consumer could not take on any rung of the ladder."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from coopwire.storage.rows import Connection


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """One delivery that was given up, with what the consumer raised last."""

    consumer: str
    event: str
    type: str
    subject: str
    cause: str
    tries: int
    first_failed_at: datetime


async def dead_letters(connection: Connection, limit: int) -> list[DeadLetter]:
    """The oldest dead letters, at most `limit`."""
    found = await connection.fetch(
        "SELECT d.consumer, o.id, o.type, o.subject, d.cause, d.tries, d.first_failed_at "
        "FROM deliveries d JOIN outbox o ON o.seq = d.seq WHERE d.state = 'dead' "
        "ORDER BY d.first_failed_at, d.seq, d.consumer LIMIT $1",
        limit,
    )
    return [
        DeadLetter(
            r["consumer"],
            r["id"],
            r["type"],
            r["subject"],
            r["cause"] or "",
            r["tries"],
            r["first_failed_at"],
        )
        for r in found
    ]
