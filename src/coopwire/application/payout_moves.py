"""What becomes of a payout: its moves, and all that follows from each in the same transaction."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from coopwire.application import announce
from coopwire.application.discretion import Discretion
from coopwire.application.network import Network
from coopwire.application.planning import recipient_effect, transfer_effect
from coopwire.application.schedule import next_payout_look
from coopwire.domain.breaks import Break, BreakType
from coopwire.domain.effects import Effect, EffectKind
from coopwire.domain.events import (
    PAYOUT_AWAITING_OTP,
    PAYOUT_CANCELLED,
    PAYOUT_FAILED,
    PAYOUT_HELD,
    PAYOUT_REQUESTED,
    PAYOUT_REVERSED,
    PAYOUT_SUCCEEDED,
    Event,
)
from coopwire.domain.payouts import Beneficiary, HoldReason, Payout
from coopwire.domain.states import (
    ENDED_PAYOUT,
    PAYOUT_MOVES,
    EffectState,
    PayoutState,
    may_move,
    move,
)
from coopwire.ports.clock import Clock
from coopwire.ports.gateways import TransferSnapshot
from coopwire.ports.providers import Capability
from coopwire.ports.stores import Changes, PayoutMove, Transaction

_EVENT_OF = {
    PayoutState.CHECKING: PAYOUT_REQUESTED,
    PayoutState.HELD: PAYOUT_HELD,
    PayoutState.AWAITING_OTP: PAYOUT_AWAITING_OTP,
    PayoutState.AWAITING_APPROVAL: PAYOUT_AWAITING_OTP,
    PayoutState.SUCCEEDED: PAYOUT_SUCCEEDED,
    PayoutState.FAILED: PAYOUT_FAILED,
    PayoutState.REVERSED: PAYOUT_REVERSED,
    PayoutState.CANCELLED: PAYOUT_CANCELLED,
}
_OF_PAYOUTS = frozenset({EffectKind.RECIPIENT, EffectKind.TRANSFER})


def concerns_a_payout(effect: Effect) -> bool:
    """Whether a payout waits for it."""
    return effect.kind in _OF_PAYOUTS


def float_of(payout: Payout) -> str:
    """The lock under which it is decided what the float of its connection and currency bears."""
    return f"float:{payout.connection}:{payout.currency}"


def payout_event(payout: Payout, was: PayoutState | None, now: datetime) -> Event | None:
    """What is announced of a payout that has come into its state; None for what concerns nobody else."""
    type_ = _EVENT_OF.get(payout.state)
    if type_ is None:
        return None
    data = {
        "payout": payout.id,
        "connection": payout.connection,
        "member": payout.member,
        "loan": payout.loan,
        "amount_minor": payout.amount_minor,
        "currency": payout.currency,
        "fee_minor": payout.fee_minor,
        "state": payout.state.value,
        "was": "" if was is None else was.value,
        "hold": payout.hold or "",
        "reason": payout.reason,
    }
    return announce.event(type_, payout.id, payout.key, data, now)


class PayoutMoves:
    """Moves payouts by what was checked, what a person decides, what became of their effects, what the gateway says.

    Whoever holds an effect and a payout has taken them in this order.
    """

    def __init__(self, network: Network, clock: Clock) -> None:
        self._network = network
        self._clock = clock

    # -- before anything is sent --------------------------------------------------------------------------

    def hold(
        self, payout: Payout, hold: HoldReason, reason: str, beneficiary: Beneficiary | None = None
    ) -> Changes:
        """It waits for a second person."""
        held = replace(payout, hold=hold.value, reason=reason)
        return self._moved(held, PayoutState.HELD, None, looked=True, beneficiary=beneficiary)

    def order(
        self, payout: Payout, *, looked: bool = False, beneficiary: Beneficiary | None = None
    ) -> Changes:
        """It may go out: its effects are intended, the transfer behind the recipient where there is one."""
        now = self._clock.now()
        sockets = self._network.connections[payout.connection].sockets
        known = recipient_effect(payout, now) if sockets.has(Capability.RECIPIENTS) else None
        pays = transfer_effect(payout, now, recipient=known)
        ordered = replace(
            payout, recipient=known.id if known is not None else None, transfer=pays.id, reason=""
        )
        changes = self._moved(ordered, PayoutState.INTENDED, None, looked=looked, beneficiary=beneficiary)
        changes.effects += [effect for effect in (known, pays) if effect is not None]
        return changes

    def cancel(self, payout: Payout, reason: str) -> Changes:
        """Nothing of it was sent, and nothing will be."""
        return self._moved(replace(payout, reason=reason), PayoutState.CANCELLED, None)

    # -- what became of its effects -----------------------------------------------------------------------

    async def accepted(self, tx: Transaction, effect: Effect, told: TransferSnapshot) -> Changes:
        """The gateway took the transfer on: from now on it is asked where it stands."""
        payout = await self._of_effect(tx, effect)
        if payout is None:
            return Changes()
        accepted = replace(payout, provider_ref=told.provider_ref, accepted_at=self._clock.now())
        return self.told(accepted, told)

    async def stopped(self, tx: Transaction, effect: Effect) -> Changes:
        """An effect of it was refused, or skipped by an operator: nothing more is sent for it."""
        changes = Changes()
        if effect.kind is EffectKind.RECIPIENT:
            await self._never_pay(tx, effect)
        payout = await self._of_effect(tx, effect)
        if payout is None or payout.state is not PayoutState.INTENDED:
            return changes
        refused = effect.state is EffectState.REFUSED
        state = PayoutState.FAILED if refused else PayoutState.CANCELLED
        changes.add(self._moved(replace(payout, reason=effect.reason), state, None))
        if effect.kind is EffectKind.TRANSFER and not refused and effect.unknown_since is not None:
            told: dict[str, object] = {"reason": "skipped while nobody knew whether it was paid"}
            self._break(BreakType.PAYOUT_CHANGED, payout, changes, "skipped_unknown", told)
        return changes

    async def _never_pay(self, tx: Transaction, recipient: Effect) -> None:
        """The transfer behind a recipient that will not come is not sent either."""
        payout = (await tx.payouts.of_effects([recipient.id])).get(recipient.id)
        if payout is None or payout.transfer is None:
            return
        transfer = await tx.effects.get(payout.transfer, lock=True)
        if transfer is not None and transfer.state is EffectState.INTENDED:
            now = self._clock.now()
            await tx.effects.move(transfer.id, EffectState.CANCELLED, now, "the account was not made known")

    async def _of_effect(self, tx: Transaction, effect: Effect) -> Payout | None:
        return (await tx.payouts.of_effects([effect.id], lock=True)).get(effect.id)

    # -- what the gateway says ----------------------------------------------------------------------------

    def told(
        self,
        payout: Payout,
        told: TransferSnapshot,
        *,
        looked: bool = False,
        hidden: Discretion | None = None,
    ) -> Changes:
        """The gateway says where the transfer stands; its words name nobody."""
        reason = told.reason if hidden is None else hidden.applied(payout.id, told.reason)
        changes = Changes()
        contradiction = self._contradiction(payout, told)
        if contradiction:
            self._break(BreakType.PAYOUT_CHANGED, payout, changes, told.state.value, contradiction)
            self._stay(payout, looked, changes)
            return changes
        fee = payout.fee_minor if told.fee_minor is None else told.fee_minor
        if told.state is payout.state:
            self._stay(payout, looked, changes)
            return changes
        now = self._clock.now()
        came = replace(
            payout, reason=reason, fee_minor=fee if told.state is PayoutState.SUCCEEDED else payout.fee_minor
        )
        look_at = next_payout_look(replace(came, state=told.state), now, self._clock.timings)
        changes.add(self._moved(came, told.state, look_at, looked=looked))
        if told.state is PayoutState.REVERSED:
            self._break(BreakType.PAYOUT_REVERSED, payout, changes, "reversed", {"reason": reason})
        return changes

    def _contradiction(self, payout: Payout, told: TransferSnapshot) -> dict[str, object]:
        """What cannot be, in facts of both sides; empty when it can."""
        mode = self._network.connections[payout.connection].connection.mode
        if (told.amount_minor, told.currency) != (payout.amount_minor, payout.currency):
            return {"asked_minor": payout.amount_minor, "now_minor": told.amount_minor, "now": told.currency}
        if told.mode not in (None, mode):
            return {"reason": "it is money of the other mode"}
        if not may_move(PAYOUT_MOVES, payout.state, told.state):
            return {"ours": payout.state.value, "theirs": told.state.value}
        return {}

    def unanswered(self, payout: Payout, look_at: datetime) -> Changes:
        """A look brought no answer; when that goes on for too long, a person is told and looking goes on."""
        changes = Changes(payout_moves=[PayoutMove(payout, look_at, looked=True)])
        timings, since = self._clock.timings, payout.accepted_at or payout.created_at
        checking = payout.state is PayoutState.CHECKING
        patience = timings.unknown_until if checking else timings.refund_look_until
        if self._clock.now() - since >= patience:
            why: dict[str, object] = {"reason": f"nobody could be asked about it for {patience}"}
            self._break(BreakType.PAYOUT_OVERDUE, payout, changes, "overdue", why)
        return changes

    def _stay(self, payout: Payout, looked: bool, changes: Changes) -> None:
        next_at = next_payout_look(payout, self._clock.now(), self._clock.timings)
        changes.payout_moves.append(PayoutMove(payout, next_at, looked))
        if next_at is None and payout.state not in ENDED_PAYOUT:
            why: dict[str, object] = {"reason": f"still {payout.state.value} after all looks"}
            self._break(BreakType.PAYOUT_OVERDUE, payout, changes, "overdue", why)

    # -- rows ---------------------------------------------------------------------------------------------

    def _moved(
        self,
        payout: Payout,
        state: PayoutState,
        look_at: datetime | None,
        *,
        looked: bool = False,
        beneficiary: Beneficiary | None = None,
    ) -> Changes:
        moved = replace(payout, state=move("payout", PAYOUT_MOVES, payout.state, state))
        event = payout_event(moved, payout.state, self._clock.now())
        return Changes(
            payout_moves=[PayoutMove(moved, look_at, looked, beneficiary)],
            events=[event] if event is not None else [],
        )

    def _break(
        self, type_: BreakType, payout: Payout, changes: Changes, what: str, facts: Mapping[str, object]
    ) -> None:
        changes.breaks.append(
            Break(
                type_,
                payout.id,
                once=f"payout:{payout.id}:{what}",
                effect=payout.transfer,
                evidence={
                    "connection": payout.connection,
                    "provider_ref": payout.provider_ref,
                    "loan": payout.loan,
                    "member": payout.member,
                    **facts,
                },
                amount_minor=payout.amount_minor,
                currency=payout.currency,
            )
        )
