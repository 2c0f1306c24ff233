"""What stands of a receipt and its writes, and what a correction is refused for."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from coopwire.application.booked import first_entry, is_reversed
from coopwire.application.paying import Rejected
from coopwire.application.planning import side_of
from coopwire.domain.books import REVERSAL, Side
from coopwire.domain.effects import Effect, EffectKind
from coopwire.domain.payments import Component
from coopwire.domain.receipts import AllocationLine, AllocationState
from coopwire.domain.states import FINISHED_EFFECT, EffectState
from coopwire.ports.stores import BreakRow, NewReceipt

NOT_DONE = (EffectState.REFUSED, EffectState.CANCELLED)


def concerns(row: BreakRow, *names: str | None) -> bool:
    """Whether the break is about one of these: its subject, its receipt or its effect."""
    about = {row.found.subject, row.found.receipt, row.found.effect} - {None}
    return not about.isdisjoint({name for name in names if name is not None})


def conflict(field: str, message: str) -> Rejected:
    """What stands now does not allow it."""
    return Rejected(field, message, "conflict")


def part(new: NewReceipt, component: Component) -> int:
    """What of a receipt is there, in minor units."""
    return sum(line.amount_minor for line in new.lines if line.component is component)


def refuse_while_asked(new: NewReceipt, effects: Iterable[Effect]) -> None:
    """The loan system's answer would decide a second time."""
    if new.allocation_state is not AllocationState.AWAITING_LMS:
        return
    asked = [e for e in effects if e.kind is EffectKind.CALLBACK and e.order["wants_allocation"]]
    if any(e.state not in FINISHED_EFFECT for e in asked):
        raise conflict("receipt", "the loan system is being asked where it goes: wait, or skip the message")


def refuse_corrected(earlier: Iterable[Effect]) -> None:
    """Rejected where one of these corrections was done: what stands now is to be corrected, not what stood before."""
    for one in earlier:
        if one.state is EffectState.DONE:
            done = "reversed" if undoes(one) else "posted again"
            raise conflict(one.kind.value, f"it was {done} already, by effect {one.id}")


def undoes(effect: Effect) -> bool:
    """Whether it takes another write away."""
    return effect.kind is EffectKind.REVERSAL or effect.order.get("kind") == REVERSAL


def standing_entry(effects: Sequence[Effect]) -> Effect | None:
    """The entry that booked the receipt, or the one in its place. Rejected when the books do not have it.

    None where the receipt came before there were books.
    """
    entry = first_entry(effects)
    if entry is None:
        return None
    if entry.state in NOT_DONE:
        raise conflict("receipt", f"its entry in the books is {entry.state.value}: post it again first")
    if is_reversed(entry, effects):
        raise conflict("receipt", "its entry in the books is reversed")
    return entry


def standing_credits(effects: list[Effect]) -> list[Effect]:
    """Credits that stand at the bank or may come to. Rejected while one of them is being reversed."""
    undone: dict[object, Effect] = {
        e.order["original"]: e for e in effects if e.kind is EffectKind.REVERSAL and e.state not in NOT_DONE
    }
    standing = []
    for one in effects:
        if one.kind is not EffectKind.POSTING or side_of(one) is Side.DEBIT or one.state in NOT_DONE:
            continue
        reversal = undone.get(one.reference)
        if reversal is None:
            standing.append(one)
        elif reversal.state is not EffectState.DONE:
            raise conflict("receipt", f"its credit is being reversed by effect {reversal.id}")
    return standing


def line_told(line: AllocationLine) -> dict[str, object]:
    """A line of an allocation for those who approve it."""
    return {"component": line.component.value, "amount_minor": line.amount_minor, "due": line.due}
