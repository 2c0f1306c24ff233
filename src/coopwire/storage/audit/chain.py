"""Gives entries their place in the chain, and reads its end."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

import structlog

from coopwire.ports.queries import AuditHeadView
from coopwire.ports.stores import AuditHead
from coopwire.storage.audit.marks import BEGINNING, Marker, link, told
from coopwire.storage.audit.nouns import EXTENDED, EXTENSION, GENESIS, extended_by
from coopwire.storage.rows import Connection, Row

_LOCK = 0x6175646974
_END = "SELECT position, hash FROM audit WHERE position IS NOT NULL ORDER BY position DESC LIMIT 1"
_VIEW = """
SELECT e.position, e.hash, e.at, (SELECT count(*) FROM audit WHERE position IS NULL) AS waiting
FROM (SELECT) one LEFT JOIN LATERAL (
    SELECT position, hash, at FROM audit WHERE position IS NOT NULL ORDER BY position DESC LIMIT 1) e ON true
"""
_WAITING = "SELECT * FROM audit WHERE position IS NULL ORDER BY id LIMIT $1"
_EXTENDED = "SELECT key FROM audit WHERE noun = $1 AND position IS NOT NULL"
_PLACE = """
UPDATE audit a SET position = p.position, hash = p.hash, seal = p.seal, mac = p.mac
FROM unnest($1::bigint[], $2::bigint[], $3::bytea[], $4::bytea[], $5::bytea[])
    AS p(id, position, hash, seal, mac)
WHERE a.id = p.id
"""
_log = structlog.get_logger()


class ChainStore:
    """The AuditChain socket on one transaction."""

    def __init__(self, connection: Connection, marker: Marker) -> None:
        self._db = connection
        self._marker = marker

    async def extend(self, limit: int, *, wait: bool = False) -> int:
        """Give up to `limit` waiting entries their places, the oldest first; how many.

        0 also when another chainer is at it, unless `wait` says to wait for it. An entry that the hub did not
        make gets its place too: there it is found, and cannot go away again.
        """
        # A statement of its own: what is read after it sees what the chainer before us has committed.
        if wait:
            await self._db.execute("SELECT pg_advisory_xact_lock($1)", _LOCK)
        elif not await self._db.fetchval("SELECT pg_try_advisory_xact_lock($1)", _LOCK):
            return 0
        waiting = await self._db.fetch(_WAITING, limit)
        if waiting:
            await self._place(waiting)
        return len(waiting)

    async def _place(self, waiting: Sequence[Row]) -> None:
        end = await self._db.fetchrow(_END)
        position, before = (end["position"], end["hash"]) if end is not None else (0, BEGINNING)
        placed = []
        unsigned = await self._unsigned(waiting)
        for row in waiting:
            position += 1
            mac = self._mac(row, position, unsigned)
            said = told(row["noun"], row["key"], row["version"], row["digest"])
            before = link(before, position, row["at"], said, mac)
            placed.append((row["id"], position, before, self._marker.links.sign(before), mac))
        await self._db.execute(_PLACE, *map(list, zip(*placed, strict=True)))

    async def _unsigned(self, waiting: Sequence[Row]) -> set[int]:
        """The ids of extensions that a migration has made, the first of its revision: a second one is none of ours."""
        made = {
            extended_by(row["key"]): row["id"]
            for row in reversed(waiting)
            if row["noun"] == EXTENSION and not row["mac"]
        }
        there = (
            {extended_by(row["key"]) for row in await self._db.fetch(_EXTENDED, EXTENSION)} if made else set()
        )
        return {id_ for revision, id_ in made.items() if revision in EXTENDED and revision not in there}

    def _mac(self, row: Row, position: int, unsigned: Collection[int]) -> bytes:
        """The entry's own mac. What a migration makes, it makes without a key: it is signed with its place."""
        said = told(row["noun"], row["key"], row["version"], row["digest"])
        if row["id"] in unsigned or (row["noun"] == GENESIS and position == 1 and not row["mac"]):
            return self._marker.entries.sign(said)
        if not self._marker.entries.knows(said, row["mac"]):
            _log.error("audit_entry_forged", noun=row["noun"], key=row["key"], position=position)
        return bytes(row["mac"])

    async def head(self) -> AuditHead | None:
        """The end of the chain; None before the first entry has its place."""
        end = await self._db.fetchrow(_END)
        return AuditHead(end["position"], end["hash"].hex()) if end is not None else None


async def head_view(db: Connection) -> AuditHeadView:
    """The end of the chain, and what waits behind it."""
    row = await db.fetchrow(_VIEW)
    return AuditHeadView(row["position"] or 0, (row["hash"] or b"").hex(), row["at"], row["waiting"])


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry, without content; `position` is None while it waits for its place."""

    position: int | None
    noun: str
    key: str
    version: int
    at: datetime


async def newest(db: Connection, noun: str | None, key: str | None, limit: int) -> list[Entry]:
    """The newest entries, of one noun and one key if they are given."""
    found = await db.fetch(
        "SELECT position, noun, key, version, at FROM audit WHERE ($1::text IS NULL OR noun = $1) "
        "AND ($2::text IS NULL OR key = $2) ORDER BY id DESC LIMIT $3",
        noun,
        key,
        limit,
    )
    return [Entry(*row) for row in found]
