"""Settlements in PostgreSQL: looks with a lease, rows as they were last read, and what their lines are tied to."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import astuple, replace
from datetime import datetime

from coopwire.domain.books import clearing_key
from coopwire.domain.breaks import BreakType
from coopwire.domain.fees import FeeFacts
from coopwire.domain.receipts import Receipt
from coopwire.domain.settlements import (
    Known,
    Line,
    LineKind,
    SettledDeduction,
    SettledReceipt,
    Settlement,
)
from coopwire.domain.states import SettlementStand
from coopwire.ports.stores import ClaimedSettlement, SettlementNudge
from coopwire.ports.stores.settlements import EVERY
from coopwire.storage import rows
from coopwire.storage.audit.entries import Entries
from coopwire.storage.due_looks import claim_of, nudge
from coopwire.storage.rows import Connection, Row

_STAND = """l.*, (SELECT s.stand FROM settlements s
       WHERE (s.connection, s.provider_ref) = (l.connection, l.provider_ref)) AS stand"""
# A list that was never read is due from the next round on.
_CLAIM = f"""
WITH lists AS (
    INSERT INTO settlement_looks (connection, provider_ref, look_at, since)
    SELECT connection, $5, $3, $3 FROM unnest($1::text[]) AS s(connection) ON CONFLICT DO NOTHING
), {claim_of("settlement_looks", "connection", "provider_ref", told=_STAND)}
"""

# A nudge that came while the look was under way has moved look_at before the lease's end: it stays due.
_LOOKED = """
UPDATE settlement_looks SET token = NULL, lease_until = NULL, looks = looks + 1,
    look_at = CASE WHEN look_at < lease_until THEN look_at ELSE $4 END
WHERE connection = $1 AND provider_ref = $2 AND token = $3 RETURNING true
"""

_SAVE = """
INSERT INTO settlements (id, connection, provider_ref, state, stand, currency, gross_minor, fee_minor, fee_exact,
    deductions_minor, refunds_minor, disputes_minor, duty_minor, net_minor, gap_minor, settled_on, reason,
    recorded_at, effect, suspense_minor, updated_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21)
ON CONFLICT (id) DO UPDATE SET state = excluded.state, stand = excluded.stand, currency = excluded.currency,
    gross_minor = excluded.gross_minor, fee_minor = excluded.fee_minor, fee_exact = excluded.fee_exact,
    deductions_minor = excluded.deductions_minor, refunds_minor = excluded.refunds_minor,
    disputes_minor = excluded.disputes_minor, duty_minor = excluded.duty_minor, net_minor = excluded.net_minor,
    gap_minor = excluded.gap_minor, settled_on = excluded.settled_on, reason = excluded.reason,
    effect = excluded.effect, suspense_minor = excluded.suspense_minor, updated_at = excluded.updated_at
"""

# What was written again because it does not stand there counts once.
_CORRECTED = """
SELECT coalesce(sum(CASE l ->> 1 WHEN 'debit' THEN (l ->> 2)::bigint ELSE -(l ->> 2)::bigint END)
                - (r.gross_minor - r.fee_minor), 0)::bigint
FROM effects e CROSS JOIN LATERAL jsonb_array_elements(e."order" -> 'lines') l
WHERE e.kind = 'journal' AND e.receipt = r.id AND e.state NOT IN ('refused', 'cancelled')
  AND e."order" ->> 'kind' NOT IN ('refund', 'refund_undone') AND l ->> 0 = $3
  AND NOT EXISTS (SELECT FROM break_effects b JOIN effects n ON n.id = b.effect
                  WHERE b.corrects = e.id AND n."order" ->> 'instead_of' = e.id AND n.state = 'done')
"""
_RECEIPTS = f"""
SELECT r.id, r.charge, r.currency, r.gross_minor, r.fee_minor, r.fee_known,
    ({_CORRECTED}) AS corrected_minor,
    (SELECT l.settlement FROM settlement_lines l WHERE l.receipt = r.id AND l.settlement <> $2) AS settled_in
FROM receipts r WHERE r.connection = $1 AND r.charge = ANY($4::text[])
"""
_OF_REFUNDS = """
SELECT f.id, 'refund' AS kind, f.provider_ref, r.charge, f.amount_minor, f.currency,
    (SELECT l.settlement FROM settlement_lines l WHERE l.refund = f.id AND l.settlement <> $2) AS settled_in
FROM refunds f JOIN receipts r ON r.id = f.receipt
WHERE f.connection = $1 AND f.state = 'succeeded' AND f.provider_ref IS NOT NULL
"""
_OF_DISPUTES = """
SELECT d.id, k.kind, d.provider_ref, d.charge, d.amount_minor, d.currency,
    (SELECT l.settlement FROM settlement_lines l
     WHERE l.dispute = d.id AND l.kind = k.kind AND l.settlement <> $2) AS settled_in
FROM disputes d CROSS JOIN unnest($3::text[]) AS k(kind)
WHERE d.connection = $1
"""
_NAMED_REFUNDS = f"{_OF_REFUNDS} AND f.provider_ref = ANY($3::text[])"
_NAMED_DISPUTES = f"{_OF_DISPUTES} AND d.provider_ref = ANY($4::text[])"
_OPEN_REFUNDS = (
    f"{_OF_REFUNDS} AND NOT EXISTS (SELECT FROM settlement_lines l WHERE l.refund = f.id) "
    "ORDER BY f.created_at, f.id"
)
_OPEN_DISPUTES = (
    f"{_OF_DISPUTES} AND d.state = 'lost' AND NOT EXISTS "
    "(SELECT FROM settlement_lines l WHERE l.dispute = d.id AND l.kind = 'dispute') ORDER BY d.opened_at, d.id"
)
_DIFFERENCES = sorted(
    {
        BreakType.SETTLEMENT_CHARGE_UNKNOWN,
        BreakType.SETTLED_TWICE,
        BreakType.SETTLEMENT_LINE_DIFFERS,
        BreakType.SETTLEMENT_SUM_DIFFERS,
    }
)
_TAKEN, _GIVEN = LineKind.DISPUTE.value, LineKind.DISPUTE_REVERSAL.value


_LATE_FEES = """
SELECT r.*, l.fee_minor AS told_minor, l.fee_exact AS told_exact
FROM settlement_lines l JOIN receipts r ON r.id = l.receipt
WHERE l.settlement = $1 AND l.kind = 'charge' AND l.fee_known AND NOT r.fee_known ORDER BY l.n
"""


class SettlementStore:
    """The Settlements socket on one transaction."""

    def __init__(self, connection: Connection, entries: Entries) -> None:
        self._db = connection
        self._entries = entries

    async def claim(
        self, slots: Mapping[str, int], now: datetime, until: datetime
    ) -> list[ClaimedSettlement]:
        """Take due looks, at most `slots` per connection, not those of closed gates; lease to `until`."""
        taken = await self._db.fetch(_CLAIM, list(slots), list(slots.values()), now, until, EVERY)
        return [rows.shaped(ClaimedSettlement, row, stand=_stand(row["stand"])) for row in taken]

    async def looked(self, claimed: ClaimedSettlement, next_at: datetime | None) -> bool:
        """End the lease and plan the next look; False when it was lost."""
        done = await self._db.fetchval(
            _LOOKED, claimed.connection, claimed.provider_ref, claimed.token, next_at
        )
        return done is not None

    async def read_since(self, connection: str) -> datetime | None:
        """When the hub began to read settlements of this connection."""
        since: datetime | None = await self._db.fetchval(
            "SELECT since FROM settlement_looks WHERE connection = $1 AND provider_ref = $2",
            connection,
            EVERY,
        )
        return since

    async def known(self, connection: str, provider_refs: Collection[str]) -> dict[str, Settlement]:
        """Settlements by their ids at the gateway, locked."""
        found = await self._db.fetch(
            "SELECT * FROM settlements WHERE connection = $1 AND provider_ref = ANY($2::text[]) "
            "ORDER BY id FOR UPDATE",
            connection,
            list(provider_refs),
        )
        return {row["provider_ref"]: rows.shaped(Settlement, row) for row in found}

    async def get(self, id: str, *, lock: bool = False) -> Settlement | None:
        """One settlement."""
        row = await self._db.fetchrow(
            f"SELECT * FROM settlements WHERE id = $1 {'FOR UPDATE' if lock else ''}", id
        )
        return rows.shaped(Settlement, row) if row is not None else None

    async def lines(self, id: str) -> list[Line]:
        """Its lines in their order."""
        found = await self._db.fetch("SELECT * FROM settlement_lines WHERE settlement = $1 ORDER BY n", id)
        return [rows.shaped(Line, row) for row in found]

    async def ours(self, settlement: Settlement, lines: Sequence[Line]) -> Known:
        """What the hub has of everything that these lines name, and what is open of the connection."""
        about = (settlement.connection, settlement.id)
        clearing = clearing_key(settlement.connection)
        charges = [line.charge for line in lines if line.kind is LineKind.CHARGE]
        subjects = [line.subject for line in lines if line.kind is not LineKind.CHARGE]
        receipts = [
            rows.shaped(SettledReceipt, row)
            for row in await self._db.fetch(_RECEIPTS, *about, clearing, charges)
        ]
        named, open_ = [], []
        if subjects:
            named += await self._db.fetch(_NAMED_REFUNDS, *about, subjects)
            named += await self._db.fetch(_NAMED_DISPUTES, *about, [_TAKEN, _GIVEN], subjects)
        else:
            open_ += await self._db.fetch(_OPEN_REFUNDS, *about)
            open_ += await self._db.fetch(_OPEN_DISPUTES, *about, [_TAKEN])
        return Known(
            {receipt.charge: receipt for receipt in receipts},
            [rows.shaped(SettledDeduction, row) for row in named],
            [rows.shaped(SettledDeduction, row) for row in open_],
        )

    async def save(self, settlement: Settlement, now: datetime, lines: Sequence[Line] | None = None) -> None:
        """Write it as it stands from now on, with its lines where they are given."""
        one = settlement
        await self._db.execute(
            _SAVE,
            one.id,
            one.connection,
            one.provider_ref,
            one.state.value,
            one.stand.value,
            one.currency,
            one.gross_minor,
            one.fee_minor,
            one.fee_exact,
            one.deductions_minor,
            one.refunds_minor,
            one.disputes_minor,
            one.duty_minor,
            one.net_minor,
            one.gap_minor,
            one.settled_on,
            one.reason,
            one.recorded_at,
            one.effect,
            one.suspense_minor,
            now,
        )
        if lines is not None:
            await self._db.execute("DELETE FROM settlement_lines WHERE settlement = $1", one.id)
            await rows.insert(self._db, "settlement_lines", [(one.id, *astuple(line)) for line in lines])
        self._entries.note("settlement", [one.id])
        self._entries.note("settlement_parts", [one.id])

    async def late_fees(self, id: str) -> list[tuple[Receipt, FeeFacts]]:
        """Receipts whose fee this settlement is the first to tell, with that fee, and what it should have been."""
        found = [(row, rows.fee_facts(row)) for row in await self._db.fetch(_LATE_FEES, id)]
        return [(_with_its_fee(row), expected) for row, expected in found if expected is not None]

    async def of_effects(self, effects: Collection[str]) -> list[str]:
        """The settlements that one of these effects books, or books in the place of the first entry."""
        found = await self._db.fetch(
            "SELECT s.id FROM effects e JOIN settlements s ON s.effect IN (e.id, e.\"order\" ->> 'instead_of') "
            "WHERE e.id = ANY($1::text[]) ORDER BY s.id",
            list(effects),
        )
        return [row["id"] for row in found]

    async def breaks(self, id: str) -> list[int]:
        """Open breaks about what does not tie in this settlement; those with a proposal are somebody's to end."""
        found = await self._db.fetch(
            "SELECT id FROM breaks WHERE subject = $1 AND state = 'open' AND type = ANY($2::text[]) ORDER BY id",
            id,
            _DIFFERENCES,
        )
        return [row["id"] for row in found]


def _stand(word: str | None) -> SettlementStand | None:
    return SettlementStand(word) if word is not None else None


async def nudge_settlements(db: Connection, nudges: Sequence[SettlementNudge]) -> None:
    """Make the looks at these settlements due now."""
    await nudge(db, "settlement_looks", nudges)


def _with_its_fee(row: Row) -> Receipt:
    """A receipt with the fee that the line of its settlement tells."""
    told = {"fee_minor": row["told_minor"], "fee_exact": row["told_exact"], "fee_known": True}
    return replace(rows.receipt(row), **told)
