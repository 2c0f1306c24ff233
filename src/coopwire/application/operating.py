"""What an operator may do: resume, skip or replay an effect, close or open a gate; with a reason, audited."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta

import structlog

from coopwire.application import announce
from coopwire.application.account_moves import AccountMoves
from coopwire.application.bells import BREAKERS, EFFECTS, LOOKUPS, OUTBOX, UNKNOWN
from coopwire.application.dispute_moves import DisputeMoves
from coopwire.application.mandate_moves import MandateMoves
from coopwire.application.network import Network
from coopwire.application.paying import Rejected
from coopwire.application.payout_moves import PayoutMoves, concerns_a_payout
from coopwire.application.people import given_reason
from coopwire.application.planning import fresh_copy
from coopwire.application.refund_moves import RefundMoves
from coopwire.application.settling import OF_ACCOUNTS, OF_MANDATES, concerns_a_refund
from coopwire.application.writing import write
from coopwire.domain.effects import OF_ATTEMPTS, Effect, EffectKind
from coopwire.domain.gates import Gate, GateKind, Traffic
from coopwire.domain.references import new_reference
from coopwire.domain.states import EFFECT_MOVES, FINISHED_EFFECT, EffectState, PaymentState, may_move
from coopwire.ports.clock import Clock
from coopwire.ports.stores import Changes, Database, PaymentMove, Transaction

_log = structlog.get_logger()


class Operator:
    """Judges and does what a person asks for. `actor` names who asks and stands in the audit.

    Every verb raises Rejected: `not_found`, `conflict` (the state does not allow it) or `invalid` with a field.
    """

    def __init__(self, network: Network, database: Database, clock: Clock) -> None:
        self._network = network
        self._database = database
        self._clock = clock

    # -- effects ------------------------------------------------------------------------------------------

    async def resume(self, effect: str, actor: str, reason: str) -> Effect:
        """Go on with an effect, never sending what may have been done.

        `held` goes out again; one that was ever `unknown` is looked up first. `unknown` is looked up as soon
        as the provider's distance of two look-ups allows. `intended` does not wait for its next try.
        """
        reason = given_reason(actor, reason)
        async with self._database.begin("resume effect") as tx:
            found = await self._locked(tx, effect)
            was, now = found.state, self._clock.now()
            if was is EffectState.UNKNOWN:
                due = min(found.due_at, now + self._distance(found))
                await self._move(tx, found, EffectState.UNKNOWN, due, found.reason)
            else:
                await self._move(tx, found, EffectState.INTENDED, now, "resumed by an operator")
            if was is EffectState.HELD and _may_have_been_done(found):
                await tx.effects.reopen(effect, now + self._distance(found), "resumed: it is looked up first")
            await tx.audit(actor, f"resume {was.value} effect", effect, reason, now)
            resumed = await self._locked(tx, effect)
        await self._ring(EFFECTS, UNKNOWN)
        return resumed

    async def skip(self, effect: str, actor: str, reason: str) -> Effect:
        """The hub is not to do it any more: it is cancelled and its lane goes on. It cannot be undone.

        The audit tells apart what was never sent, what was sent and proved not done, and what is unknown.
        """
        reason = given_reason(actor, reason)
        async with self._database.begin("skip effect") as tx:
            found = await self._locked(tx, effect)
            now = self._clock.now()
            await self._move(tx, found, EffectState.CANCELLED, now, f"skipped: {reason}")
            await tx.audit(actor, _skip_in_words(found), effect, reason, now)
            if found.kind in OF_ATTEMPTS:
                await self._cancel_attempt(tx, found, now)
            skipped = await self._locked(tx, effect)
            await tx.apply(Changes(events=[announce.stopped(skipped, now)]), now)
            if skipped.kind is EffectKind.DISPUTE_ANSWER:
                await DisputeMoves(self._clock).stopped(tx, skipped)
            if skipped.kind in OF_ACCOUNTS:
                await write(tx, await AccountMoves(self._network, self._clock).stopped(tx, skipped), now)
            if skipped.kind in OF_MANDATES:
                await write(tx, await MandateMoves(self._network, self._clock).stopped(tx, skipped), now)
            if concerns_a_refund(skipped):
                await write(tx, await RefundMoves(self._network, self._clock).stopped(tx, skipped), now)
            if concerns_a_payout(skipped):
                await write(tx, await PayoutMoves(self._network, self._clock).stopped(tx, skipped), now)
        await self._ring(EFFECTS, OUTBOX)
        return skipped

    async def replay(self, effect: str, actor: str, reason: str) -> Effect:
        """Tell the loan system again what it was told: the same payload as a new message with a new id.

        Only a callback that is over can be replayed; the new effect is returned.
        """
        reason = given_reason(actor, reason)
        async with self._database.begin("replay callback") as tx:
            told = await self._locked(tx, effect)
            if told.kind is not EffectKind.CALLBACK:
                raise Rejected("effect", "only a callback can be replayed", "conflict")
            if told.state not in FINISHED_EFFECT:
                raise Rejected("effect", f"it is {told.state.value}: resume it instead", "conflict")
            now, reference = self._clock.now(), new_reference()
            again = fresh_copy(told, reference, now)
            await tx.apply(Changes(effects=[again]), now)
            await tx.audit(actor, f"replay callback as {reference}", effect, reason, now)
        await self._ring(EFFECTS)
        return again

    async def _locked(self, tx: Transaction, effect: str) -> Effect:
        found = await tx.effects.get(effect, lock=True)
        if found is None:
            raise Rejected("effect", "there is no such effect", "not_found")
        return found

    async def _move(
        self, tx: Transaction, effect: Effect, new: EffectState, due_at: datetime, reason: str
    ) -> None:
        if effect.state is EffectState.SENDING:
            raise Rejected("effect", "it is being sent at this moment: wait for its outcome", "conflict")
        if effect.state in FINISHED_EFFECT or not may_move(EFFECT_MOVES, effect.state, new):
            raise Rejected("effect", f"it is {effect.state.value}: there is nothing left to do", "conflict")
        await tx.effects.move(effect.id, new, due_at, reason)

    def _distance(self, effect: Effect) -> timedelta:
        """How far apart the provider wants two look-ups of this write to be."""
        if effect.connection not in self._network.connections:
            raise Rejected("effect", f"its connection {effect.connection} is not configured", "conflict")
        trust = self._network.trust(effect.connection, effect.kind)
        return self._clock.timings.of_provider(trust.look_every)

    async def _cancel_attempt(self, tx: Transaction, checkout: Effect, now: datetime) -> None:
        """Nobody will open this page any more; money that comes nevertheless is booked nevertheless."""
        found = await tx.payments.of_attempt(checkout.reference)
        if found is None:
            return
        attempt, payment = found
        changes = Changes()
        if attempt.state is PaymentState.INTENDED:
            changes.attempts.append(PaymentMove(attempt.reference, PaymentState.CANCELLED, "skipped"))
        if payment.state is PaymentState.INTENDED:
            changes.payments.append(PaymentMove(payment.reference, PaymentState.CANCELLED, "skipped"))
        await tx.apply(changes, now)

    # -- gates --------------------------------------------------------------------------------------------

    async def close_gate(
        self,
        connection: str,
        traffic: Collection[Traffic],
        actor: str,
        reason: str,
        until: datetime | None = None,
    ) -> None:
        """Close the manual gate of a connection, for good or `until` a time; what is under way ends."""
        reason = given_reason(actor, reason)
        now = self._may_stop(connection, traffic, until)
        async with self._database.begin("close gate") as tx:
            for one in sorted(traffic):
                await tx.connections.close_gate(Gate(connection, GateKind.MANUAL, one, reason, until), now)
                await tx.audit(actor, f"close {one.value} gate", connection, reason, now)

    async def open_gate(
        self, connection: str, kind: GateKind, traffic: Collection[Traffic], actor: str, reason: str
    ) -> bool:
        """Open gates of this kind; True if one of them was closed. What waits goes on in order.

        The gate of the breaker is opened by closing the breaker.
        """
        if kind is GateKind.BREAKER:
            return await self.close_breaker(connection, traffic, actor, reason)
        reason = given_reason(actor, reason)
        self._known(connection)
        now = self._clock.now()
        opened = False
        async with self._database.begin("open gate") as tx:
            for one in sorted(traffic):
                if await self._open(tx, connection, kind, one, now):
                    opened = True
                    await tx.audit(actor, f"open {kind.value} {one.value} gate", connection, reason, now)
        await self._ring(EFFECTS, LOOKUPS)
        return opened

    async def _open(
        self, tx: Transaction, connection: str, kind: GateKind, traffic: Traffic, now: datetime
    ) -> bool:
        if kind is GateKind.CREDENTIALS:
            return await tx.connections.accept_credentials(connection, traffic, now)
        return await tx.connections.open_gate(connection, kind, traffic)

    # -- breakers -----------------------------------------------------------------------------------------

    async def open_breaker(
        self,
        connection: str,
        traffic: Collection[Traffic],
        actor: str,
        reason: str,
        until: datetime | None = None,
    ) -> None:
        """Let no call pass, in any process, until then or until somebody closes the breaker."""
        reason = given_reason(actor, reason)
        now = self._may_stop(connection, traffic, until)
        async with self._database.begin("open breaker") as tx:
            for one in sorted(traffic):
                await tx.connections.open_breaker(connection, one, until, f"opened by hand: {reason}", now)
                await tx.audit(actor, f"open {one.value} breaker", connection, reason, now)
        await self._ring(BREAKERS)

    async def close_breaker(
        self, connection: str, traffic: Collection[Traffic], actor: str, reason: str
    ) -> bool:
        """Let calls pass again without a probe; True if a breaker was open. What waits goes on in order."""
        reason = given_reason(actor, reason)
        self._known(connection)
        now = self._clock.now()
        closed = False
        async with self._database.begin("close breaker") as tx:
            for one in sorted(traffic):
                if await tx.connections.close_breaker(connection, one, now):
                    closed = True
                    await tx.audit(actor, f"close {one.value} breaker", connection, reason, now)
        await self._ring(BREAKERS, EFFECTS, LOOKUPS)
        return closed

    def _may_stop(self, connection: str, traffic: Collection[Traffic], until: datetime | None) -> datetime:
        """Now, if somebody may stop this traffic until then."""
        self._known(connection)
        now = self._clock.now()
        if not traffic:
            raise Rejected("traffic", "name read, write or both")
        if until is not None and until <= now:
            raise Rejected("until", "must be in the future")
        return now

    def _known(self, connection: str) -> None:
        if connection not in self._network.connections:
            known = ", ".join(sorted(self._network.connections)) or "none"
            raise Rejected("connection", f"there is no such connection; there are: {known}", "not_found")

    async def _ring(self, *topics: str) -> None:
        try:
            await self._database.ring(*topics)
        except OSError as error:
            # It is committed; loops look by themselves, so a lost ring only delays.
            _log.warning("ring_failed", error=type(error).__name__)


def _may_have_been_done(effect: Effect) -> bool:
    """It was looked up at some time, so something may stand there under our reference."""
    return effect.looks > 0 or effect.unknown_since is not None


def _skip_in_words(effect: Effect) -> str:
    if effect.state is EffectState.UNKNOWN:
        return "skip unknown effect"
    return "skip effect that was not done" if effect.first_sent_at else "skip effect never sent"
