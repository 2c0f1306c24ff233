"""Reads the webhooks that the door has committed: notices are kept, and each makes a look due now.

One about a refund makes the refunds of that payment due, one about a dispute the dispute, one about a payout the
payout of that reference, one about an account what its holder waits for, one about a mandate that of its reference or
of its debtor, one about a settlement that settlement; what they say of it is not believed.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from coopwire.application.bells import (
    ACCOUNTS,
    DISPUTES,
    LOOKUPS,
    MANDATES,
    PAYOUTS,
    REFUNDS,
    SETTLEMENTS,
    WEBHOOKS,
    Bells,
)
from coopwire.application.network import Network
from coopwire.application.rounds import repeat
from coopwire.application.writing import write
from coopwire.domain.breaks import Break, BreakType
from coopwire.domain.errors import ContractBroken
from coopwire.domain.notices import Notice, NoticeVerdict
from coopwire.ports.clock import Clock
from coopwire.ports.stores import (
    AccountNudge,
    Changes,
    Database,
    DisputeNudge,
    LookupRequest,
    MandateNudge,
    NoticeRow,
    PayoutNudge,
    RefundNudge,
    SettlementNudge,
    StoredWebhook,
    settlements,
)
from coopwire.ports.stores.disputes import EVERY
from coopwire.ports.tracing import Traces, untraced, working

_BATCH = 100
_MAX_REFERENCE = 200
_OF_CHARGES = frozenset({NoticeVerdict.PAID, NoticeVerdict.FAILED})

_OF_ACCOUNTS = frozenset({NoticeVerdict.ACCOUNT, NoticeVerdict.ACCOUNT_FAILED})


class Drain:
    """Turns stored webhooks into notices and look-ups; calls nobody."""

    def __init__(
        self,
        network: Network,
        database: Database,
        clock: Clock,
        bells: Bells,
        traces: Traces = untraced,
    ) -> None:
        self._network = network
        self._traces = traces
        self._database = database
        self._clock = clock
        self._bells = bells

    async def run(self) -> None:
        """Drain until the bells close."""
        await repeat("drain", self._round, self._bells, WEBHOOKS)

    async def _round(self) -> bool:
        return await self.drain() == _BATCH

    async def drain(self) -> int:
        """Read one batch; the number of webhooks read."""
        now = self._clock.now()
        async with self._database.begin("drain webhooks") as tx:
            webhooks = await tx.inbox.undrained(_BATCH)
            if not webhooks:
                return 0
            changes = Changes()
            for webhook in webhooks:
                self._take_up(webhook, changes, now)
            await write(tx, changes, now)
            await tx.inbox.drained([w.id for w in webhooks], now)
        self._bells.ring(LOOKUPS, REFUNDS, DISPUTES, PAYOUTS, ACCOUNTS, MANDATES)
        if changes.settlement_nudges:
            self._bells.ring(SETTLEMENTS)
        return len(webhooks)

    def _take_up(self, webhook: StoredWebhook, changes: Changes, now: datetime) -> None:
        with working(
            self._traces,
            "read webhook",
            parent=webhook.traceparent,
            webhook=webhook.id,
            connection=webhook.connection,
        ):
            self._read(webhook, changes, now)

    def _read(self, webhook: StoredWebhook, changes: Changes, now: datetime) -> None:
        connected = self._network.connections.get(webhook.connection)
        try:
            if webhook.body is None:
                raise ContractBroken("no configured secret key opens it")
            if connected is None or connected.webhooks is None:
                raise ContractBroken("the connection is not configured any more")
            notices: Sequence[Notice] = connected.webhooks.read(webhook.body)
        except ContractBroken as error:
            changes.breaks.append(
                Break(
                    BreakType.NOTICE_UNREADABLE,
                    f"webhook {webhook.id}",
                    once=f"webhook:{webhook.id}",
                    evidence={"connection": webhook.connection, "reason": error.message},
                )
            )
            return
        for notice in notices:
            self._keep(webhook, notice, changes, now)

    def _keep(self, webhook: StoredWebhook, notice: Notice, changes: Changes, now: datetime) -> None:
        reference = notice.reference
        named = reference is not None and 0 < len(reference) <= _MAX_REFERENCE
        look = named and notice.verdict in _OF_CHARGES
        changes.notices.append(NoticeRow(webhook.id, webhook.connection, notice, look, now))
        if notice.verdict is NoticeVerdict.REFUND:
            of = reference if named else None
            changes.refund_nudges.append(RefundNudge(webhook.connection, of, now, notice.charge))
        if notice.verdict is NoticeVerdict.DISPUTE:
            changes.dispute_nudges.append(DisputeNudge(webhook.connection, notice.dispute or EVERY, now))
        if notice.verdict is NoticeVerdict.SETTLEMENT:
            every = notice.settlement or settlements.EVERY
            changes.settlement_nudges.append(SettlementNudge(webhook.connection, every, now))
        if named and notice.verdict is NoticeVerdict.PAYOUT:
            assert reference is not None
            changes.payout_nudges.append(PayoutNudge(webhook.connection, reference, now))
        if notice.verdict in _OF_ACCOUNTS and notice.holder is not None:
            failed = notice.verdict is NoticeVerdict.ACCOUNT_FAILED
            changes.account_nudges.append(AccountNudge(webhook.connection, notice.holder, failed, now))
        if notice.verdict is NoticeVerdict.MANDATE:
            known = reference if named else None
            changes.mandate_nudges.append(MandateNudge(webhook.connection, known, notice.holder, now))
        if look:
            assert reference is not None
            changes.lookups.append(
                LookupRequest(webhook.connection, reference, now, notice.charge, noticed=True)
            )
