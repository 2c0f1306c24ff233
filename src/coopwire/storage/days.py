"""Ours of a business day, read in one snapshot, and the comparisons as they are kept."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime
from typing import Any

from coopwire.domain.books import LATER_ENTRIES, REVERSAL, Side, clearing_key
from coopwire.domain.receipts import ReceiptSource
from coopwire.domain.states import EffectState, PayoutState, RefundState
from coopwire.ports.days import (
    Clearing,
    DayQuestion,
    OurJournal,
    OurPayout,
    OurPosting,
    OurReceipt,
    OurRefund,
    Ours,
    Outgoing,
    Owed,
    RunView,
    Unsettled,
)
from coopwire.storage import rows
from coopwire.storage.effects import SAID_WITH
from coopwire.storage.reports import run_view
from coopwire.storage.rows import Connection, Row, ShapeT
from coopwire.storage.sessions import reading, snapshot

_RECEIPTS = """
SELECT id, connection, source, reference, charge, currency, gross_minor, fee_minor, paid_at,
    recorded_at, expected_fee_minor, fee_known FROM receipts
WHERE paid_at >= $1 AND paid_at < $2
UNION
SELECT r.id, r.connection, r.source, r.reference, r.charge, r.currency, r.gross_minor, r.fee_minor, r.paid_at,
    r.recorded_at, r.expected_fee_minor, r.fee_known
FROM unnest($3::text[], $4::text[]) AS n(connection, charge)
JOIN receipts r ON r.connection = n.connection AND r.charge = n.charge
"""
# What was written again because it is not there is not expected there any more.
_REPLACED = """
  AND NOT EXISTS (SELECT FROM break_effects l JOIN effects n ON n.id = l.effect
                  WHERE l.corrects = e.id AND n."order" ->> 'instead_of' = e.id AND n.state = 'done')
"""
_JOURNALS = f"""
SELECT e.id, e.reference, e.state, e."order", e.receipt, e.provider_ref, e.finished_at, e."after",
    {SAID_WITH} AS mapping_version
FROM effects e
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
# What was accepted on a day has moved since then; one whose answer is unknown is on its way.
_PAYOUTS = """
SELECT p.id, p.connection, p.transfer AS reference, p.state, e.state AS effect_state, p.amount_minor, p.currency,
    p.provider_ref, p.loan, p.member, e.first_sent_at AS sent_at, p.accepted_at, p.updated_at AS moved_at
FROM payouts p JOIN effects e ON e.id = p.transfer
WHERE p.id IN (
    SELECT id FROM payouts WHERE updated_at >= $1 AND accepted_at >= $1 AND accepted_at < $2
    UNION SELECT p.id FROM payouts p JOIN effects e ON e.id = p.transfer
        WHERE p.state = 'intended' AND e.first_sent_at >= $1 AND e.first_sent_at < $2
    UNION SELECT p.id FROM unnest($3::text[], $4::text[]) AS n(connection, reference)
        JOIN payouts p ON p.connection = n.connection AND p.transfer = n.reference)
"""
_TAKEN = """EXISTS (SELECT FROM settlement_lines l JOIN settlements s ON s.id = l.settlement
    WHERE l.{name} = {of}.id AND s.stand IN ('tied', 'booked') AND s.settled_on <= {day})"""
"""Whether a settlement of the day or before has it, with its entry ordered."""
_UNSETTLED = """
SELECT r.connection, r.reference, r.charge, r.currency, (r.gross_minor - r.fee_minor) AS net_minor, r.fee_known,
    r.paid_at, r.recorded_at
FROM receipts r WHERE r.connection = ANY($1::text[]) AND r.paid_at < $3
    AND NOT EXISTS (SELECT FROM settlement_lines l JOIN settlements s ON s.id = l.settlement
        WHERE l.charge = r.charge AND l.kind = 'charge' AND s.connection = r.connection AND s.state = 'paid'
          AND s.settled_on <= $2)
"""
_SINCE = f"SELECT connection, min(paid_at) AS since FROM ({_UNSETTLED}) u GROUP BY connection"
_SETTLED = """
SELECT s.connection, l.charge FROM settlements s JOIN settlement_lines l ON l.settlement = s.id
WHERE s.connection = ANY($1::text[]) AND s.state = 'paid' AND s.settled_on <= $2 AND l.kind = 'charge'
    AND l.charge = ANY($3::text[])
"""
_UNBOOKED = """
SELECT connection, provider_ref FROM settlements
WHERE connection = ANY($1::text[]) AND state = 'paid' AND stand = 'differs' AND settled_on <= $2
"""
# A refund is off clearing from the day on which it was confirmed, which is when its state last moved.
_REFUNDED = f"""
SELECT f.connection, f.id, f.currency, f.amount_minor FROM refunds f
WHERE f.connection = ANY($1::text[]) AND f.state = 'succeeded' AND f.updated_at < $3
    AND NOT {_TAKEN.format(name="refund", of="f", day="$2")}
"""
_CLEARING = f"""
SELECT k.connection, e."order" ->> 'currency' AS currency,
    count(*) FILTER (WHERE e.state = 'done') AS entries,
    coalesce(sum(m.minor) FILTER (WHERE e.state = 'done'), 0)::bigint AS standing_minor,
    count(*) FILTER (WHERE e.state <> 'done') AS ordered,
    coalesce(sum(m.minor) FILTER (WHERE e.state <> 'done'), 0)::bigint AS ordered_minor
FROM effects e CROSS JOIN LATERAL jsonb_array_elements(e."order" -> 'lines') l
CROSS JOIN LATERAL (SELECT CASE l ->> 1 WHEN 'debit' THEN (l ->> 2)::bigint ELSE -(l ->> 2)::bigint END AS minor) m
JOIN unnest($1::text[], $2::text[]) AS k(connection, key) ON k.key = l ->> 0
WHERE e.kind = 'journal' AND e.connection = $3 AND e.state NOT IN ('refused', 'cancelled')
    AND (e."order" ->> 'on')::date <= $4
  {_REPLACED}
GROUP BY k.connection, e."order" ->> 'currency'
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
                owed=await self._owed(db, question),
                payouts=tuple(await self._payouts(db, question)),
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

    async def _payouts(self, db: Connection, question: DayQuestion) -> list[OurPayout]:
        found = await db.fetch(_PAYOUTS, question.start, question.end, *_pairs(question.transfers))
        return [
            rows.shaped(
                OurPayout,
                row,
                state=PayoutState(row["state"]),
                effect_state=EffectState(row["effect_state"]),
            )
            for row in found
        ]

    async def _payments(self, db: Connection, asked: Collection[str]) -> frozenset[str]:
        found = await db.fetch(
            "SELECT reference FROM payments WHERE reference = ANY($1::text[])", list(asked)
        )
        return frozenset(row["reference"] for row in found)

    async def _owed(self, db: Connection, question: DayQuestion) -> Owed:
        names = sorted(question.owed)
        if not names or question.books is None:
            return Owed()
        keys = [clearing_key(name) for name in names]
        charges = [charge for told in question.owed.values() for charge in told]
        return Owed(
            unsettled=await _shapes(db, Unsettled, _UNSETTLED, names, question.day, question.end),
            refunded=await _shapes(db, Outgoing, _REFUNDED, names, question.day, question.end),
            clearing=await _shapes(db, Clearing, _CLEARING, names, keys, question.books, question.day),
            settled=frozenset(map(tuple, await db.fetch(_SETTLED, names, question.day, charges))),
            unbooked=frozenset(map(tuple, await db.fetch(_UNBOOKED, names, question.day))),
        )

    async def unsettled_since(
        self, connections: Collection[str], day: date, end: datetime
    ) -> dict[str, datetime]:
        """When the oldest receipt was paid that no settlement of this day or before has."""
        async with reading(self._pool, "read what is unsettled") as db:
            found = await db.fetch(_SINCE, list(connections), day, end)
        return {row["connection"]: row["since"] for row in found}

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


async def _shapes(db: Connection, into: type[ShapeT], statement: str, *values: object) -> tuple[ShapeT, ...]:
    return tuple(rows.shaped(into, row) for row in await db.fetch(statement, *values))


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
        receipt=row["receipt"],
        provider_ref=row["provider_ref"],
        finished_at=row["finished_at"],
        mirrors=row["after"] if order["kind"] == REVERSAL else None,
        brings=order["kind"] not in LATER_ENTRIES,
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
