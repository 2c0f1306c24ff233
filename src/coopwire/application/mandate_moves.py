"""What becomes of a mandate: its moves, and all that follows from each in the same transaction."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from coopwire.application import announce
from coopwire.application.network import Network
from coopwire.application.planning import callback_effect
from coopwire.application.schedule import next_mandate_look
from coopwire.domain.effects import Effect, EffectKind
from coopwire.domain.events import (
    MANDATE_ACTIVE,
    MANDATE_APPROVED,
    MANDATE_ENDED,
    MANDATE_FAILED,
    MANDATE_SUSPENDED,
)
from coopwire.domain.mandates import Approach, Mandate, MandateChange
from coopwire.domain.states import MANDATE_MOVES, MandateState, may_move
from coopwire.ports.clock import Clock
from coopwire.ports.gateways import MandateSnapshot
from coopwire.ports.stores import Changes, MandateMove, Transaction

_EVENT_OF = {
    MandateState.APPROVED: MANDATE_APPROVED,
    MandateState.ACTIVE: MANDATE_ACTIVE,
    MandateState.SUSPENDED: MANDATE_SUSPENDED,
    MandateState.ENDED: MANDATE_ENDED,
    MandateState.FAILED: MANDATE_FAILED,
}
"""States that are announced, and that the loan system is told of."""
_BEFORE_THE_MEMBER = frozenset({MandateState.INTENDED, MandateState.PENDING})
_DEBITED = frozenset({MandateState.ACTIVE, MandateState.SUSPENDED})


def mandate_lock(mandate: str) -> str:
    """Whoever moves a mandate holds this name before its row."""
    return f"mandate:{mandate}"


class MandateMoves:
    """Moves mandates by what the gateway says, by what became of their effects, or because the lender wants it."""

    def __init__(self, network: Network, clock: Clock) -> None:
        self._network = network
        self._clock = clock

    # -- what became of an effect -------------------------------------------------------------------------

    async def begun(self, tx: Transaction, effect: Effect, told: MandateSnapshot) -> Changes:
        """The gateway took a start on: from now on the member is waited for."""
        mandate = await tx.mandates.of_effect(effect.id)
        if mandate is None:
            return Changes()
        known = replace(
            mandate,
            provider_ref=told.provider_ref,
            bank=told.bank,
            asked_at=mandate.asked_at or self._clock.now(),
        )
        return self._told(known, told, Approach(told.url, told.instruction), looked=False)

    async def changed(self, tx: Transaction, effect: Effect) -> Changes:
        """The gateway took a change on: how the mandate stands now, a look says. What is ended is forgotten."""
        mandate = await tx.mandates.of_effect(effect.id)
        if mandate is None:
            return Changes()
        if effect.order["change"] == MandateChange.END:
            await tx.mandates.forget([mandate.id])
            return Changes()
        return self._stay(mandate, self._clock.now(), looked=False)

    async def stopped(self, tx: Transaction, effect: Effect) -> Changes:
        """The gateway refused it, or an operator skipped it: what is debited no more stays so."""
        mandate = await tx.mandates.of_effect(effect.id)
        if mandate is None or effect.kind is not EffectKind.MANDATE:
            return Changes()
        return self.move(mandate, MandateState.FAILED, effect.reason)

    # -- what a look says ---------------------------------------------------------------------------------

    def told(self, mandate: Mandate, told: MandateSnapshot | None) -> Changes:
        """How it stands at the gateway; None while they know of none."""
        if told is not None:
            return self._told(mandate, told, None, looked=True)
        if mandate.state not in _BEFORE_THE_MEMBER:
            # They do not say what became of it, so that it stands as it stood.
            return self._stay(mandate, self._next(mandate), looked=True)
        next_at = self._next(mandate)
        if next_at is None:
            return self.move(
                mandate, MandateState.FAILED, "the member has not approved it in all the time", looked=True
            )
        return self.move(mandate, MandateState.PENDING, "", next_at, looked=True)

    def unanswered(self, mandate: Mandate, look_at: datetime) -> Changes:
        """Nobody answered: look again."""
        return self._stay(mandate, look_at, looked=True)

    def _told(
        self, mandate: Mandate, told: MandateSnapshot, approach: Approach | None, *, looked: bool
    ) -> Changes:
        known = replace(
            mandate,
            bank=told.bank or mandate.bank,
            customer=told.customer or mandate.customer,
            ceiling_minor=_lower(mandate.ceiling_minor, told.ceiling_minor),
        )
        state = _state(mandate, told)
        return self.move(known, state, told.reason, looked=looked, approach=approach, code=told.code)

    # -- the move itself ----------------------------------------------------------------------------------

    def move(
        self,
        mandate: Mandate,
        state: MandateState,
        reason: str,
        look_at: datetime | None = None,
        *,
        looked: bool = False,
        approach: Approach | None = None,
        code: str | None = None,
    ) -> Changes:
        """The mandate in its new state, announced; as it was where its table does not allow that."""
        if not may_move(MANDATE_MOVES, mandate.state, state):
            return self._stay(mandate, self._next(mandate), looked=looked)
        now = self._clock.now()
        moved = _at(replace(mandate, state=state, reason=reason), now)
        if look_at is None:
            look_at = self._next(moved)
        changes = Changes(mandate_moves=[MandateMove(moved, look_at, looked, approach, code)])
        event = _EVENT_OF.get(state)
        if state is not mandate.state and event is not None:
            facts = moved_facts(moved, mandate.state)
            changes.events.append(announce.event(event, moved.id, moved.debtor_key, facts, now))
            self._tell(moved, facts, changes, now)
        return changes

    def _next(self, mandate: Mandate) -> datetime | None:
        return next_mandate_look(mandate, self._clock.now(), self._clock.timings)

    def _stay(self, mandate: Mandate, look_at: datetime | None, *, looked: bool) -> Changes:
        return Changes(mandate_moves=[MandateMove(mandate, look_at, looked)])

    def _tell(self, mandate: Mandate, facts: dict[str, object], changes: Changes, now: datetime) -> None:
        lms = self._network.routes.lms
        if lms is None:
            return
        type_ = f"mandate.{mandate.state.value}"
        # It may be suspended more than once: each time is a message of its own.
        subject = f"{mandate.id} {now.isoformat()}"
        changes.effects.append(
            callback_effect(lms, type_, facts, now, subject=subject, url=mandate.callback_url)
        )


def _state(mandate: Mandate, told: MandateSnapshot) -> MandateState:
    """Where it stands by what they say. What the lender has suspended is not active before the lender wants it so,
    and one that was active and only counts as approved now cannot be debited."""
    if told.state is MandateState.ACTIVE and mandate.change is MandateChange.SUSPEND:
        return mandate.state
    if told.state is MandateState.APPROVED and mandate.state in _DEBITED:
        return MandateState.SUSPENDED
    return told.state


def _lower(agreed: int | None, told: int | None) -> int | None:
    """The most that one debit may take: what the gateway allows binds where it is less than what was agreed."""
    bounds = [one for one in (agreed, told) if one is not None]
    return min(bounds, default=None)


def _at(mandate: Mandate, now: datetime) -> Mandate:
    """With the time at which it came to its state first."""
    match mandate.state:
        case MandateState.APPROVED:
            return replace(mandate, approved_at=mandate.approved_at or now)
        case MandateState.ACTIVE:
            return replace(
                mandate, approved_at=mandate.approved_at or now, active_at=mandate.active_at or now
            )
        case MandateState.ENDED:
            return replace(mandate, ended_at=mandate.ended_at or now)
        case _:
            return mandate


def moved_facts(mandate: Mandate, was: MandateState) -> dict[str, object]:
    """The members of every event about a mandate; its code is not among them."""
    return {
        "mandate": mandate.id,
        "member": mandate.member,
        "connection": mandate.connection,
        "state": mandate.state.value,
        "was": was.value,
        "reason": mandate.reason,
    }
