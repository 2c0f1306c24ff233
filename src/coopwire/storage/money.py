"""Payments, attempts, payers and receipts in PostgreSQL."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime

from coopwire.domain.payments import Attempt, Payer, Payment
from coopwire.domain.receipts import AllocationLine, AllocationState
from coopwire.domain.states import PAYMENT_MOVES
from coopwire.ports.stores import NewPayment, NewReceipt, PageUrl, PaymentMove, Reallocation
from coopwire.storage import rows
from coopwire.storage.audit.entries import Entries
from coopwire.storage.audit.nouns import ATTEMPT, PAYMENT, microseconds
from coopwire.storage.rows import Connection, Row
from coopwire.storage.sealing import Sealer

_ALLOWED = [(old.value, new.value) for old, news in PAYMENT_MOVES.items() for new in news]
_MOVE = """
UPDATE {table} t SET state = m.state, reason = m.reason, updated_at = $4
FROM unnest($1::text[], $2::text[], $3::text[]) AS m(reference, state, reason)
WHERE t.reference = m.reference AND EXISTS (
    SELECT FROM unnest($5::text[], $6::text[]) AS a(old, new) WHERE a.old = t.state AND a.new = m.state)
"""


class PaymentStore:
    """The Payments socket on one transaction."""

    def __init__(self, connection: Connection, sealer: Sealer, entries: Entries) -> None:
        self._db = connection
        self._sealer = sealer
        self._entries = entries

    async def create(
        self,
        payment: Payment,
        attempt: Attempt,
        payer: Payer,
        *,
        core_account: int | None,
        return_url: str | None,
        metadata: Mapping[str, object],
    ) -> None:
        """Store a payment with its first attempt; the payer sealed."""
        values = rows.payment_values(payment, core_account, return_url, metadata)
        await rows.insert(self._db, "payments", [values])
        self._entries.add(PAYMENT, [_audited_payment(values)])
        person = json.dumps({"name": payer.name, "phone": payer.phone, "email": payer.email})
        await self._db.execute(
            "INSERT INTO payers (payment, sealed) VALUES ($1, $2)",
            payment.reference,
            self._sealer.seal(person.encode()),
        )
        await self.add_attempt(attempt)

    async def add_attempt(self, attempt: Attempt) -> None:
        """A further attempt of a payment."""
        row = await self._db.fetchrow(
            "INSERT INTO attempts (reference, payment, connection, amount_minor, currency, state, created_at, "
            "updated_at, at_least_minor) VALUES ($1, $2, $3, $4, $5, $6, $7, $7, $8) RETURNING *",
            attempt.reference,
            attempt.payment,
            attempt.connection,
            attempt.money.minor,
            attempt.money.currency,
            attempt.state.value,
            attempt.created_at,
            attempt.at_least_minor,
        )
        self._entries.add(ATTEMPT, [row])

    async def get(self, references: Sequence[str], *, lock: bool = False) -> dict[str, Payment]:
        """Payments by reference."""
        found = await self._db.fetch(
            "SELECT * FROM payments WHERE reference = ANY($1::text[]) "
            f"{'ORDER BY reference FOR UPDATE' if lock else ''}",
            list(references),
        )
        return {row["reference"]: rows.payment(row) for row in found}

    async def of_attempt(self, attempt: str) -> tuple[Attempt, Payment] | None:
        """An attempt with its payment."""
        row = await self._db.fetchrow("SELECT * FROM attempts WHERE reference = $1", attempt)
        if row is None:
            return None
        return rows.attempt(row), (await self.get([row["payment"]]))[row["payment"]]

    async def first_attempt(self, payment: str) -> Attempt | None:
        """A payment's first attempt."""
        row = await self._db.fetchrow(
            "SELECT * FROM attempts WHERE payment = $1 ORDER BY created_at, reference LIMIT 1", payment
        )
        return rows.attempt(row) if row is not None else None

    async def page(self, attempt: str) -> str | None:
        """The address of an attempt's page, unsealed."""
        sealed = await self._db.fetchval("SELECT page_sealed FROM attempts WHERE reference = $1", attempt)
        return self._sealer.open(sealed).decode() if sealed is not None else None

    async def payers(self, payments: Sequence[str]) -> dict[str, Payer]:
        """Who pays, unsealed; absent where nobody was asked, or where no configured key opens it."""
        found = await self._db.fetch(
            "SELECT p.reference, p.member, w.sealed FROM payments p JOIN payers w ON w.payment = p.reference "
            "WHERE p.reference = ANY($1::text[])",
            list(payments),
        )
        return {row["reference"]: Payer(row["member"], **told) for row, told in self._sealer.opened(found)}

    async def return_urls(self, payments: Sequence[str]) -> dict[str, str | None]:
        """Where the member is sent after paying."""
        found = await self._db.fetch(
            "SELECT reference, return_url FROM payments WHERE reference = ANY($1::text[])", list(payments)
        )
        return {row["reference"]: row["return_url"] for row in found}


class ReceiptStore:
    """The Receipts socket on one transaction."""

    def __init__(self, connection: Connection) -> None:
        self._db = connection

    async def get(self, receipt: str, *, lock: bool = False) -> NewReceipt | None:
        """A receipt with its allocation."""
        row = await self._db.fetchrow(
            f"SELECT * FROM receipts WHERE id = $1 {'FOR UPDATE' if lock else ''}", receipt
        )
        if row is None:
            return None
        lines = await self._db.fetch(
            "SELECT * FROM allocations WHERE receipt = $1 AND replaced_at IS NULL ORDER BY n", receipt
        )
        return rows.new_receipt(row, lines)

    async def under(self, connection: str, reference: str) -> list[str]:
        """Ids of receipts that came under this reference, the oldest first."""
        found = await self._db.fetch(
            "SELECT id FROM receipts WHERE connection = $1 AND reference = $2 ORDER BY recorded_at, id",
            connection,
            reference,
        )
        return [row["id"] for row in found]


async def move_payments(db: Connection, table: str, moves: Sequence[PaymentMove], now: datetime) -> None:
    """Move payments or attempts where their table of moves allows it; others stay as they are."""
    if not moves:
        return
    await db.execute(
        _MOVE.format(table=table),
        [m.reference for m in moves],
        [m.state.value for m in moves],
        [m.reason[:500] for m in moves],
        now,
        [old for old, _ in _ALLOWED],
        [new for _, new in _ALLOWED],
    )


async def add_payments(db: Connection, entries: Entries, payments: Sequence[NewPayment]) -> None:
    """Store payments that come with their money."""
    values = [rows.payment_values(new.payment, new.core_account, metadata=new.metadata) for new in payments]
    await rows.insert(db, "payments", values)
    entries.add(PAYMENT, [_audited_payment(one) for one in values])


def _audited_payment(values: Sequence[object]) -> Row:
    return dict(zip(rows.COLUMNS["payments"], values, strict=True))


async def keep_pages(db: Connection, pages: Sequence[PageUrl], sealer: Sealer) -> None:
    """Store the addresses of payment pages, sealed."""
    if pages:
        await db.execute(
            "UPDATE attempts a SET page_sealed = p.sealed FROM unnest($1::text[], $2::bytea[]) "
            "AS p(reference, sealed) WHERE a.reference = p.reference",
            [p.attempt for p in pages],
            [sealer.seal(p.url.encode()) for p in pages],
        )


async def add_receipts(db: Connection, receipts: Sequence[NewReceipt]) -> None:
    """Store receipts with their allocations."""
    await rows.insert(db, "receipts", [rows.receipt_values(new) for new in receipts])
    await rows.insert(
        db,
        "allocations",
        [
            values
            for new in receipts
            for values in _allocation_values(
                new.receipt.id, new.account_key, new.lines, new.dues_version, new.receipt.recorded_at, 0
            )
        ],
    )


def audited_rows(receipts: Sequence[NewReceipt]) -> list[Row]:
    """New receipts as the audit trail covers them; its noun `receipt` says the same in SQL."""
    return [
        {
            **dict(zip(rows.COLUMNS["receipts"], rows.receipt_values(new), strict=True)),
            "lines": [
                [
                    n,
                    line.component.value,
                    line.amount_minor,
                    line.due,
                    new.account_key,
                    new.dues_version,
                    microseconds(new.receipt.recorded_at),
                    None,
                    None,
                ]
                for n, line in enumerate(new.lines)
            ],
        }
        for new in receipts
    ]


async def reallocate(db: Connection, changes: Sequence[Reallocation]) -> None:
    """Replace lines of receipts by what was decided since; the old lines stay, marked."""
    for change in changes:
        await db.execute(
            "UPDATE allocations SET replaced_at = $2 WHERE receipt = $1 AND replaced_at IS NULL "
            "AND ($3::text IS NULL OR component = $3)",
            change.receipt,
            change.at,
            change.of.value if change.of is not None else None,
        )
        await db.execute(
            "UPDATE receipts SET allocation_state = $2, payment = coalesce($3, payment), account_key = $4 "
            "WHERE id = $1",
            change.receipt,
            AllocationState.ALLOCATED.value,
            change.payment,
            change.account_key,
        )
        last = await db.fetchval("SELECT max(n) FROM allocations WHERE receipt = $1", change.receipt)
        await rows.insert(
            db,
            "allocations",
            _allocation_values(
                change.receipt, change.account_key, change.lines, None, change.at, (last or 0) + 1
            ),
        )


def _allocation_values(
    receipt: str,
    account_key: str,
    lines: Sequence[AllocationLine],
    version: str | None,
    at: datetime,
    first: int,
) -> list[tuple[object, ...]]:
    return [
        (
            receipt,
            first + n,
            line.component.value,
            line.amount_minor,
            line.due,
            account_key,
            version,
            at,
            None,
        )
        for n, line in enumerate(lines)
    ]
