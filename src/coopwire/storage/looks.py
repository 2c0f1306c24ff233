"""Webhooks waiting to be read, and look-ups: claims with a lease, contexts, and what was answered."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from coopwire.ports.stores import (
    KnownCharge,
    LookContext,
    LookDone,
    Lookup,
    LookupRequest,
    StoredWebhook,
)
from coopwire.storage import rows
from coopwire.storage.due_looks import claim_of
from coopwire.storage.rows import Connection, Row
from coopwire.storage.sealing import Sealer

_CLAIM = f"WITH {claim_of('lookups', 'connection', 'reference')}"

_REQUEST = """
INSERT INTO lookups AS l (connection, reference, look_at, noticed, charges, created_at, traceparent)
SELECT r.connection, r.reference, min(r.look_at), bool_or(r.noticed),
       coalesce(jsonb_agg(DISTINCT r.charge) FILTER (WHERE r.charge IS NOT NULL), '[]'), min($6::timestamptz),
       (array_agg(r.traceparent) FILTER (WHERE r.traceparent IS NOT NULL))[1]
FROM unnest($1::text[], $2::text[], $3::timestamptz[], $4::bool[], $5::text[], $7::text[])
     AS r(connection, reference, look_at, noticed, charge, traceparent)
GROUP BY r.connection, r.reference ORDER BY r.connection, r.reference
ON CONFLICT (connection, reference) DO UPDATE SET
    look_at = least(l.look_at, excluded.look_at),
    noticed = l.noticed OR excluded.noticed,
    traceparent = coalesce(excluded.traceparent, l.traceparent),
    noticed_looks = CASE WHEN excluded.noticed THEN 0 ELSE l.noticed_looks END,
    charges = CASE WHEN excluded.charges <@ l.charges THEN l.charges ELSE l.charges || excluded.charges END
"""

# A request that came while the look was under way has moved look_at before the lease's end: it stays due.
_DONE = """
WITH d AS (
    SELECT * FROM unnest($1::text[], $2::timestamptz[], $3::timestamptz[], $4::bool[])
        AS d(token, at, next_at, agreed)
), over AS (
    UPDATE lookups l SET
        looks = l.looks + 1,
        noticed_looks = l.noticed_looks + l.noticed::int,
        look_at = CASE WHEN l.look_at < l.lease_until THEN l.look_at ELSE d.next_at END,
        noticed = CASE WHEN l.look_at < l.lease_until THEN l.noticed ELSE l.noticed AND NOT d.agreed END,
        charges = CASE WHEN d.agreed AND l.look_at >= l.lease_until THEN '[]' ELSE l.charges END,
        token = NULL, lease_until = NULL
    FROM d WHERE l.token = d.token
    RETURNING l.connection, l.reference, d.at, d.agreed AND NOT l.noticed AS agreed
)
UPDATE notices n SET open = false, closed_at = over.at FROM over
WHERE over.agreed AND n.open AND n.connection = over.connection AND n.reference = over.reference
"""

_ALLOCATED = """
SELECT r.i, a.due, sum(a.amount_minor)::bigint AS amount
FROM unnest($1::text[], $2::timestamptz[], $3::text[]) WITH ORDINALITY AS r(key, since, version, i)
JOIN allocations a ON a.account_key = r.key AND a.due IS NOT NULL AND a.replaced_at IS NULL
     AND (coalesce(a.counts_from, a.recorded_at) >= r.since OR a.dues_version = r.version)
GROUP BY r.i, a.due
"""


class InboxStore:
    """The Inbox socket on one transaction."""

    def __init__(self, connection: Connection, sealer: Sealer) -> None:
        self._db = connection
        self._sealer = sealer

    async def undrained(self, limit: int) -> list[StoredWebhook]:
        """Lock up to `limit` webhooks that nobody has read; skip those another worker holds."""
        found = await self._db.fetch(
            "SELECT w.id, w.connection, w.traceparent, b.sealed "
            "FROM webhooks w JOIN webhook_bodies b ON b.webhook = w.id "
            "WHERE w.drained_at IS NULL ORDER BY w.id LIMIT $1 FOR UPDATE OF w SKIP LOCKED",
            limit,
        )
        return [
            StoredWebhook(r["id"], r["connection"], self._sealer.open_or_none(r["sealed"]), r["traceparent"])
            for r in found
        ]

    async def drained(self, ids: Sequence[int], at: datetime) -> None:
        """They are read."""
        await self._db.execute(
            "UPDATE webhooks SET drained_at = $2 WHERE id = ANY($1::bigint[])", list(ids), at
        )


class LookupStore:
    """The Lookups socket on one transaction."""

    def __init__(self, connection: Connection) -> None:
        self._db = connection

    async def claim(self, slots: Mapping[str, int], now: datetime, until: datetime) -> list[Lookup]:
        """Take due look-ups, at most `slots` per connection, not those of closed gates; lease to `until`."""
        taken = await self._db.fetch(_CLAIM, list(slots), list(slots.values()), now, until)
        return [_lookup(row) for row in taken]

    async def contexts(self, lookups: Sequence[Lookup]) -> dict[str, LookContext]:
        """What recording needs, by token, payments locked in one order; absent where the lease was lost."""
        tokens = [lookup.token for lookup in lookups]
        await self._lock_payments(tokens)
        found = await self._db.fetch(
            "SELECT l.token, l.connection AS at, l.reference AS under, "
            "       a.reference AS attempt, a.payment AS payment "
            "FROM lookups l LEFT JOIN attempts a ON a.reference = l.reference AND a.connection = l.connection "
            "WHERE l.token = ANY($1::text[]) ORDER BY l.connection, l.reference FOR UPDATE OF l",
            tokens,
        )
        attempts = await self._attempts([row["attempt"] for row in found if row["attempt"]])
        payments = await self._payments([row["payment"] for row in found if row["payment"]])
        known = await self._known(found)
        checkouts = await self._unknown_checkouts(list(attempts))
        return {
            row["token"]: _context(row, attempts, payments, known, checkouts.get(row["attempt"]))
            for row in found
        }

    async def _lock_payments(self, tokens: Sequence[str]) -> None:
        await self._db.execute(
            "SELECT p.reference FROM payments p WHERE p.reference IN ("
            "  SELECT a.payment FROM attempts a JOIN lookups l "
            "  ON a.reference = l.reference AND a.connection = l.connection WHERE l.token = ANY($1::text[])"
            ") ORDER BY p.reference FOR UPDATE",
            list(tokens),
        )

    async def _attempts(self, references: Sequence[str]) -> dict[str, Row]:
        if not references:
            return {}
        found = await self._db.fetch(
            "SELECT * FROM attempts WHERE reference = ANY($1::text[])", list(references)
        )
        return {row["reference"]: row for row in found}

    async def _payments(self, references: Sequence[str]) -> dict[str, Row]:
        if not references:
            return {}
        found = await self._db.fetch(
            "SELECT * FROM payments WHERE reference = ANY($1::text[])", list(references)
        )
        return {row["reference"]: row for row in found}

    async def _known(self, found: Sequence[Row]) -> list[Row]:
        return list(
            await self._db.fetch(
                "SELECT id, connection, reference, charge, payment, gross_minor, currency FROM receipts "
                "WHERE payment = ANY($1::text[]) UNION "
                "SELECT r.id, r.connection, r.reference, r.charge, r.payment, r.gross_minor, r.currency "
                "FROM receipts r JOIN unnest($2::text[], $3::text[]) AS l(connection, reference) "
                "USING (connection, reference)",
                [row["payment"] for row in found if row["payment"]],
                [row["at"] for row in found],
                [row["under"] for row in found],
            )
        )

    async def _unknown_checkouts(self, attempts: Sequence[str]) -> dict[str, str]:
        if not attempts:
            return {}
        found = await self._db.fetch(
            "SELECT e.reference, e.id FROM effects e JOIN attempts a "
            "ON e.connection = a.connection AND e.reference = a.reference "
            "WHERE e.kind IN ('checkout', 'saved_charge') AND e.state = 'unknown' AND a.reference = ANY($1::text[])",
            list(attempts),
        )
        return {row["reference"]: row["id"] for row in found}

    async def allocated(self, asked: Sequence[tuple[str, datetime, str]]) -> list[dict[str, int]]:
        """Per (account key, dues as_of, version): what the hub allocated per due id since then or under it."""
        amounts: list[dict[str, int]] = [{} for _ in asked]
        if not asked:
            return amounts
        keys, since, versions = (list(column) for column in zip(*asked, strict=True))
        for row in await self._db.fetch(_ALLOCATED, keys, since, versions):
            amounts[row["i"] - 1][row["due"]] = row["amount"]
        return amounts


async def request_looks(db: Connection, requests: Sequence[LookupRequest], now: datetime) -> None:
    """Ask for looks; sooner wins, and what notices name is remembered."""
    if requests:
        await db.execute(
            _REQUEST,
            [r.connection for r in requests],
            [r.reference for r in requests],
            [r.look_at for r in requests],
            [r.noticed for r in requests],
            [r.charge for r in requests],
            now,
            [r.traceparent for r in requests],
        )


async def finish_looks(db: Connection, looks: Sequence[LookDone]) -> None:
    """Write answers, the next due times, and close the notices that are confirmed."""
    if not looks:
        return
    await db.execute(
        _DONE,
        [d.lookup.token for d in looks],
        [d.at for d in looks],
        [d.next_at for d in looks],
        [d.agreed for d in looks],
    )
    await rows.insert(db, "looks", [(d.lookup.connection, d.lookup.reference, d.at, d.answer) for d in looks])


def _lookup(row: Row) -> Lookup:
    return Lookup(
        connection=row["connection"],
        reference=row["reference"],
        charges=tuple(row["charges"]),
        looks=row["looks"],
        noticed_looks=row["noticed_looks"],
        noticed=row["noticed"],
        created_at=row["created_at"],
        token=row["token"],
        traceparent=row["traceparent"],
    )


def _context(
    row: Row,
    attempts: Mapping[str, Row],
    payments: Mapping[str, Row],
    known: Sequence[Row],
    unknown_checkout: str | None,
) -> LookContext:
    attempt, payment = attempts.get(row["attempt"]), payments.get(row["payment"])
    here = (row["at"], row["under"])
    return LookContext(
        attempt=rows.attempt(attempt) if attempt else None,
        payment=rows.payment(payment) if payment else None,
        core_account=payment["core_account"] if payment else None,
        known=tuple(
            KnownCharge(k["id"], k["connection"], k["charge"], k["gross_minor"], k["currency"])
            for k in known
            if (k["connection"], k["reference"]) == here or (payment and k["payment"] == row["payment"])
        ),
        unknown_checkout=unknown_checkout,
    )
