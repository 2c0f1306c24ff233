"""The pool: transactions with their stores, the webhook door's commit, and bells between processes."""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import AsyncIterator, Callable, Collection, Iterable, Sequence
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import Any

import asyncpg

from coopwire.domain.breaks import Break
from coopwire.ports.failpoints import FailPoints, nothing_fails
from coopwire.ports.stores import Changes, Delivered, RecoveryRow, StorageUnavailable
from coopwire.storage import disputes, looks, money, payouts, refunds, rows, settlements
from coopwire.storage.actions import keep_action
from coopwire.storage.arrivals import ArrivalStore
from coopwire.storage.audit.chain import ChainStore
from coopwire.storage.audit.entries import Entries
from coopwire.storage.audit.marks import Marker
from coopwire.storage.audit.nouns import RECEIPT
from coopwire.storage.authorizations import AuthorizationStore, forget_ended
from coopwire.storage.breaks import BreakStore, open_new
from coopwire.storage.connections import (
    ConnectionStore,
    IdempotencyStore,
    TokenRows,
    WorkerStore,
)
from coopwire.storage.effects import EffectStore
from coopwire.storage.letters import LetterStore
from coopwire.storage.mandates import MandateStore, forget_mandates, keep_mandate_looks
from coopwire.storage.mappings import MappingStore
from coopwire.storage.outbox import OutboxStore
from coopwire.storage.reconciliations import ReconciliationStore
from coopwire.storage.recoveries import LastRecovery, RecoveryStore
from coopwire.storage.rows import Connection
from coopwire.storage.sealing import Sealer
from coopwire.storage.virtual_accounts import VirtualAccountStore, forget_holders, keep_account_looks

_CHANNEL = "coopwire"
GONE = (
    asyncpg.PostgresConnectionError,
    asyncpg.CannotConnectNowError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.DeadlockDetectedError,
    asyncpg.SerializationError,
    asyncpg.TooManyConnectionsError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    OSError,
)
"""What asyncpg raises when the server is away or gave up on a transaction."""
_ACCEPT = """
WITH d AS (
    SELECT * FROM unnest($1::text[], $2::bytea[], $3::bytea[], $4::timestamptz[], $5::text[])
        AS d(connection, digest, sealed, received_at, traceparent)
), w AS (
    INSERT INTO webhooks (connection, digest, received_at, traceparent)
    SELECT connection, digest, received_at, traceparent FROM d ON CONFLICT DO NOTHING
    RETURNING id, connection, digest
)
INSERT INTO webhook_bodies (webhook, sealed, received_at)
SELECT w.id, d.sealed, d.received_at FROM w JOIN d USING (connection, digest)
"""


class PostgresTransaction:
    """The Transaction socket: every store on one connection and one commit."""

    def __init__(
        self,
        connection: Connection,
        sealer: Sealer,
        marker: Marker,
        recovered: RecoveryRow | None = None,
    ) -> None:
        self._db = connection
        self._sealer = sealer
        self._recovered = recovered
        self._entries = Entries(connection, marker)
        self.inbox = looks.InboxStore(connection, sealer)
        self.lookups = looks.LookupStore(connection)
        self.effects = EffectStore(connection, sealer, self._entries)
        self.payments = money.PaymentStore(connection, sealer, self._entries)
        self.arrivals = ArrivalStore(connection, self._entries)
        self.receipts = money.ReceiptStore(connection)
        self.refunds = refunds.RefundStore(connection)
        self.disputes = disputes.DisputeStore(connection, sealer, self._entries)
        self.payouts = payouts.PayoutStore(connection, sealer)
        self.virtual_accounts = VirtualAccountStore(connection, sealer)
        self.authorizations = AuthorizationStore(connection, sealer, self._entries)
        self.mandates = MandateStore(connection, sealer, self._entries)
        self.settlements = settlements.SettlementStore(connection, self._entries)
        self.breaks = BreakStore(connection, self._entries)
        self.connections = ConnectionStore(connection, sealer)
        self.idempotency = IdempotencyStore(connection)
        self.workers = WorkerStore(connection)
        self.outbox = OutboxStore(connection)
        self.letters = LetterStore(connection)
        self.mappings = MappingStore(connection, self._entries)
        self.reconciliations = ReconciliationStore(connection, self._entries)
        self.recoveries = RecoveryStore(connection)
        self.chain = ChainStore(connection, marker)

    async def lock(self, keys: Collection[str]) -> None:
        """Hold these names until the end of the transaction, taken in one order everywhere."""
        numbers = sorted({_lock_number(key) for key in keys})
        if numbers:
            await self._db.execute("SELECT pg_advisory_xact_lock(n) FROM unnest($1::bigint[]) AS n", numbers)

    async def open_breaks(self, breaks: Sequence[Break], now: datetime) -> list[Break]:
        """Open those that are new (by `once`); return them."""
        return await open_new(self._db, self._entries, breaks, now)

    async def apply(self, changes: Changes, now: datetime) -> None:
        """Write every row of `changes` except breaks, one statement per kind."""
        db = self._db
        await money.add_payments(db, self._entries, changes.new_payments)
        await money.move_payments(db, "payments", changes.payments, now)
        await money.move_payments(db, "attempts", changes.attempts, now)
        await money.keep_pages(db, changes.pages, self._sealer)
        await money.add_receipts(db, changes.receipts)
        self._entries.add(RECEIPT, money.audited_rows(changes.receipts))
        await money.reallocate(db, changes.reallocations)
        await refunds.reduce(db, changes.reductions)
        await refunds.restore(db, changes.restorations)
        await refunds.add_refunds(db, changes.refunds, now)
        await refunds.move_refunds(db, changes.refund_moves, now)
        await refunds.keep_refund_looks(db, changes.refund_looks)
        await refunds.nudge_refunds(db, changes.refund_nudges)
        await disputes.nudge_disputes(db, changes.dispute_nudges)
        await payouts.add_payouts(db, changes.payouts, self._sealer, now)
        await payouts.move_payouts(db, changes.payout_moves, self._sealer, now)
        await payouts.keep_payout_looks(db, changes.payout_looks)
        await payouts.nudge_payouts(db, changes.payout_nudges)
        await self.virtual_accounts.add(changes.accounts)
        await self.virtual_accounts.move(changes.account_moves, now)
        await self.authorizations.add(changes.authorizations)
        for noun in ("authorization", "authorization_code"):
            self.audited(noun, [one.authorization.id for one in changes.authorizations])
        await self.mandates.add(changes.mandates)
        await self.mandates.move(changes.mandate_moves, now)
        await self.mandates.nudge(changes.mandate_nudges)
        await keep_mandate_looks(db, changes.mandate_looks)
        for noun in ("mandate", "mandate_sealed"):
            self.audited(noun, [one.mandate.id for one in changes.mandates])
            self.audited(noun, [one.mandate.id for one in changes.mandate_moves])
        await keep_account_looks(db, changes.account_looks)
        await self.virtual_accounts.nudge(changes.account_nudges)
        await settlements.nudge_settlements(db, changes.settlement_nudges)
        for noun in ("virtual_account", "account_sealed"):
            self.audited(noun, [one.account.id for one in changes.accounts])
            self.audited(noun, [one.account.id for one in changes.account_moves])
        for receipt in (
            [change.receipt for change in changes.reallocations],
            [change.receipt for change in changes.reductions],
            [change.receipt for change in changes.restorations],
        ):
            self.audited("receipt", receipt)
        self.audited("refund", [one.refund.id for one in changes.refunds])
        self.audited("refund", [one.refund.id for one in changes.refund_moves])
        self.audited("payout", [one.payout.id for one in changes.payouts])
        self.audited("payout", [one.payout.id for one in changes.payout_moves])
        await rows.insert(db, "effects", [rows.effect_values(e) for e in changes.effects])
        if self._recovered is not None and changes.effects:
            await self.effects.doubt([e.id for e in changes.effects], self._recovered, now)
        await rows.insert(
            db,
            "notices",
            [
                (
                    n.webhook,
                    n.connection,
                    n.notice.event,
                    n.notice.verdict.value,
                    n.notice.reference,
                    n.notice.charge,
                    n.notice.status,
                    n.notice.amount_minor,
                    n.notice.currency,
                    n.notice.reason,
                    n.open,
                    n.seen_at,
                )
                for n in changes.notices
            ],
        )
        await looks.request_looks(db, changes.lookups, now)
        await looks.finish_looks(db, changes.looks)
        await rows.insert(
            db,
            "outbox",
            [(e.id, e.type, e.subject, e.key, e.data, e.occurred_at, e.traceparent) for e in changes.events],
        )

    async def forget(self, raw_before: datetime, events_before: datetime, keys_before: datetime) -> None:
        """Delete what is kept for a time only, older than this; facts stay."""
        await self._db.execute(
            "DELETE FROM webhook_bodies b USING webhooks w "
            "WHERE b.webhook = w.id AND w.drained_at IS NOT NULL AND b.received_at < $1",
            raw_before,
        )
        self.audited("authorization_code", await forget_ended(self._db, raw_before))
        self.audited("mandate_sealed", await forget_mandates(self._db, raw_before))
        self.audited("account_sealed", await forget_holders(self._db, raw_before))
        await self._db.execute(
            "DELETE FROM deliveries WHERE state = 'done' AND finished_at < $1", events_before
        )
        await self._db.execute(
            "DELETE FROM letter_moves m WHERE NOT EXISTS "
            "(SELECT FROM deliveries d WHERE d.consumer = m.consumer AND d.seq = m.seq)"
        )
        await self._db.execute(
            "DELETE FROM outbox o WHERE o.published_at < $1 "
            "AND NOT EXISTS (SELECT FROM deliveries d WHERE d.seq = o.seq)",
            events_before,
        )
        await self._db.execute("DELETE FROM idempotency WHERE created_at < $1", keys_before)

    async def audit(self, actor: str, action: str, subject: str, reason: str, now: datetime) -> None:
        """Keep what an operator did."""
        await keep_action(self._db, self._entries, actor, action, subject, reason, now)

    def audited(self, noun: str, keys: Iterable[object]) -> None:
        """Rows of this noun were made or changed: they are read again before the commit, and get their entries."""
        self._entries.note(noun, keys)

    async def complete(self) -> None:
        """Write the entries of everything that this transaction recorded; the last statement before the commit."""
        await self._entries.flush()


class PostgresDatabase:
    """The Database socket over an asyncpg pool."""

    def __init__(
        self, dsn: str, pool: Any, sealer: Sealer, fail: FailPoints, ring: Callable[..., None]
    ) -> None:
        self.pool = pool
        self._dsn = dsn
        self.tokens = TokenRows(pool, sealer)
        self._sealer = sealer
        self.marker = Marker.of(sealer)
        self._fail = fail
        self._ring = ring
        self._recovery = LastRecovery()

    @asynccontextmanager
    async def begin(self, name: str) -> AsyncIterator[PostgresTransaction]:
        """A transaction that commits at the end of the block; StorageUnavailable when the server is gone."""
        try:
            async with self.pool.acquire() as connection:
                transaction = connection.transaction()
                await transaction.start()
                try:
                    recovered = await self._recovery.read(connection)
                    begun = PostgresTransaction(connection, self._sealer, self.marker, recovered)
                    yield begun
                    await begun.complete()
                except BaseException:
                    await _roll_back(transaction)
                    raise
                self._fail(f"before commit {name}")
                await transaction.commit()
                if begun.recoveries.changed:
                    self._recovery.forget()
            self._fail(f"after commit {name}")
        except GONE as error:
            if isinstance(error, StorageUnavailable):
                raise
            raise StorageUnavailable(f"{name}: {type(error).__name__}") from error

    async def accept(self, webhooks: Sequence[Delivered]) -> None:
        """Commit webhooks (those already known are left as they are) in one statement."""
        known = {(w.connection, w.digest): w for w in webhooks}
        ordered = [known[key] for key in sorted(known)]
        self._fail("before commit accept webhooks")
        try:
            await self.pool.execute(
                _ACCEPT,
                [w.connection for w in ordered],
                [w.digest for w in ordered],
                [self._sealer.seal(w.body) for w in ordered],
                [w.received_at for w in ordered],
                [w.traceparent for w in ordered],
            )
        except GONE as error:
            raise StorageUnavailable(f"accept webhooks: {type(error).__name__}") from error
        self._fail("after commit accept webhooks")

    async def ring(self, *topics: str) -> None:
        """Wake the loops of every process that wait on these topics."""
        try:
            await self.pool.execute("SELECT pg_notify($1, $2)", _CHANNEL, " ".join(topics))
        except GONE as error:
            raise StorageUnavailable(f"ring: {type(error).__name__}") from error

    async def listen(self) -> Any:
        """A connection of its own on which other processes' rings arrive; close it to stop listening."""
        try:
            connection = await asyncpg.connect(self._dsn)
        except (*GONE, asyncpg.PostgresError) as error:
            raise StorageUnavailable(f"listen: {type(error).__name__}") from error

        def heard(_connection: object, _pid: int, _channel: str, payload: str) -> None:
            self._ring(*payload.split())

        await connection.add_listener(_CHANNEL, heard)
        return connection

    @asynccontextmanager
    async def alone(self, name: str) -> AsyncIterator[Callable[[], bool]]:
        """Be the only one of this name, on a connection of its own; see Database."""
        try:
            connection = await asyncpg.connect(self._dsn)
        except (*GONE, asyncpg.PostgresError) as error:
            raise StorageUnavailable(f"alone {name}: {type(error).__name__}") from error
        try:
            yield await _alone(connection, name)
        finally:
            with contextlib.suppress(asyncpg.PostgresError, TimeoutError, *GONE):
                await connection.close(timeout=1)

    @asynccontextmanager
    async def unhurried(self) -> AsyncIterator[Connection]:
        """A connection of its own on which nothing takes too long: one moment of the database, to be read."""
        try:
            connection = await asyncpg.connect(self._dsn)
            try:
                await rows.set_codecs(connection)
                async with connection.transaction(isolation="repeatable_read", readonly=True):
                    yield connection
            finally:
                await connection.close()
        except GONE as error:
            raise StorageUnavailable(f"read all: {type(error).__name__}") from error

    async def now(self) -> datetime:
        """The database's time."""
        moment: datetime = await self.pool.fetchval("SELECT clock_timestamp()")
        return moment

    async def close(self) -> None:
        """Close the pool."""
        await self.pool.close()


async def _roll_back(transaction: Any) -> None:
    try:
        await transaction.rollback()
    except (asyncpg.PostgresError, *GONE):
        # The connection is gone, and with it the transaction; the first error is the one to tell.
        return


async def _alone(connection: Connection, name: str) -> Callable[[], bool]:
    try:
        mine = await connection.fetchval("SELECT pg_try_advisory_lock($1)", _lock_number(f"alone {name}"))
    except GONE as error:
        raise StorageUnavailable(f"alone {name}: {type(error).__name__}") from error
    return lambda: bool(mine) and not connection.is_closed()


def _nobody(*topics: str) -> None:
    """A program without loops hears no bells."""


async def _leave_as_it_is(connection: Connection) -> None:
    """Nothing of ours outlives its transaction (no session lock, setting, cursor or listener), so a connection
    goes back to the pool without the round trip that would undo such things."""


async def connect(
    dsn: str,
    sealer: Sealer,
    *,
    size: int = 10,
    idle_limit: timedelta = timedelta(seconds=60),
    fail: FailPoints = nothing_fails,
    ring: Callable[..., None] = _nobody,
) -> PostgresDatabase:
    """Open a pool; StorageUnavailable when the server cannot be reached.

    A transaction of `idle_limit` is ended by the server: a process that is frozen in the middle of one must
    not keep its locks (the row of a token, a lane) from the others for ever. Before PostgreSQL 17 only the
    time between two statements counts.
    """
    limit = str(round(idle_limit.total_seconds() * 1000))

    async def prepare(connection: Connection) -> None:
        await rows.set_codecs(connection)
        if connection.get_server_version().major >= 17:
            await connection.execute(f"SET transaction_timeout = {limit}")

    try:
        pool = await asyncpg.create_pool(
            dsn,
            min_size=1,
            max_size=size,
            init=prepare,
            reset=_leave_as_it_is,
            command_timeout=60,
            server_settings={"idle_in_transaction_session_timeout": limit},
        )
    except (OSError, asyncpg.PostgresError, ValueError) as error:
        raise StorageUnavailable(f"cannot open the database: {type(error).__name__}") from error
    return PostgresDatabase(dsn, pool, sealer, fail, ring)


def _lock_number(key: str) -> int:
    digest = hashlib.blake2b(key.encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big", signed=True)
