"""Refunds in PostgreSQL: look-ups with a lease, moves, and what a refund takes out of an allocation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from coopwire.domain.receipts import AllocationLine
from coopwire.domain.refunds import Refund
from coopwire.ports.stores import (
    ClaimedRefund,
    NewRefund,
    Reduction,
    RefundLooked,
    RefundMove,
    RefundNudge,
    Restoration,
)
from coopwire.storage import rows
from coopwire.storage.due_looks import claim_of
from coopwire.storage.rows import Connection, Row

_CLAIM = f"WITH {claim_of('refunds', 'id', also='AND l.provider_ref IS NOT NULL')}"

# A nudge that came while the look was under way has moved look_at before the lease's end: it stays due.
_MOVE = """
UPDATE refunds f SET
    state = $2, reason = $3, effect = $4, provider_ref = $5, accepted_at = $6, taken = $7,
    updated_at = CASE WHEN f.state = $2 THEN f.updated_at ELSE $8 END,
    looks = f.looks + $10::bool::int,
    look_at = CASE WHEN f.look_at < f.lease_until THEN f.look_at ELSE $9 END,
    token = CASE WHEN $10::bool THEN NULL ELSE f.token END,
    lease_until = CASE WHEN $10::bool THEN NULL ELSE f.lease_until END
WHERE f.id = $1
"""

_NUDGE = """
UPDATE refunds f SET look_at = least(f.look_at, n.at)
FROM unnest($1::text[], $2::text[], $3::text[], $4::timestamptz[]) AS n(connection, reference, charge, at)
JOIN receipts r ON r.connection = n.connection AND (r.reference = n.reference OR r.charge = n.charge)
WHERE f.receipt = r.id AND f.provider_ref IS NOT NULL
"""


class RefundStore:
    """The Refunds socket on one transaction."""

    def __init__(self, connection: Connection) -> None:
        self._db = connection

    async def get(self, refund: str, *, lock: bool = False) -> Refund | None:
        """One refund."""
        row = await self._db.fetchrow(
            f"SELECT * FROM refunds WHERE id = $1 {'FOR UPDATE' if lock else ''}", refund
        )
        return _refund(row) if row is not None else None

    async def of_receipt(self, receipt: str) -> list[Refund]:
        """Every refund of a receipt, the oldest first; the caller holds the receipt."""
        found = await self._db.fetch(
            "SELECT * FROM refunds WHERE receipt = $1 ORDER BY created_at, id", receipt
        )
        return [_refund(row) for row in found]

    async def unordered(self, connection: str, charge: str) -> int | None:
        """The open break about a refund of this charge that stands at the gateway and was not ordered here."""
        found: int | None = await self._db.fetchval(
            "SELECT id FROM breaks WHERE closed_at IS NULL AND type = 'refund_not_ordered' "
            "AND evidence ->> 'connection' = $1 AND evidence -> 'theirs' ->> 'charge' = $2 ORDER BY id LIMIT 1",
            connection,
            charge,
        )
        return found

    async def of_effect(self, effect: str) -> Refund | None:
        """The refund that this effect debits for or asks the gateway for."""
        row = await self._db.fetchrow("SELECT * FROM refunds WHERE effect = $1 OR debit = $1", effect)
        return _refund(row) if row is not None else None

    async def claim(self, slots: Mapping[str, int], now: datetime, until: datetime) -> list[ClaimedRefund]:
        """Take due look-ups, at most `slots` per connection, not those of closed gates; lease to `until`."""
        taken = await self._db.fetch(_CLAIM, list(slots), list(slots.values()), now, until)
        return [ClaimedRefund(_refund(row), row["token"], row["looks"]) for row in taken]

    async def held(self, claimed: ClaimedRefund) -> Refund | None:
        """The refund, locked, if its lease still has this token."""
        row = await self._db.fetchrow(
            "SELECT * FROM refunds WHERE id = $1 AND token = $2 FOR UPDATE", claimed.refund.id, claimed.token
        )
        return _refund(row) if row is not None else None


def _refund(row: Row) -> Refund:
    return rows.shaped(Refund, row, taken=_lines(row["taken"]))


def _lines(told: Sequence[Row]) -> tuple[AllocationLine, ...]:
    return tuple(rows.shaped(AllocationLine, line) for line in told)


def _told(lines: Sequence[AllocationLine]) -> list[dict[str, object]]:
    return [
        {"component": line.component.value, "amount_minor": line.amount_minor, "due": line.due}
        for line in lines
    ]


async def add_refunds(db: Connection, new: Sequence[NewRefund], now: datetime) -> None:
    """Store approved refunds."""
    await rows.insert(
        db,
        "refunds",
        [
            (
                one.refund.id,
                one.refund.receipt,
                one.refund.connection,
                one.refund.amount_minor,
                one.refund.currency,
                one.refund.state.value,
                one.refund.reason,
                one.refund.debit,
                one.refund.effect,
                one.asked_by,
                one.approved_by,
                one.refund.created_at,
                now,
            )
            for one in new
        ],
    )


async def move_refunds(db: Connection, moves: Sequence[RefundMove], now: datetime) -> None:
    """Write refunds as they stand from now on."""
    for move in moves:
        refund = move.refund
        await db.execute(
            _MOVE,
            refund.id,
            refund.state.value,
            refund.reason,
            refund.effect,
            refund.provider_ref,
            refund.accepted_at,
            _told(refund.taken),
            now,
            move.look_at,
            move.looked,
        )


async def keep_refund_looks(db: Connection, looks: Sequence[RefundLooked]) -> None:
    """Keep what was answered about refunds."""
    await rows.insert(
        db, "looks", [(one.refund.connection, one.refund.id, one.at, one.answer) for one in looks]
    )


async def nudge_refunds(db: Connection, nudges: Sequence[RefundNudge]) -> None:
    """Make the refunds of these payments due now; those that no gateway has accepted yet wait for their effect."""
    if nudges:
        await db.execute(
            _NUDGE,
            [n.connection for n in nudges],
            [n.reference for n in nudges],
            [n.charge for n in nudges],
            [n.at for n in nudges],
        )


async def reduce(db: Connection, reductions: Sequence[Reduction]) -> None:
    """Cut lines of allocations: the old line stays, marked; what is left of it is a line that counts as it did."""
    for one in reductions:
        standing = await db.fetch(
            "SELECT * FROM allocations WHERE receipt = $1 AND replaced_at IS NULL ORDER BY n", one.receipt
        )
        free = await _next_number(db, one.receipt)
        cut = [(standing[c.position], c.left_minor) for c in one.cuts]
        await db.execute(
            "UPDATE allocations SET replaced_at = $3 WHERE receipt = $1 AND n = ANY($2::int[])",
            one.receipt,
            [line["n"] for line, _ in cut],
            one.at,
        )
        await rows.insert(
            db,
            "allocations",
            [
                (
                    one.receipt,
                    free + extra,
                    line["component"],
                    left,
                    line["due"],
                    line["account_key"],
                    line["dues_version"],
                    one.at,
                    line["counts_from"] or line["recorded_at"],
                )
                for extra, (line, left) in enumerate((line, left) for line, left in cut if left > 0)
            ],
        )


async def restore(db: Connection, restorations: Sequence[Restoration]) -> None:
    """Add lines to allocations again."""
    for one in restorations:
        free = await _next_number(db, one.receipt)
        await rows.insert(
            db,
            "allocations",
            [
                (
                    one.receipt,
                    free + extra,
                    line.component.value,
                    line.amount_minor,
                    line.due,
                    one.account_key,
                    None,
                    one.at,
                    None,
                )
                for extra, line in enumerate(one.lines)
            ],
        )


async def _next_number(db: Connection, receipt: str) -> int:
    highest: int | None = await db.fetchval("SELECT max(n) FROM allocations WHERE receipt = $1", receipt)
    return 0 if highest is None else highest + 1
