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


async def stop_credentials(
    db: Connection, connection: str, traffic: Traffic, reason: str, asked_at: datetime, now: datetime
) -> None:
    """Close until a person lets us in again, unless one did since `asked_at`, when the refused call began."""
    await db.execute(
        "INSERT INTO gates (connection, kind, traffic, reason, closed_at) "
        "VALUES ($1, 'credentials', $2, $3, $5) ON CONFLICT (connection, kind, traffic) DO UPDATE SET "
        "reason = excluded.reason, until = NULL, "
        "closed_at = CASE WHEN gates.until IS NULL THEN gates.closed_at ELSE excluded.closed_at END "
        "WHERE gates.until IS NULL OR gates.until < $4",
        connection,
        traffic.value,
        reason,
        asked_at,
        now,
    )


async def accept_credentials(db: Connection, connection: str, traffic: Traffic, now: datetime) -> bool:
    """Open; True if it was closed. The row stays, ended: calls that began before must not close it again."""
    closed = await db.fetchval(
        "SELECT true FROM gates WHERE connection = $1 AND kind = 'credentials' AND traffic = $2 "
        "AND (until IS NULL OR until > $3) FOR UPDATE",
        connection,
        traffic.value,
        now,
    )
    await db.execute(
        "INSERT INTO gates (connection, kind, traffic, reason, closed_at, until) "
        "VALUES ($1, 'credentials', $2, '', $3, $3) "
        "ON CONFLICT (connection, kind, traffic) DO UPDATE SET until = $3",
        connection,
        traffic.value,
        now,
    )
    return closed is not None


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
