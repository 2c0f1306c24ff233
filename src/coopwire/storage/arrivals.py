"""Batches of money from elsewhere in PostgreSQL, and the contexts in which their lines are booked."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from itertools import islice

from coopwire.domain.arrivals import Arrival, BatchState, LineState, arrival_of
from coopwire.domain.payments import Payment
from coopwire.ports.stores import ArrivalContext, ArrivalLine, Batch, Earlier, LineDone
from coopwire.storage import rows
from coopwire.storage.audit.entries import Entries
from coopwire.storage.rows import Connection, Row, shaped

_AT_ONCE = 5000
"""Lines that are stored with one statement."""
_LINKED = """
SELECT w.i, c.id FROM unnest($2::text[], $3::text[]) WITH ORDINALITY AS w(member, loan, i)
CROSS JOIN LATERAL (
    SELECT a.id FROM core_accounts a WHERE a.connection = $1 AND a.member = w.member
      AND (a.loan = w.loan OR a.loan IS NULL) ORDER BY a.loan NULLS LAST LIMIT 1
) c
"""
_CLAIM = """
WITH b AS (
    SELECT b.id, b.source FROM receipt_batches b
    WHERE b.state = 'booking' AND b.source = ANY($1::text[]) AND ($2::text IS NULL OR b.id = $2)
      AND EXISTS (SELECT FROM receipt_lines l WHERE l.batch = b.id AND l.state = 'waiting')
    ORDER BY b.created_at LIMIT 1
)
SELECT l.batch, l.source, l.line, l.facts FROM receipt_lines l JOIN b ON b.id = l.batch
WHERE l.state = 'waiting' AND ($3::int IS NULL OR l.line = $3)
ORDER BY l.line LIMIT $4 FOR UPDATE OF l SKIP LOCKED
"""
_WAITING = """
SELECT DISTINCT ON (l.external_id) l.batch, l.line, l.external_id, l.facts
FROM receipt_lines l JOIN receipt_batches b ON b.id = l.batch
WHERE l.source = $1 AND l.external_id = ANY($2::text[]) AND l.state = 'waiting' AND b.state IN ('proposed', 'booking')
ORDER BY l.external_id, b.created_at
"""
_FINISH = """
UPDATE receipt_batches b SET state = 'done', finished_at = $1
WHERE b.state = 'booking' AND NOT EXISTS (SELECT FROM receipt_lines l WHERE l.batch = b.id AND l.state = 'waiting')
"""


class ArrivalStore:
    """The Arrivals socket on one transaction."""

    def __init__(self, connection: Connection, entries: Entries) -> None:
        self._db = connection
        self._entries = entries

    # -- what booking needs -------------------------------------------------------------------------------

    async def contexts(
        self, source: str, arrivals: Sequence[Arrival], *, bank: str | None, lock: bool
    ) -> list[ArrivalContext]:
        """In the order given. With `lock` the payments that they name are locked, in one order everywhere."""
        named = sorted({a.payment for a in arrivals if a.payment is not None})
        asked = await self._payments(named, lock=lock)
        earlier = await self._recorded(source, [a.external_id for a in arrivals])
        paid = await self._paid(list(asked))
        linked = await self._linked(bank, arrivals)
        return [
            self._context(arrival, asked, earlier, paid, linked.get(i)) for i, arrival in enumerate(arrivals)
        ]

    def _context(
        self,
        arrival: Arrival,
        asked: Mapping[str, Row],
        earlier: Mapping[str, Earlier],
        paid: Collection[str],
        linked: int | None,
    ) -> ArrivalContext:
        row = asked.get(arrival.payment or "")
        return ArrivalContext(
            earlier=earlier.get(arrival.external_id),
            payment=rows.payment(row) if row else None,
            core_account=row["core_account"] if row else linked,
            paid_before=arrival.payment in paid,
        )

    async def _payments(self, references: Sequence[str], *, lock: bool) -> dict[str, Row]:
        if not references:
            return {}
        found = await self._db.fetch(
            "SELECT * FROM payments WHERE reference = ANY($1::text[]) ORDER BY reference"
            f"{' FOR UPDATE' if lock else ''}",
            list(references),
        )
        return {row["reference"]: row for row in found}

    async def _recorded(self, source: str, external_ids: Sequence[str]) -> dict[str, Earlier]:
        found = await self._db.fetch(
            "SELECT * FROM receipts WHERE connection = $1 AND charge = ANY($2::text[])",
            source,
            list(external_ids),
        )
        payments = await self._payments([r["payment"] for r in found if r["payment"]], lock=False)
        return {r["charge"]: Earlier(_told(r, payments), receipt=r["id"]) for r in found}

    async def _paid(self, payments: Sequence[str]) -> set[str]:
        if not payments:
            return set()
        found = await self._db.fetch(
            "SELECT DISTINCT payment FROM receipts WHERE payment = ANY($1::text[])", list(payments)
        )
        return {row["payment"] for row in found}

    async def _linked(self, bank: str | None, arrivals: Sequence[Arrival]) -> dict[int, int]:
        """By position, the account of the loan, else the member's."""
        of = [(i, a.purpose) for i, a in enumerate(arrivals) if a.purpose is not None]
        if bank is None or not of:
            return {}
        found = await self._db.fetch(
            _LINKED, bank, [purpose.member for _, purpose in of], [purpose.loan for _, purpose in of]
        )
        return {of[row["i"] - 1][0]: row["id"] for row in found}

    async def waiting(self, source: str, external_ids: Sequence[str]) -> dict[str, Earlier]:
        """Lines of the source that are proposed or wait to be booked, by external id."""
        found = await self._db.fetch(_WAITING, source, list(external_ids))
        return {
            row["external_id"]: Earlier(rows.arrival(row["facts"]), batch=row["batch"], line=row["line"])
            for row in found
        }

    # -- batches ------------------------------------------------------------------------------------------

    async def latest_batch(self, source: str, external_id: str) -> Batch | None:
        """The newest batch with a line of this external id, whatever became of it."""
        row = await self._db.fetchrow(
            "SELECT b.* FROM receipt_lines l JOIN receipt_batches b ON b.id = l.batch "
            "WHERE l.source = $1 AND l.external_id = $2 ORDER BY b.created_at DESC, b.id LIMIT 1",
            source,
            external_id,
        )
        return _batch(row)

    async def add(self, batch: Batch, lines: Iterable[tuple[int, Arrival]]) -> Batch:
        """Store a batch with its lines; the batch that is there when the same content was stored before."""
        new = await self._db.fetchrow(
            "INSERT INTO receipt_batches (id, source, digest, name, state, lines, created_by, created_at) "
            "VALUES ($1, $2, $3, $4, $5, $6, $7, $8) "
            "ON CONFLICT (source, digest) WHERE state <> 'rejected' DO NOTHING RETURNING *",
            batch.id,
            batch.source,
            batch.digest,
            batch.name,
            batch.state.value,
            batch.lines,
            batch.created_by,
            batch.created_at,
        )
        if new is None:
            there = await self.same(batch.source, batch.digest)
            assert there is not None
            return there
        waiting = (
            (batch.id, batch.source, n, a.external_id, rows.arrival_facts(a), LineState.WAITING.value)
            for n, a in lines
        )
        while part := list(islice(waiting, _AT_ONCE)):
            await rows.insert(self._db, "receipt_lines", part)
        self._entries.note("batch_lines", [batch.id])
        return batch

    async def same(self, source: str, digest: bytes) -> Batch | None:
        """The batch of this content that was not rejected."""
        return _batch(
            await self._db.fetchrow(
                "SELECT * FROM receipt_batches WHERE source = $1 AND digest = $2 AND state <> 'rejected'",
                source,
                digest,
            )
        )

    async def batch(self, id: str, *, lock: bool = False) -> Batch | None:
        """A batch."""
        return _batch(
            await self._db.fetchrow(
                f"SELECT * FROM receipt_batches WHERE id = $1 {'FOR UPDATE' if lock else ''}", id
            )
        )

    async def move(
        self,
        batch: str,
        state: BatchState,
        now: datetime,
        *,
        approved_by: str | None = None,
        reason: str = "",
    ) -> None:
        """A move of a batch, already judged."""
        await self._db.execute(
            "UPDATE receipt_batches SET state = $2, reason = $3, "
            "approved_by = coalesce($4, approved_by), approved_at = CASE WHEN $4 IS NULL THEN approved_at ELSE $5 END, "
            "finished_at = CASE WHEN $6 THEN $5 END WHERE id = $1",
            batch,
            state.value,
            reason,
            approved_by,
            now,
            state in (BatchState.DONE, BatchState.REJECTED),
        )
        self._entries.note("receipt_batch", [batch])

    # -- lines --------------------------------------------------------------------------------------------

    async def retry(self, batch: str) -> int:
        """Let refused lines wait again; how many."""
        done: str = await self._db.execute(
            "UPDATE receipt_lines SET state = 'waiting', problem = '' WHERE batch = $1 AND state = 'refused'",
            batch,
        )
        return int(done.rpartition(" ")[2])

    async def claim(
        self, sources: Collection[str], limit: int, *, batch: str | None = None, line: int | None = None
    ) -> list[ArrivalLine]:
        """Lock waiting lines of one released batch, skipping those another booker holds."""
        found = await self._db.fetch(_CLAIM, sorted(sources), batch, line, limit)
        return [ArrivalLine(r["batch"], r["source"], r["line"], rows.arrival(r["facts"])) for r in found]

    async def done(self, lines: Sequence[LineDone]) -> None:
        """They are booked, known or refused, in this transaction."""
        await self._db.execute(
            "UPDATE receipt_lines l SET state = d.state, receipt = d.receipt, problem = d.problem "
            "FROM unnest($1::text[], $2::int[], $3::text[], $4::text[], $5::text[]) "
            "AS d(batch, line, state, receipt, problem) WHERE l.batch = d.batch AND l.line = d.line",
            [one.line.batch for one in lines],
            [one.line.line for one in lines],
            [one.state.value for one in lines],
            [one.receipt for one in lines],
            [one.problem for one in lines],
        )

    async def finish(self, now: datetime) -> None:
        """Released batches without a waiting line are done."""
        await self._db.execute(_FINISH, now)


def _told(row: Row, payments: Mapping[str, Row]) -> Arrival:
    payment = payments.get(row["payment"])
    return arrival_of(rows.receipt(row), _of(payment))


def _of(row: Row | None) -> Payment | None:
    return rows.payment(row) if row is not None else None


def _batch(row: Row | None) -> Batch | None:
    return shaped(Batch, row) if row is not None else None
