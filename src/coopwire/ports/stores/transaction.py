"""One transaction with a store per noun, and where transactions come from."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from typing import Protocol

from coopwire.domain.breaks import Break
from coopwire.ports.stores.arrivals import Arrivals
from coopwire.ports.stores.audit import AuditChain
from coopwire.ports.stores.authorizations import Authorizations
from coopwire.ports.stores.breaks import Breaks
from coopwire.ports.stores.changes import Changes
from coopwire.ports.stores.connections import Connections
from coopwire.ports.stores.disputes import Disputes
from coopwire.ports.stores.effects import Effects
from coopwire.ports.stores.idempotency import Idempotency
from coopwire.ports.stores.inbox import Delivered, Inbox
from coopwire.ports.stores.letters import DeadLetters
from coopwire.ports.stores.lookups import Lookups
from coopwire.ports.stores.mandates import Mandates
from coopwire.ports.stores.outbox import Outbox
from coopwire.ports.stores.payments import Payments
from coopwire.ports.stores.payouts import Payouts
from coopwire.ports.stores.receipts import Receipts
from coopwire.ports.stores.reconciliations import Reconciliations
from coopwire.ports.stores.recoveries import Recoveries
from coopwire.ports.stores.refunds import Refunds
from coopwire.ports.stores.settlements import Settlements
from coopwire.ports.stores.virtual_accounts import VirtualAccounts
from coopwire.ports.stores.workers import Workers


class StorageUnavailable(OSError):
    """The database cannot be reached or gave up on this transaction; nothing of it is committed."""


class Transaction(Protocol):
    """Stores on one commit. The audit trail's entries are written with it, by the storage itself."""

    async def lock(self, keys: Collection[str]) -> None:
        """Hold these names until the end of the transaction, taken in one order everywhere."""
        ...

    @property
    def inbox(self) -> Inbox: ...
    @property
    def lookups(self) -> Lookups: ...
    @property
    def effects(self) -> Effects: ...
    @property
    def payments(self) -> Payments: ...
    @property
    def receipts(self) -> Receipts: ...
    @property
    def refunds(self) -> Refunds: ...
    @property
    def disputes(self) -> Disputes: ...
    @property
    def payouts(self) -> Payouts: ...
    @property
    def virtual_accounts(self) -> VirtualAccounts: ...
    @property
    def authorizations(self) -> Authorizations: ...
    @property
    def mandates(self) -> Mandates: ...
    @property
    def settlements(self) -> Settlements: ...
    @property
    def breaks(self) -> Breaks: ...
    @property
    def arrivals(self) -> Arrivals: ...
    @property
    def connections(self) -> Connections: ...
    @property
    def idempotency(self) -> Idempotency: ...
    @property
    def workers(self) -> Workers: ...
    @property
    def outbox(self) -> Outbox: ...
    @property
    def letters(self) -> DeadLetters: ...
    @property
    def reconciliations(self) -> Reconciliations: ...
    @property
    def recoveries(self) -> Recoveries: ...
    @property
    def chain(self) -> AuditChain: ...

    async def open_breaks(self, breaks: Sequence[Break], now: datetime) -> list[Break]:
        """Open those that are new (by `once`), each with the first line of its history; return them."""
        ...

    async def apply(self, changes: Changes, now: datetime) -> None:
        """Write every row of `changes` except breaks, one statement per kind.

        A payment or attempt moves only where its table allows it.
        """
        ...

    async def forget(self, raw_before: datetime, events_before: datetime, keys_before: datetime) -> None:
        """Delete raw webhook bodies, holders of accounts that were never opened, who gave mandates that came to
        nothing, codes of ended authorizations and mandates, events that took effect, and idempotency keys, older than
        this; facts stay.

        An event that some consumer has not taken, or could not take, stays with it.
        """
        ...

    async def audit(self, actor: str, action: str, subject: str, reason: str, now: datetime) -> None:
        """Keep what an operator did."""
        ...


class Database(Protocol):
    """Where transactions come from."""

    def begin(self, name: str) -> AbstractAsyncContextManager[Transaction]:
        """A transaction that commits at the end of the block; `name` gives its fail points."""
        ...

    async def accept(self, webhooks: Sequence[Delivered]) -> None:
        """Commit webhooks (those already known are left as they are) in one statement."""
        ...

    async def ring(self, *topics: str) -> None:
        """Wake the loops of every process that wait on these topics."""
        ...

    def alone(self, name: str) -> AbstractAsyncContextManager[Callable[[], bool]]:
        """Be the only one of this name among all processes, for the block; the callable says whether one still is.

        It says no from the beginning where somebody else is it. Nobody can be told at once that the server went
        away: what is done alone must bear to be done twice.
        """
        ...
