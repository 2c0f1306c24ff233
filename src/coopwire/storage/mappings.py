"""Versions of the mapping from neutral keys to the books' accounts; one of a connection is active."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from coopwire.ports.stores import AccountMapping
from coopwire.storage.audit.entries import Entries
from coopwire.storage.audit.nouns import MAPPING
from coopwire.storage.effects import account_mapping
from coopwire.storage.rows import Connection


class MappingStore:
    """The versions of every books connection, on one transaction that holds a lock on the connection's name."""

    def __init__(self, connection: Connection, entries: Entries) -> None:
        self._db = connection
        self._entries = entries

    async def versions(self, connection: str) -> list[AccountMapping]:
        """Every version, the newest first."""
        found = await self._db.fetch(
            "SELECT * FROM mappings WHERE connection = $1 ORDER BY version DESC", connection
        )
        return [account_mapping(row) for row in found]

    async def add(self, connection: str, entries: Mapping[str, str], now: datetime) -> AccountMapping:
        """Keep a further version, not active yet."""
        row = await self._db.fetchrow(
            "INSERT INTO mappings (connection, version, entries, created_at) "
            "SELECT $1, coalesce(max(version), 0) + 1, $2, $3 FROM mappings WHERE connection = $1 RETURNING *",
            connection,
            dict(entries),
            now,
        )
        self._entries.add(MAPPING, [row])
        return account_mapping(row)

    async def activate(self, connection: str, version: int, now: datetime) -> bool:
        """Use this version from now on; False when there is none."""
        replaced = await self._db.fetch(
            "UPDATE mappings SET active = false WHERE connection = $1 AND active AND version <> $2 RETURNING id",
            connection,
            version,
        )
        activated = await self._db.fetch(
            "UPDATE mappings SET active = true, activated_at = $3 WHERE connection = $1 AND version = $2 RETURNING id",
            connection,
            version,
            now,
        )
        self._entries.note(MAPPING.name, [row["id"] for row in (*replaced, *activated)])
        return bool(activated)
