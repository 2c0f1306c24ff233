"""The rows of closed gates."""

from __future__ import annotations

from datetime import datetime

from coopwire.domain.gates import Gate, GateKind, Traffic
from coopwire.storage.rows import Connection


async def close_gate(db: Connection, gate: Gate, now: datetime) -> None:
    """Close, or give a closed one another reason and end; since when it is closed is kept."""
    await db.execute(
        "INSERT INTO gates (connection, kind, traffic, reason, closed_at, until) "
        "VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (connection, kind, traffic) DO UPDATE SET "
        "reason = excluded.reason, until = excluded.until, "
        "closed_at = CASE WHEN gates.until <= excluded.closed_at THEN excluded.closed_at "
        "ELSE gates.closed_at END",
        gate.connection,
        gate.kind.value,
        gate.traffic.value,
        gate.reason,
        now,
        gate.until,
    )


async def open_gate(db: Connection, connection: str, kind: GateKind, traffic: Traffic) -> bool:
    """Open; True if it was closed."""
    done = await db.execute(
        "DELETE FROM gates WHERE connection = $1 AND kind = $2 AND traffic = $3",
        connection,
        kind.value,
        traffic.value,
    )
    return bool(done != "DELETE 0")


async def pause_calls(db: Connection, connection: str, until: datetime, reason: str, now: datetime) -> None:
    """Close the budget gates until then, unless they are closed for longer."""
    longer = await db.fetchval(
        "SELECT 1 FROM gates WHERE connection = $1 AND kind = 'budget' AND until >= $2 LIMIT 1",
        connection,
        until,
    )
    if longer is None:
        for traffic in Traffic:
            await close_gate(db, Gate(connection, GateKind.BUDGET, traffic, reason, until), now)
