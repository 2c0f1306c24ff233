"""Writes outcomes under their claim tokens, with everything that follows from each."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, TypeVar

from coopwire.application import announce, outcomes
from coopwire.application.account_moves import AccountMoves, accounts_lock
from coopwire.application.banked import is_debit
from coopwire.application.discretion import Discretion, discretion
from coopwire.application.dispute_moves import DisputeMoves, dispute_lock
from coopwire.application.mandate_moves import MandateMoves, mandate_lock
from coopwire.application.network import Network
from coopwire.application.orders import Order, mandate_of, payout_of
from coopwire.application.patience import be_patient, stop_if_locked_out
from coopwire.application.payout_moves import PayoutMoves, concerns_a_payout
from coopwire.application.planning import journal_effect, money_of
from coopwire.application.refund_moves import RefundMoves
from coopwire.application.writing import write
from coopwire.domain.books import reallocation_entry
from coopwire.domain.breaks import Break, BreakType
from coopwire.domain.effects import OF_ATTEMPTS, Effect, EffectKind
from coopwire.domain.errors import ContractBroken, HubError, NotSent, TryLater
from coopwire.domain.events import (
    BANK_DEBITED,
    BANK_POSTED,
    BANK_REVERSED,
    JOURNAL_POSTED,
    PAYMENT_FAILED,
    EventType,
)
from coopwire.domain.gates import Traffic
from coopwire.domain.payments import Component
from coopwire.domain.receipts import AllocationError, AllocationState, check_conserved
from coopwire.domain.states import EffectState, PaymentState
from coopwire.ports.clock import Clock
from coopwire.ports.gateways import (
    AccountSnapshot,
    CheckoutSnapshot,
    DisputeSnapshot,
    MandateSnapshot,
    RefundSnapshot,
    SavedChargeSnapshot,
    TransferSnapshot,
)
from coopwire.ports.lms import CallbackSnapshot
from coopwire.ports.stores import (
    Changes,
    Claim,
    LookupRequest,
    NewReceipt,
    Outcome,
    PageUrl,
    PaymentMove,
    Reallocation,
    Transaction,
)
from coopwire.ports.tracing import behind, here
from coopwire.ports.writes import Finding

_SnapshotT = TypeVar(
    "_SnapshotT",
    CheckoutSnapshot,
    DisputeSnapshot,
    RefundSnapshot,
    SavedChargeSnapshot,
    TransferSnapshot,
    MandateSnapshot,
)
_STOPPED = (EffectState.REFUSED, EffectState.HELD, EffectState.UNKNOWN)
_REOPENED_BY_A_LATE_ANSWER = (EffectState.UNKNOWN, EffectState.INTENDED, EffectState.HELD)
OF_ACCOUNTS = (EffectKind.VIRTUAL_ACCOUNT, EffectKind.ACCOUNT_CLOSING)
"""Writes for which a virtual account waits."""
OF_MANDATES = (EffectKind.MANDATE, EffectKind.MANDATE_CHANGE)
"""Writes for which a mandate waits."""
_STOPS = (BreakType.EFFECT_HELD, BreakType.EFFECT_GAVE_UP, BreakType.FOUND_DIFFERENT)
"""Breaks about an effect that only a person lets go on."""
_BREAK_OF_WORD = {
    "refused": BreakType.EFFECT_REFUSED,
    "held": BreakType.EFFECT_HELD,
    "gave_up": BreakType.EFFECT_GAVE_UP,
    "found_different": BreakType.FOUND_DIFFERENT,
}


@dataclass(frozen=True, slots=True)
class Sent:
    """What came of a claimed send or look-up: a snapshot, a finding or an error."""

    claim: Claim
    order: Order | None = field(repr=False)
    result: Any = field(repr=False)
    looked: bool = False
    asked_at: datetime | None = None
    """When the call began; None when nobody was called."""
    traceparent: str | None = field(default_factory=here)


class Settling:
    """Turns results into rows; several of them share a transaction."""

    def __init__(self, network: Network, clock: Clock) -> None:
        self._network = network
        self._clock = clock
        self._refunds = RefundMoves(network, clock)
        self._disputes = DisputeMoves(clock)
        self._payouts = PayoutMoves(network, clock)
        self._accounts = AccountMoves(network, clock)
        self._mandates = MandateMoves(network, clock)

    async def settle(self, tx: Transaction, sent: Sequence[Sent]) -> list[Sent]:
        """Record what still holds its token with all that follows; keep the rest as late evidence.

        Returns what was sent as it was recorded: nothing in it names the payer any more.
        """
        sent = await _discreet(tx, sent)
        judged = {s.claim.effect.id: (s, self._judge(s)) for s in sent}
        moved = {e.id: e for e in await tx.effects.record([outcome for _, outcome in judged.values()])}
        changes = Changes()
        await self._hold(tx, moved.values())
        for id_, (one, outcome) in judged.items():
            if id_ in moved:
                with behind(one.traceparent):
                    changes.add(await self._follow(tx, moved[id_], one, outcome))
        late = [outcome for id_, (_, outcome) in judged.items() if id_ not in moved]
        for effect, outcome in zip(await tx.effects.late(late), late, strict=True):
            changes.add(await self._late(tx, effect, outcome))
        for one in sent:
            await self._close_gate(tx, one)
        await write(tx, changes, self._clock.now())
        return sent

    async def _hold(self, tx: Transaction, effects: Collection[Effect]) -> None:
        """What refunds, answers, accounts, mandates and payouts change is held in one order: nobody waits for each
        other."""
        for receipt in sorted({e.receipt for e in effects if e.receipt and concerns_a_refund(e)}):
            await tx.receipts.get(receipt, lock=True)
        await tx.lock([name for e in effects if (name := _lock_of(e)) is not None])
        await tx.payouts.of_effects([e.id for e in effects if concerns_a_payout(e)], lock=True)

    def _judge(self, one: Sent) -> Outcome:
        effect = one.claim.effect
        setting = outcomes.Setting(
            effect,
            one.claim.token,
            self._clock.now(),
            self._network.trust(effect.connection, effect.kind),
            self._clock.timings,
        )
        result = one.result
        if isinstance(result, Finding):
            assert one.order is not None
            return outcomes.found(setting, one.order, result)
        if isinstance(result, HubError):
            if one.looked and isinstance(result, TryLater | NotSent):
                return outcomes.unanswered(setting, result)
            if one.looked:
                return outcomes.still_unknown(setting, f"no answer: {type(result).__name__}")
            return outcomes.failed_send(setting, result)
        if result is None:
            again = outcomes.send_again(setting)
            return again or outcomes.still_unknown(setting, "no look-up there")
        return outcomes.done(setting, result)

    async def _close_gate(self, tx: Transaction, one: Sent) -> None:
        """A refused key stops the connection until somebody mends it, a "too many" for as long as they say."""
        connection, now = one.claim.effect.connection, self._clock.now()
        await be_patient(tx, connection, one.result, now, self._clock.timings)
        await stop_if_locked_out(tx, connection, Traffic, one.result, one.asked_at or now, now)

    # -- what follows -------------------------------------------------------------------------------------

    async def _follow(self, tx: Transaction, effect: Effect, one: Sent, outcome: Outcome) -> Changes:
        changes = Changes()
        now = self._clock.now()
        if effect.state is EffectState.DONE:
            changes.add(await self._after_done(tx, effect, one))
        elif effect.state in _STOPPED and effect.state is not one.claim.effect.state:
            changes.events.append(announce.stopped(effect, now))
        if effect.state is EffectState.REFUSED and effect.kind in OF_ATTEMPTS:
            self._page_refused(effect, changes)
        if effect.state is EffectState.REFUSED and concerns_a_refund(effect):
            changes.add(await self._refunds.stopped(tx, effect))
        if effect.state is EffectState.REFUSED and effect.kind is EffectKind.DISPUTE_ANSWER:
            await self._disputes.stopped(tx, effect)
        if effect.state is EffectState.REFUSED and concerns_a_payout(effect):
            changes.add(await self._payouts.stopped(tx, effect))
        if effect.state is EffectState.REFUSED and effect.kind in OF_ACCOUNTS:
            changes.add(await self._accounts.stopped(tx, effect))
        if effect.state is EffectState.REFUSED and effect.kind in OF_MANDATES:
            changes.add(await self._mandates.stopped(tx, effect))
        self._breaks(effect, one, outcome, changes)
        changes.breaks[:] = [await _told_again(tx, effect, found) for found in changes.breaks]
        return changes

    def _breaks(self, effect: Effect, one: Sent, outcome: Outcome, changes: Changes) -> None:
        type_ = _BREAK_OF_WORD.get(outcome.word)
        if effect.kind is EffectKind.SAVED_CHARGE and type_ is BreakType.EFFECT_REFUSED:
            # A declined card is no fault of anybody here: the payment failed, and the loan system hears of it.
            type_ = None
        if type_ is not None:
            changes.breaks.append(self._break(type_, effect, outcome.reason))
        if isinstance(one.result, ContractBroken):
            changes.breaks.append(self._break(BreakType.CONTRACT_BROKEN, effect, outcome.reason))
        if one.looked and outcomes.is_overdue(effect, outcome.at, self._clock.timings):
            changes.breaks.append(self._break(BreakType.OUTCOME_STILL_UNKNOWN, effect, outcome.reason))
        finding = one.result
        if isinstance(finding, Finding) and one.order and outcomes.found_twice(one.order, finding.snapshots):
            changes.breaks.append(
                self._break(BreakType.FOUND_TWICE, effect, "it stands there more than once")
            )

    def _break(self, type_: BreakType, effect: Effect, reason: str) -> Break:
        amount_minor, currency = money_of(effect)
        return Break(
            type_,
            effect.id,
            once=f"{type_.value}:{effect.id}",
            payment=effect.payment,
            receipt=effect.receipt,
            effect=effect.id,
            evidence={"connection": effect.connection, "kind": effect.kind.value, "reason": reason},
            amount_minor=amount_minor,
            currency=currency,
        )

    async def _after_done(self, tx: Transaction, effect: Effect, one: Sent) -> Changes:
        now = self._clock.now()
        changes = Changes()
        type_ = _event_of(effect)
        if type_ is not None:
            posted = announce.effect_event(type_, effect, now, provider_ref=effect.provider_ref or "")
            changes.events.append(posted)
        elif effect.kind is EffectKind.CHECKOUT:
            self._page_opened(effect, one, changes)
        elif effect.kind is EffectKind.REFUND:
            changes.add(await self._refunds.accepted(tx, effect, _told_to(one, RefundSnapshot)))
        elif effect.kind is EffectKind.DISPUTE_ANSWER:
            mode = self._network.connections[effect.connection].connection.mode
            told = _told_to(one, DisputeSnapshot)
            changes.add(await self._disputes.answered(tx, effect, mode, told))
        elif effect.kind is EffectKind.TRANSFER:
            changes.add(await self._payouts.accepted(tx, effect, _transfer_told(one)))
        elif effect.kind is EffectKind.SAVED_CHARGE:
            self._charged(effect, _told_to(one, SavedChargeSnapshot), changes)
        elif effect.kind is EffectKind.DEACTIVATION:
            await tx.authorizations.forget([str(effect.order["authorization"])])
        elif effect.kind in OF_ACCOUNTS:
            changes.add(await self._accounts.done(tx, effect, _accounts_told(one)))
        elif effect.kind is EffectKind.MANDATE:
            changes.add(await self._mandates.begun(tx, effect, _told_to(one, MandateSnapshot)))
        elif effect.kind is EffectKind.MANDATE_CHANGE:
            changes.add(await self._mandates.changed(tx, effect))
        elif isinstance(one.result, CallbackSnapshot):
            await self._lms_answered(tx, effect, one.result, changes)
        return changes

    def _page_opened(self, effect: Effect, one: Sent, changes: Changes) -> None:
        now = self._clock.now()
        # A look-up tells the address too, where the gateway gives it again.
        url = _told_to(one, CheckoutSnapshot).url
        if url is not None:
            changes.pages.append(PageUrl(effect.reference, url))
        changes.attempts.append(PaymentMove(effect.reference, PaymentState.PENDING))
        assert effect.payment is not None
        changes.payments.append(PaymentMove(effect.payment, PaymentState.PENDING))
        first = now + self._clock.timings.look_schedule[0]
        changes.lookups.append(LookupRequest(effect.connection, effect.reference, first))

    def _charged(self, effect: Effect, told: SavedChargeSnapshot, changes: Changes) -> None:
        """What the member left was charged, or waits for the member: whether it is paid, a look-up says."""
        now = self._clock.now()
        if told.url is not None:
            changes.pages.append(PageUrl(effect.reference, told.url))
        # An answer books nothing: money that they call taken is looked up at once.
        taken = told.state is PaymentState.SUCCEEDED
        state = PaymentState.PROCESSING if taken else told.state
        first = now if taken else now + self._clock.timings.look_schedule[0]
        assert effect.payment is not None
        changes.attempts.append(PaymentMove(effect.reference, state))
        changes.payments.append(PaymentMove(effect.payment, state))
        changes.lookups.append(LookupRequest(effect.connection, effect.reference, first))

    def _page_refused(self, effect: Effect, changes: Changes) -> None:
        assert effect.payment is not None
        changes.attempts.append(PaymentMove(effect.reference, PaymentState.FAILED, effect.reason))
        changes.payments.append(PaymentMove(effect.payment, PaymentState.FAILED, effect.reason))
        data = {"payment": effect.payment, "reason": effect.reason}
        changes.events.append(
            announce.event(PAYMENT_FAILED, effect.payment, effect.payment, data, self._clock.now())
        )

    # -- the loan system's allocation ---------------------------------------------------------------------

    async def _lms_answered(
        self, tx: Transaction, effect: Effect, answer: CallbackSnapshot, changes: Changes
    ) -> None:
        if not effect.order["wants_allocation"] or effect.receipt is None:
            return
        new = await tx.receipts.get(effect.receipt, lock=True)
        if new is None or new.allocation_state is not AllocationState.AWAITING_LMS:
            return
        problem = answer.rejected or _problem(new, answer)
        if problem:
            changes.breaks.append(self._break(BreakType.LMS_ANSWER_REJECTED, effect, problem))
            return
        assert answer.allocation is not None
        now = self._clock.now()
        changes.reallocations.append(Reallocation(new.receipt.id, new.account_key, answer.allocation, now))
        await self._book_answer(tx, new, answer, effect, changes)

    async def _book_answer(
        self,
        tx: Transaction,
        new: NewReceipt,
        answer: CallbackSnapshot,
        effect: Effect,
        changes: Changes,
    ) -> None:
        books = self._network.routes.books
        if books is None or answer.allocation is None:
            return
        now = self._clock.now()
        payment = (
            (await tx.payments.get([new.receipt.payment])).get(new.receipt.payment)
            if new.receipt.payment
            else None
        )
        entry = reallocation_entry(
            answer.allocation,
            on=self._network.routes.business_day(now),
            currency=new.receipt.currency,
            narrative=f"Allocation of receipt {new.receipt.id} by the loan system",
            branch=payment.branch if payment else None,
            member=payment.member if payment else None,
        )
        if entry is not None:
            changes.effects.append(
                journal_effect(
                    entry,
                    books,
                    now,
                    about=("reallocation", new.receipt.id, effect.id),
                    receipt=new.receipt.id,
                    payment=effect.payment,
                )
            )

    # -- late outcomes ------------------------------------------------------------------------------------

    async def _late(self, tx: Transaction, effect: Effect, outcome: Outcome) -> Changes:
        """An outcome without a valid token is evidence: it may re-open the effect, it never decides it."""
        changes = Changes()
        if outcome.looked or outcome.word == "not_sent":
            return changes
        now = self._clock.now()
        if effect.state in _REOPENED_BY_A_LATE_ANSWER:
            await tx.effects.reopen(effect.id, now, "a late answer came: look it up")
        elif outcome.state is EffectState.DONE and outcome.provider_ref != effect.provider_ref:
            reason = f"a late answer says done, the effect is {effect.state.value}"
            changes.breaks.append(self._break(BreakType.LATE_OUTCOME, effect, reason))
        return changes


async def _told_again(tx: Transaction, effect: Effect, found: Break) -> Break:
    """The break; a new one where a person has closed the last one and the effect stands still once more."""
    if found.type not in _STOPS or found.subject != effect.id or effect.tries + effect.looks < 2:
        return found
    there = (await tx.breaks.known([found.once])).get(found.once)
    if there is None or there.closed_at is None:
        return found
    return replace(found, once=f"{found.once}:{effect.tries}.{effect.looks}")


def _lock_of(effect: Effect) -> str | None:
    """The name under which the dispute that it answers, the accounts among which it opens one, or the mandate that it
    starts or changes, are held."""
    if effect.kind is EffectKind.DISPUTE_ANSWER:
        return dispute_lock(effect.connection, str(effect.order["dispute"]))
    if effect.kind in OF_MANDATES:
        return mandate_lock(mandate_of(effect))
    return accounts_lock(effect.connection) if effect.kind in OF_ACCOUNTS else None


def concerns_a_refund(effect: Effect) -> bool:
    """Whether a refund waits for it: the debit before it, or the write that asks the gateway."""
    return effect.kind is EffectKind.REFUND or is_debit(effect)


def _accounts_told(one: Sent) -> tuple[AccountSnapshot, ...]:
    """The accounts that the answer or the look-up tells of."""
    told = one.result.snapshots if isinstance(one.result, Finding) else (one.result,)
    assert all(isinstance(account, AccountSnapshot) for account in told)
    return tuple(told)


def _told_to(one: Sent, kind: type[_SnapshotT]) -> _SnapshotT:
    """What was told of a write that is done: accepted now, or found to be there and to be ours."""
    if isinstance(one.result, Finding):
        assert one.order is not None
        told = next(s for s in one.result.snapshots if outcomes.is_ours(one.order, s))
    else:
        told = one.result
    assert isinstance(told, kind)
    return told


def _transfer_told(one: Sent) -> TransferSnapshot:
    told = _told_to(one, TransferSnapshot)
    # What a look-up found has not been told in discretion: the next look says why.
    return replace(told, reason="") if isinstance(one.result, Finding) else told


def _event_of(effect: Effect) -> EventType | None:
    """What is announced when a write at the books or at the bank is done."""
    if is_debit(effect):
        return BANK_DEBITED
    return {
        EffectKind.JOURNAL: JOURNAL_POSTED,
        EffectKind.POSTING: BANK_POSTED,
        EffectKind.REVERSAL: BANK_REVERSED,
    }.get(effect.kind)


async def _discreet(tx: Transaction, sent: Sequence[Sent]) -> list[Sent]:
    """The same; neither an error nor a finding names the payer, the holder or who is paid."""
    spoke = [
        one.claim.effect for one in sent if isinstance(one.result, HubError | Finding | TransferSnapshot)
    ]
    payouts = [payout_of(effect) for effect in spoke if concerns_a_payout(effect)]
    accounts = [account for effect in spoke if (account := _virtual_account(effect)) is not None]
    mandates = [mandate_of(effect) for effect in spoke if effect.kind in OF_MANDATES]
    hidden = await discretion(
        tx, [effect.payment for effect in spoke], payouts=payouts, accounts=accounts, mandates=mandates
    )
    return [_without_payer(one, hidden) for one in sent]


def _without_payer(one: Sent, hidden: Discretion) -> Sent:
    result, about = one.result, _subject(one.claim.effect)
    if isinstance(result, HubError):
        return replace(one, result=result.saying(hidden.applied(about, result.message)))
    if isinstance(result, Finding):
        return replace(one, result=replace(result, reason=hidden.applied(about, result.reason)))
    if isinstance(result, TransferSnapshot):
        return replace(one, result=replace(result, reason=hidden.applied(about, result.reason)))
    return one


def _subject(effect: Effect) -> str | None:
    """Whose persons an answer to the effect may name: those of a payout, a mandate, a payment or an account."""
    if effect.kind in OF_MANDATES:
        return mandate_of(effect)
    return payout_of(effect) if concerns_a_payout(effect) else effect.payment or _virtual_account(effect)


def _virtual_account(effect: Effect) -> str | None:
    """The account that the effect asks for or closes."""
    return str(effect.order["virtual_account"]) if effect.kind in OF_ACCOUNTS else None


def _problem(new: NewReceipt, answer: CallbackSnapshot) -> str:
    """Why the loan system's allocation cannot be taken; empty when it can."""
    if not answer.allocation:
        return "the answer carries no allocation"
    if any(line.component not in Component for line in answer.allocation):
        return "the answer names an unknown component"
    if any(line.component is Component.WRITTEN_OFF for line in answer.allocation):
        return "the answer writes money off, which takes two persons here"
    try:
        check_conserved(new.receipt.value_minor, answer.allocation)
    except AllocationError as error:
        return str(error)
    return ""
