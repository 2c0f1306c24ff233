"""Follows accepted refunds to their end: due ones are claimed, the gateway is asked, and each answer is recorded."""

from __future__ import annotations

import asyncio
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import structlog

from coopwire.application.bells import EFFECTS, OUTBOX, REFUNDS, Bells
from coopwire.application.network import Network
from coopwire.application.patience import be_patient, stop_if_locked_out
from coopwire.application.refund_moves import HeldRefund, RefundMoves
from coopwire.application.rounds import repeat
from coopwire.application.writing import write
from coopwire.domain.breaks import Break, BreakType
from coopwire.domain.effects import EffectKind
from coopwire.domain.errors import ContractBroken, HubError
from coopwire.domain.gates import Traffic
from coopwire.ports.clock import Clock
from coopwire.ports.failpoints import FailPoints, nothing_fails
from coopwire.ports.gateways import RefundSnapshot
from coopwire.ports.stores import Changes, ClaimedRefund, Database, RefundLooked, Transaction
from coopwire.ports.tracing import Span, Traces, here, untraced, working

_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class _Asked:
    """What the gateway said of a refund, or why it said nothing."""

    claimed: ClaimedRefund
    told: RefundSnapshot | None
    error: HubError | None = None
    asked_at: datetime | None = None
    """When a call that brought an error began."""
    traceparent: str | None = field(default_factory=here)


class RefundTracker:
    """Asks the gateways where refunds stand; one look at a refund is in flight at a time."""

    def __init__(
        self,
        network: Network,
        database: Database,
        clock: Clock,
        bells: Bells,
        fail: FailPoints = nothing_fails,
        traces: Traces = untraced,
    ) -> None:
        self._network = network
        self._database = database
        self._clock = clock
        self._bells = bells
        self._fail = fail
        self._traces = traces
        self._moves = RefundMoves(network, clock)

    async def run(self) -> None:
        """Look until the bells close."""
        await repeat("track refunds", self._round, self._bells, REFUNDS)

    async def _round(self) -> bool:
        now = self._clock.now()
        names = self._network.by_kind[EffectKind.REFUND]
        free = {name: self._network.slots(name, Traffic.READ, 0, now) for name in names}
        slots = {name: number for name, number in free.items() if number}
        if not slots:
            return False
        async with self._database.begin("claim refunds") as tx:
            claimed = await tx.refunds.claim(slots, now, now + self._clock.timings.claim_length)
        for asked in await asyncio.gather(*(self._ask(one) for one in claimed)):
            try:
                with self._working("record refund", asked.claimed, asked.traceparent):
                    await self._record(asked)
            except OSError:
                raise
            except Exception as error:
                # The lease runs out and the look is done again; the others are recorded nevertheless.
                _log.error("refund_not_recorded", refund=asked.claimed.refund.id, error=type(error).__name__)
        return bool(claimed)

    async def _ask(self, claimed: ClaimedRefund) -> _Asked:
        with self._working("look up refund", claimed) as span:
            asked = await self._asked(claimed)
            if asked.error is not None:
                span.failed(type(asked.error).__name__)
                _log.info("look_failed", outcome=type(asked.error).__name__)
            return asked

    def _working(
        self, name: str, claimed: ClaimedRefund, parent: str | None = None
    ) -> AbstractContextManager[Span]:
        refund = claimed.refund
        return working(
            self._traces,
            name,
            parent=parent,
            refund=refund.id,
            receipt=refund.receipt,
            connection=refund.connection,
            attempt=claimed.looks + 1,
        )

    async def _asked(self, claimed: ClaimedRefund) -> _Asked:
        refunds = self._network.connections[claimed.refund.connection].sockets.refunds
        assert refunds is not None
        assert claimed.refund.provider_ref is not None
        self._fail("before fetch refund")
        asked_at = self._clock.now()
        try:
            asked = _Asked(claimed, await refunds.fetch(claimed.refund.provider_ref))
        except HubError as error:
            asked = _Asked(claimed, None, error, asked_at)
        except Exception as error:
            _log.error("adapter_broke_its_promise", read=True, error=type(error).__name__)
            asked = _Asked(claimed, None, ContractBroken(f"the adapter raised {type(error).__name__}"))
        self._fail("after fetch refund")
        return asked

    async def _record(self, asked: _Asked) -> None:
        now = self._clock.now()
        async with self._database.begin("record refund") as tx:
            held = await self._held(tx, asked.claimed)
            if held is None:
                return
            changes = Changes(refund_looks=[RefundLooked(held.refund, now, _answer(asked))])
            if asked.told is not None:
                changes.add(await self._moves.told(tx, held, asked.told, looked=True))
            else:
                changes.add(self._moves.unanswered(held, now + self._after_error(asked)))
                await self._on_error(tx, held, asked, changes)
            await write(tx, changes, now)
        self._bells.ring(EFFECTS, OUTBOX)

    async def _held(self, tx: Transaction, claimed: ClaimedRefund) -> HeldRefund | None:
        """The refund under its lease; None when another look has it by now."""
        held = await self._moves.hold(tx, claimed.refund)
        return held if held is not None and await tx.refunds.held(claimed) is not None else None

    def _after_error(self, asked: _Asked) -> timedelta:
        ladder = self._clock.timings.retry_ladder
        wait = ladder[min(asked.claimed.looks, len(ladder) - 1)]
        told = getattr(asked.error, "retry_after", None)
        return wait if told is None else max(wait, self._clock.timings.of_provider(timedelta(seconds=told)))

    async def _on_error(self, tx: Transaction, held: HeldRefund, asked: _Asked, changes: Changes) -> None:
        refund, error, now = held.refund, asked.error, self._clock.now()
        await be_patient(tx, refund.connection, error, now, self._clock.timings)
        await stop_if_locked_out(tx, refund.connection, [Traffic.READ], error, asked.asked_at or now, now)
        if isinstance(error, ContractBroken):
            changes.breaks.append(
                Break(
                    BreakType.CONTRACT_BROKEN,
                    refund.id,
                    once=f"contract_broken:{refund.id}",
                    payment=held.receipt.receipt.payment,
                    receipt=refund.receipt,
                    effect=refund.effect,
                    evidence={
                        "connection": refund.connection,
                        "provider_ref": refund.provider_ref,
                        "reason": error.message,
                    },
                )
            )


def _answer(asked: _Asked) -> str:
    if asked.told is None:
        return f"no answer: {type(asked.error).__name__}"
    attention = ", needs attention" if asked.told.needs_attention else ""
    return f"{asked.told.state.value} {asked.told.amount_minor} {asked.told.currency}{attention}"
