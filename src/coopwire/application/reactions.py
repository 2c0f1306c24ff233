"""Who reacts to which event: the table is the contents page of the asynchronous half of the hub."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from coopwire.application import announce
from coopwire.application.banked import is_debit
from coopwire.application.closing import BreakCloser
from coopwire.application.network import Network
from coopwire.application.planning import callback_effect
from coopwire.application.refunding import refund_behind_the_last
from coopwire.application.settlement_moves import SettlementBooks
from coopwire.domain.effects import Effect, EffectKind
from coopwire.domain.events import (
    BANK_DEBITED,
    BANK_POSTED,
    BANK_REVERSED,
    EFFECT_STOPPED,
    JOURNAL_POSTED,
    PAYMENT_FAILED,
    RECEIPT_SETTLED,
    REFUND_MOVED,
    Event,
)
from coopwire.domain.refunds import Refund
from coopwire.domain.states import EffectState, RefundState
from coopwire.ports.bus import Consumer, Handle
from coopwire.ports.clock import Clock
from coopwire.ports.stores import Changes, RefundMove, Transaction
from coopwire.ports.tracing import behind


def consumers(network: Network, clock: Clock) -> tuple[Consumer, ...]:
    """Every consumer of the hub. Reactions commute: order lives in effect lanes, not on the bus."""
    closer = BreakCloser(clock)
    # Of what every receipt tells, breaks hear together with the settling: few wait, and a delivery costs a row.
    settle = _in_turn(Settler(network, clock).handle, closer.handle, SettlementBooks(clock).handle)
    return (
        Consumer("settle-receipts", (JOURNAL_POSTED, BANK_POSTED), settle),
        Consumer("refund-after-debit", (BANK_DEBITED,), DebitFollower(clock).handle),
        Consumer("tell-of-failures", (PAYMENT_FAILED,), FailureTeller(network, clock).handle),
        Consumer("close-breaks", (BANK_DEBITED, BANK_REVERSED, EFFECT_STOPPED, REFUND_MOVED), closer.handle),
    )


def _in_turn(*handlers: Handle) -> Handle:
    """Handlers that share a delivery, one after the other."""

    async def handle(tx: Transaction, events: Sequence[Event]) -> None:
        for handler in handlers:
            await handler(tx, events)

    return handle


class Settler:
    """Announces once that a receipt is both booked and banked, and tells the loan system."""

    def __init__(self, network: Network, clock: Clock) -> None:
        self._network = network
        self._clock = clock

    async def handle(self, tx: Transaction, events: Sequence[Event]) -> None:
        """Look at every receipt that these events concern."""
        traces = {str(e.data["receipt"]): e.traceparent for e in events if e.data["receipt"] is not None}
        receipts = sorted(traces)
        await tx.lock([f"receipt:{r}" for r in receipts])
        effects = await tx.effects.of_receipts(receipts)
        changes = Changes()
        for receipt in receipts:
            with behind(traces[receipt]):
                self._settle(receipt, effects.get(receipt, []), changes)
        await tx.apply(changes, self._clock.now())

    def _settle(self, receipt: str, effects: Sequence[Effect], changes: Changes) -> None:
        lms = self._network.routes.lms
        if lms is None or not _all_done(effects):
            return
        now = self._clock.now()
        payment = next((e.payment for e in effects if e.payment is not None), None)
        data = {"receipt": receipt, "payment": payment}
        told = callback_effect(
            lms,
            "receipt.settled",
            data,
            now,
            subject=receipt,
            url=_callback_url(effects),
            allocation="decided",
            receipt=receipt,
            payment=payment,
        )
        if any(e.id == told.id for e in effects):
            return
        changes.effects.append(told)
        changes.events.append(announce.event(RECEIPT_SETTLED, receipt, payment or receipt, data, now))


class DebitFollower:
    """Asks the gateway for a refund once the core has given the money back."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    async def handle(self, tx: Transaction, events: Sequence[Event]) -> None:
        """One effect per refund whose debit is done; what is already asked for is left as it is."""
        found = [(await tx.refunds.of_effect(str(e.data["effect"])), e.traceparent) for e in events]
        refunds = {refund.id: (refund, trace) for refund, trace in found if refund is not None}
        for refund, trace in sorted(refunds.values(), key=lambda one: (one[0].receipt, one[0].id)):
            with behind(trace):
                await self._ask(tx, refund)

    async def _ask(self, tx: Transaction, refund: Refund) -> None:
        held = await tx.receipts.get(refund.receipt, lock=True)
        now = await tx.refunds.get(refund.id, lock=True)
        if held is None or now is None or now.effect is not None or now.state is not RefundState.INTENDED:
            return
        effect = await refund_behind_the_last(tx, now, held.receipt, self._clock)
        moved = RefundMove(replace(now, effect=effect.id), look_at=None)
        await tx.apply(Changes(refund_moves=[moved], effects=[effect]), self._clock.now())


class FailureTeller:
    """Tells the loan system that a try of a payment failed; the member may still try again."""

    def __init__(self, network: Network, clock: Clock) -> None:
        self._network = network
        self._clock = clock

    async def handle(self, tx: Transaction, events: Sequence[Event]) -> None:
        """One callback per event."""
        lms = self._network.routes.lms
        if lms is None:
            return
        now = self._clock.now()
        payments = await tx.payments.get([str(e.data["payment"]) for e in events])
        changes = Changes()
        for event in events:
            payment = payments[str(event.data["payment"])]
            with behind(event.traceparent):
                told = callback_effect(
                    lms,
                    "payment.failed",
                    {**event.data, "member": payment.member, "loan": payment.loan},
                    now,
                    subject=event.id,
                    url=payment.callback_url,
                    at=event.occurred_at,
                    payment=payment.reference,
                )
            changes.effects.append(told)
        await tx.apply(changes, now)


def _all_done(effects: Iterable[Effect]) -> bool:
    """Whether what brought the money in is done; what takes it back for a refund is another matter.

    What was done in the place of a write counts for it.
    """
    every = [e for e in effects if e.kind in (EffectKind.JOURNAL, EffectKind.POSTING) and not _goes_back(e)]
    replaced = {e.order.get("instead_of") for e in every}
    written = [e for e in every if e.id not in replaced]
    kinds = {e.kind for e in written}
    return kinds == {EffectKind.JOURNAL, EffectKind.POSTING} and all(
        e.state is EffectState.DONE for e in written
    )


def _goes_back(effect: Effect) -> bool:
    return is_debit(effect) or effect.order.get("kind") in ("refund", "refund_undone")


def _callback_url(effects: Iterable[Effect]) -> str | None:
    for effect in effects:
        if effect.kind is EffectKind.CALLBACK:
            url = effect.order["url"]
            return str(url) if url is not None else None
    return None
