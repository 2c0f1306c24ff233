"""Turns what a gateway says of a reference into rows: states, receipts with their allocation, breaks, looks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from coopwire.application import announce
from coopwire.application.booking import Ledger, Owner, arrived, book, moved, paid
from coopwire.application.deposits import Deposit
from coopwire.application.fees import fee_facts
from coopwire.application.network import Network
from coopwire.application.schedule import next_look, next_noticed_look
from coopwire.domain.breaks import Break, BreakType
from coopwire.domain.errors import HubError
from coopwire.domain.events import PAYMENT_FAILED
from coopwire.domain.payments import Attempt, Payment
from coopwire.domain.receipts import Receipt, receipt_id
from coopwire.domain.states import PAYMENT_MOVES, PaymentState, may_move
from coopwire.ports.clock import Clock
from coopwire.ports.gateways import ChargeSnapshot
from coopwire.ports.stores import Changes, LookContext, LookDone, Lookup, PaymentMove
from coopwire.ports.tracing import here

_FINAL = {PaymentState.SUCCEEDED, PaymentState.FAILED, PaymentState.ABANDONED, PaymentState.CANCELLED}


@dataclass(frozen=True, slots=True)
class Look:
    """One look-up done outside: charges found, or why there is no answer."""

    lookup: Lookup
    charges: tuple[ChargeSnapshot, ...] = ()
    error: HubError | None = None
    asked_at: datetime | None = None
    """When a call that brought an error began."""
    traceparent: str | None = field(default_factory=here)


@dataclass(slots=True)
class Receiving:
    """One look being turned into changes."""

    network: Network
    clock: Clock
    ledger: Ledger
    look: Look
    context: LookContext
    deposits: Mapping[str, Deposit] = field(default_factory=dict)
    """By charge, whose transfers to virtual accounts are."""
    out: Changes = field(default_factory=Changes)
    matched: bool = False
    """Whether money arrived that is what the payment asked for."""

    def changes(self) -> Changes:
        """All rows of this look."""
        now = self.clock.now()
        if self.look.error is None:
            for charge in self.look.charges:
                self._charge(charge, now)
            self._advance(now)
        self._close(now)
        return self.out

    # -- one charge ---------------------------------------------------------------------------------------

    def _charge(self, charge: ChargeSnapshot, now: datetime) -> None:
        lookup = self.look.lookup
        connection = self.network.connections[lookup.connection].connection
        if charge.mode is not connection.mode:
            self._open(BreakType.WRONG_MODE, charge, {"mode": charge.mode.value})
        elif charge.reference != lookup.reference:
            self._open(BreakType.CONTRACT_BROKEN, charge, {"reason": "answer for another reference"})
        elif charge.state is PaymentState.SUCCEEDED:
            self._paid(charge, now)

    def _paid(self, charge: ChargeSnapshot, now: datetime) -> None:
        here = (self.look.lookup.connection, charge.charge)
        known = next((k for k in self.context.known if (k.connection, k.charge) == here), None)
        if known is not None:
            if (known.gross_minor, known.currency) != (charge.amount_minor, charge.currency):
                facts = {"recorded_minor": known.gross_minor, "now_minor": charge.amount_minor}
                self._open(BreakType.CHARGE_CHANGED, charge, facts, receipt=known.receipt)
        elif charge.amount_minor <= 0:
            self._open(BreakType.CONTRACT_BROKEN, charge, {"reason": "paid, but no amount"})
        else:
            self._receipt(charge, now)

    def _receipt(self, charge: ChargeSnapshot, now: datetime) -> None:
        deposit = self.deposits.get(charge.charge)
        if deposit is not None:
            self._deposited(charge, deposit, now)
            return
        receipt = self._new_receipt(charge, now)
        fee = fee_facts(self.network, receipt, charge)
        booked = book(receipt, self._owner(), self.ledger, self.network, now, fee)
        self.matched = self.matched or booked.ours
        self.out.add(booked.changes)

    def _deposited(self, charge: ChargeSnapshot, deposit: Deposit, now: datetime) -> None:
        """A transfer to a member's account: what it is for came into being with it."""
        receipt = self._new_receipt(charge, now)
        new = deposit.new_payment()
        if new is not None:
            receipt = replace(receipt, payment=new.payment.reference)
            self.out.add(arrived(new))
        fee = fee_facts(self.network, receipt, charge)
        booked = book(receipt, deposit.owner(), self.ledger, self.network, now, fee)
        self.out.add(booked.changes)
        if new is not None:
            # Several may have come to one account since the last look: the next one falls over what is left.
            self.ledger.count(new.payment, booked.changes.receipts[0].lines)
            self.out.add(paid(new.payment, ours=booked.ours, now=now))

    def _owner(self) -> Owner:
        attempt, payment = self.context.attempt, self.context.payment
        return Owner(
            payment,
            attempt.money if attempt else None,
            self.context.core_account,
            paid_before=bool(self.context.known or self.out.receipts),
            at_least_minor=attempt.at_least_minor if attempt else None,
        )

    def _new_receipt(self, charge: ChargeSnapshot, now: datetime) -> Receipt:
        attempt, payment = self.context.attempt, self.context.payment
        return Receipt(
            id=receipt_id(self.look.lookup.connection, charge.charge),
            connection=self.look.lookup.connection,
            reference=self.look.lookup.reference,
            charge=charge.charge,
            attempt=attempt.reference if attempt else None,
            payment=payment.reference if payment else None,
            currency=charge.currency,
            requested_minor=charge.requested_minor,
            gross_minor=charge.amount_minor,
            fee_minor=charge.fee_minor,
            fee_exact=charge.fee_exact,
            fee_bearer=charge.fee_bearer,
            channel=charge.channel,
            paid_at=charge.paid_at or charge.created_at or now,
            recorded_at=now,
            fee_known=charge.fee_known,
        )

    # -- the attempt and its payment ----------------------------------------------------------------------

    def _advance(self, now: datetime) -> None:
        attempt, payment = self.context.attempt, self.context.payment
        seen = self._seen_state()
        if attempt is None or payment is None or seen is None:
            return
        if not may_move(PAYMENT_MOVES, attempt.state, seen):
            if attempt.state is not PaymentState.SUCCEEDED or seen in _FINAL:
                self._forbidden(attempt, seen)
            return
        reason = next((c.failure_reason for c in self.look.charges if c.state is seen), "")
        if seen is not attempt.state:
            self.out.attempts.append(PaymentMove(attempt.reference, seen, reason))
        self._advance_payment(payment, seen, reason, now)

    def _seen_state(self) -> PaymentState | None:
        states = [c.state for c in self.look.charges if c.reference == self.look.lookup.reference]
        if not states:
            return None
        return PaymentState.SUCCEEDED if PaymentState.SUCCEEDED in states else states[-1]

    def _advance_payment(self, payment: Payment, seen: PaymentState, reason: str, now: datetime) -> None:
        if seen is PaymentState.SUCCEEDED:
            self.out.add(paid(payment, ours=self.matched or bool(self.context.known), now=now))
            return
        change = moved(payment, seen, reason, now)
        self.out.add(change)
        if change.payments and seen is PaymentState.FAILED:
            failed = {"payment": payment.reference, "reason": reason}
            self.out.events.append(
                announce.event(PAYMENT_FAILED, payment.reference, payment.account_key, failed, now)
            )

    def _forbidden(self, attempt: Attempt, new: PaymentState) -> None:
        old = attempt.state
        opened = Break(
            BreakType.FORBIDDEN_MOVE,
            attempt.reference,
            once=f"move:{attempt.reference}:{old}:{new}",
            payment=attempt.payment,
            evidence={"ours": old.value, "theirs": new.value},
        )
        self.out.breaks.append(opened)

    # -- closing the look ---------------------------------------------------------------------------------

    def _close(self, now: datetime) -> None:
        lookup = self.look.lookup
        settled = self._settled()
        agreed = self._agreed()
        next_at = None if settled and (agreed or not lookup.noticed) else self._next(now, agreed)
        if next_at is None and lookup.noticed and not agreed:
            opened = Break(
                BreakType.NOTICE_NOT_CONFIRMED,
                lookup.reference,
                once=f"notice:{lookup.connection}:{lookup.reference}",
                payment=self.context.payment.reference if self.context.payment else None,
                evidence={"connection": lookup.connection, "looks": lookup.looks + 1},
            )
            self.out.breaks.append(opened)
        self.out.looks.append(LookDone(lookup, now, self._answer(), next_at, agreed))

    def _settled(self) -> bool:
        return any(c.state is PaymentState.SUCCEEDED for c in self.look.charges)

    def _agreed(self) -> bool:
        """A look agrees with the notices when every charge they named has reached an end there."""
        ended = {c.charge for c in self.look.charges if c.state in _FINAL}
        return self.look.error is None and bool(ended) and ended.issuperset(self.look.lookup.charges)

    def _next(self, now: datetime, agreed: bool) -> datetime | None:
        lookup, timings = self.look.lookup, self.clock.timings
        scheduled = next_look(lookup.created_at, now, timings)
        candidates = [scheduled]
        if lookup.noticed and not agreed:
            candidates.append(next_noticed_look(lookup.noticed_looks, now, timings))
        if self.look.error is not None:
            candidates.append(now + self._after_error())
        return min((c for c in candidates if c is not None), default=None)

    def _after_error(self) -> timedelta:
        ladder = self.clock.timings.retry_ladder
        wait = ladder[min(self.look.lookup.looks, len(ladder) - 1)]
        asked = getattr(self.look.error, "retry_after", None)
        if asked is None:
            return wait
        return max(wait, self.clock.timings.of_provider(timedelta(seconds=asked)))

    def _answer(self) -> str:
        if self.look.error is not None:
            return f"no answer: {type(self.look.error).__name__}"
        if not self.look.charges:
            return "not known there"
        return ", ".join(f"{c.state.value} {c.amount_minor} {c.currency}" for c in self.look.charges)

    # -- breaks -------------------------------------------------------------------------------------------

    def _open(
        self,
        type_: BreakType,
        charge: ChargeSnapshot,
        evidence: Mapping[str, object],
        receipt: str | None = None,
    ) -> None:
        lookup = self.look.lookup
        opened = Break(
            type_,
            receipt or lookup.reference,
            once=f"{type_.value}:{lookup.connection}:{charge.charge}",
            payment=self.context.payment.reference if self.context.payment else None,
            receipt=receipt,
            evidence={"connection": lookup.connection, "charge": charge.charge, **evidence},
            amount_minor=charge.amount_minor,
            currency=charge.currency,
        )
        self.out.breaks.append(opened)
