"""Reads of the API over an asyncpg pool: lists in pages, and all facts about one payment in one snapshot."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from typing import Any

from coopwire.domain.budgets import Budget
from coopwire.domain.mandates import Approach
from coopwire.ports.queries import (
    AttemptView,
    AuditHeadView,
    AuthorizationView,
    BatchLineView,
    BatchView,
    BreakDetail,
    BreakerView,
    BreakView,
    BudgetView,
    CoreAccountView,
    DisputeDetail,
    DisputeView,
    EffectDetail,
    EffectView,
    FeeView,
    Filter,
    GateView,
    JournalView,
    LetterFacts,
    LetterGroupView,
    LetterView,
    MandateView,
    Page,
    PaymentFacts,
    PaymentView,
    PayoutView,
    Position,
    PostingView,
    Readiness,
    ReceiptView,
    ReconciliationView,
    RefundView,
    SettlementDetail,
    SettlementView,
    ViewT,
    VirtualAccountView,
)
from coopwire.storage import listing, migrate, views
from coopwire.storage.audit.chain import head_view
from coopwire.storage.facts import (
    break_in_detail,
    breaker_views,
    budget_views,
    closed_gates,
    facts,
    in_detail,
    with_allocation,
)
from coopwire.storage.letters import letter_facts, letter_groups
from coopwire.storage.listing import Listing, fetch
from coopwire.storage.mandates import approach_of
from coopwire.storage.rows import Connection
from coopwire.storage.sealing import Sealer
from coopwire.storage.sessions import reading, snapshot


class PostgresQueries:
    """The Queries socket over an asyncpg pool whose connections speak JSON as Python values."""

    def __init__(self, pool: Any, sealer: Sealer) -> None:
        self._pool = pool
        self._sealer = sealer

    # -- one noun -----------------------------------------------------------------------------------------

    async def payment(self, reference: str) -> PaymentView | None:
        """A payment."""
        async with reading(self._pool, "read payment") as db:
            row = await db.fetchrow(f"{listing.ALL_PAYMENTS} AND p.reference = $1", reference)
        return views.payment(row) if row is not None else None

    async def page_address(self, attempt: str) -> str | None:
        """The address of an attempt's page, unsealed."""
        async with reading(self._pool, "read page") as db:
            sealed = await db.fetchval("SELECT page_sealed FROM attempts WHERE reference = $1", attempt)
        return self._sealer.open(sealed).decode() if sealed is not None else None

    async def receipt(self, id: str) -> ReceiptView | None:
        """A receipt with its allocation."""
        async with reading(self._pool, "read receipt") as db:
            row = await db.fetchrow("SELECT * FROM receipts WHERE id = $1", id)
            found = await with_allocation(db, [row] if row is not None else [])
        return found[0] if found else None

    async def fees(self, payment: str) -> tuple[FeeView, ...]:
        """What gateways took for the receipts of a payment, the first receipt first."""
        async with reading(self._pool, "read fees") as db:
            found = await db.fetch(
                "SELECT * FROM receipts WHERE payment = $1 AND source = 'gateway' ORDER BY paid_at, id",
                payment,
            )
        return tuple(map(views.fee, found))

    async def refund(self, id: str) -> RefundView | None:
        """A refund."""
        async with reading(self._pool, "read refund") as db:
            row = await db.fetchrow(f"{listing.ALL_REFUNDS} AND f.id = $1", id)
        return views.refund(row) if row is not None else None

    async def dispute(self, id: str) -> DisputeDetail | None:
        """A dispute with its answers."""
        async with snapshot(self._pool, "read dispute") as db:
            row = await db.fetchrow(f"{listing.ALL_DISPUTES} AND d.id = $1", id)
            answers = await db.fetch(
                "SELECT * FROM dispute_answers WHERE dispute = $1 ORDER BY created_at DESC", id
            )
        if row is None:
            return None
        return DisputeDetail(views.dispute(row), tuple(views.dispute_answer(one) for one in answers))

    async def disputes(self, which: Filter, limit: int, after: Position | None) -> Page[DisputeView]:
        """Disputes, the newest first."""
        return await self._list(listing.DISPUTES, which, limit, after)

    async def settlement(self, id: str) -> SettlementDetail | None:
        """A settlement with its lines."""
        async with snapshot(self._pool, "read settlement") as db:
            row = await db.fetchrow(f"{listing.ALL_SETTLEMENTS} AND s.id = $1", id)
            lines = await db.fetch("SELECT * FROM settlement_lines WHERE settlement = $1 ORDER BY n", id)
            priced = await db.fetch(
                "SELECT r.expected_fee_minor, r.expected_fee_exact, r.fee_arithmetic "
                "FROM settlement_lines l JOIN receipts r ON r.id = l.receipt WHERE l.settlement = $1",
                id,
            )
        if row is None:
            return None
        told = tuple(views.settlement_line(one) for one in lines)
        return SettlementDetail(views.settlement(row), told, views.expected_of(priced))

    async def settlements(self, which: Filter, limit: int, after: Position | None) -> Page[SettlementView]:
        """Settlements, the newest first."""
        return await self._list(listing.SETTLEMENTS, which, limit, after)

    async def stands(self, connection: str, provider_refs: Collection[str]) -> dict[str, SettlementView]:
        """Settlements of a connection that were read, by the gateway's ids of them."""
        async with reading(self._pool, "read settlements") as db:
            found = await db.fetch(
                f"{listing.ALL_SETTLEMENTS} AND s.connection = $1 AND s.provider_ref = ANY($2::text[])",
                connection,
                list(provider_refs),
            )
        return {row["provider_ref"]: views.settlement(row) for row in found}

    async def payout(self, id: str) -> PayoutView | None:
        """A payout."""
        async with reading(self._pool, "read payout") as db:
            row = await db.fetchrow("SELECT * FROM payouts WHERE id = $1", id)
        return views.payout(row) if row is not None else None

    async def virtual_account(self, id: str) -> VirtualAccountView | None:
        """A member's virtual account."""
        async with reading(self._pool, "read virtual account") as db:
            row = await db.fetchrow("SELECT * FROM virtual_accounts WHERE id = $1", id)
        return views.virtual_account(row) if row is not None else None

    async def account_number(self, id: str) -> str | None:
        """The number of a member's account, unsealed."""
        async with reading(self._pool, "read account number") as db:
            sealed = await db.fetchval("SELECT number_sealed FROM virtual_accounts WHERE id = $1", id)
        return self._sealer.open(sealed).decode() if sealed is not None else None

    async def authorization(self, id: str) -> AuthorizationView | None:
        """A way to pay that a member left."""
        async with reading(self._pool, "read authorization") as db:
            row = await db.fetchrow("SELECT * FROM authorizations WHERE id = $1", id)
        return listing.AUTHORIZATIONS.view(row) if row is not None else None

    async def mandate(self, id: str) -> MandateView | None:
        """A member's mandate."""
        async with reading(self._pool, "read mandate") as db:
            row = await db.fetchrow("SELECT * FROM mandates WHERE id = $1", id)
        return listing.MANDATES.view(row) if row is not None else None

    async def mandate_approach(self, id: str) -> Approach | None:
        """What the member must do before anything can be debited, unsealed; None once it is done."""
        async with reading(self._pool, "read approach of mandate") as db:
            sealed = await db.fetchval("SELECT approach_sealed FROM mandates WHERE id = $1", id)
        return approach_of(self._sealer.open(sealed)) if sealed is not None else None

    async def effect(self, id: str) -> EffectDetail | None:
        """An effect with its tries and look-ups."""
        async with snapshot(self._pool, "read effect") as db:
            row = await db.fetchrow("SELECT * FROM effects WHERE id = $1", id)
            found = await in_detail(db, [row] if row is not None else [])
        return found[0] if found else None

    async def difference(self, id: int) -> BreakDetail | None:
        """One break with everything about it."""
        async with snapshot(self._pool, "read break") as db:
            row = await db.fetchrow("SELECT * FROM breaks WHERE id = $1", id)
            return await break_in_detail(db, row) if row is not None else None

    async def batch(self, id: str) -> BatchView | None:
        """A batch of receipts from elsewhere."""
        async with reading(self._pool, "read batch") as db:
            row = await db.fetchrow(f"{listing.BATCH_COUNTS} AND b.id = $1", id)
        return views.batch(row) if row is not None else None

    # -- lists --------------------------------------------------------------------------------------------

    async def payments(self, which: Filter, limit: int, after: Position | None) -> Page[PaymentView]:
        """Payments, the newest first."""
        return await self._list(listing.PAYMENTS, which, limit, after)

    async def attempts(self, which: Filter, limit: int, after: Position | None) -> Page[AttemptView]:
        """Attempts, the newest first."""
        return await self._list(listing.ATTEMPTS, which, limit, after)

    async def receipts(self, which: Filter, limit: int, after: Position | None) -> Page[ReceiptView]:
        """Receipts with their allocation, the newest first."""
        async with snapshot(self._pool, "list receipts") as db:
            found, following = await fetch(db, listing.RECEIPTS, which, limit, after)
            return Page(tuple(await with_allocation(db, found)), following)

    async def refunds(self, which: Filter, limit: int, after: Position | None) -> Page[RefundView]:
        """Refunds, the newest first."""
        return await self._list(listing.REFUNDS, which, limit, after)

    async def payouts(self, which: Filter, limit: int, after: Position | None) -> Page[PayoutView]:
        """Payouts, the newest first."""
        return await self._list(listing.PAYOUTS, which, limit, after)

    async def virtual_accounts(
        self, which: Filter, limit: int, after: Position | None
    ) -> Page[VirtualAccountView]:
        """Virtual accounts, the newest first."""
        return await self._list(listing.VIRTUAL_ACCOUNTS, which, limit, after)

    async def authorizations(
        self, which: Filter, limit: int, after: Position | None
    ) -> Page[AuthorizationView]:
        """Ways to pay that members left, the newest first."""
        return await self._list(listing.AUTHORIZATIONS, which, limit, after)

    async def mandates(self, which: Filter, limit: int, after: Position | None) -> Page[MandateView]:
        """Mandates, the newest first."""
        return await self._list(listing.MANDATES, which, limit, after)

    async def effects(self, which: Filter, limit: int, after: Position | None) -> Page[EffectView]:
        """Effects, the newest first."""
        return await self._list(listing.EFFECTS, which, limit, after)

    async def journals(self, which: Filter, limit: int, after: Position | None) -> Page[JournalView]:
        """Entries in the books, the newest first."""
        return await self._list(listing.JOURNALS, which, limit, after)

    async def postings(self, which: Filter, limit: int, after: Position | None) -> Page[PostingView]:
        """Credits in the core bank, the newest first."""
        return await self._list(listing.POSTINGS, which, limit, after)

    async def breaks(self, which: Filter, limit: int, after: Position | None) -> Page[BreakView]:
        """Breaks, the newest first."""
        return await self._list(listing.BREAKS, which, limit, after)

    async def reconciliations(
        self, which: Filter, limit: int, after: Position | None
    ) -> Page[ReconciliationView]:
        """Comparisons of business days, the newest first."""
        return await self._list(listing.RECONCILIATIONS, which, limit, after)

    async def core_accounts(self, which: Filter, limit: int, after: Position | None) -> Page[CoreAccountView]:
        """The table of core accounts, the newest line first."""
        return await self._list(listing.CORE_ACCOUNTS, which, limit, after)

    async def batches(self, which: Filter, limit: int, after: Position | None) -> Page[BatchView]:
        """Batches of receipts from elsewhere, the newest first."""
        return await self._list(listing.BATCHES, which, limit, after)

    async def batch_lines(self, which: Filter, limit: int, after: Position | None) -> Page[BatchLineView]:
        """Lines of the batch of the filter, in their order."""
        return await self._list(listing.BATCH_LINES, which, limit, after)

    async def letters(self, which: Filter, limit: int, after: Position | None) -> Page[LetterView]:
        """Letters, those that failed last first."""
        return await self._list(listing.LETTERS, which, limit, after)

    async def letter_groups(self) -> tuple[LetterGroupView, ...]:
        """Dead letters by their cause, those with most of them first."""
        async with reading(self._pool, "list letter groups") as db:
            return await letter_groups(db)

    async def letter(self, id: str) -> LetterFacts | None:
        """One letter with what is known of it beside its payment."""
        async with snapshot(self._pool, "read letter") as db:
            return await letter_facts(db, id)

    async def gates(self, now: datetime) -> tuple[GateView, ...]:
        """Gates that are closed now."""
        async with reading(self._pool, "list gates") as db:
            return await closed_gates(db, now)

    async def breakers(
        self, connections: Collection[str], now: datetime, window: timedelta
    ) -> tuple[BreakerView, ...]:
        """The breakers of these connections, reads and writes, with the calls of the last `window`."""
        async with reading(self._pool, "list breakers") as db:
            return await breaker_views(db, connections, now, window)

    async def budgets(
        self, budgets: Mapping[str, Budget], now: datetime, heard_since: datetime
    ) -> tuple[BudgetView, ...]:
        """What is left of these budgets by connection; calls of workers silent since then are over."""
        async with reading(self._pool, "list budgets") as db:
            return await budget_views(db, budgets, now, heard_since)

    async def _list(
        self, noun: Listing[ViewT], which: Filter, limit: int, after: Position | None
    ) -> Page[ViewT]:
        async with reading(self._pool, "list") as db:
            found, following = await fetch(db, noun, which, limit, after)
        return Page(tuple(noun.view(row) for row in found), following)

    # -- everything about one payment ---------------------------------------------------------------------

    async def facts(self, payment: str, now: datetime) -> PaymentFacts | None:
        """Everything about one payment, read at one moment."""
        async with snapshot(self._pool, "read facts") as db:
            row = await db.fetchrow(f"{listing.ALL_PAYMENTS} AND p.reference = $1", payment)
            return await facts(db, views.payment(row), now) if row is not None else None

    async def audit_head(self) -> AuditHeadView:
        """The end of the audit trail."""
        async with reading(self._pool, "read audit head") as db:
            return await head_view(db)

    async def readiness(self, heard_since: datetime) -> Readiness:
        """Whether the hub can work."""
        async with reading(self._pool, "readiness") as db:
            schema = await db.fetchval(
                "SELECT version_num FROM alembic_version" if await _is_migrated(db) else "SELECT NULL::text"
            )
            workers = 0
            if schema is not None:
                workers = await db.fetchval(
                    "SELECT count(*) FROM workers WHERE heartbeat_at >= $1", heard_since
                )
        return Readiness(schema, migrate.HEAD, workers)


async def _is_migrated(db: Connection) -> bool:
    return bool(await db.fetchval("SELECT to_regclass('alembic_version') IS NOT NULL"))
