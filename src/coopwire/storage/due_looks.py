"""Looks that are due: claimed with a lease, and made due sooner."""

from __future__ import annotations

from collections.abc import Sequence

from coopwire.ports.stores import DisputeNudge, SettlementNudge
from coopwire.storage.rows import Connection


def claim_of(table: str, *key: str, also: str = "", told: str = "l.*") -> str:
    """The end of a WITH: leases due looks of a table `l` and returns what is `told` of them.

    At most so many of each connection, none while its gate for reads is closed. `key`: the columns of the table's
    primary key; `also`: a further condition. $1: connections, $2: how many of each, $3: now, $4: the leases' end.
    """
    here, picked = (", ".join(f"{row}.{column}" for column in key) for row in ("l", "p"))
    return f"""
picked AS (
    SELECT c.* FROM unnest($1::text[], $2::int[]) AS s(connection, free) CROSS JOIN LATERAL (
        SELECT {here} FROM {table} l
        WHERE l.connection = s.connection AND l.look_at <= $3 AND (l.token IS NULL OR l.lease_until <= $3) {also}
        ORDER BY l.look_at LIMIT s.free FOR UPDATE SKIP LOCKED
    ) c
    WHERE NOT EXISTS (SELECT FROM gates g WHERE g.connection = s.connection AND g.traffic = 'read'
                      AND (g.until IS NULL OR g.until > $3))
)
UPDATE {table} l SET token = gen_random_uuid()::text, lease_until = $4, look_at = $4
FROM picked p WHERE ({here}) = ({picked}) RETURNING {told}
"""


async def nudge(
    db: Connection, table: str, nudges: Sequence[DisputeNudge] | Sequence[SettlementNudge]
) -> None:
    """Make looks by their ids at the gateway due now; one that is not in the table is added."""
    if nudges:
        await db.execute(
            f"""
            INSERT INTO {table} AS l (connection, provider_ref, look_at, since)
            SELECT DISTINCT ON (connection, provider_ref) connection, provider_ref, at, at
            FROM unnest($1::text[], $2::text[], $3::timestamptz[]) AS n(connection, provider_ref, at)
            ORDER BY connection, provider_ref, at
            ON CONFLICT (connection, provider_ref) DO UPDATE SET look_at = least(l.look_at, excluded.look_at)
            """,
            [n.connection for n in nudges],
            [n.provider_ref for n in nudges],
            [n.at for n in nudges],
        )
