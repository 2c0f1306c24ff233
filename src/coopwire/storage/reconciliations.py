"""Comparisons of business days in PostgreSQL, and what becomes of the breaks that they found."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date, datetime

from coopwire.domain.breaks import Break
from coopwire.domain.reconciliation import DayReport
from coopwire.domain.states import CLOSED_BREAK, BreakState
from coopwire.storage import rows
from coopwire.storage.audit.entries import Entries
from coopwire.storage.reports import report_value
from coopwire.storage.rows import Connection, Row

RUNNING = "running"
_CLOSED = sorted(state.value for state in CLOSED_BREAK)
# A run that began before the one that found a break last may have read older lists.
_GONE = """
SELECT b.* FROM breaks b JOIN reconciliations r ON r.id = b.run
WHERE b.state = 'open' AND b.evidence ->> 'day' = $1 AND NOT b.once = ANY($2::text[])
    AND b.evidence ->> 'connection' = ANY($3::text[]) AND r.started_at <= $4 ORDER BY b.id FOR UPDATE OF b
"""
_MOVE = """
INSERT INTO break_moves (break, at, actor, move, text, facts)
SELECT b, $2, $3, $4, $5, $6 FROM unnest($1::bigint[]) AS b RETURNING id
"""
_REOPEN = """
UPDATE breaks SET state = 'open', proposal = NULL, proposed_by = NULL, proposer = NULL, approved_by = NULL,
    resolution = NULL, refund = NULL, closed_at = NULL WHERE id = $1
"""
_GONE_TEXT = "not found any more by the reconciliation"


class ReconciliationStore:
    """The Reconciliations socket on one transaction."""

    def __init__(self, connection: Connection, entries: Entries) -> None:
        self._db = connection
        self._entries = entries

    async def begun(self, run: str, day: date, actor: str, at: datetime) -> None:
        """Keep that a comparison began."""
        await self._db.execute(
            "INSERT INTO reconciliations (id, day, actor, state, started_at) VALUES ($1, $2, $3, $4, $5)",
            run,
            day,
            actor,
            RUNNING,
            at,
        )

    async def ended(self, report: DayReport, state: str) -> None:
        """Keep what it says."""
        await self._db.execute(
            "UPDATE reconciliations SET state = $2, finished_at = $3, inputs_digest = $4, outcome_digest = $5, "
            "holds = $6, report = $7 WHERE id = $1",
            report.run,
            state,
            report.finished_at,
            report.inputs_digest,
            report.outcome_digest,
            report.holds,
            report_value(report),
        )
        self._entries.note("reconciliation", [report.run])

    async def failed(self, run: str, at: datetime) -> None:
        """Keep that it came to no end."""
        await self._db.execute(
            "UPDATE reconciliations SET state = 'failed', finished_at = $2 WHERE id = $1 AND state = $3",
            run,
            at,
            RUNNING,
        )
        self._entries.note("reconciliation", [run])

    async def found(self, report: DayReport, breaks: Sequence[Break]) -> list[Break]:
        """Note that these breaks were found by this run; returns those that were opened again."""
        by_once = {one.once: one for one in breaks}
        known = await self._db.fetch(
            "SELECT * FROM breaks WHERE once = ANY($1::text[]) ORDER BY id FOR UPDATE", sorted(by_once)
        )
        anew = {row["id"]: text for row in known if (text := _anew(row, by_once[row["once"]]))}
        same = [row["id"] for row in known if row["id"] not in anew]
        await self._db.execute("UPDATE breaks SET run = $2 WHERE id = ANY($1::bigint[])", same, report.run)
        changed = [row for row in known if row["id"] in anew]
        for row in changed:
            await self._told_anew(row, by_once[row["once"]], report, anew[row["id"]])
        return [by_once[row["once"]] for row in changed if row["state"] == BreakState.RESOLVED]

    async def _told_anew(self, row: Row, one: Break, report: DayReport, text: str) -> None:
        await self._db.execute(
            "UPDATE breaks SET evidence = $2, amount_minor = $3, run = $4 WHERE id = $1",
            row["id"],
            one.evidence,
            one.amount_minor,
            report.run,
        )
        # What was written off is not opened again: the money is booked.
        resolved = row["state"] == BreakState.RESOLVED
        if resolved:
            await self._db.execute(_REOPEN, row["id"])
            await self._db.execute("UPDATE break_effects SET live = false WHERE break = $1", row["id"])
        self._entries.note("break", [row["id"]])
        move = "reopened" if resolved else "commented"
        await self._moved([row["id"]], report, move, text)

    async def payments_of(self, receipts: Collection[str]) -> dict[str, str]:
        """By receipt, the payment that it is of; absent where it is of none."""
        found = await self._db.fetch(
            "SELECT id, payment FROM receipts WHERE id = ANY($1::text[]) AND payment IS NOT NULL",
            list(receipts),
        )
        return {row["id"]: row["payment"] for row in found}

    async def resolve_gone(
        self, report: DayReport, found: Collection[str], heard: Collection[str]
    ) -> list[Break]:
        """Resolve open breaks of this day that were not found; returns them."""
        gone = await self._db.fetch(
            _GONE, report.day.isoformat(), list(found), list(heard), report.started_at
        )
        ids = [row["id"] for row in gone]
        await self._db.execute(
            "UPDATE breaks SET state = $2, resolution = $3, closed_at = $4 WHERE id = ANY($1::bigint[])",
            ids,
            BreakState.RESOLVED.value,
            _GONE_TEXT,
            report.finished_at,
        )
        self._entries.note("break", ids)
        await self._moved(ids, report, "resolved", _GONE_TEXT)
        return [rows.shaped(Break, row) for row in gone]

    async def waiting(self, once: Collection[str]) -> int:
        """How many of these breaks still ask for somebody."""
        count = await self._db.fetchval(
            "SELECT count(*) FROM breaks WHERE once = ANY($1::text[]) AND NOT state = ANY($2::text[])",
            list(once),
            _CLOSED,
        )
        return int(count)

    async def _moved(self, ids: Sequence[int], report: DayReport, move: str, text: str) -> None:
        if ids:
            facts = {"run": report.run}
            kept = await self._db.fetch(_MOVE, ids, report.finished_at, report.actor, move, text, facts)
            self._entries.note("break_move", [row["id"] for row in kept])


def _anew(row: Row, one: Break) -> str:
    """What to say of a break that is found again; empty for one that is as it was.

    One that a person resolved is explained as long as its facts stay. One that a run resolved was only not seen.
    """
    if _facts(row["evidence"]) != _facts(one.evidence):
        return "found again with other facts"
    gone = row["state"] == BreakState.RESOLVED and row["resolution"] == _GONE_TEXT
    return "found again, after it was gone" if gone else ""


def _facts(evidence: object) -> tuple[object, object]:
    assert isinstance(evidence, dict)
    return evidence.get("ours"), evidence.get("theirs")
