"""Breaks, their history and their correcting effects in PostgreSQL."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from coopwire.domain.breaks import STANDSTILLS, Break, BreakType
from coopwire.domain.effects import Effect
from coopwire.domain.states import BreakState
from coopwire.ports.stores import BreakMove, BreakNote, BreakRow
from coopwire.storage import rows
from coopwire.storage.audit.entries import Entries
from coopwire.storage.rows import Connection, Row

THE_HUB = "coopwire"
"""Who opens a break that no person asked for."""
_COLUMNS = rows.effect_columns("e")
_WAITING = "SELECT b.id FROM breaks b WHERE b.state = 'approved'"


class BreakStore:
    """The Breaks socket on one transaction."""

    def __init__(self, connection: Connection, entries: Entries) -> None:
        self._db = connection
        self._entries = entries

    async def get(self, id: int, *, lock: bool = False) -> BreakRow | None:
        """One break; with `lock` nobody else moves it until the commit."""
        row = await self._db.fetchrow(
            f"SELECT * FROM breaks WHERE id = $1 {'FOR UPDATE' if lock else ''}", id
        )
        return break_row(row) if row is not None else None

    async def known(self, once: Sequence[str]) -> dict[str, BreakRow]:
        """The breaks that exist under these names of their facts."""
        found = await self._db.fetch("SELECT * FROM breaks WHERE once = ANY($1::text[])", list(once))
        return {row["once"]: break_row(row) for row in found}

    async def unclosed(self, type_: BreakType, subject: str) -> BreakRow | None:
        """A break of this type about this subject that still asks for somebody."""
        row = await self._db.fetchrow(
            "SELECT * FROM breaks WHERE closed_at IS NULL AND type = $1 AND subject = $2 ORDER BY id LIMIT 1",
            type_.value,
            subject,
        )
        return break_row(row) if row is not None else None

    async def save(self, row: BreakRow) -> None:
        """Write where it stands now."""
        await self._db.execute(
            "UPDATE breaks SET state = $2, owner = $3, proposal = $4, proposed_by = $5, proposer = $6, "
            "approved_by = $7, resolution = $8, refund = $9, run = $10, closed_at = $11, evidence = $12, "
            "amount_minor = $13, currency = $14 WHERE id = $1",
            row.id,
            row.state.value,
            row.owner,
            None if row.proposal is None else dict(row.proposal),
            row.proposed_by,
            row.proposer,
            row.approved_by,
            row.resolution,
            row.refund,
            row.run,
            row.closed_at,
            dict(row.found.evidence),
            row.found.amount_minor,
            row.found.currency,
        )
        self._entries.note("break", [row.id])

    async def note(self, note: BreakNote) -> None:
        """Add a line to the history."""
        await _keep(self._db, self._entries, [note])

    async def history(self, id: int) -> list[BreakNote]:
        """The whole history, the oldest line first."""
        found = await self._db.fetch("SELECT * FROM break_moves WHERE break = $1 ORDER BY id", id)
        return [
            BreakNote(r["break"], r["at"], r["actor"], BreakMove(r["move"]), r["text"], r["facts"])
            for r in found
        ]

    async def link(self, id: int, effects: Mapping[str, str]) -> None:
        """These effects are what the approval began."""
        await rows.insert(self._db, "break_effects", [(id, effect, of) for effect, of in effects.items()])

    async def unlink(self, id: int) -> None:
        """What was begun is over; the links stay as a trace."""
        await self._db.execute("UPDATE break_effects SET live = false WHERE break = $1", id)

    async def effects(self, id: int) -> list[Effect]:
        """The effects of the present approval."""
        found = await self._db.fetch(
            f"SELECT {_COLUMNS} FROM effects e JOIN break_effects l ON l.effect = e.id "
            "WHERE l.break = $1 AND l.live ORDER BY e.seq",
            id,
        )
        return [rows.effect(row) for row in found]

    async def begun(self, id: int) -> int:
        """How many effects were ever linked to it."""
        count: int = await self._db.fetchval("SELECT count(*) FROM break_effects WHERE break = $1", id)
        return count

    async def of_effects(self, effects: Sequence[str]) -> list[int]:
        """The approved breaks that wait for one of these effects."""
        found = await self._db.fetch(
            f"{_WAITING} AND b.id IN (SELECT l.break FROM break_effects l WHERE l.live AND "
            "l.effect = ANY($1::text[])) ORDER BY b.id",
            list(effects),
        )
        return [row["id"] for row in found]

    async def standstills(self, effects: Sequence[str]) -> list[int]:
        """The open breaks that say nothing but that one of these effects stands still."""
        found = await self._db.fetch(
            "SELECT id FROM breaks WHERE subject = ANY($1::text[]) AND type = ANY($2::text[]) AND state = 'open' "
            "ORDER BY id",
            list(effects),
            [type_.value for type_ in STANDSTILLS],
        )
        return [row["id"] for row in found]

    async def of_refunds(self, refunds: Sequence[str]) -> list[int]:
        """The approved breaks that wait for one of these refunds."""
        found = await self._db.fetch(
            f"{_WAITING} AND b.refund = ANY($1::text[]) ORDER BY b.id", list(refunds)
        )
        return [row["id"] for row in found]

    async def corrections(self, subject: str) -> list[Effect]:
        """Every effect by which any break corrected this effect or receipt."""
        found = await self._db.fetch(
            f"SELECT {_COLUMNS} FROM effects e JOIN break_effects l ON l.effect = e.id "
            "WHERE l.corrects = $1 ORDER BY e.seq",
            subject,
        )
        return [rows.effect(row) for row in found]


async def open_new(db: Connection, entries: Entries, breaks: Sequence[Break], now: datetime) -> list[Break]:
    """Open those that are new (by `once`), each with the first line of its history; return them."""
    by_once = {b.once: b for b in breaks}
    opened = await rows.insert(
        db,
        "breaks",
        [_opened_values(b, now) for b in by_once.values()],
        "ON CONFLICT DO NOTHING RETURNING id, once",
    )
    notes = [BreakNote(row["id"], now, THE_HUB, BreakMove.OPENED, "") for row in opened]
    entries.note("break", [row["id"] for row in opened])
    await _keep(db, entries, notes)
    return [by_once[row["once"]] for row in opened]


async def _keep(db: Connection, entries: Entries, notes: Sequence[BreakNote]) -> None:
    kept = await rows.insert(db, "break_moves", [_note_values(note) for note in notes], "RETURNING id")
    entries.note("break_move", [row["id"] for row in kept])


def break_row(row: Row) -> BreakRow:
    """A break from its row."""
    return rows.shaped(BreakRow, row, found=rows.shaped(Break, row))


def _opened_values(b: Break, now: datetime) -> tuple[object, ...]:
    return (
        b.type.value,
        b.once,
        b.subject,
        b.payment,
        b.receipt,
        b.effect,
        b.evidence,
        b.amount_minor,
        b.currency,
        BreakState.OPEN.value,
        now,
    )


def _note_values(note: BreakNote) -> tuple[object, ...]:
    return (note.break_, note.at, note.actor, note.move.value, note.text, note.facts)
