"""Closes an approved break when the effects that correct it are done, or opens it again when they are not.

A break that only says that an effect stands still is closed when that effect is done.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast

from coopwire.application import casework
from coopwire.domain.corrections import WriteOff
from coopwire.domain.effects import Effect
from coopwire.domain.events import REFUND_MOVED, Event
from coopwire.domain.states import FINISHED_EFFECT, BreakState, EffectState, RefundState
from coopwire.ports.clock import Clock
from coopwire.ports.stores import BreakRow, Transaction

_ACTOR = "coopwire"


class BreakCloser:
    """A consumer of what happens to effects and refunds."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    async def handle(self, tx: Transaction, events: Sequence[Event]) -> None:
        """Look at every break that waits for one of these effects or refunds."""
        effects = sorted({str(e.data["effect"]) for e in events if "effect" in e.data})
        for id in await tx.breaks.of_effects(effects):
            await self._effects_moved(tx, id)
        for id in await tx.breaks.standstills(effects):
            await self._goes_on(tx, id)
        # Of one refund several events may come together: the last one is where it stands.
        refunds = {str(e.data["refund"]): e.data for e in events if e.type == REFUND_MOVED.type}
        for refund, data in sorted(refunds.items()):
            for id in await tx.breaks.of_refunds([refund]):
                await self._refund_moved(tx, id, RefundState(str(data["state"])), str(data["reason"]))

    async def _effects_moved(self, tx: Transaction, id: int) -> None:
        row = await self._waiting(tx, id)
        if row is None or row.refund is not None:
            return
        effects = await tx.breaks.effects(id)
        if any(effect.state not in FINISHED_EFFECT for effect in effects):
            return
        undone = [effect for effect in effects if effect.state is not EffectState.DONE]
        if undone:
            await self._reopen(tx, row, "; ".join(map(_why, undone)))
        else:
            await self._close(tx, row, ", ".join(f"{e.kind.value} {e.id} is done" for e in effects))

    async def _goes_on(self, tx: Transaction, id: int) -> None:
        row = await tx.breaks.get(id, lock=True)
        if row is None or row.state is not BreakState.OPEN:
            return
        effect = await tx.effects.get(row.found.subject)
        if effect is not None and effect.state is EffectState.DONE:
            await self._close(tx, row, f"{effect.kind.value} {effect.id} is done")

    async def _refund_moved(self, tx: Transaction, id: int, state: RefundState, reason: str) -> None:
        row = await self._waiting(tx, id)
        if row is None:
            return
        if state is RefundState.SUCCEEDED:
            await self._close(tx, row, f"refund {row.refund} succeeded")
        elif state in (RefundState.FAILED, RefundState.CANCELLED):
            because = f" ({reason})" if reason else ""
            await self._reopen(tx, row, f"refund {row.refund} is {state.value}{because}")

    async def _waiting(self, tx: Transaction, id: int) -> BreakRow | None:
        """The break, locked; None when somebody else has closed or opened it meanwhile."""
        row = await tx.breaks.get(id, lock=True)
        return row if row is not None and row.state is BreakState.APPROVED else None

    async def _close(self, tx: Transaction, row: BreakRow, text: str) -> None:
        state = BreakState.WRITTEN_OFF if _word(row) == WriteOff.word else BreakState.RESOLVED
        await casework.close(tx, row, state, _ACTOR, text, self._clock.now())

    async def _reopen(self, tx: Transaction, row: BreakRow, text: str) -> None:
        facts = {"proposal": row.proposal, "approved_by": row.approved_by}
        await casework.reopen(tx, row, _ACTOR, text, self._clock.now(), facts=facts)


def _word(row: BreakRow) -> object:
    proposal = cast("Mapping[str, Any]", row.proposal or {})
    return proposal.get("action", {}).get("action")


def _why(effect: Effect) -> str:
    because = f" ({effect.reason})" if effect.reason else ""
    return f"{effect.kind.value} {effect.id} is {effect.state.value}{because}"
