"""Reverses postings of the core bank, posts again those that do not stand there, and credits a member again."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import cast

from coopwire.application.banked import at_the_bank, missing_in_the_core
from coopwire.application.paying import Rejected
from coopwire.application.planning import instead_of, posting_effect, reversal_effect, side_of
from coopwire.application.remedies.again import may_be_written_again
from coopwire.application.remedies.cases import WENT_BACK, Case, Remedy
from coopwire.application.remedies.judging import NOT_DONE, concerns, conflict, refuse_corrected
from coopwire.domain.books import Side
from coopwire.domain.corrections import CreditAgain, PostPostingAgain, ReversePosting
from coopwire.domain.effects import Effect, EffectKind
from coopwire.domain.references import derived_reference
from coopwire.domain.refunds import Refund
from coopwire.domain.states import UNDONE_REFUND, EffectState
from coopwire.ports.stores import NewReceipt


async def reverse_posting(case: Case, wanted: ReversePosting) -> Remedy:
    """A posting that stands at the bank is undone, whole."""
    posting = await case.effect("posting", wanted.posting, EffectKind.POSTING)
    if posting.state is not EffectState.DONE:
        raise conflict("posting", f"it is {posting.state.value}: only what stands there can be reversed")
    if posting.connection not in case.network.by_kind[EffectKind.REVERSAL]:
        raise conflict("posting", f"{posting.connection} cannot be asked to reverse it: do it there")
    earlier = await case.corrections(posting)
    refuse_corrected(earlier)
    await case.refuse_refunded(posting.receipt, WENT_BACK)
    await _refuse_debited(case, posting)
    tail = await _tail(case, posting)
    effect = reversal_effect(posting, _posted_on(case, posting), case.now, after=tail)
    tried = [one for one in earlier if one.kind is EffectKind.REVERSAL]
    if any(one.state is EffectState.CANCELLED and one.first_sent_at is not None for one in tried):
        raise conflict("posting", "an earlier reversal was skipped and may have been done: look there")
    if tried:
        name = derived_reference(*case.about("reversal", posting.id))
        effect = replace(effect, id=name, reference=name)
    remedy = Remedy()
    remedy.write(effect, posting.id)
    return remedy


async def _refuse_debited(case: Case, credit: Effect) -> None:
    """What a refund that came to nothing took out of the account cannot be taken out a second time."""
    if credit.receipt is None or side_of(credit) is Side.DEBIT:
        return
    effects = (await case.tx.effects.of_receipts([credit.receipt])).get(credit.receipt, [])
    there = at_the_bank(effects).there_minor
    if there < cast(int, credit.order["amount_minor"]):
        raise conflict(
            "posting",
            f"only {there} minor units of it are in the account: undo the debit, or credit it again first",
        )


def _posted_on(case: Case, posting: Effect) -> date:
    """The core's day when it was sent: the one that was observed then, unless it was sent on a later one."""
    day_of = case.network.routes.business_day
    sent_at = posting.first_sent_at if posting.tries <= 1 else posting.deadline_at
    if sent_at is None or day_of(sent_at) == day_of(posting.created_at):
        return date.fromisoformat(cast(str, posting.order["value_on"]))
    return day_of(sent_at)


async def post_posting_again(case: Case, wanted: PostPostingAgain) -> Remedy:
    """A posting that does not stand at the bank, once more."""
    posting = await case.effect("posting", wanted.posting, EffectKind.POSTING)
    remedy = Remedy()
    reversed_ = await may_be_written_again(case, "posting", posting, remedy)
    effect = _posting_like(case, posting, case.about("posting again", posting.id), await _tail(case, posting))
    remedy.write(effect if reversed_ else instead_of(posting, effect), posting.id)
    return remedy


async def credit_again(case: Case, wanted: CreditAgain) -> Remedy:
    """The member gets back what a refund that came to nothing took."""
    refund = await case.tx.refunds.get(wanted.refund)
    if refund is None or not concerns(case.row, refund.id, refund.receipt):
        raise Rejected("refund", "there is no such refund in this break", "not_found")
    new = await case.tx.receipts.get(refund.receipt, lock=True)
    refund = await case.tx.refunds.get(refund.id, lock=True)
    assert new is not None
    assert refund is not None
    if refund.state not in UNDONE_REFUND:
        raise conflict("refund", f"it is {refund.state.value}: only one that failed is credited again")
    debit = await case.tx.effects.get(refund.debit) if refund.debit is not None else None
    if debit is None or debit.state is not EffectState.DONE:
        raise conflict("refund", "the member was not debited for it")
    done = await case.tx.breaks.corrections(refund.id)
    if any(one.state not in NOT_DONE for one in done):
        raise conflict("refund", "the member was credited again already")
    amount = await _missing(case, new, refund, debit)
    tail = await _tail(case, debit)
    base = ("re-credit", refund.id)
    about = base if not done else case.about(*base)
    remedy = Remedy()
    remedy.write(_posting_like(case, debit, about, tail, Side.CREDIT, amount), refund.id)
    return remedy


async def _missing(case: Case, new: NewReceipt, refund: Refund, debit: Effect) -> int:
    """What the core took for this refund and has not given back, in minor units."""
    refunds = await case.tx.refunds.of_receipt(new.receipt.id)
    effects = (await case.tx.effects.of_receipts([new.receipt.id])).get(new.receipt.id, [])
    missing = missing_in_the_core(new.receipt, [r for r in refunds if r.id != refund.id], effects)
    if missing <= 0:
        raise conflict("refund", "nothing is missing on the member's account")
    return min(missing, cast(int, debit.order["amount_minor"]))


def _posting_like(
    case: Case,
    posting: Effect,
    about: tuple[str, ...],
    after: str | None,
    side: Side | None = None,
    amount_minor: int | None = None,
) -> Effect:
    """A posting of the same account, booked today."""
    bank = case.network.connections.get(posting.connection)
    if bank is None or posting.receipt is None:
        raise conflict("posting", f"its connection {posting.connection} is not configured")
    order = posting.order
    return posting_effect(
        bank,
        core_account=cast(int, order["core_account"]),
        gl=cast(str, order["gl"]),
        amount_minor=amount_minor or cast(int, order["amount_minor"]),
        currency=cast(str, order["currency"]),
        value_on=case.network.value_day(case.now),
        narration=cast(str, order["narration"]),
        now=case.now,
        after=after,
        about=about,
        receipt=posting.receipt,
        payment=posting.payment,
        side=side or side_of(posting),
    )


async def _tail(case: Case, posting: Effect) -> str | None:
    """The last effect of the account's lane, under its lock."""
    assert posting.lane is not None
    await case.tx.lock([posting.lane])
    return (await case.tx.effects.lane_tails([posting.lane])).get(posting.lane)
