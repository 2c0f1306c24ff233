"""What a receipt has moved in the core bank, read from its effects."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from coopwire.domain.books import Side
from coopwire.domain.effects import Effect, EffectKind
from coopwire.domain.receipts import Receipt
from coopwire.domain.refunds import Refund, live_minor
from coopwire.domain.states import FINISHED_EFFECT, EffectState

_NOT_DONE = (EffectState.REFUSED, EffectState.CANCELLED)


@dataclass(frozen=True, slots=True)
class AtTheBank:
    """What a receipt has moved in the core: `there_minor` minor units are credited and not debited again.

    `credit` is the last credit that is done and stands, `open` a credit or a reversal that is not at its end.
    """

    there_minor: int
    credit: Effect | None
    open: Effect | None


def at_the_bank(effects: Sequence[Effect]) -> AtTheBank:
    """Read it from a receipt's effects. A debit that is under way counts as done; what was undone, as never done.

    What was posted again in the place of a posting counts for it.
    """
    reversals = [e for e in effects if e.kind is EffectKind.REVERSAL]
    undone = {e.order["original"] for e in reversals if e.state is EffectState.DONE}
    written = [e for e in effects if e.kind is EffectKind.POSTING and e.state not in _NOT_DONE]
    placed = {e.order.get("instead_of") for e in written}
    there, credit, unfinished = 0, None, None
    for effect in effects:
        if effect.kind is EffectKind.REVERSAL and effect.state not in FINISHED_EFFECT:
            unfinished = effect
    for effect in written:
        if effect.reference in undone or effect.id in placed:
            continue
        if is_debit(effect):
            there -= _minor(effect)
        elif effect.state is not EffectState.DONE:
            unfinished = effect
        else:
            there += _minor(effect)
            credit = effect
    return AtTheBank(there, credit, unfinished)


def is_debit(effect: Effect) -> bool:
    """Whether it takes money out of a member's account in the core."""
    return effect.kind is EffectKind.POSTING and effect.order.get("side") == Side.DEBIT


def missing_in_the_core(receipt: Receipt, refunds: Sequence[Refund], effects: Sequence[Effect]) -> int:
    """What the member is to be credited again once a refund has come to nothing, in minor units."""
    bank = at_the_bank(effects)
    if bank.credit is None:
        return 0
    return max(receipt.value_minor - live_minor(refunds) - bank.there_minor, 0)


def _minor(effect: Effect) -> int:
    amount = effect.order["amount_minor"]
    assert isinstance(amount, int)
    return amount
