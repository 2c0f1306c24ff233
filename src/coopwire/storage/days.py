"""Ours of a business day, read in one snapshot, and the comparisons as they are kept."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime
from typing import Any

from coopwire.domain.books import Side
from coopwire.domain.receipts import ReceiptSource
from coopwire.domain.states import EffectState, RefundState
from coopwire.ports.days import (
    DayQuestion,
    OurJournal,
    OurPosting,
    OurReceipt,
    OurRefund,
    Ours,
    RunView,
)
from coopwire.storage import rows
from coopwire.storage.reports import run_view
from coopwire.storage.rows import Connection, Row
from coopwire.storage.sessions import reading, snapshot

_RECEIPTS = """
SELECT id, connection, source, reference, charge, currency, gross_minor, fee_minor, paid_at,
    recorded_at, expected_fee_minor FROM receipts
WHERE paid_at >= $1 AND paid_at < $2
UNION
SELECT r.id, r.connection, r.source, r.reference, r.charge, r.currency, r.gross_minor, r.fee_minor, r.paid_at,
    r.recorded_at, r.expected_fee_minor
FROM unnest($3::text[], $4::text[]) AS n(connection, charge)
JOIN receipts r ON r.connection = n.connection AND r.charge = n.charge
"""
# What was written again because it is not there is not expected there any more.
_REPLACED = """
  AND NOT EXISTS (SELECT FROM break_effects l JOIN effects n ON n.id = l.effect
                  WHERE l.corrects = e.id AND n."order" ->> 'instead_of' = e.id AND n.state = 'done')
"""
_JOURNALS = f"""
SELECT e.id, e.reference, e.state, e."order", e.receipt, e.provider_ref, e.finished_at, t.mapping_version
FROM effects e LEFT JOIN LATERAL (
    SELECT mapping_version FROM tries WHERE effect = e.id ORDER BY id DESC LIMIT 1) t ON true
WHERE e.kind = 'journal' AND e.connection = $1
  AND e.id IN (
    SELECT id FROM effects WHERE kind = 'journal' AND "order" ->> 'on' = $2
    UNION SELECT id FROM effects WHERE kind = 'journal' AND connection = $1 AND reference = ANY($3::text[])
    UNION SELECT id FROM effects WHERE kind = 'journal' AND receipt = ANY($4::text[]))
  {_REPLACED}
"""
_POSTINGS = f"""
SELECT e.id, e.reference, e.state, e."order", e.receipt, e.provider_ref, e.first_sent_at, e.finished_at,
    coalesce(a.updated_at > e.finished_at, false) AS relinked,
    EXISTS (SELECT FROM effects r WHERE r.kind = 'reversal' AND r.connection = e.connection AND r.lane = e.lane
            AND r."order" ->> 'original' = e.reference AND r.state IN ('sending', 'unknown', 'done')) AS undone
FROM effects e LEFT JOIN core_accounts a ON a.id = (e."order" ->> 'core_account')::bigint
WHERE e.kind = 'posting' AND e.connection = $1
  AND e.id IN (
    SELECT id FROM effects WHERE kind = 'posting' AND "order" ->> 'value_on' = $2
    UNION SELECT id FROM effects WHERE kind = 'posting' AND connection = $1 AND reference = ANY($3::text[])
    UNION SELECT id FROM effects WHERE kind = 'posting' AND receipt = ANY($4::text[]))
  {_REPLACED}
"""
_REFUNDS = """
SELECT f.id, f.receipt, f.connection, r.charge, f.state, f.amount_minor, f.currency, f.provider_ref, f.created_at
FROM refunds f JOIN receipts r ON r.id = f.receipt
WHERE f.id IN (
    SELECT id FROM refunds WHERE created_at >= $1 AND created_at < $2
    UNION SELECT f.id FROM unnest($3::text[], $4::text[]) AS n(connection, provider_ref)
        JOIN refunds f ON f.connection = n.connection AND f.provider_ref = n.provider_ref
    UNION SELECT id FROM refunds WHERE receipt = ANY($5::text[]))
"""


class DayRows:
    """The Days socket over an asyncpg pool."""

    def __init__(self, pool: Any) -> None:
        self._pool = pool

    # -- ours ---------------------------------------------------------------------------------------------

    async def ours(self, question: DayQuestion) -> Ours:
        """Everything asked for, read at one moment."""
        async with snapshot(self._pool, "read a day") as db:
            receipts = await self._receipts(db, question)
            about = [r.id for r in receipts]
            return Ours(
                receipts=tuple(receipts),
                journals=tuple(await self._journals(db, question, about)),
                postings=tuple(await self._postings(db, question, about)),
                refunds=tuple(await self._refunds(db, question, about)),
                payments=await self._payments(db, question.payments),
            )

    async def _receipts(self, db: Connection, question: DayQuestion) -> list[OurReceipt]:
        found = await db.fetch(_RECEIPTS, question.start, question.end, *_pairs(question.charges))
        return [rows.shaped(OurReceipt, row, source=ReceiptSource(row["source"])) for row in found]

    async def _journals(
        self, db: Connection, question: DayQuestion, receipts: Sequence[str]
    ) -> list[OurJournal]:
        if question.books is None:
            return []
        mappings = {
            row["version"]: row["entries"]
            for row in await db.fetch(
                "SELECT version, entries FROM mappings WHERE connection = $1", question.books
            )
        }
        found = await db.fetch(
            _JOURNALS, question.books, question.day.isoformat(), list(question.journals), list(receipts)
        )
        return [_journal(row, mappings.get(row["mapping_version"])) for row in found]

    async def _postings(
        self, db: Connection, question: DayQuestion, receipts: Sequence[str]
    ) -> list[OurPosting]:
        if question.core_bank is None:
            return []
        found = await db.fetch(
            _POSTINGS, question.core_bank, question.day.isoformat(), list(question.postings), list(receipts)
        )
        return [_posting(row) for row in found]

    async def _refunds(
        self, db: Connection, question: DayQuestion, receipts: Sequence[str]
    ) -> list[OurRefund]:
        found = await db.fetch(
            _REFUNDS, question.start, question.end, *_pairs(question.refunds), list(receipts)
        )
        return [rows.shaped(OurRefund, row, state=RefundState(row["state"])) for row in found]

    async def _payments(self, db: Connection, asked: Collection[str]) -> frozenset[str]:
        found = await db.fetch(
            "SELECT reference FROM payments WHERE reference = ANY($1::text[])", list(asked)
        )
        return frozenset(row["reference"] for row in found)

    # -- runs ---------------------------------------------------------------------------------------------

    async def answered(
        self, wishes: Sequence[tuple[str, str]], since: datetime
    ) -> frozenset[tuple[str, str]]:
        """Of these (connection, reference), those that were looked up since then."""
        async with reading(self._pool, "read look-ups") as db:
            found = await db.fetch(
                "SELECT DISTINCT connection, reference FROM looks "
                "JOIN unnest($1::text[], $2::text[]) AS w(connection, reference) USING (connection, reference) "
                "WHERE at >= $3",
                [connection for connection, _ in wishes],
                [reference for _, reference in wishes],
                since,
            )
        return frozenset((row["connection"], row["reference"]) for row in found)

    async def run(self, id: str) -> RunView | None:
        """One comparison."""
        async with reading(self._pool, "read reconciliation") as db:
            row = await db.fetchrow("SELECT * FROM reconciliations WHERE id = $1", id)
        return run_view(row) if row is not None else None

    async def latest(self, day: date) -> RunView | None:
        """The newest comparison of a day that ended."""
        async with reading(self._pool, "read reconciliation") as db:
            row = await db.fetchrow(
                "SELECT * FROM reconciliations WHERE day = $1 AND report IS NOT NULL "
                "ORDER BY started_at DESC, id DESC LIMIT 1",
                day,
            )
        return run_view(row) if row is not None else None


def _pairs(named: Mapping[str, Collection[str]]) -> tuple[list[str], list[str]]:
    pairs = [(connection, name) for connection, names in named.items() for name in names]
    return [connection for connection, _ in pairs], [name for _, name in pairs]


def _journal(row: Row, entries: Mapping[str, str] | None) -> OurJournal:
    order = row["order"]
    lines = tuple(((entries or {}).get(key, key), side, minor) for key, side, minor in order["lines"])
    return OurJournal(
        effect=row["id"],
        reference=row["reference"],
        state=EffectState(row["state"]),
        on=date.fromisoformat(order["on"]),
        currency=order["currency"],
        lines=lines,
        accounts_known=entries is not None,
        receipt=row["receipt"],
        provider_ref=row["provider_ref"],
        finished_at=row["finished_at"],
    )


def _posting(row: Row) -> OurPosting:
    order = row["order"]
    return OurPosting(
        effect=row["id"],
        reference=row["reference"],
        state=EffectState(row["state"]),
        core_account=order["core_account"],
        side=Side(order.get("side", Side.CREDIT)),
        amount_minor=order["amount_minor"],
        currency=order["currency"],
        value_on=date.fromisoformat(order["value_on"]),
        receipt=row["receipt"],
        provider_ref=row["provider_ref"],
        first_sent_at=row["first_sent_at"],
        finished_at=row["finished_at"],
        relinked=row["relinked"],
        undone=row["undone"],
    )
