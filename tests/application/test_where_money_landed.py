"""Where the money of a day's receipts is: one bucket for each, and the one that is true of it."""

from __future__ import annotations

from dataclasses import replace

import pytest
from rigs.days import Case, World, setting, whole, world

from coopwire.application.reconciling.comparing import compare
from coopwire.application.reconciling.landing import (
    BANKED_ONLY,
    BOOKED_AND_BANKED,
    BOOKED_ONLY,
    GIVEN_BACK,
    IN_DOUBT,
    NEITHER,
    UNDONE,
    landed,
)
from coopwire.domain.books import Side
from coopwire.domain.references import derived_reference
from coopwire.domain.states import EffectState, RefundState
from coopwire.ports.days import OurJournal, OurPosting, OurRefund, Ours

DONE, REFUSED, UNKNOWN = EffectState.DONE, EffectState.REFUSED, EffectState.UNKNOWN


def _case() -> Case:
    return next(filter(whole, world(1).cases))


def _mirror(case: Case, state: EffectState = DONE) -> OurJournal:
    name = derived_reference("mirror", case.journal.effect)
    return replace(
        case.journal, effect=name, reference=name, state=state, mirrors=case.journal.effect, brings=False
    )


def _later(case: Case, state: EffectState = DONE) -> OurJournal:
    """The entry of a refund, a reallocation or a write-off."""
    name = derived_reference("later", case.journal.effect)
    return replace(case.journal, effect=name, reference=name, state=state, brings=False)


def _again(case: Case, state: EffectState = DONE) -> OurJournal:
    name = derived_reference("again", case.journal.effect)
    return replace(case.journal, effect=name, reference=name, state=state)


def _debit(case: Case, state: EffectState = DONE) -> OurPosting:
    return replace(case.posting, effect="debit", reference="debit", side=Side.DEBIT, state=state)


def _refund(case: Case, minor: int, state: RefundState = RefundState.SUCCEEDED) -> OurRefund:
    receipt = case.receipt
    return OurRefund(
        f"refund of {minor}",
        receipt.id,
        case.gateway,
        receipt.charge,
        state,
        minor,
        "NGN",
        "7",
        receipt.paid_at,
    )


def _bucket(
    case: Case, *more: OurJournal | OurPosting | OurRefund, credited: OurPosting | None = None
) -> str:
    journals = tuple(one for one in more if isinstance(one, OurJournal))
    postings = tuple(one for one in more if isinstance(one, OurPosting))
    refunds = tuple(one for one in more if isinstance(one, OurRefund))
    ours = Ours(
        journals=(case.journal, *journals),
        postings=(credited or case.posting, *postings),
        refunds=refunds,
    )
    return landed(ours, ()).bucket(case.receipt)


def test_an_entry_that_its_mirror_takes_back_does_not_stand() -> None:
    case = _case()
    assert _bucket(case) == BOOKED_AND_BANKED
    assert _bucket(case, _mirror(case)) == BANKED_ONLY
    assert _bucket(case, _mirror(case), _again(case)) == BOOKED_AND_BANKED, "it was posted again"
    assert _bucket(case, _mirror(case), _again(case, REFUSED)) == BANKED_ONLY
    assert _bucket(case, _mirror(case, UNKNOWN)) == IN_DOUBT


def test_an_entry_whose_mirror_came_to_nothing_stands() -> None:
    case = _case()
    for state in (REFUSED, EffectState.CANCELLED, EffectState.HELD, EffectState.INTENDED):
        assert _bucket(case, _mirror(case, state)) == BOOKED_AND_BANKED


def test_a_mirror_that_the_books_do_not_have_takes_nothing_back() -> None:
    case = _case()
    mirror = _mirror(case)
    ours = Ours(journals=(case.journal, mirror), postings=(case.posting,))
    assert landed(ours, {mirror.effect}).bucket(case.receipt) == BOOKED_AND_BANKED


def test_what_is_undone_in_the_books_and_at_the_bank_is_called_so() -> None:
    case = _case()
    undone = replace(case.posting, undone=True)
    assert _bucket(case, _mirror(case), credited=undone) == UNDONE
    assert _bucket(case, credited=undone) == BOOKED_ONLY


@pytest.mark.parametrize("state", [DONE, REFUSED, EffectState.HELD, EffectState.INTENDED])
def test_what_happens_to_the_money_later_does_not_unbook_it(state: EffectState) -> None:
    case = _case()
    assert _bucket(case, _later(case, state), _debit(case, state)) == BOOKED_AND_BANKED
    assert _bucket(case, _later(case, UNKNOWN)) == IN_DOUBT


def test_money_that_is_with_the_member_again_is_given_back() -> None:
    case = _case()
    gross = case.receipt.gross_minor
    assert _bucket(case, _refund(case, gross), _later(case), _debit(case)) == GIVEN_BACK
    in_parts = (_refund(case, gross - gross // 2), _refund(case, gross // 2))
    assert _bucket(case, *in_parts) == GIVEN_BACK
    assert _bucket(case, _refund(case, gross - 1)) == BOOKED_AND_BANKED
    for state in (RefundState.INTENDED, RefundState.PROCESSING, RefundState.FAILED, RefundState.CANCELLED):
        assert _bucket(case, _refund(case, gross, state)) == BOOKED_AND_BANKED


def test_a_receipt_without_any_write_is_nowhere_yet() -> None:
    case = _case()
    assert landed(Ours(), ()).bucket(case.receipt) == NEITHER


def test_both_sides_of_the_day_say_the_same_of_money_that_was_given_back() -> None:
    made = world(1)
    case = next(filter(whole, made.cases))
    theirs_before, ours_before = _given_back(made, case.gateway)
    case.refunds = [_refund(case, case.receipt.gross_minor)]
    theirs, ours = _given_back(made, case.gateway)
    assert theirs - theirs_before == ours - ours_before == case.receipt.gross_minor


def _given_back(made: World, gateway: str) -> tuple[int, int]:
    compared = compare(setting(), made.theirs(), made.ours())
    [section] = [s for s in compared.sections if (s.source, s.connection) == ("landing", gateway)]
    assert section.holds
    theirs, ours = (
        sum(bucket.sum.minor for bucket in side if bucket.name == GIVEN_BACK)
        for side in (section.theirs, section.ours)
    )
    return theirs, ours
