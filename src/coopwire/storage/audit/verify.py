"""Checks the audit trail against itself and against every row that it is about, as all of them are now."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum

from coopwire.storage.audit.marks import BEGINNING, Marker, link, told
from coopwire.storage.audit.nouns import (
    EXTENDED,
    EXTENSION,
    GENESIS,
    NOUNS,
    Noun,
    digest,
    extended_by,
    genesis_counts,
)
from coopwire.storage.rows import Connection, Row

_BATCH = 2000
"""Rows that are in memory at a time."""
_LEAST = -(2**63)
"""Before every place that can stand in the table, also one that somebody made up."""
_LINKS = """
SELECT position, at, noun, key, version, digest, mac, hash, seal FROM audit
WHERE position >= $1 ORDER BY position
"""
_WAITING = "SELECT noun, key, version, digest, mac FROM audit WHERE position IS NULL ORDER BY id"
_EXTENSIONS = "SELECT at, key FROM audit WHERE noun = $1 ORDER BY position NULLS LAST, id"
_VERSIONS = """
SELECT noun, key FROM audit GROUP BY noun, key
HAVING count(*) <> max(version) + 1 OR count(DISTINCT version) <> count(*) ORDER BY noun, key
"""


class Trouble(StrEnum):
    """What can be wrong with a row or an entry."""

    ROW_CHANGED = "row changed"
    ROW_REMOVED = "row removed"
    ROW_INSERTED = "row inserted"
    ENTRY_FORGED = "entry forged"
    ENTRY_CHANGED = "entry changed"
    ENTRY_MISPLACED = "entry misplaced"
    ENTRY_MISSING = "entry missing"
    HEAD_MISSING = "head missing"


@dataclass(frozen=True, slots=True)
class Wrong:
    """One thing that is wrong: `key` names the row under its noun; `position` is the place in the chain."""

    trouble: Trouble
    noun: str
    key: str
    position: int | None = None


@dataclass(frozen=True, slots=True)
class Standing:
    """The rows of one noun: how many agree with their entry, and how many are older than the trail."""

    noun: str
    right: int
    older: int


@dataclass(frozen=True, slots=True)
class Verdict:
    """The whole trail: `chained` entries have a place, `waiting` ones not yet; `wrong` is how many were told."""

    nouns: tuple[Standing, ...]
    chained: int
    waiting: int
    position: int
    head: str
    wrong: int


class Verification:
    """One check on a connection inside a transaction that sees one moment; reads in parts, keeps none."""

    def __init__(self, db: Connection, marker: Marker, tell: Callable[[Wrong], None]) -> None:
        self._db = db
        self._marker = marker
        self._tell = tell
        self._wrong = 0
        self._began: dict[str, Row] = {}

    async def run(self, head: str | None = None, nouns: Iterable[Noun] = NOUNS.values()) -> Verdict:
        """Check everything; `head` is the end of the chain at an earlier time, in hex, and must be found in it."""
        # Everything is read to its end, so the plan that begins fastest is the wrong one.
        await self._db.execute("SET LOCAL cursor_tuple_fraction = 1")
        walk = await self.walk(head=head)
        if head is not None and not walk.head_found:
            self.wrong(Trouble.HEAD_MISSING, "", head)
        waiting = await self.waiting()
        await self.versions()
        await self.beginnings()
        standing = [await self.noun(noun) for noun in nouns]
        return Verdict(tuple(standing), walk.entries, waiting, walk.position, walk.hash.hex(), self._wrong)

    def wrong(self, trouble: Trouble, noun: str, key: str, position: int | None = None) -> None:
        """Tell one thing that is wrong."""
        self._wrong += 1
        self._tell(Wrong(trouble, noun, key, position))

    # -- the chain ----------------------------------------------------------------------------------------

    async def walk(self, walk: Walk | None = None, head: str | None = None) -> Walk:
        """Check every entry in order, or those behind an earlier walk's end."""
        first = _LEAST if walk is None else walk.position + 1
        walk = walk or Walk(0, BEGINNING)
        wanted = bytes.fromhex(head) if head is not None else None
        async for row in self._stream(_LINKS, first):
            place, expected = row["position"], walk.position + 1
            if place < expected:
                self.wrong(Trouble.ENTRY_MISPLACED, row["noun"], row["key"], place)
                continue
            if place > expected:
                gone = str(expected) if place == expected + 1 else f"{expected} to {place - 1}"
                self.wrong(Trouble.ENTRY_MISSING, "", gone, expected)
            self._entry(row, walk.hash, behind_gap=place > expected)
            walk.step(row, wanted)
        return walk

    def _entry(self, row: Row, before: bytes, *, behind_gap: bool) -> None:
        """One entry at its place. Behind a gap its hash cannot be told, but that we signed it can."""
        said = told(row["noun"], row["key"], row["version"], row["digest"])
        place = row["noun"], row["key"], row["position"]
        hash_ = row["hash"] or b""
        ours = self._marker.entries.knows(said, row["mac"])
        linked = behind_gap or hash_ == link(before, row["position"], row["at"], said, row["mac"])
        if not ours:
            self.wrong(Trouble.ENTRY_FORGED if linked else Trouble.ENTRY_CHANGED, *place)
        elif not (linked and self._marker.links.knows(hash_, row["seal"] or b"") and _begins(row)):
            self.wrong(Trouble.ENTRY_MISPLACED, *place)

    async def waiting(self) -> int:
        """Check the entries that have no place yet; how many there are."""
        count = 0
        async for row in self._stream(_WAITING):
            count += 1
            said = told(row["noun"], row["key"], row["version"], row["digest"])
            unsigned = row["noun"] in (GENESIS, EXTENSION) and not row["mac"]
            if not unsigned and not self._marker.entries.knows(said, row["mac"]):
                self.wrong(Trouble.ENTRY_FORGED, row["noun"], row["key"])
        return count

    async def versions(self) -> None:
        """Every row's entries are numbered without a gap, and none is told twice."""
        async for row in self._stream(_VERSIONS):
            self.wrong(Trouble.ENTRY_MISSING, row["noun"], row["key"])

    async def beginnings(self) -> None:
        """Find the entries that say how many rows there were before the trail covered them: one of each."""
        genesis = await self._db.fetchrow(
            "SELECT at, key FROM audit WHERE noun = $1 ORDER BY id LIMIT 1", GENESIS
        )
        if genesis is None:
            self.wrong(Trouble.ENTRY_MISSING, GENESIS, "")
        extensions: dict[str, Row] = {}
        for row in await self._db.fetch(_EXTENSIONS, EXTENSION):
            revision = extended_by(row["key"])
            if revision in extensions or revision not in EXTENDED:
                self.wrong(Trouble.ENTRY_FORGED, EXTENSION, row["key"])
            extensions.setdefault(revision, row)
        for revision in EXTENDED.keys() - extensions.keys():
            self.wrong(Trouble.ENTRY_MISSING, EXTENSION, revision)
        later = {noun: extensions.get(revision) for revision, nouns in EXTENDED.items() for noun in nouns}
        began = {noun: later.get(noun, genesis) for noun in NOUNS}
        self._began = {noun: row for noun, row in began.items() if row is not None}

    # -- the rows -----------------------------------------------------------------------------------------

    async def noun(self, noun: Noun) -> Standing:
        """Compare every row with its last entry, and find rows without one and entries without a row."""
        right = older = older_with_entry = 0
        async for row in self._stream(_rows_sql(noun), noun.name):
            is_old = self._is_old(noun, row)
            if row["audit_entry"] is None and is_old:
                older += 1
                continue
            trouble = self.judge(noun, row)
            if trouble is None:
                right += 1
                older_with_entry += is_old
            else:
                self.wrong(trouble, noun.name, row["audit_key"] or row["audit_entry"])
        self._older(noun, older, older_with_entry)
        return Standing(noun.name, right, older)

    def judge(self, noun: Noun, row: Row) -> Trouble | None:
        """What is wrong with a row beside its last entry."""
        if row["audit_entry"] is None:
            return Trouble.ROW_INSERTED
        if row["audit_key"] is None:
            return Trouble.ROW_REMOVED
        same = row["audit_covered"] and digest(noun, row) == row["audit_digest"]
        return None if same else Trouble.ROW_CHANGED

    def _is_old(self, noun: Noun, row: Row) -> bool:
        since, began = row["audit_since"], self._began.get(noun.name)
        return began is not None and since is not None and bool(since <= began["at"])

    def _older(self, noun: Noun, without: int, with_entry: int) -> None:
        """Rows from before the beginning are only counted: some may have got an entry since, none may be new."""
        began = self._began.get(noun.name)
        known = genesis_counts(began["key"]).get(noun.name, 0) if began is not None else 0
        if without > known:
            self.wrong(Trouble.ROW_INSERTED, noun.name, f"{without - known} that are older than the trail")
        elif without + with_entry < known:
            gone = known - without - with_entry
            self.wrong(Trouble.ROW_REMOVED, noun.name, f"{gone} that were older than the trail")

    async def _stream(self, sql: str, *values: object) -> AsyncIterator[Row]:
        cursor = await self._db.cursor(sql, *values)
        while part := await cursor.fetch(_BATCH):
            for row in part:
                yield row


def _begins(row: Row) -> bool:
    """The genesis entry is the first, and no other is."""
    return bool((row["noun"] == GENESIS) is (row["position"] == 1))


@dataclass(slots=True)
class Walk:
    """How far the chain was walked, and the hash that stands there."""

    position: int
    hash: bytes
    entries: int = 0
    head_found: bool = False

    def step(self, row: Row, head: bytes | None) -> None:
        """Go on to the entry of this row; `head` is a hash to look out for."""
        self.position, self.hash = row["position"], row["hash"] or b""
        self.entries += 1
        self.head_found |= self.hash == head


async def end_is_right(db: Connection, marker: Marker, entries: int) -> bool:
    """Whether the last entries of the chain are linked and signed; inside a transaction."""
    found: list[Wrong] = []
    first = await db.fetchrow(
        "SELECT position, hash FROM audit WHERE position <= (SELECT max(position) FROM audit) - $1 "
        "ORDER BY position DESC LIMIT 1",
        entries,
    )
    begin = Walk(first["position"], first["hash"] or b"") if first is not None else None
    await Verification(db, marker, found.append).walk(begin)
    return not found


def _rows_sql(noun: Noun) -> str:
    """Every row beside its last entry, either of which may be missing; $1 is the noun."""
    return (
        f"SELECT s.*, e.key AS audit_entry, e.digest AS audit_digest FROM ("
        f'SELECT {noun.key_sql} AS audit_key, t."{noun.since}" AS audit_since, '
        f"({noun.covered}) AS audit_covered, {noun.values_sql} FROM {noun.table} t) s "
        f"FULL JOIN (SELECT DISTINCT ON (key) key, digest FROM audit WHERE noun = $1 ORDER BY key, version DESC) e "
        f"ON e.key = s.audit_key WHERE s.audit_covered OR e.key IS NOT NULL"
    )
