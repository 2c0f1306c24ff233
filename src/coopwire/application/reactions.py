"""Who reacts to which event: the table is the contents page of the asynchronous half of the hub."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from coopwire.application import announce
from coopwire.application.network import Network
from coopwire.application.planning import callback_effect
from coopwire.domain.effects import Effect, EffectKind
from coopwire.domain.events import BANK_POSTED, JOURNAL_POSTED, PAYMENT_FAILED, RECEIPT_SETTLED, Event
from coopwire.domain.states import EffectState
from coopwire.ports.bus import Consumer
from coopwire.ports.clock import Clock
from coopwire.ports.stores import Changes, Transaction


def consumers(network: Network, clock: Clock) -> tuple[Consumer, ...]:
    """Every consumer of the hub. Reactions commute: order lives in effect lanes, not on the bus."""
    return (
        Consumer("settle-receipts", (JOURNAL_POSTED, BANK_POSTED), Settler(network, clock).handle),
        Consumer("tell-of-failures", (PAYMENT_FAILED,), FailureTeller(network, clock).handle),
    )


class Settler:
    """Announces once that a receipt is both booked and banked, and tells the loan system."""

    def __init__(self, network: Network, clock: Clock) -> None:
        self._network = network
        self._clock = clock

    async def handle(self, tx: Transaction, events: Sequence[Event]) -> None:
        """Look at every receipt that these events concern."""
        receipts = sorted({str(e.data["receipt"]) for e in events if e.data["receipt"] is not None})
        await tx.lock([f"receipt:{r}" for r in receipts])
        effects = await tx.effects.of_receipts(receipts)
        changes = Changes()
        for receipt in receipts:
            self._settle(receipt, effects.get(receipt, []), changes)
        await tx.apply(changes, self._clock.now())

    def _settle(self, receipt: str, effects: Sequence[Effect], changes: Changes) -> None:
        lms = self._network.routes.lms
        if lms is None or not _all_done(effects):
            return
        now = self._clock.now()
        payment = next((e.payment for e in effects if e.payment is not None), None)
        payload = {
            "type": "receipt.settled",
            "timestamp": now.isoformat(),
            "allocation": "decided",
            "data": {"receipt": receipt, "payment": payment},
        }
        told = callback_effect(
            lms,
            payload,
            now,
            subject=receipt,
            url=_callback_url(effects),
            wants_allocation=False,
            receipt=receipt,
            payment=payment,
        )
        if any(e.id == told.id for e in effects):
            return
        changes.effects.append(told)
        data = {"receipt": receipt, "payment": payment}
        changes.events.append(announce.event(RECEIPT_SETTLED, receipt, payment or receipt, data, now))


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
            payload = {
                "type": "payment.failed",
                "timestamp": event.occurred_at.isoformat(),
                "data": {**event.data, "member": payment.member, "loan": payment.loan},
            }
            changes.effects.append(
                callback_effect(
                    lms,
                    payload,
                    now,
                    subject=event.id,
                    url=payment.callback_url,
                    wants_allocation=False,
                    receipt=None,
                    payment=payment.reference,
                )
            )
        await tx.apply(changes, now)


def _all_done(effects: Iterable[Effect]) -> bool:
    written = [e for e in effects if e.kind in (EffectKind.JOURNAL, EffectKind.POSTING)]
    kinds = {e.kind for e in written}
    return kinds == {EffectKind.JOURNAL, EffectKind.POSTING} and all(
        e.state is EffectState.DONE for e in written
    )


def _callback_url(effects: Iterable[Effect]) -> str | None:
    for effect in effects:
        if effect.kind is EffectKind.CALLBACK:
            url = effect.order["url"]
            return str(url) if url is not None else None
    return None
