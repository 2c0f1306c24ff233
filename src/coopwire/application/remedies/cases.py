"""One break under judgement, and the remedy that a correction is turned into."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from coopwire.application.network import Network
from coopwire.application.paying import Rejected
from coopwire.application.presence import Presence
from coopwire.application.refunding import Refunding
from coopwire.application.remedies.judging import concerns, conflict
from coopwire.domain.effects import Effect, EffectKind
from coopwire.domain.states import FINISHED_EFFECT, UNDONE_REFUND, RefundState
from coopwire.ports.clock import Clock
from coopwire.ports.stores import BreakRow, Changes, NewReceipt, Transaction

_GOING_BACK = frozenset(RefundState) - UNDONE_REFUND - {RefundState.SUCCEEDED}
WENT_BACK = frozenset(RefundState) - UNDONE_REFUND
"""States of refunds whose money is with the member, or on its way there."""


@dataclass(frozen=True, slots=True)
class Approval:
    """Who proposed and who approves, why, and what books and bank answered about the writes in question."""

    asked_by: str
    approved_by: str
    reason: str
    presence: Mapping[str, Presence] = field(default_factory=dict)


@dataclass(slots=True)
class Remedy:
    """What a correction writes. `corrects` links each effect to what it corrects, `plan` tells it to people.

    `cancels` is an unknown effect that must not be done any more, `refund` the refund that was begun.
    """

    changes: Changes = field(default_factory=Changes)
    corrects: dict[str, str] = field(default_factory=dict)
    plan: list[dict[str, object]] = field(default_factory=list)
    cancels: Effect | None = None
    refund: str | None = None

    def write(self, effect: Effect, corrects: str) -> None:
        """One more effect."""
        self.changes.effects.append(effect)
        self.corrects[effect.id] = corrects
        self.plan.append(effect_told(effect))


@dataclass(frozen=True, slots=True)
class Case:
    """One break under judgement; `approval` is None while the correction is only proposed."""

    tx: Transaction
    row: BreakRow
    now: datetime
    approval: Approval | None
    network: Network
    clock: Clock
    refunding: Refunding
    nth: int
    """How many effects the break has begun before: a reference is never used twice."""

    def about(self, *what: str) -> tuple[str, ...]:
        """What an effect of this approval is about."""
        again = (str(self.nth),) if self.nth else ()
        return (*what, str(self.row.id), *again)

    async def receipt(self, receipt: str) -> NewReceipt:
        """The receipt, locked. Rejected unless the break is about it."""
        new = await self.tx.receipts.get(receipt, lock=True)
        if new is None or not concerns(self.row, receipt):
            raise Rejected("receipt", "there is no such receipt in this break", "not_found")
        return new

    async def effect(self, field: str, effect: str, kind: EffectKind) -> Effect:
        """The effect, locked. Rejected unless it is of this kind and the break is about it or its receipt."""
        found = await self.tx.effects.get(effect, lock=True)
        if found is None or found.kind is not kind or not concerns(self.row, found.id, found.receipt):
            raise Rejected(field, f"there is no such {kind.value} in this break", "not_found")
        return found

    async def corrections(self, original: Effect) -> list[Effect]:
        """What corrected an effect, under its lock; Rejected while one of them is under way."""
        found = await self.tx.breaks.corrections(original.id)
        under_way = [one for one in found if one.state not in FINISHED_EFFECT]
        if under_way:
            first = under_way[0]
            raise conflict(
                original.kind.value, f"effect {first.id} corrects it already and is {first.state.value}"
            )
        return found

    async def refuse_refunded(
        self, receipt: str | None, states: Collection[RefundState] = _GOING_BACK
    ) -> None:
        """Money that goes back is not given away a second time; what went is out of the allocation already."""
        if receipt is None:
            return
        refunds = await self.tx.refunds.of_receipt(receipt)
        live = next((one for one in refunds if one.state in states), None)
        if live is not None:
            raise conflict("receipt", f"refund {live.id} of it is {live.state.value}")


_TOLD = ("kind", "currency", "lines", "core_account", "gl", "amount_minor", "side", "original", "mapping")


def effect_told(effect: Effect) -> dict[str, object]:
    """What an effect will write, for those who approve it; days and texts are left out, for they pass."""
    order = {name: effect.order[name] for name in _TOLD if name in effect.order}
    return {"write": effect.kind.value, "connection": effect.connection, **order}
