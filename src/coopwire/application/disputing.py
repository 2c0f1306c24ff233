"""Follows disputes to their end: due looks are claimed, the gateway is asked, and each answer is recorded.

A webhook makes a look due; the list is read every hour besides, so that a lost one only delays.
"""

from __future__ import annotations

import asyncio
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import structlog

from coopwire.application.bells import DISPUTES, EFFECTS, OUTBOX, Bells
from coopwire.application.dispute_moves import DisputeMoves, dispute_lock
from coopwire.application.network import Network
from coopwire.application.patience import be_patient, stop_if_locked_out
from coopwire.application.rounds import repeat
from coopwire.application.schedule import next_dispute_look
from coopwire.application.writing import write
from coopwire.domain.breaks import Break, BreakType
from coopwire.domain.disputes import Dispute
from coopwire.domain.effects import EffectKind
from coopwire.domain.errors import ContractBroken, HubError
from coopwire.domain.gates import Traffic
from coopwire.domain.references import derived_reference
from coopwire.ports.clock import Clock
from coopwire.ports.failpoints import FailPoints, nothing_fails
from coopwire.ports.gateways import DisputeSnapshot
from coopwire.ports.stores import Changes, ClaimedDispute, Database, DisputeNudge, Transaction
from coopwire.ports.stores.disputes import EVERY
from coopwire.ports.tracing import Span, Traces, here, untraced, working

_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class _Asked:
    """What the gateway said of a dispute or of all of them, and why it said no more."""

    claimed: ClaimedDispute
    told: tuple[DisputeSnapshot, ...] = ()
    error: HubError | None = None
    asked_at: datetime | None = None
    """When a call that brought an error began."""
    traceparent: str | None = field(default_factory=here)


class DisputeTracker:
    """Asks the gateways where disputes stand; one look at a dispute is in flight at a time."""

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
        self._moves = DisputeMoves(clock)

    async def run(self) -> None:
        """Look until the bells close."""
        await repeat("track disputes", self._round, self._bells, DISPUTES)

    async def _round(self) -> bool:
        now = self._clock.now()
        names = self._network.by_kind[EffectKind.DISPUTE_ANSWER]
        free = {name: self._network.slots(name, Traffic.READ, 0, now) for name in names}
        slots = {name: number for name, number in free.items() if number}
        if not slots:
            return False
        async with self._database.begin("claim disputes") as tx:
            claimed = await tx.disputes.claim(slots, now, now + self._clock.timings.claim_length)
        for asked in await asyncio.gather(*(self._ask(one) for one in claimed)):
            try:
                with self._working("record dispute", asked.claimed, asked.traceparent):
                    await self._record(asked)
            except OSError:
                raise
            except Exception as error:
                # The lease runs out and the look is done again; the others are recorded nevertheless.
                _log.error("dispute_not_recorded", error=type(error).__name__)
        return bool(claimed)

    async def _ask(self, claimed: ClaimedDispute) -> _Asked:
        with self._working("look up dispute", claimed) as span:
            asked = await self._asked(claimed)
            if asked.error is not None:
                span.failed(type(asked.error).__name__)
                _log.info("look_failed", outcome=type(asked.error).__name__)
            return asked

    def _working(
        self, name: str, claimed: ClaimedDispute, parent: str | None = None
    ) -> AbstractContextManager[Span]:
        return working(
            self._traces, name, parent=parent, connection=claimed.connection, attempt=claimed.looks + 1
        )

    async def _asked(self, claimed: ClaimedDispute) -> _Asked:
        told: list[DisputeSnapshot] = []
        self._fail("before fetch dispute")
        asked_at = self._clock.now()
        try:
            await self._read(claimed, told)
            asked = _Asked(claimed, tuple(told))
        except HubError as error:
            asked = _Asked(claimed, tuple(told), error, asked_at)
        except Exception as error:
            _log.error("adapter_broke_its_promise", read=True, error=type(error).__name__)
            asked = _Asked(claimed, (), ContractBroken(f"the adapter raised {type(error).__name__}"))
        self._fail("after fetch dispute")
        return asked

    async def _read(self, claimed: ClaimedDispute, told: list[DisputeSnapshot]) -> None:
        disputes = self._network.connections[claimed.connection].sockets.disputes
        assert disputes is not None
        if claimed.provider_ref != EVERY:
            told.append(await disputes.fetch(claimed.provider_ref))
            return
        now, back = self._clock.now(), self._clock.timings.dispute_list_back
        # From before the last time that the list was read whole, however long ago that was.
        async for one in disputes.list_window(claimed.since - back, now + back):
            told.append(one)

    async def _record(self, asked: _Asked) -> None:
        now, claimed = self._clock.now(), asked.claimed
        connection = self._network.connections[claimed.connection].connection
        async with self._database.begin("record dispute") as tx:
            changes, stand = Changes(), []
            await tx.lock([dispute_lock(connection.name, one.provider_ref) for one in asked.told])
            for told in asked.told:
                dispute, follows = await self._moves.told(tx, connection.name, connection.mode, told)
                changes.add(follows)
                if dispute is not None:
                    stand.append(dispute)
            if asked.error is not None:
                await self._on_error(tx, asked, changes)
            if not await tx.disputes.looked(claimed, self._read_until(asked, now), self._next(asked, stand)):
                # Another look has it by now; what the gateway said is true nevertheless.
                _log.info("dispute_look_was_late")
            for dispute in stand if claimed.provider_ref != EVERY else ():
                await tx.disputes.keep_look(dispute, now, dispute.state.value)
            if claimed.provider_ref == EVERY:
                changes.dispute_nudges += self._to_follow(stand, now)
            await write(tx, changes, now)
        self._bells.ring(EFFECTS, OUTBOX)

    def _read_until(self, asked: _Asked, now: datetime) -> datetime:
        """A list that broke off was not read: the next one begins where this one did."""
        return now if asked.error is None else asked.claimed.since

    def _next(self, asked: _Asked, stand: list[Dispute]) -> datetime | None:
        now, timings = self._clock.now(), self._clock.timings
        if asked.error is not None:
            return now + self._after_error(asked)
        if asked.claimed.provider_ref == EVERY:
            return now + timings.dispute_look_every
        return next_dispute_look(stand[0].opened_at, stand[0].state, now, timings) if stand else None

    def _to_follow(self, stand: list[Dispute], now: datetime) -> list[DisputeNudge]:
        """Looks of their own for disputes that the list has told of and that have not ended."""
        timings = self._clock.timings
        planned = [(one, next_dispute_look(one.opened_at, one.state, now, timings)) for one in stand]
        return [DisputeNudge(one.connection, one.provider_ref, at) for one, at in planned if at is not None]

    def _after_error(self, asked: _Asked) -> timedelta:
        ladder = self._clock.timings.retry_ladder
        wait = ladder[min(asked.claimed.looks, len(ladder) - 1)]
        told = getattr(asked.error, "retry_after", None)
        return wait if told is None else max(wait, self._clock.timings.of_provider(timedelta(seconds=told)))

    async def _on_error(self, tx: Transaction, asked: _Asked, changes: Changes) -> None:
        claimed, error, now = asked.claimed, asked.error, self._clock.now()
        await be_patient(tx, claimed.connection, error, now, self._clock.timings)
        await stop_if_locked_out(tx, claimed.connection, [Traffic.READ], error, asked.asked_at or now, now)
        if isinstance(error, ContractBroken):
            subject = derived_reference("dispute", claimed.connection, claimed.provider_ref)
            changes.breaks.append(
                Break(
                    BreakType.CONTRACT_BROKEN,
                    subject,
                    once=f"contract_broken:{subject}",
                    evidence={"connection": claimed.connection, "reason": error.message},
                )
            )
