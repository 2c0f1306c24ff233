"""Follows payouts: those that were asked for are checked, those under way are looked at until they end."""

from __future__ import annotations

import asyncio
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

import structlog

from coopwire.application.bells import EFFECTS, OUTBOX, PAYOUTS, Bells
from coopwire.application.discretion import discretion
from coopwire.application.network import Network
from coopwire.application.patience import be_patient, stop_if_locked_out
from coopwire.application.payout_moves import PayoutMoves, float_of
from coopwire.application.rounds import repeat
from coopwire.application.vetting import Vetted, Vetting
from coopwire.application.writing import write
from coopwire.domain.breaks import Break, BreakType
from coopwire.domain.effects import EffectKind
from coopwire.domain.errors import ContractBroken, HubError
from coopwire.domain.gates import Traffic
from coopwire.domain.money import Money
from coopwire.domain.payouts import HoldReason, Payout, PayoutPolicy, missing_minor
from coopwire.domain.states import PayoutState
from coopwire.ports.clock import Clock
from coopwire.ports.failpoints import FailPoints, nothing_fails
from coopwire.ports.gateways import TransferSnapshot
from coopwire.ports.stores import Changes, ClaimedPayout, Database, PayoutLooked, Transaction
from coopwire.ports.tracing import Span, Traces, here, untraced, working

_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class _Asked:
    """What was learned of a payout, or why nothing was; the call began at `asked_at`."""

    claimed: ClaimedPayout
    asked_at: datetime
    answer: Vetted | TransferSnapshot | HubError = field(repr=False)
    traceparent: str | None = field(default_factory=here)


class PayoutTracker:
    """Asks the gateways about payouts; one look at a payout is in flight at a time."""

    def __init__(
        self,
        network: Network,
        database: Database,
        clock: Clock,
        bells: Bells,
        policy: PayoutPolicy,
        fail: FailPoints = nothing_fails,
        traces: Traces = untraced,
    ) -> None:
        self._network = network
        self._database = database
        self._clock = clock
        self._bells = bells
        self._fail = fail
        self._traces = traces
        self._vetting = Vetting(policy, clock)
        self._moves = PayoutMoves(network, clock)

    async def run(self) -> None:
        """Look until the bells close."""
        await repeat("track payouts", self._round, self._bells, PAYOUTS)

    async def _round(self) -> bool:
        now = self._clock.now()
        names = self._network.by_kind[EffectKind.TRANSFER]
        free = {name: self._network.slots(name, Traffic.READ, 0, now) for name in names}
        slots = {name: number for name, number in free.items() if number}
        if not slots:
            return False
        async with self._database.begin("claim payouts") as tx:
            claimed = await tx.payouts.claim(slots, now, now + self._clock.timings.claim_length)
        for asked in await asyncio.gather(*(self._ask(one) for one in claimed)):
            try:
                with self._working("record payout", asked.claimed, asked.traceparent):
                    await self._record(asked)
            except OSError:
                raise
            except Exception as error:
                # The lease runs out and the look is done again; the others are recorded nevertheless.
                _log.error("payout_not_recorded", payout=asked.claimed.payout.id, error=type(error).__name__)
        return bool(claimed)

    def _working(
        self, name: str, claimed: ClaimedPayout, parent: str | None = None
    ) -> AbstractContextManager[Span]:
        payout = claimed.payout
        return working(
            self._traces,
            name,
            parent=parent,
            payout=payout.id,
            loan=payout.loan,
            connection=payout.connection,
            attempt=claimed.looks + 1,
        )

    # -- asking -------------------------------------------------------------------------------------------

    async def _ask(self, claimed: ClaimedPayout) -> _Asked:
        checking = claimed.payout.state is PayoutState.CHECKING
        asked_at = self._clock.now()
        with self._working("check payout" if checking else "look up payout", claimed) as span:
            try:
                answer = await (self._checked(claimed) if checking else self._fetched(claimed))
            except HubError as error:
                answer = error
            except Exception as error:
                _log.error("adapter_broke_its_promise", read=True, error=type(error).__name__)
                answer = ContractBroken(f"the adapter raised {type(error).__name__}")
            if isinstance(answer, HubError):
                span.failed(type(answer).__name__)
                _log.info("look_failed", outcome=type(answer).__name__)
            return _Asked(claimed, asked_at, answer)

    async def _checked(self, claimed: ClaimedPayout) -> Vetted | HubError:
        if claimed.beneficiary is None:
            return ContractBroken("the beneficiary's record cannot be opened: is the secret key right?")
        sockets = self._network.connections[claimed.payout.connection].sockets
        self._fail("before check payout")
        vetted = await self._vetting.vet(claimed.payout, claimed.beneficiary, sockets)
        self._fail("after check payout")
        return vetted

    async def _fetched(self, claimed: ClaimedPayout) -> TransferSnapshot:
        transfers = self._network.connections[claimed.payout.connection].sockets.transfers
        assert transfers is not None
        assert claimed.payout.provider_ref is not None
        self._fail("before fetch transfer")
        told = await transfers.fetch(claimed.payout.provider_ref)
        self._fail("after fetch transfer")
        if told.reference != claimed.payout.transfer:
            raise ContractBroken("the gateway's id stands for another transfer by now")
        return told

    # -- recording ----------------------------------------------------------------------------------------

    async def _record(self, asked: _Asked) -> None:
        now = self._clock.now()
        async with self._database.begin("record payout") as tx:
            if isinstance(asked.answer, Vetted):
                # What the float bears is decided for one payout after the other.
                await tx.lock([float_of(asked.claimed.payout)])
            held = await tx.payouts.held(asked.claimed)
            if held is None or held.state is not asked.claimed.payout.state:
                return
            changes = Changes(payout_looks=[PayoutLooked(held, now, _in_words(asked.answer))])
            changes.add(await self._follow(tx, held, asked))
            await write(tx, changes, now)
        self._bells.ring(EFFECTS, OUTBOX)

    async def _follow(self, tx: Transaction, held: Payout, asked: _Asked) -> Changes:
        answer = asked.answer
        if isinstance(answer, Vetted):
            return await self._decide(tx, held, answer)
        if isinstance(answer, TransferSnapshot):
            hidden = await discretion(tx, [], payouts=[held.id])
            return self._moves.told(held, answer, looked=True, hidden=hidden)
        changes = self._moves.unanswered(held, self._clock.now() + self._after_error(asked, answer))
        await self._on_error(tx, held, answer, asked.asked_at, changes)
        return changes

    async def _decide(self, tx: Transaction, held: Payout, vetted: Vetted) -> Changes:
        """Order it, or hold it for a second person."""
        known = replace(held, name_score=vetted.name_score, fee_minor=vetted.fee_minor)
        if vetted.hold is not None:
            return self._moves.hold(known, vetted.hold, vetted.why, vetted.beneficiary)
        if vetted.available_minor is not None:
            committed = await tx.payouts.committed_minor(held.connection, held.currency, vetted.asked_at)
            missing = missing_minor(vetted.available_minor, committed, known)
            if missing:
                why = f"the float lacks {Money(missing, held.currency)}, beside what is on its way"
                return self._moves.hold(known, HoldReason.FLOAT_SHORT, why, vetted.beneficiary)
        return self._moves.order(known, looked=True, beneficiary=vetted.beneficiary)

    def _after_error(self, asked: _Asked, error: HubError) -> timedelta:
        ladder = self._clock.timings.retry_ladder
        wait = ladder[min(asked.claimed.looks, len(ladder) - 1)]
        told = getattr(error, "retry_after", None)
        return wait if told is None else max(wait, self._clock.timings.of_provider(timedelta(seconds=told)))

    async def _on_error(
        self, tx: Transaction, held: Payout, error: HubError, asked_at: datetime, changes: Changes
    ) -> None:
        now = self._clock.now()
        await be_patient(tx, held.connection, error, now, self._clock.timings)
        await stop_if_locked_out(tx, held.connection, [Traffic.READ], error, asked_at, now)
        if isinstance(error, ContractBroken):
            said = (await discretion(tx, [], payouts=[held.id])).applied(held.id, error.message)
            evidence = {"connection": held.connection, "provider_ref": held.provider_ref, "reason": said}
            changes.breaks.append(
                Break(
                    BreakType.CONTRACT_BROKEN,
                    held.id,
                    once=f"contract_broken:{held.id}",
                    effect=held.transfer,
                    evidence=evidence,
                )
            )


def _in_words(answer: Vetted | TransferSnapshot | HubError) -> str:
    if isinstance(answer, HubError):
        return f"no answer: {type(answer).__name__}"
    if isinstance(answer, TransferSnapshot):
        return f"{answer.state.value} {answer.amount_minor} {answer.currency}"
    return f"checked: {answer.hold.value if answer.hold else 'name and number agree'}"
