"""What becomes of an approved refund: its moves, and all that follows from each in the same transaction."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from coopwire.application import announce
from coopwire.application.banked import missing_in_the_core
from coopwire.application.discretion import discretion
from coopwire.application.network import Network
from coopwire.application.planning import callback_effect, journal_effect
from coopwire.application.receipt_effects import allocation_facts
from coopwire.application.schedule import next_refund_look
from coopwire.domain.books import refund_entry, refund_undone_entry
from coopwire.domain.breaks import Break, BreakType
from coopwire.domain.effects import Effect
from coopwire.domain.events import REFUND_MOVED
from coopwire.domain.payments import Component, Payment
from coopwire.domain.receipts import AllocationLine
from coopwire.domain.references import derived_reference
from coopwire.domain.refunds import Refund, take_back
from coopwire.domain.states import ENDED_REFUND, REFUND_MOVES, EffectState, RefundState, may_move
from coopwire.ports.clock import Clock
from coopwire.ports.gateways import RefundSnapshot
from coopwire.ports.stores import (
    Changes,
    NewReceipt,
    Reduction,
    RefundMove,
    Restoration,
    Transaction,
)


@dataclass(frozen=True, slots=True)
class HeldRefund:
    """A refund with its receipt and payment, both rows held."""

    refund: Refund
    receipt: NewReceipt
    payment: Payment | None


class RefundMoves:
    """Moves refunds by what the gateway says, or by what became of their effects.

    Whoever holds a receipt and a refund has taken them in this order; an effect's row comes before both.
    """

    def __init__(self, network: Network, clock: Clock) -> None:
        self._network = network
        self._clock = clock

    # -- what moves a refund ------------------------------------------------------------------------------

    async def accepted(self, tx: Transaction, effect: Effect, told: RefundSnapshot) -> Changes:
        """The gateway took the refund on: from now on it is asked where it stands."""
        held = await self._of_effect(tx, effect)
        if held is None:
            return Changes()
        now = self._clock.now()
        refund = replace(held.refund, provider_ref=told.provider_ref, accepted_at=now)
        return await self.told(tx, replace(held, refund=refund), told, looked=False)

    async def stopped(self, tx: Transaction, effect: Effect) -> Changes:
        """The debit or the refund itself was refused, or skipped by an operator: nothing goes back."""
        held = await self._of_effect(tx, effect)
        if held is None or held.refund.state is not RefundState.INTENDED:
            return Changes()
        asked = effect.id == held.refund.effect
        refused = asked and effect.state is EffectState.REFUSED
        state = RefundState.FAILED if refused else RefundState.CANCELLED
        changes = Changes()
        moved = self._move(held, state, effect.reason, None, False, changes)
        if asked:
            await self._credit_again(tx, replace(held, refund=moved), effect.reason, changes, always=False)
        return changes

    async def told(self, tx: Transaction, held: HeldRefund, told: RefundSnapshot, *, looked: bool) -> Changes:
        """The gateway says where the refund stands."""
        refund, now = held.refund, self._clock.now()
        told = await _discreet(tx, held, told)
        changes = Changes()
        if (told.amount_minor, told.currency) != (refund.amount_minor, refund.currency):
            self._break(
                BreakType.REFUND_CHANGED,
                held,
                changes,
                "changed",
                {"asked_minor": refund.amount_minor, "now_minor": told.amount_minor, "now": told.currency},
            )
            self._stay(held, looked, changes)
        elif told.state is refund.state or not may_move(REFUND_MOVES, refund.state, told.state):
            self._stay(held, looked, changes)
        else:
            next_at = None if told.state in ENDED_REFUND else self._next(refund, now)
            refund = self._move(held, told.state, told.reason, next_at, looked, changes)
            await self._follow(tx, replace(held, refund=refund), held.refund.state, changes)
        if told.needs_attention:
            told_why = {"reason": told.reason or "the gateway waits for the member's account details"}
            self._break(BreakType.REFUND_NEEDS_ATTENTION, held, changes, "attention", told_why)
        return changes

    def unanswered(self, held: HeldRefund, look_at: datetime) -> Changes:
        """A look brought no answer."""
        return Changes(refund_moves=[RefundMove(held.refund, look_at, looked=True)])

    # -- rows ---------------------------------------------------------------------------------------------

    async def hold(self, tx: Transaction, refund: Refund) -> HeldRefund | None:
        """The refund as it stands, held together with its receipt."""
        receipt = await tx.receipts.get(refund.receipt, lock=True)
        now = await tx.refunds.get(refund.id, lock=True)
        if receipt is None or now is None:
            return None
        payment = receipt.receipt.payment
        found = (await tx.payments.get([payment])).get(payment) if payment is not None else None
        return HeldRefund(now, receipt, found)

    async def _of_effect(self, tx: Transaction, effect: Effect) -> HeldRefund | None:
        refund = await tx.refunds.of_effect(effect.id)
        return await self.hold(tx, refund) if refund is not None else None

    def _move(
        self,
        held: HeldRefund,
        state: RefundState,
        reason: str,
        look_at: datetime | None,
        looked: bool,
        changes: Changes,
    ) -> Refund:
        """The refund in its new state; the move itself is the last of the changes of its kind."""
        was, now = held.refund, self._clock.now()
        moved = replace(was, state=state, reason=reason or was.reason)
        changes.refund_moves.append(RefundMove(moved, look_at, looked))
        data = {
            "refund": was.id,
            "receipt": was.receipt,
            "payment": held.receipt.receipt.payment,
            "state": state.value,
            "was": was.state.value,
            "amount_minor": was.amount_minor,
            "currency": was.currency,
            "reason": reason,
        }
        changes.events.append(announce.event(REFUND_MOVED, was.id, held.receipt.account_key, data, now))
        return moved

    def _stay(self, held: HeldRefund, looked: bool, changes: Changes) -> None:
        refund, now = held.refund, self._clock.now()
        next_at = None if refund.state in ENDED_REFUND else self._next(refund, now)
        changes.refund_moves.append(RefundMove(refund, next_at, looked))
        if next_at is None and refund.state not in ENDED_REFUND:
            why = {"reason": f"still {refund.state.value} after {self._clock.timings.refund_look_until}"}
            self._break(BreakType.REFUND_NEEDS_ATTENTION, held, changes, "late", why)

    def _next(self, refund: Refund, now: datetime) -> datetime | None:
        return next_refund_look(refund.accepted_at or now, now, self._clock.timings)

    # -- what follows from a move -------------------------------------------------------------------------

    async def _follow(self, tx: Transaction, held: HeldRefund, was: RefundState, changes: Changes) -> None:
        if held.refund.state is RefundState.SUCCEEDED:
            if was is RefundState.FAILED:
                facts: dict[str, object] = {"ours": was.value, "theirs": held.refund.state.value}
                self._break(BreakType.REFUND_CHANGED, held, changes, "late_success", facts)
            await self._went_back(tx, held, was, changes)
        elif held.refund.state is RefundState.FAILED:
            if was is RefundState.SUCCEEDED:
                self._came_again(held, changes)
            await self._credit_again(tx, held, held.refund.reason, changes, always=True)

    async def _went_back(self, tx: Transaction, held: HeldRefund, was: RefundState, changes: Changes) -> None:
        """The money is with the member: journal, allocation and the loan system follow."""
        refund, now = held.refund, self._clock.now()
        back = take_back(held.receipt.lines, refund.amount_minor)
        lines = back.lines
        if back.total_minor < refund.amount_minor:
            # Told to have failed, its part was given away again: what nobody has left is missing in suspense.
            rest = refund.amount_minor - back.total_minor
            lines = (*lines, AllocationLine(Component.SUSPENSE, rest))
        last = changes.refund_moves[-1]
        changes.refund_moves[-1] = replace(last, refund=replace(last.refund, taken=lines))
        if back.cuts:
            changes.reductions.append(Reduction(refund.receipt, back.cuts, now))
        about = _about(refund, again=was is RefundState.FAILED, now=now)
        self._book(held, lines, ("refund", *about), changes)
        self._tell(held, lines, "refund.succeeded", about, changes)

    def _came_again(self, held: HeldRefund, changes: Changes) -> None:
        """The gateway takes a success back: what was booked for it is undone."""
        refund, now = held.refund, self._clock.now()
        taken = refund.taken
        last = changes.refund_moves[-1]
        changes.refund_moves[-1] = replace(last, refund=replace(last.refund, taken=()))
        changes.restorations.append(Restoration(refund.receipt, held.receipt.account_key, taken, now))
        about = _about(refund, again=True, now=now)
        self._book(held, taken, ("refund_undone", *about), changes, undone=True)
        self._tell(held, taken, "refund.failed", about, changes)

    def _book(
        self,
        held: HeldRefund,
        lines: tuple[AllocationLine, ...],
        about: tuple[str, ...],
        changes: Changes,
        *,
        undone: bool = False,
    ) -> None:
        books = self._network.routes.books
        if books is None:
            return
        refund, receipt, payment = held.refund, held.receipt.receipt, held.payment
        now = self._clock.now()
        on = self._network.routes.business_day(now)
        entry = refund_entry(
            receipt,
            lines,
            on=on,
            narrative=f"Refund {refund.id} of {receipt.connection} {receipt.charge}",
            branch=payment.branch if payment else None,
            member=payment.member if payment else None,
        )
        if undone:
            entry = refund_undone_entry(entry, on=on, narrative=f"Refund {refund.id} failed after all")
        changes.effects.append(
            journal_effect(
                entry,
                books,
                now,
                about=about,
                receipt=receipt.id,
                payment=receipt.payment,
                # The books hear of the receipt first.
                after=derived_reference("journal", books, "receipt", receipt.id),
            )
        )

    def _tell(
        self,
        held: HeldRefund,
        lines: tuple[AllocationLine, ...],
        type_: str,
        about: tuple[str, ...],
        changes: Changes,
    ) -> None:
        lms = self._network.routes.lms
        if lms is None:
            return
        refund, receipt, payment = held.refund, held.receipt.receipt, held.payment
        now = self._clock.now()
        data: dict[str, object] = {
            "refund": refund.id,
            "receipt": receipt.id,
            "payment": receipt.payment,
            "amount_minor": refund.amount_minor,
            "currency": refund.currency,
            "taken": allocation_facts(lines),
            "member": payment.member if payment else None,
            "loan": payment.loan if payment else None,
            "kind": payment.kind.value if payment else None,
        }
        changes.effects.append(
            callback_effect(
                lms,
                type_,
                data,
                now,
                subject=" ".join(about),
                url=payment.callback_url if payment else None,
                receipt=receipt.id,
                payment=receipt.payment,
            )
        )

    async def _credit_again(
        self, tx: Transaction, held: HeldRefund, reason: str, changes: Changes, *, always: bool
    ) -> None:
        """A break where the member was debited for nothing (`always`: in any case)."""
        receipt = held.receipt.receipt
        refunds = [r for r in await tx.refunds.of_receipt(receipt.id) if r.id != held.refund.id]
        effects = (await tx.effects.of_receipts([receipt.id])).get(receipt.id, [])
        missing = missing_in_the_core(receipt, refunds, effects)
        if not (always or missing):
            return
        told = (
            "credit the member again in the core, or propose another refund" if missing else "nothing to undo"
        )
        facts: dict[str, object] = {"reason": reason, "credit_again_minor": missing, "to_do": told}
        self._break(BreakType.REFUND_FAILED, held, changes, "failed", facts)

    def _break(
        self, type_: BreakType, held: HeldRefund, changes: Changes, what: str, facts: Mapping[str, object]
    ) -> None:
        refund, receipt = held.refund, held.receipt.receipt
        changes.breaks.append(
            Break(
                type_,
                refund.id,
                once=f"refund:{refund.id}:{what}",
                payment=receipt.payment,
                receipt=receipt.id,
                effect=refund.effect,
                evidence={
                    "connection": refund.connection,
                    "charge": receipt.charge,
                    "provider_ref": refund.provider_ref,
                    **facts,
                },
                amount_minor=refund.amount_minor,
                currency=refund.currency,
            )
        )


def _about(refund: Refund, *, again: bool, now: datetime) -> tuple[str, ...]:
    """What an entry and a message about a refund are about; what a success is followed by is another fact."""
    return (refund.id, now.isoformat()) if again else (refund.id,)


async def _discreet(tx: Transaction, held: HeldRefund, told: RefundSnapshot) -> RefundSnapshot:
    """The same; the gateway's reason does not name the payer."""
    if not told.reason:
        return told
    payment = held.receipt.receipt.payment
    return replace(told, reason=(await discretion(tx, [payment])).applied(payment, told.reason))
