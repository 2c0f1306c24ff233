"""What becomes of a dispute when the gateway says where it stands, and all that follows in the same transaction."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from coopwire.application import announce, casework
from coopwire.domain.breaks import Break, BreakType
from coopwire.domain.disputes import AnswerState, Dispute
from coopwire.domain.effects import Effect
from coopwire.domain.events import (
    DISPUTE_ANSWERED,
    DISPUTE_LOST,
    DISPUTE_OPENED,
    DISPUTE_WON,
    Event,
    EventType,
)
from coopwire.domain.payments import Mode
from coopwire.domain.references import derived_reference
from coopwire.domain.states import DISPUTE_MOVES, ENDED_DISPUTE, BreakState, DisputeState, may_move
from coopwire.ports.clock import Clock
from coopwire.ports.gateways import DisputeSnapshot
from coopwire.ports.stores import Changes, Transaction

_ACTOR = "coopwire"


def dispute_lock(connection: str, provider_ref: str) -> str:
    """The name under which a dispute is held; who needs several takes them at once."""
    return f"dispute:{connection}:{provider_ref}"


class DisputeMoves:
    """Moves disputes by what the gateway says of them, or by what became of an answer.

    Whoever holds a dispute and an answer has taken them in this order; an effect's row comes before both.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    async def told(
        self, tx: Transaction, connection: str, mode: Mode, told: DisputeSnapshot
    ) -> tuple[Dispute | None, Changes]:
        """The gateway tells of a dispute: how it stands here now, with all that follows.

        None for one about money of the other mode, which concerns nobody here.
        """
        changes = Changes()
        await tx.lock([dispute_lock(connection, told.provider_ref)])
        if told.mode is not mode:
            changes.breaks.append(_wrong_mode(connection, told))
            return None, changes
        was = await tx.disputes.known(connection, told.provider_ref)
        now = self._clock.now()
        stands = await self._stands(tx, connection, told, was, changes)
        if stands != was:
            await tx.disputes.save(stands, now)
        self._announce(was, stands, changes)
        await self._breaks(tx, was, stands, changes)
        return stands, changes

    async def answered(self, tx: Transaction, effect: Effect, mode: Mode, told: DisputeSnapshot) -> Changes:
        """The answer that this effect gives stands at the gateway."""
        _, changes = await self.told(tx, effect.connection, mode, told)
        await self._end_answer(tx, effect, AnswerState.GIVEN)
        return changes

    async def stopped(self, tx: Transaction, effect: Effect) -> None:
        """The answer was refused, or skipped by an operator: another one may be given."""
        await self._end_answer(tx, effect, AnswerState.FAILED)

    async def _end_answer(self, tx: Transaction, effect: Effect, state: AnswerState) -> None:
        answer = await tx.disputes.answer_of(effect.id)
        if answer is not None and answer.state is AnswerState.APPROVED:
            await tx.disputes.move_answer(answer.id, state, self._clock.now())

    # -- how it stands ------------------------------------------------------------------------------------

    async def _stands(
        self, tx: Transaction, connection: str, told: DisputeSnapshot, was: Dispute | None, changes: Changes
    ) -> Dispute:
        receipt, payment = (was.receipt, was.payment) if was is not None else (None, None)
        if receipt is None:
            receipt, payment = await tx.disputes.of_charge(connection, told.charge)
        if was is None:
            was = self._new(connection, told)
        state = told.state
        if not may_move(DISPUTE_MOVES, was.state, state):
            changes.breaks.append(_forbidden(was, state))
            state = was.state
        return replace(
            was,
            receipt=receipt,
            payment=payment,
            state=state,
            # Who contests is told an amount of nothing: what was claimed stays.
            amount_minor=told.amount_minor or was.amount_minor,
            answer=told.answer or was.answer,
            category=told.category,
            reason=told.reason,
            deadline_at=told.deadline_at or was.deadline_at,
            resolved_at=told.resolved_at,
        )

    def _new(self, connection: str, told: DisputeSnapshot) -> Dispute:
        return Dispute(
            id=derived_reference("dispute", connection, told.provider_ref),
            connection=connection,
            provider_ref=told.provider_ref,
            charge=told.charge,
            state=told.state,
            amount_minor=told.amount_minor,
            currency=told.currency,
            opened_at=told.created_at or self._clock.now(),
        )

    # -- what follows -------------------------------------------------------------------------------------

    def _announce(self, was: Dispute | None, stands: Dispute, changes: Changes) -> None:
        now = self._clock.now()
        if was is None:
            deadline = stands.deadline_at.isoformat() if stands.deadline_at is not None else None
            changes.events.append(
                _event(DISPUTE_OPENED, stands, now, category=stands.category, deadline_at=deadline)
            )
        if stands.answer is not None and (was is None or was.answer is None):
            changes.events.append(_event(DISPUTE_ANSWERED, stands, now, answer=stands.answer.value))
        if stands.state in ENDED_DISPUTE and (was is None or was.state is not stands.state):
            ended = DISPUTE_WON if stands.state is DisputeState.WON else DISPUTE_LOST
            changes.events.append(_event(ended, stands, now))

    async def _breaks(self, tx: Transaction, was: Dispute | None, stands: Dispute, changes: Changes) -> None:
        if was is None and stands.state not in ENDED_DISPUTE:
            changes.breaks.append(_break(BreakType.DISPUTE_OPEN, stands))
        if stands.state in ENDED_DISPUTE and was is not None and was.state is not stands.state:
            await self._close(tx, BreakType.DISPUTE_OPEN, stands)
        elif was is not None and _facts(was) != _facts(stands):
            await self._tell_anew(tx, stands)
        if stands.state is DisputeState.LOST and (was is None or was.state is not DisputeState.LOST):
            changes.breaks.append(_break(BreakType.DISPUTE_LOST, stands))
        if stands.state is DisputeState.WON and was is not None and was.state is DisputeState.LOST:
            await self._close(tx, BreakType.DISPUTE_LOST, stands)

    async def _tell_anew(self, tx: Transaction, stands: Dispute) -> None:
        """The open break tells the deadline as it is now."""
        found = await tx.breaks.unclosed(BreakType.DISPUTE_OPEN, stands.id)
        row = await tx.breaks.get(found.id, lock=True) if found is not None else None
        if row is not None and row.closed_at is None:
            await tx.breaks.save(replace(row, found=replace(row.found, evidence=_facts(stands))))

    async def _close(self, tx: Transaction, type_: BreakType, stands: Dispute) -> None:
        found = await tx.breaks.unclosed(type_, stands.id)
        row = await tx.breaks.get(found.id, lock=True) if found is not None else None
        # What a person has proposed about it is that person's to end.
        if row is not None and row.state is BreakState.OPEN:
            text = f"the dispute was {stands.state.value}"
            await casework.close(tx, row, BreakState.RESOLVED, _ACTOR, text, self._clock.now())


def _event(type_: EventType, dispute: Dispute, now: datetime, **more: object) -> Event:
    data = {
        "dispute": dispute.id,
        "connection": dispute.connection,
        "receipt": dispute.receipt,
        "payment": dispute.payment,
        "amount_minor": dispute.amount_minor,
        "currency": dispute.currency,
        **more,
    }
    return announce.event(type_, dispute.id, dispute.payment or dispute.id, data, now)


def _facts(dispute: Dispute) -> dict[str, object]:
    return {
        "connection": dispute.connection,
        "charge": dispute.charge,
        "provider_ref": dispute.provider_ref,
        "category": dispute.category,
        "state": dispute.state.value,
        "deadline_at": dispute.deadline_at.isoformat() if dispute.deadline_at is not None else None,
    }


def _break(type_: BreakType, dispute: Dispute) -> Break:
    return Break(
        type_,
        dispute.id,
        once=f"{type_.value}:{dispute.id}",
        payment=dispute.payment,
        receipt=dispute.receipt,
        evidence=_facts(dispute),
        amount_minor=dispute.amount_minor,
        currency=dispute.currency,
    )


def _forbidden(dispute: Dispute, state: DisputeState) -> Break:
    return Break(
        BreakType.FORBIDDEN_MOVE,
        dispute.id,
        once=f"forbidden:{dispute.id}:{state.value}",
        payment=dispute.payment,
        receipt=dispute.receipt,
        evidence={**_facts(dispute), "theirs": state.value},
        amount_minor=dispute.amount_minor,
        currency=dispute.currency,
    )


def _wrong_mode(connection: str, told: DisputeSnapshot) -> Break:
    subject = derived_reference("dispute", connection, told.provider_ref)
    return Break(
        BreakType.WRONG_MODE,
        subject,
        once=f"wrong_mode:{subject}",
        evidence={"connection": connection, "charge": told.charge, "mode": told.mode.value},
        amount_minor=told.amount_minor,
        currency=told.currency,
    )
