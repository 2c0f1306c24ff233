"""Gives money in suspense to whom it belongs: entry, credit, and word to the loan system."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from coopwire.application import announce
from coopwire.application.paying import Rejected
from coopwire.application.planning import callback_effect, journal_effect, posting_effect, posting_lane
from coopwire.application.receipt_effects import receipt_facts
from coopwire.application.remedies.cases import Case, Remedy, effect_told
from coopwire.application.remedies.judging import (
    conflict,
    line_told,
    part,
    refuse_while_asked,
    standing_credits,
    standing_entry,
)
from coopwire.domain.allocation import allocate, waterfall, whole_of
from coopwire.domain.books import reallocation_entry
from coopwire.domain.corrections import Allocate
from coopwire.domain.effects import Effect, EffectKind
from coopwire.domain.events import PAYMENT_MOVED
from coopwire.domain.money import Money
from coopwire.domain.payments import GIVEN_TO_MEMBERS, Component, Payment, PaymentKind
from coopwire.domain.receipts import AllocationError, AllocationLine, check_conserved
from coopwire.domain.states import PAYMENT_MOVES, PaymentState, may_move
from coopwire.ports.stores import NewReceipt, PaymentMove, Reallocation


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


async def allocate_suspense(case: Case, wanted: Allocate) -> Remedy:
    """All that a receipt has in suspense goes to whom it belongs."""
    new = await case.receipt(wanted.receipt)
    suspense = part(new, Component.SUSPENSE)
    if not suspense:
        raise conflict("receipt", "nothing of this receipt is in suspense")
    effects = (await case.tx.effects.of_receipts([new.receipt.id])).get(new.receipt.id, [])
    refuse_while_asked(new, effects)
    await case.refuse_refunded(new.receipt.id)
    target = await _target(case, wanted, new.receipt.currency)
    account = await _core_account(case, target)
    lane = posting_lane(*account) if account is not None else None
    await case.tx.lock([target.account_key, *([lane] if lane is not None else [])])
    lines = await _lines(case, wanted, target, suspense)
    remedy = Remedy()
    remedy.plan.append(
        {"receipt": new.receipt.id, "to": target.account_key, "lines": [line_told(one) for one in lines]}
    )
    _take_over(case, new, target, lines, suspense, remedy)
    _move_to_target(case, new, target, lines, effects, remedy)
    if account is not None and lane is not None:
        tail = (await case.tx.effects.lane_tails([lane])).get(lane)
        _credit_target(case, new, target, account, suspense, effects, tail, remedy)
    _tell_of_allocation(case, new, target, lines, remedy)
    return remedy


async def _target(case: Case, wanted: Allocate, currency: str) -> _Target:
    if wanted.payment is not None:
        if wanted.member is not None or wanted.kind is not None or wanted.loan is not None:
            raise Rejected("payment", "name a payment, or a member with kind and loan, not both")
        payment = (await case.tx.payments.get([wanted.payment], lock=True)).get(wanted.payment)
        if payment is None:
            raise Rejected("payment", "there is no such payment", "not_found")
        if payment.money.currency != currency:
            raise conflict("payment", f"it is in {payment.money.currency}, the receipt in {currency}")
        return _Target(payment, payment.member, payment.kind, payment.loan, payment.branch)
    if wanted.member is None or wanted.kind is None:
        raise Rejected("member", "name a payment, or a member and a kind")
    if wanted.kind is PaymentKind.LOAN_REPAYMENT and wanted.loan is None:
        raise Rejected("loan", "a loan_repayment names its loan")
    return _Target(None, wanted.member, wanted.kind, wanted.loan, wanted.branch)


async def _lines(
    case: Case, wanted: Allocate, target: _Target, value_minor: int
) -> tuple[AllocationLine, ...]:
    if wanted.lines and wanted.dues is not None:
        raise Rejected("lines", "give lines or dues, not both")
    lines = wanted.lines or await _decided(case, wanted, target, value_minor)
    if any(line.component not in GIVEN_TO_MEMBERS for line in lines):
        raise Rejected("lines", "the money would stay undecided: give lines, or dues that are valid")
    try:
        check_conserved(value_minor, lines)
    except AllocationError as error:
        raise Rejected("lines", str(error).replace("the receipt's value", "in suspense")) from None
    return lines


async def _decided(
    case: Case, wanted: Allocate, target: _Target, value_minor: int
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
        raise conflict("dues", "the dues are not valid any more: give lines, or dues of today")
    [already] = await case.tx.lookups.allocated([(target.account_key, dues.as_of, dues.version)])
    if target.payment is not None and wanted.dues is None:
        return allocate(target.payment, value_minor, already, case.now)
    return waterfall(dues, value_minor, already)


async def _core_account(case: Case, target: _Target) -> tuple[str, int] | None:
    """The core bank and the row of the member's account there; None without a core bank."""
    bank = case.network.routes.core_bank
    if bank is None:
        return None
    account = await case.tx.connections.core_account(bank, target.member, target.loan)
    if account is None:
        raise conflict("member", "the member is linked to no core account: see `coopwire accounts import`")
    return bank, account.id


def _take_over(
    case: Case,
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
    moved = {"payment": payment.reference, "state": paid.value, "was": payment.state.value, "reason": reason}
    event = announce.event(PAYMENT_MOVED, payment.reference, payment.account_key, moved, case.now)
    remedy.changes.events.append(event)
    remedy.plan.append({"payment": payment.reference, "state": paid.value})


def _move_to_target(
    case: Case,
    new: NewReceipt,
    target: _Target,
    lines: tuple[AllocationLine, ...],
    effects: Sequence[Effect],
    remedy: Remedy,
) -> None:
    """The entry from suspense to where it belongs, after the one that brought it into suspense."""
    books = case.network.routes.books
    if books is None:
        return
    first = standing_entry(effects)
    entry = reallocation_entry(
        lines,
        on=case.network.routes.business_day(case.now),
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
    case: Case,
    new: NewReceipt,
    target: _Target,
    account: tuple[str, int],
    suspense: int,
    effects: list[Effect],
    tail: str | None,
    remedy: Remedy,
) -> None:
    """The credit at the bank, unless the member has it already."""
    routes, (bank, core_account) = case.network.routes, account
    standing = standing_credits(effects)
    if standing:
        if any(one.order["core_account"] != core_account for one in standing):
            raise conflict("receipt", "another account has its credit: reverse that posting first")
        return
    gl = routes.receivable_gl.get(new.receipt.connection)
    if gl is None:
        raise conflict("receipt", f"no receivable GL is set for {new.receipt.connection}")
    # A credit that was refused or undone keeps its reference.
    before = any(one.kind is EffectKind.POSTING for one in effects)
    base = ("receipt", new.receipt.id)
    effect = posting_effect(
        case.network.connections[bank],
        core_account=core_account,
        gl=gl,
        amount_minor=suspense,
        currency=new.receipt.currency,
        value_on=case.network.value_day(case.now),
        narration=f"{target.kind.value.replace('_', ' ')} {_payment_of(new, target) or new.receipt.id}",
        now=case.now,
        after=tail,
        about=case.about("allocation", new.receipt.id) if before else base,
        receipt=new.receipt.id,
        payment=_payment_of(new, target),
    )
    remedy.write(effect, new.receipt.id)


def _tell_of_allocation(
    case: Case, new: NewReceipt, target: _Target, lines: tuple[AllocationLine, ...], remedy: Remedy
) -> None:
    lms = case.network.routes.lms
    if lms is None:
        return
    receipt = replace(new.receipt, payment=_payment_of(new, target))
    kept = tuple(line for line in new.lines if line.component is not Component.SUSPENSE)
    data = {
        **receipt_facts(receipt, (*kept, *lines)),
        "member": target.member,
        "loan": target.loan,
        "kind": target.kind.value,
        "break": case.row.id,
    }
    told = callback_effect(
        lms,
        "receipt.allocated",
        data,
        case.now,
        subject="|".join(case.about("receipt.allocated", receipt.id)),
        url=target.payment.callback_url if target.payment is not None else None,
        allocation="decided",
        receipt=receipt.id,
        payment=receipt.payment,
    )
    # Not linked: the money is where it belongs, whether the loan system has heard of it or not.
    remedy.changes.effects.append(told)
    remedy.plan.append(effect_told(told))


def _payment_of(new: NewReceipt, target: _Target) -> str | None:
    return target.payment.reference if target.payment is not None else new.receipt.payment


def _named(target: _Target) -> str:
    what = target.kind.value.replace("_", " ")
    return f"{what}, loan {target.loan}" if target.loan else f"{what}, member {target.member}"
