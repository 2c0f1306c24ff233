"""Collects what a transaction records, and writes its entries with the records, in one statement."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from coopwire.storage.audit.marks import Marker, told
from coopwire.storage.audit.nouns import NOUNS, Noun, digest
from coopwire.storage.rows import Connection, Row

_INSERT = """
INSERT INTO audit (at, noun, key, version, digest, mac)
SELECT now(), * FROM unnest($1::text[], $2::text[], $3::int[], $4::bytea[], $5::bytea[])
"""


class Entries:
    """The entries of one transaction. `flush` writes them; nothing recorded, nothing asked of the database."""

    def __init__(self, connection: Connection, marker: Marker) -> None:
        self._db = connection
        self._marker = marker
        self._new: dict[tuple[str, str], bytes] = {}
        self._noted: defaultdict[str, set[str]] = defaultdict(set)

    def add(self, noun: Noun, rows: Iterable[Row]) -> None:
        """These rows are new, or complete only now, and hold everything that an entry covers."""
        for row in rows:
            self._new[noun.name, str(row[noun.key])] = digest(noun, row)

    def note(self, noun: str, keys: Iterable[object]) -> None:
        """These rows were made or changed: they are read again before the commit.

        One that is not complete yet, or in which nothing that is covered has changed, gets no entry.
        """
        self._noted[NOUNS[noun].name].update(str(key) for key in keys)

    async def flush(self) -> None:
        """Write the entries of what was recorded since the last flush."""
        made = []
        for noun, keys in self._noted.items():
            if keys:
                made += await self._read(NOUNS[noun], sorted(keys))
        for (noun, key), found in self._new.items():
            if key not in self._noted.get(noun, ()):
                made.append((noun, key, 0, found))
        self._new.clear()
        self._noted.clear()
        if made:
            macs = [self._marker.entries.sign(told(*entry)) for entry in made]
            await self._db.execute(_INSERT, *map(list, zip(*made, strict=True)), macs)

    async def _read(self, noun: Noun, keys: list[str]) -> list[tuple[str, str, int, bytes]]:
        # Whoever changed a row holds it, and with it the number of its next version; this holds what was only
        # noted. What is read is read after the lock.
        await self._db.execute(
            f"SELECT FROM {noun.table} t WHERE {noun.has_key_sql} ORDER BY {noun.key_sql} FOR NO KEY UPDATE",
            keys,
        )
        found = await self._db.fetch(_last_sql(noun), keys, noun.name)
        entries = [(row["audit_key"], row["audit_version"], row["audit_digest"], row) for row in found]
        return [
            (noun.name, key, 0 if version is None else version + 1, now)
            for key, version, last, row in entries
            if (now := digest(noun, row)) != last
        ]


def _last_sql(noun: Noun) -> str:
    """The rows of the keys in $1, each with its last entry under the noun in $2."""
    return (
        f"SELECT {noun.key_sql} AS audit_key, e.version AS audit_version, e.digest AS audit_digest, "
        f"{noun.values_sql} FROM {noun.table} t LEFT JOIN LATERAL ("
        f"SELECT a.version, a.digest FROM audit a WHERE a.noun = $2 AND a.key = {noun.key_sql} "
        f"ORDER BY a.version DESC LIMIT 1) e ON true WHERE {noun.has_key_sql} AND {noun.covered}"
    )
