"""Turns a proposed correction into what it writes, judged against the facts of this moment.

The same judgement is made when a correction is proposed and when it is approved: what has changed in between
refuses it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Any, Protocol, cast

from coopwire.application import announce
from coopwire.application.banked import at_the_bank, missing_in_the_core
from coopwire.application.booked import first_entry, is_reversed
from coopwire.application.network import Network
from coopwire.application.paying import Rejected
from coopwire.application.planning import (
    callback_effect,
    entry_of,
    instead_of,
    journal_effect,
    journal_reversal_effect,
    posting_effect,
    posting_lane,
    reversal_effect,
    side_of,
)
from coopwire.application.presence import Presence, Stand
from coopwire.application.receipt_effects import receipt_facts
from coopwire.application.refunding import RefundPlan
from coopwire.application.settlement_moves import SettlementMoves, settlements_lock
from coopwire.domain.allocation import allocate, waterfall, whole_of
from coopwire.domain.books import (
    DISPUTED,
    KEY_OF_COMPONENT,
    REVERSAL,
    Side,
    clearing_key,
    dispute_entry,
    reallocation_entry,
    write_off_entry,
)
from coopwire.domain.breaks import BreakType
from coopwire.domain.corrections import (
    CORRECTIONS_OF,
    Allocate,
    BookSettlement,
    Correction,
    CreditAgain,
    PostJournalAgain,
    PostPostingAgain,
    RefundReceipt,
    ReverseJournal,
    ReversePosting,
    WriteOff,
    lacking_minor,
)
from coopwire.domain.effects import Effect, EffectKind
from coopwire.domain.events import PAYMENT_MOVED
from coopwire.domain.money import Money
from coopwire.domain.payments import GIVEN_TO_MEMBERS, Component, Payment, PaymentKind
from coopwire.domain.receipts import AllocationError, AllocationLine, AllocationState, check_conserved
from coopwire.domain.references import derived_reference
from coopwire.domain.refunds import Refund
from coopwire.domain.states import (
    FINISHED_EFFECT,
    PAYMENT_MOVES,
    UNDONE_REFUND,
    EffectState,
    PaymentState,
    RefundState,
    SettlementStand,
    may_move,
)
from coopwire.ports.clock import Clock
from coopwire.ports.stores import BreakRow, Changes, NewReceipt, PaymentMove, Reallocation, Transaction

_NOT_DONE = (EffectState.REFUSED, EffectState.CANCELLED)
_GOING_BACK = frozenset(RefundState) - UNDONE_REFUND - {RefundState.SUCCEEDED}
_WENT_BACK = frozenset(RefundState) - UNDONE_REFUND
_MAY_BE_GONE = (*_NOT_DONE, EffectState.DONE, EffectState.UNKNOWN)


class Refunder(Protocol):
    """Who judges a refund, and stores an approved one with its first effect."""

    async def judge(self, tx: Transaction, receipt: str, amount_minor: int) -> RefundPlan:
        """What the refund would do now. Rejected when it is more than may be refunded, or cannot be asked for."""
        ...

    async def approve(
        self,
        tx: Transaction,
        receipt: str,
        amount_minor: int,
        *,
        asked_by: str,
        approved_by: str,
        reason: str,
    ) -> Refund:
        """The stored refund. Rejected when it is more than may be refunded, or cannot be asked for."""
        ...


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
        self.plan.append(_told(effect))


@dataclass(frozen=True, slots=True)
class _Case:
    """One break under judgement; `approval` is None while the correction is only proposed."""

    tx: Transaction
    row: BreakRow
    now: datetime
    approval: Approval | None
    nth: int
    """How many effects the break has begun before: a reference is never used twice."""

    def about(self, *what: str) -> tuple[str, ...]:
        """What an effect of this approval is about."""
        again = (str(self.nth),) if self.nth else ()
        return (*what, str(self.row.id), *again)


@dataclass(frozen=True, slots=True)
class _Target:
    """Whose the money is."""

    payment: Payment | None
    member: str
    kind: PaymentKind
    loan: str | None
    branch: str | None

    @property
    def account_key(self) -> str:
        """The key under which allocations of this loan or product are serialised (see Payment)."""
        return f"loan:{self.loan}" if self.loan else f"member:{self.member}:{self.kind}"


class Remedies:
    """Judges corrections and plans what they write."""

    def __init__(self, network: Network, clock: Clock, refunder: Refunder | None) -> None:
        self._network = network
        self._clock = clock
        self._refunder = refunder
        self._settlements = SettlementMoves(network, clock)
        self._plans: Mapping[type, Callable[[_Case, Any], Awaitable[Remedy]]] = {
            Allocate: self._allocate,
            ReverseJournal: self._reverse_journal,
            PostJournalAgain: self._post_journal_again,
            ReversePosting: self._reverse_posting,
            PostPostingAgain: self._post_posting_again,
            CreditAgain: self._credit_again,
            RefundReceipt: self._refund,
            WriteOff: self._write_off,
            BookSettlement: self._book_settlement,
        }

    async def plan(
        self, tx: Transaction, row: BreakRow, correction: Correction, approval: Approval | None = None
    ) -> Remedy:
        """What the correction writes now. Rejected says which member or which fact forbids it.

        Takes the locks of everything that it judges; the caller holds that of the break.
        """
        if correction.word not in CORRECTIONS_OF[row.found.type]:
            allowed = ", ".join(CORRECTIONS_OF[row.found.type]) or "none"
            raise Rejected("action", f"is not for a break {row.found.type.value}; these are: {allowed}")
        case = _Case(tx, row, self._clock.now(), approval, await tx.breaks.begun(row.id))
        return await self._plans[type(correction)](case, correction)

    # -- whose money it is --------------------------------------------------------------------------------

    async def _allocate(self, case: _Case, wanted: Allocate) -> Remedy:
        new = await self._receipt(case, wanted.receipt)
        suspense = _part(new, Component.SUSPENSE)
        if not suspense:
            raise _conflict("receipt", "nothing of this receipt is in suspense")
        effects = (await case.tx.effects.of_receipts([new.receipt.id])).get(new.receipt.id, [])
        _refuse_while_asked(new, effects)
        await self._refuse_refunded(case, new.receipt.id)
        target = await self._target(case, wanted, new.receipt.currency)
        account = await self._core_account(case, target)
        lane = posting_lane(*account) if account is not None else None
        await case.tx.lock([target.account_key, *([lane] if lane is not None else [])])
        lines = await self._lines(case, wanted, target, suspense)
        remedy = Remedy()
        remedy.plan.append(
            {"receipt": new.receipt.id, "to": target.account_key, "lines": [_line(one) for one in lines]}
        )
        self._take_over(case, new, target, lines, suspense, remedy)
        self._move_to_target(case, new, target, lines, effects, remedy)
        if account is not None and lane is not None:
            tail = (await case.tx.effects.lane_tails([lane])).get(lane)
            self._credit_target(case, new, target, account, suspense, effects, tail, remedy)
        self._tell_of_allocation(case, new, target, lines, remedy)
        return remedy

    async def _target(self, case: _Case, wanted: Allocate, currency: str) -> _Target:
        if wanted.payment is not None:
            if wanted.member is not None or wanted.kind is not None or wanted.loan is not None:
                raise Rejected("payment", "name a payment, or a member with kind and loan, not both")
            payment = (await case.tx.payments.get([wanted.payment], lock=True)).get(wanted.payment)
            if payment is None:
                raise Rejected("payment", "there is no such payment", "not_found")
            if payment.money.currency != currency:
                raise _conflict("payment", f"it is in {payment.money.currency}, the receipt in {currency}")
            return _Target(payment, payment.member, payment.kind, payment.loan, payment.branch)
        if wanted.member is None or wanted.kind is None:
            raise Rejected("member", "name a payment, or a member and a kind")
        if wanted.kind is PaymentKind.LOAN_REPAYMENT and wanted.loan is None:
            raise Rejected("loan", "a loan_repayment names its loan")
        return _Target(None, wanted.member, wanted.kind, wanted.loan, wanted.branch)

    async def _lines(
        self, case: _Case, wanted: Allocate, target: _Target, value_minor: int
    ) -> tuple[AllocationLine, ...]:
        if wanted.lines and wanted.dues is not None:
            raise Rejected("lines", "give lines or dues, not both")
        lines = wanted.lines or await self._decided(case, wanted, target, value_minor)
        if any(line.component not in GIVEN_TO_MEMBERS for line in lines):
            raise Rejected("lines", "the money would stay undecided: give lines, or dues that are valid")
        try:
            check_conserved(value_minor, lines)
        except AllocationError as error:
            raise Rejected("lines", str(error).replace("the receipt's value", "in suspense")) from None
        return lines

    async def _decided(
        self, case: _Case, wanted: Allocate, target: _Target, value_minor: int
    ) -> tuple[AllocationLine, ...]:
        """Where the hub's own rules put it: over the given dues, those of the payment, or to one component."""
        dues = wanted.dues or (target.payment.dues if target.payment is not None else None)
        if dues is None or target.kind is not PaymentKind.LOAN_REPAYMENT:
            if wanted.dues is not None:
                raise Rejected("dues", "only a loan_repayment has dues")
            whole = whole_of(target.kind, value_minor)
            if whole is None:
                raise Rejected("lines", "give lines or dues: nothing here says what the loan owes")
            return whole
        if dues.valid_until <= case.now:
            raise _conflict("dues", "the dues are not valid any more: give lines, or dues of today")
        [already] = await case.tx.lookups.allocated([(target.account_key, dues.as_of, dues.version)])
        if target.payment is not None and wanted.dues is None:
            return allocate(target.payment, value_minor, already, case.now)
        return waterfall(dues, value_minor, already)

    async def _core_account(self, case: _Case, target: _Target) -> tuple[str, int] | None:
        """The core bank and the row of the member's account there; None without a core bank."""
        bank = self._network.routes.core_bank
        if bank is None:
            return None
        account = await case.tx.connections.core_account(bank, target.member, target.loan)
        if account is None:
            raise _conflict("member", "is linked to no core account: see `coopwire accounts import`")
        return bank, account.id

    def _take_over(
        self,
        case: _Case,
        new: NewReceipt,
        target: _Target,
        lines: tuple[AllocationLine, ...],
        suspense: int,
        remedy: Remedy,
    ) -> None:
        """The allocation's rows, and the payment that now has its money."""
        payment = target.payment
        remedy.changes.reallocations.append(
            Reallocation(
                new.receipt.id,
                target.account_key,
                lines,
                case.now,
                of=Component.SUSPENSE,
                payment=payment.reference if payment is not None else None,
            )
        )
        if payment is None or payment.money != Money(suspense, new.receipt.currency):
            return
        paid = PaymentState.SUCCEEDED
        if payment.state is paid or not may_move(PAYMENT_MOVES, payment.state, paid):
            return
        reason = f"receipt {new.receipt.id} was allocated to it"
        remedy.changes.payments.append(PaymentMove(payment.reference, paid, reason))
        moved = {
            "payment": payment.reference,
            "state": paid.value,
            "was": payment.state.value,
            "reason": reason,
        }
        event = announce.event(PAYMENT_MOVED, payment.reference, payment.account_key, moved, case.now)
        remedy.changes.events.append(event)
        remedy.plan.append({"payment": payment.reference, "state": paid.value})

    def _move_to_target(
        self,
        case: _Case,
        new: NewReceipt,
        target: _Target,
        lines: tuple[AllocationLine, ...],
        effects: Sequence[Effect],
        remedy: Remedy,
    ) -> None:
        """The entry from suspense to where it belongs, after the one that brought it into suspense."""
        books = self._network.routes.books
        if books is None:
            return
        first = _standing_entry(effects)
        entry = reallocation_entry(
            lines,
            on=self._network.routes.business_day(case.now),
            currency=new.receipt.currency,
            narrative=f"Allocation of receipt {new.receipt.id} to {_named(target)}, break {case.row.id}",
            branch=target.branch,
            member=target.member,
        )
        assert entry is not None  # no line is suspense, so something moves
        effect = journal_effect(
            entry,
            books,
            case.now,
            about=case.about("reallocation", new.receipt.id),
            receipt=new.receipt.id,
            payment=_payment_of(new, target),
            after=first.id if first is not None else None,
        )
        remedy.write(effect, new.receipt.id)

    def _credit_target(
        self,
        case: _Case,
        new: NewReceipt,
        target: _Target,
        account: tuple[str, int],
        suspense: int,
        effects: list[Effect],
        tail: str | None,
        remedy: Remedy,
    ) -> None:
        """The credit at the bank, unless the member has it already."""
        routes, (bank, core_account) = self._network.routes, account
        standing = _credits(effects)
        if standing:
            if any(one.order["core_account"] != core_account for one in standing):
                raise _conflict("receipt", "another account has its credit: reverse that posting first")
            return
        gl = routes.receivable_gl.get(new.receipt.connection)
        if gl is None:
            raise _conflict("receipt", f"no receivable GL is set for {new.receipt.connection}")
        # A credit that was refused or undone keeps its reference.
        before = any(one.kind is EffectKind.POSTING for one in effects)
        base = ("receipt", new.receipt.id)
        effect = posting_effect(
            self._network.connections[bank],
            core_account=core_account,
            gl=gl,
            amount_minor=suspense,
            currency=new.receipt.currency,
            value_on=self._network.value_day(case.now),
            narration=f"{target.kind.value.replace('_', ' ')} {_payment_of(new, target) or new.receipt.id}",
            now=case.now,
            after=tail,
            about=case.about("allocation", new.receipt.id) if before else base,
            receipt=new.receipt.id,
            payment=_payment_of(new, target),
        )
        remedy.write(effect, new.receipt.id)

    def _tell_of_allocation(
        self,
        case: _Case,
        new: NewReceipt,
        target: _Target,
        lines: tuple[AllocationLine, ...],
        remedy: Remedy,
    ) -> None:
        lms = self._network.routes.lms
        if lms is None:
            return
        receipt = replace(new.receipt, payment=_payment_of(new, target))
        kept = tuple(line for line in new.lines if line.component is not Component.SUSPENSE)
        payload: dict[str, object] = {
            "type": "receipt.allocated",
            "timestamp": case.now.isoformat(),
            "allocation": "decided",
            "data": {
                **receipt_facts(receipt, (*kept, *lines)),
                "member": target.member,
                "loan": target.loan,
                "kind": target.kind.value,
                "break": case.row.id,
            },
        }
        told = callback_effect(
            lms,
            payload,
            case.now,
            subject="|".join(case.about("receipt.allocated", receipt.id)),
            url=target.payment.callback_url if target.payment is not None else None,
            wants_allocation=False,
            receipt=receipt.id,
            payment=receipt.payment,
        )
        # Not linked: the money is where it belongs, whether the loan system has heard of it or not.
        remedy.changes.effects.append(told)
        remedy.plan.append(_told(told))

    # -- the books ----------------------------------------------------------------------------------------

    async def _reverse_journal(self, case: _Case, wanted: ReverseJournal) -> Remedy:
        journal = await self._effect(case, "journal", wanted.journal, EffectKind.JOURNAL)
        if journal.state is not EffectState.DONE:
            raise _conflict("journal", f"it is {journal.state.value}: only what stands there can be reversed")
        if journal.order["kind"] == REVERSAL:
            raise _conflict("journal", "it is a reversal itself: post the original again instead")
        _refuse_corrected(await self._corrections(case, journal), "reversed")
        await self._refuse_refunded(case, journal.receipt, _WENT_BACK)
        sent = (await case.tx.effects.sent_mappings([journal.id])).get(journal.id)
        if sent is None:
            raise _conflict("journal", "the mapping with which it was posted is not known")
        today = self._network.routes.business_day(case.now)
        on = wanted.on or today
        if not entry_of(journal).on <= on <= today:
            raise Rejected("on", "must lie between the entry's own day and today")
        effect = journal_reversal_effect(
            journal, on=on, mapping=sent.version, about=case.about("reversal", journal.id), now=case.now
        )
        remedy = Remedy()
        remedy.write(effect, journal.id)
        if case.row.found.type is BreakType.DISPUTE_LOST:
            self._leave_clearing(case, effect, remedy)
        return remedy

    def _leave_clearing(self, case: _Case, reversal: Effect, remedy: Remedy) -> None:
        """Put back on clearing what the reversal takes off: the settlement that pays for the dispute takes it."""
        entry, connection = entry_of(reversal), str(case.row.found.evidence["connection"])
        taken = -sum(
            line.amount_minor if line.side is Side.DEBIT else -line.amount_minor
            for line in entry.lines
            if line.key == clearing_key(connection)
        )
        if taken <= 0:
            return
        put_back = dispute_entry(
            connection,
            taken,
            on=entry.on,
            currency=entry.currency,
            narrative=f"Dispute {case.row.found.subject} at {connection}",
            branch=entry.branch,
        )
        about = case.about("dispute", case.row.found.subject)
        effect = journal_effect(
            put_back,
            reversal.connection,
            case.now,
            about=about,
            receipt=reversal.receipt,
            payment=reversal.payment,
            after=reversal.id,
        )
        remedy.write(effect, case.row.found.subject)

    async def _post_journal_again(self, case: _Case, wanted: PostJournalAgain) -> Remedy:
        journal = await self._effect(case, "journal", wanted.journal, EffectKind.JOURNAL)
        remedy = Remedy()
        reversed_ = await self._may_be_written_again(case, "journal", journal, remedy)
        entry = entry_of(journal)
        on = wanted.on or entry.on
        if on > self._network.routes.business_day(case.now):
            raise Rejected("on", "must not lie in the future")
        sent = await case.tx.effects.sent_mappings([journal.id])
        done = journal.state is EffectState.DONE and not reversed_
        effect = journal_effect(
            replace(entry, on=on),
            journal.connection,
            case.now,
            about=case.about("journal again", journal.id),
            receipt=journal.receipt,
            payment=journal.payment,
            after=journal.id,
            mapping=sent[journal.id].version if done and journal.id in sent else None,
        )
        remedy.write(effect if reversed_ else instead_of(journal, effect), journal.id)
        return remedy

    # -- the core bank ------------------------------------------------------------------------------------

    async def _reverse_posting(self, case: _Case, wanted: ReversePosting) -> Remedy:
        posting = await self._effect(case, "posting", wanted.posting, EffectKind.POSTING)
        if posting.state is not EffectState.DONE:
            raise _conflict("posting", f"it is {posting.state.value}: only what stands there can be reversed")
        if posting.connection not in self._network.by_kind[EffectKind.REVERSAL]:
            raise _conflict("posting", f"{posting.connection} cannot be asked to reverse it: do it there")
        earlier = await self._corrections(case, posting)
        _refuse_corrected(earlier, "reversed")
        await self._refuse_refunded(case, posting.receipt, _WENT_BACK)
        await self._refuse_debited(case, posting)
        tail = await self._tail(case, posting)
        effect = reversal_effect(posting, self._posted_on(posting), case.now, after=tail)
        tried = [one for one in earlier if one.kind is EffectKind.REVERSAL]
        if any(one.state is EffectState.CANCELLED and one.first_sent_at is not None for one in tried):
            raise _conflict("posting", "an earlier reversal was skipped and may have been done: look there")
        if tried:
            name = derived_reference(*case.about("reversal", posting.id))
            effect = replace(effect, id=name, reference=name)
        remedy = Remedy()
        remedy.write(effect, posting.id)
        return remedy

    async def _refuse_debited(self, case: _Case, credit: Effect) -> None:
        """What a refund that came to nothing took out of the account cannot be taken out a second time."""
        if credit.receipt is None or side_of(credit) is Side.DEBIT:
            return
        effects = (await case.tx.effects.of_receipts([credit.receipt])).get(credit.receipt, [])
        there = at_the_bank(effects).there_minor
        if there < cast(int, credit.order["amount_minor"]):
            raise _conflict(
                "posting",
                f"only {there} minor units of it are in the account: undo the debit, or credit it again first",
            )

    def _posted_on(self, posting: Effect) -> date:
        """The core's day when it was sent: the one that was observed then, unless it was sent on a later one."""
        day_of = self._network.routes.business_day
        sent_at = posting.first_sent_at if posting.tries <= 1 else posting.deadline_at
        if sent_at is None or day_of(sent_at) == day_of(posting.created_at):
            return date.fromisoformat(cast(str, posting.order["value_on"]))
        return day_of(sent_at)

    async def _post_posting_again(self, case: _Case, wanted: PostPostingAgain) -> Remedy:
        posting = await self._effect(case, "posting", wanted.posting, EffectKind.POSTING)
        remedy = Remedy()
        reversed_ = await self._may_be_written_again(case, "posting", posting, remedy)
        effect = self._posting_like(
            case, posting, case.about("posting again", posting.id), await self._tail(case, posting)
        )
        remedy.write(effect if reversed_ else instead_of(posting, effect), posting.id)
        return remedy

    async def _credit_again(self, case: _Case, wanted: CreditAgain) -> Remedy:
        refund = await case.tx.refunds.get(wanted.refund)
        if refund is None or not _concerns(case.row, refund.id, refund.receipt):
            raise Rejected("refund", "there is no such refund in this break", "not_found")
        new = await case.tx.receipts.get(refund.receipt, lock=True)
        refund = await case.tx.refunds.get(refund.id, lock=True)
        assert new is not None
        assert refund is not None
        if refund.state not in UNDONE_REFUND:
            raise _conflict("refund", f"it is {refund.state.value}: only one that failed is credited again")
        debit = await case.tx.effects.get(refund.debit) if refund.debit is not None else None
        if debit is None or debit.state is not EffectState.DONE:
            raise _conflict("refund", "the member was not debited for it")
        done = await case.tx.breaks.corrections(refund.id)
        if any(one.state not in _NOT_DONE for one in done):
            raise _conflict("refund", "the member was credited again already")
        amount = await self._missing(case, new, refund, debit)
        tail = await self._tail(case, debit)
        base = ("re-credit", refund.id)
        about = base if not done else case.about(*base)
        remedy = Remedy()
        remedy.write(self._posting_like(case, debit, about, tail, Side.CREDIT, amount), refund.id)
        return remedy

    async def _missing(self, case: _Case, new: NewReceipt, refund: Refund, debit: Effect) -> int:
        """What the core took for this refund and has not given back, in minor units."""
        refunds = await case.tx.refunds.of_receipt(new.receipt.id)
        effects = (await case.tx.effects.of_receipts([new.receipt.id])).get(new.receipt.id, [])
        missing = missing_in_the_core(new.receipt, [r for r in refunds if r.id != refund.id], effects)
        if missing <= 0:
            raise _conflict("refund", "nothing is missing on the member's account")
        return min(missing, cast(int, debit.order["amount_minor"]))

    def _posting_like(
        self,
        case: _Case,
        posting: Effect,
        about: tuple[str, ...],
        after: str | None,
        side: Side | None = None,
        amount_minor: int | None = None,
    ) -> Effect:
        """A posting of the same account, booked today."""
        bank = self._network.connections.get(posting.connection)
        if bank is None or posting.receipt is None:
            raise _conflict("posting", f"its connection {posting.connection} is not configured")
        order = posting.order
        return posting_effect(
            bank,
            core_account=cast(int, order["core_account"]),
            gl=cast(str, order["gl"]),
            amount_minor=amount_minor or cast(int, order["amount_minor"]),
            currency=cast(str, order["currency"]),
            value_on=self._network.value_day(case.now),
            narration=cast(str, order["narration"]),
            now=case.now,
            after=after,
            about=about,
            receipt=posting.receipt,
            payment=posting.payment,
            side=side or side_of(posting),
        )

    async def _tail(self, case: _Case, posting: Effect) -> str | None:
        """The last effect of the account's lane, under its lock."""
        assert posting.lane is not None
        await case.tx.lock([posting.lane])
        return (await case.tx.effects.lane_tails([posting.lane])).get(posting.lane)

    # -- money that goes back, and money that is given up -------------------------------------------------

    async def _refund(self, case: _Case, wanted: RefundReceipt) -> Remedy:
        if self._refunder is None:
            raise Rejected("action", "no refunds can be made from here", "conflict")
        new = await self._receipt(case, wanted.receipt)
        remedy = Remedy()
        remedy.plan += _refund_told(
            await self._refunder.judge(case.tx, new.receipt.id, wanted.amount_minor), wanted.amount_minor
        )
        if case.approval is not None:
            made = await self._refunder.approve(
                case.tx,
                new.receipt.id,
                wanted.amount_minor,
                asked_by=case.approval.asked_by,
                approved_by=case.approval.approved_by,
                reason=case.approval.reason,
            )
            remedy.refund = made.id
            first = [effect for effect in (made.debit, made.effect) if effect is not None]
            remedy.corrects |= dict.fromkeys(first, new.receipt.id)
        return remedy

    async def _write_off(self, case: _Case, wanted: WriteOff) -> Remedy:
        if (wanted.receipt is None) == (wanted.connection is None):
            raise Rejected("receipt", "name a receipt or a gateway connection, not both")
        if wanted.receipt is not None:
            return await self._write_off_receipt(case, wanted, wanted.receipt)
        return self._write_off_clearing(case, wanted, cast(str, wanted.connection))

    async def _write_off_receipt(self, case: _Case, wanted: WriteOff, receipt: str) -> Remedy:
        new = await self._receipt(case, receipt)
        effects = (await case.tx.effects.of_receipts([receipt])).get(receipt, [])
        _refuse_while_asked(new, effects)
        await self._refuse_refunded(case, receipt)
        if _credits(effects):
            raise _conflict("receipt", "the member has its credit at the bank: reverse that posting first")
        of = next((c for c in (Component.SUSPENSE, Component.OVERPAYMENT) if _part(new, c)), None)
        if of is None:
            raise _conflict("receipt", "nothing of this receipt is in suspense or overpaid")
        there = _part(new, of)
        if wanted.amount_minor > there:
            raise _conflict("amount_minor", f"only {there} minor units are {of.value}")
        await case.tx.lock([new.account_key])
        rest = there - wanted.amount_minor
        lines = (
            *((AllocationLine(of, rest),) if rest else ()),
            AllocationLine(Component.WRITTEN_OFF, wanted.amount_minor),
        )
        remedy = Remedy()
        remedy.changes.reallocations.append(Reallocation(receipt, new.account_key, lines, case.now, of=of))
        remedy.plan.append({"receipt": receipt, "lines": [_line(one) for one in lines]})
        first = _standing_entry(effects) if self._network.routes.books is not None else None
        narrative = f"Write-off of {of.value} of receipt {receipt}, break {case.row.id}"
        self._book_write_off(
            case, wanted, KEY_OF_COMPONENT[of], new.receipt.currency, narrative, remedy, new, first
        )
        return remedy

    def _write_off_clearing(self, case: _Case, wanted: WriteOff, connection: str) -> Remedy:
        found = case.row.found
        if connection not in self._network.gateways():
            raise Rejected("connection", "there is no such gateway")
        if found.evidence.get("connection", connection) != connection:
            raise _conflict("connection", "the break is about another one")
        if found.amount_minor is None or found.currency is None:
            raise _conflict("connection", "the break names no amount")
        lacking = lacking_minor(found)
        if lacking <= 0:
            raise _conflict(
                "connection",
                "the gateway lacks nothing by this break: find what was not booked",
            )
        if wanted.amount_minor > lacking:
            raise _conflict("amount_minor", f"the break is about {lacking} minor units")
        if self._network.routes.books is None:
            raise _conflict("connection", "no books are connected")
        remedy = Remedy()
        narrative = f"Write-off of a difference at {connection}, break {case.row.id}"
        # What a dispute takes leaves clearing with the settlement that it is taken from, whoever bears the loss.
        key = DISPUTED if found.type is BreakType.DISPUTE_LOST else clearing_key(connection)
        self._book_write_off(case, wanted, key, found.currency, narrative, remedy)
        return remedy

    async def _book_settlement(self, case: _Case, wanted: BookSettlement) -> Remedy:
        if case.row.found.subject != wanted.settlement:
            raise Rejected("settlement", "there is no such settlement in this break", "not_found")
        found = await case.tx.settlements.get(wanted.settlement)
        if found is None:
            raise Rejected("settlement", "there is no such settlement", "not_found")
        await case.tx.lock([settlements_lock(found.connection)])
        settlement = await case.tx.settlements.get(wanted.settlement, lock=True)
        if settlement is None or settlement.stand is not SettlementStand.DIFFERS:
            raise _conflict("settlement", "nothing of it waits for a person any more")
        tied = await self._settlements.judged(case.tx, settlement)
        remedy = Remedy()
        parts = tied.with_suspense if tied.differences else dict(tied.parts)
        told = {key: minor for key, minor in sorted(parts.items()) if minor}
        remedy.plan.append({"settlement": settlement.id, "currency": settlement.currency, "parts": told})
        if case.approval is not None:
            await self._settlements.order(case.tx, settlement, tied, remedy.changes)
            remedy.corrects |= {effect.id: settlement.id for effect in remedy.changes.effects}
            text = f"booked with what differs in suspense, break {case.row.id}"
            await self._settlements.close_breaks(case.tx, settlement, {case.row.found.once}, text)
        return remedy

    def _book_write_off(
        self,
        case: _Case,
        wanted: WriteOff,
        key: str,
        currency: str,
        narrative: str,
        remedy: Remedy,
        new: NewReceipt | None = None,
        after: Effect | None = None,
    ) -> None:
        """What we owe a member and keep is a gain; what a gateway owes us and has not is a loss."""
        books = self._network.routes.books
        if books is None:
            return
        entry = write_off_entry(
            key,
            wanted.amount_minor,
            gain=new is not None,
            on=self._network.routes.business_day(case.now),
            currency=currency,
            narrative=narrative,
            branch=None,
        )
        effect = journal_effect(
            entry,
            books,
            case.now,
            about=case.about("write-off", new.receipt.id if new is not None else key),
            receipt=new.receipt.id if new is not None else case.row.found.receipt,
            payment=new.receipt.payment if new is not None else case.row.found.payment,
            after=after.id if after is not None else None,
        )
        remedy.write(effect, new.receipt.id if new is not None else case.row.found.subject)

    # -- what is judged -----------------------------------------------------------------------------------

    async def _receipt(self, case: _Case, receipt: str) -> NewReceipt:
        """The receipt, locked. Rejected unless the break is about it."""
        new = await case.tx.receipts.get(receipt, lock=True)
        if new is None or not _concerns(case.row, receipt):
            raise Rejected("receipt", "there is no such receipt in this break", "not_found")
        return new

    async def _effect(self, case: _Case, field: str, effect: str, kind: EffectKind) -> Effect:
        """The effect, locked. Rejected unless it is of this kind and the break is about it or its receipt."""
        found = await case.tx.effects.get(effect, lock=True)
        if found is None or found.kind is not kind or not _concerns(case.row, found.id, found.receipt):
            raise Rejected(field, f"there is no such {kind.value} in this break", "not_found")
        return found

    async def _corrections(self, case: _Case, original: Effect) -> list[Effect]:
        """What corrected an effect, under its lock; Rejected while one of them is under way."""
        found = await case.tx.breaks.corrections(original.id)
        under_way = [one for one in found if one.state not in FINISHED_EFFECT]
        if under_way:
            first = under_way[0]
            raise _conflict(
                original.kind.value, f"effect {first.id} corrects it already and is {first.state.value}"
            )
        return found

    async def _may_be_written_again(self, case: _Case, field: str, original: Effect, remedy: Remedy) -> bool:
        """Rejected unless the original does not stand there; whether a reversal of ours took it away."""
        if original.state not in _MAY_BE_GONE:
            raise _conflict(
                field, f"it is {original.state.value}: it may still be done, so resume or skip it first"
            )
        earlier = await self._corrections(case, original)
        _refuse_corrected([one for one in earlier if not _undoes(one)], "posted again")
        if any(_undoes(one) and one.state is EffectState.DONE for one in earlier):
            return True
        if original.state is EffectState.UNKNOWN:
            self._refuse_early(field, original, case.now)
            remedy.cancels = original
            remedy.plan.append({"cancel": original.kind.value, "effect": original.id})
        if case.approval is not None:
            told = case.approval.presence.get(original.id)
            if told is None or told.stand is not Stand.GONE:
                said = told.said if told is not None else "nobody asked"
                raise _conflict(field, f"it is not certain that it does not stand there: {said}")
        return False

    def _refuse_early(self, field: str, unknown: Effect, now: datetime) -> None:
        """A send whose end is not over yet may still arrive."""
        trust = self._network.trust(unknown.connection, unknown.kind)
        timings = self._clock.timings
        grace = max(
            timings.unknown_grace, timings.of_provider(trust.absence_counts_after or trust.look_every)
        )
        end = unknown.deadline_at or unknown.unknown_since or now
        if now < end + grace:
            raise _conflict(field, f"it may still arrive: wait until {(end + grace).isoformat()}")

    async def _refuse_refunded(
        self, case: _Case, receipt: str | None, states: Collection[RefundState] = _GOING_BACK
    ) -> None:
        """Money that goes back is not given away a second time; what went is out of the allocation already."""
        if receipt is None:
            return
        refunds = await case.tx.refunds.of_receipt(receipt)
        live = next((one for one in refunds if one.state in states), None)
        if live is not None:
            raise _conflict("receipt", f"refund {live.id} of it is {live.state.value}")


def subject_matter(correction: Correction) -> str | None:
    """The effect about which books or bank must be asked before the correction is approved."""
    if isinstance(correction, PostJournalAgain):
        return correction.journal
    return correction.posting if isinstance(correction, PostPostingAgain) else None


def _concerns(row: BreakRow, *names: str | None) -> bool:
    about = {row.found.subject, row.found.receipt, row.found.effect} - {None}
    return not about.isdisjoint({name for name in names if name is not None})


def _conflict(field: str, message: str) -> Rejected:
    return Rejected(field, message, "conflict")


def _part(new: NewReceipt, component: Component) -> int:
    return sum(line.amount_minor for line in new.lines if line.component is component)


def _payment_of(new: NewReceipt, target: _Target) -> str | None:
    return target.payment.reference if target.payment is not None else new.receipt.payment


def _named(target: _Target) -> str:
    what = target.kind.value.replace("_", " ")
    return f"{what}, loan {target.loan}" if target.loan else f"{what}, member {target.member}"


def _refuse_while_asked(new: NewReceipt, effects: Iterable[Effect]) -> None:
    """The loan system's answer would decide a second time."""
    if new.allocation_state is not AllocationState.AWAITING_LMS:
        return
    asked = [e for e in effects if e.kind is EffectKind.CALLBACK and e.order["wants_allocation"]]
    if any(e.state not in FINISHED_EFFECT for e in asked):
        raise _conflict("receipt", "the loan system is being asked where it goes: wait, or skip the message")


def _refuse_corrected(earlier: Iterable[Effect], done: str) -> None:
    """Rejected where one of these corrections was done."""
    for one in earlier:
        if one.state is EffectState.DONE and (done != "reversed" or _undoes(one)):
            raise _conflict(one.kind.value, f"it was {done} already, by effect {one.id}")


def _undoes(effect: Effect) -> bool:
    return effect.kind is EffectKind.REVERSAL or effect.order.get("kind") == REVERSAL


def _standing_entry(effects: Sequence[Effect]) -> Effect | None:
    """The entry that booked the receipt, or the one in its place. Rejected when the books do not have it.

    None where the receipt came before there were books.
    """
    entry = first_entry(effects)
    if entry is None:
        return None
    if entry.state in _NOT_DONE:
        raise _conflict("receipt", f"its entry in the books is {entry.state.value}: post it again first")
    if is_reversed(entry, effects):
        raise _conflict("receipt", "its entry in the books is reversed")
    return entry


def _credits(effects: list[Effect]) -> list[Effect]:
    """Credits that stand at the bank or may come to. Rejected while one of them is being reversed."""
    undone: dict[object, Effect] = {
        e.order["original"]: e for e in effects if e.kind is EffectKind.REVERSAL and e.state not in _NOT_DONE
    }
    standing = []
    for one in effects:
        if one.kind is not EffectKind.POSTING or side_of(one) is Side.DEBIT or one.state in _NOT_DONE:
            continue
        reversal = undone.get(one.reference)
        if reversal is None:
            standing.append(one)
        elif reversal.state is not EffectState.DONE:
            raise _conflict("receipt", f"its credit is being reversed by effect {reversal.id}")
    return standing


def _line(line: AllocationLine) -> dict[str, object]:
    return {"component": line.component.value, "amount_minor": line.amount_minor, "due": line.due}


def _refund_told(plan: RefundPlan, amount_minor: int) -> list[dict[str, object]]:
    """What a refund takes out of the core, what goes back, and the disputes that may take it a second time."""
    receipt, credit = plan.receipt, plan.credit
    debit: list[dict[str, object]] = []
    if credit is not None:
        debit.append(
            {
                "write": EffectKind.POSTING.value,
                "connection": credit.connection,
                "side": Side.DEBIT.value,
                "core_account": credit.order["core_account"],
                "amount_minor": plan.debit_minor,
                "currency": receipt.currency,
            }
        )
    refund: dict[str, object] = {
        "write": EffectKind.REFUND.value,
        "connection": receipt.connection,
        "receipt": receipt.id,
        "amount_minor": amount_minor,
        "currency": receipt.currency,
    }
    beside: list[dict[str, object]] = [
        {
            "beside": "dispute",
            "dispute": claim.dispute.id,
            "state": claim.dispute.state.value,
            "claimed_minor": claim.dispute.amount_minor,
        }
        for claim in plan.open_claims
    ]
    return [*debit, refund, *beside]


_TOLD = ("kind", "currency", "lines", "core_account", "gl", "amount_minor", "side", "original", "mapping")


def _told(effect: Effect) -> dict[str, object]:
    """What an effect will write, for those who approve it; days and texts are left out, for they pass."""
    order = {name: effect.order[name] for name in _TOLD if name in effect.order}
    return {"write": effect.kind.value, "connection": effect.connection, **order}
