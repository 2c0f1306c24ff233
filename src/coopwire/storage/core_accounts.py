"""The table of core accounts in PostgreSQL, numbers sealed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from coopwire.ports.core_accounts import CoreAccountLine, Placed
from coopwire.storage.actions import keep_action
from coopwire.storage.audit.entries import Entries
from coopwire.storage.audit.marks import Marker
from coopwire.storage.audit.nouns import CORE_ACCOUNT
from coopwire.storage.rows import Connection, Row
from coopwire.storage.sealing import Sealer
from coopwire.storage.sessions import writing

_EXISTING = """
SELECT c.* FROM unnest($1::text[], $2::text[], $3::text[]) AS l(connection, member, loan)
JOIN core_accounts c ON c.connection = l.connection AND c.member = l.member AND c.loan IS NOT DISTINCT FROM l.loan
ORDER BY c.id FOR UPDATE OF c
"""
_BUSY = """
SELECT DISTINCT ("order" ->> 'core_account')::bigint AS account FROM effects
WHERE kind = 'posting' AND state IN ('sending', 'unknown') AND ("order" ->> 'core_account')::bigint = ANY($1::bigint[])
"""
_PUT = """
INSERT INTO core_accounts (connection, member, loan, number_sealed, updated_at, created_at)
SELECT l.*, $5, $5 FROM unnest($1::text[], $2::text[], $3::text[], $4::bytea[]) AS l
ON CONFLICT (connection, member, loan) DO UPDATE SET
    number_sealed = excluded.number_sealed, updated_at = excluded.updated_at
RETURNING id
"""


class CoreAccountRows:
    """The CoreAccountTable socket over an asyncpg pool."""

    def __init__(self, pool: Any, sealer: Sealer) -> None:
        self._pool = pool
        self._sealer = sealer
        self._marker = Marker.of(sealer)

    async def put(self, lines: Sequence[CoreAccountLine], actor: str, now: datetime) -> list[Placed]:
        """Store all lines in one transaction, audited; none of them when one is BUSY."""
        async with writing(self._pool, "put core accounts") as db:
            placed = await self._judge(db, lines)
            news = [
                line
                for line, one in zip(lines, placed, strict=True)
                if one in (Placed.CREATED, Placed.CHANGED)
            ]
            if Placed.BUSY not in placed and news:
                await self._store(db, news, actor, now)
        return placed

    async def _judge(self, db: Connection, lines: Sequence[CoreAccountLine]) -> list[Placed]:
        found = await db.fetch(
            _EXISTING, [li.connection for li in lines], [li.member for li in lines], [li.loan for li in lines]
        )
        rows = {(row["connection"], row["member"], row["loan"]): row for row in found}
        placed = [self._compare(line, rows.get(line.key)) for line in lines]
        changed = [rows[li.key]["id"] for li, one in zip(lines, placed, strict=True) if one is Placed.CHANGED]
        busy = {row["account"] for row in await db.fetch(_BUSY, changed)} if changed else set()
        return [
            Placed.BUSY if one is Placed.CHANGED and rows[li.key]["id"] in busy else one
            for li, one in zip(lines, placed, strict=True)
        ]

    def _compare(self, line: CoreAccountLine, row: Row | None) -> Placed:
        if row is None:
            return Placed.CREATED
        same = self._sealer.open(row["number_sealed"]) == line.number.encode()
        return Placed.UNCHANGED if same else Placed.CHANGED

    async def _store(
        self, db: Connection, lines: Sequence[CoreAccountLine], actor: str, now: datetime
    ) -> None:
        put = await db.fetch(
            _PUT,
            [li.connection for li in lines],
            [li.member for li in lines],
            [li.loan for li in lines],
            [self._sealer.seal(li.number.encode()) for li in lines],
            now,
        )
        entries = Entries(db, self._marker)
        entries.note(CORE_ACCOUNT.name, [row["id"] for row in put])
        banks = ", ".join(sorted({li.connection for li in lines}))
        await keep_action(db, entries, actor, "put core accounts", banks, f"{len(lines)} lines", now)
        await entries.flush()
