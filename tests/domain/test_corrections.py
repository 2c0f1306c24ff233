"""What may be proposed about a break, and how much a gateway lacks by what a break tells."""

from __future__ import annotations

import pytest

from coopwire.domain.breaks import Break, BreakType
from coopwire.domain.corrections import CORRECTIONS_OF, WriteOff, corrections_of, lacking_minor

LIST = {"ours": {"expected_fee_minor": 1_500}, "theirs": {"fee_minor": 2_000}}
TOLD = {"ours": {"fee_minor": 1_500, "expected_fee_minor": 1_500}, "theirs": {"fee_minor": 2_000}}
NAIRA = {
    "ours": {"gross_minor": 9, "currency": "NGN"},
    "theirs": {"gross_minor": 4, "currency": "NGN"},
}
CEDI = {**NAIRA, "theirs": {"gross_minor": 4, "currency": "GHS"}}
LOOKED = {"recorded_minor": 9, "now_minor": 4}


def found(type_: BreakType, amount: int | None, evidence: dict[str, object]) -> Break:
    return Break(type_, "s", "once", evidence=evidence, amount_minor=amount, currency="NGN")


@pytest.mark.parametrize(
    ("type_", "amount", "evidence", "lacking"),
    [
        # A fee that the gateway took and that was booked so is no loss, whatever the price list says.
        (BreakType.FEE_DIFFERS, 500, LIST, 0),
        (BreakType.FEE_DIFFERS, 500, TOLD, 500),
        (BreakType.FEE_DIFFERS, -500, TOLD, -500),
        (BreakType.CHARGE_CHANGED, -5, NAIRA, 5),
        (BreakType.CHARGE_CHANGED, 5, NAIRA, -5),
        (BreakType.CHARGE_CHANGED, -5, CEDI, 0),
        # A look-up tells both amounts, and the whole of the new one as the money in question.
        (BreakType.CHARGE_CHANGED, 4, LOOKED, 5),
        (BreakType.CLEARING_DIFFERS, -7, {}, 7),
        (BreakType.CLEARING_DIFFERS, 7, {}, -7),
        (BreakType.CHARGE_REVERSED, 7, {}, 7),
        (BreakType.CORRECTION_REQUESTED, 7, {}, 7),
        (BreakType.RECEIPT_WITHOUT_PAYMENT, 7, {}, 0),
        (BreakType.SECOND_CHARGE, 7, {}, 0),
        (BreakType.CHARGE_REVERSED, None, {}, 0),
    ],
)
def test_what_a_gateway_lacks_is_what_the_break_says(
    type_: BreakType, amount: int | None, evidence: dict[str, object], lacking: int
) -> None:
    assert lacking_minor(found(type_, amount, evidence)) == lacking


def test_nothing_lacks_by_a_break_that_takes_no_write_off() -> None:
    silent = [type_ for type_, words in CORRECTIONS_OF.items() if WriteOff.word not in words]
    assert {lacking_minor(found(type_, 7, {})) for type_ in silent} == {0}


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("journal", ("post_journal_again",)),
        ("posting", ("post_posting_again",)),
        ("reversal", ("reverse_posting",)),
        ("refund", ("refund",)),
        # What is neither of the books, nor of the bank, nor money that goes back, is begun anew where it came from.
        ("transfer", ()),
        ("checkout", ()),
        ("callback", ()),
    ],
)
def test_what_was_not_done_is_done_again_by_what_fits_its_kind(kind: str, words: tuple[str, ...]) -> None:
    for type_ in (BreakType.EFFECT_REFUSED, BreakType.EFFECT_HELD, BreakType.OUTCOME_STILL_UNKNOWN):
        assert corrections_of(type_, {"kind": kind}) == words
        assert set(words) <= set(corrections_of(type_, {}))
    requested = corrections_of(BreakType.CORRECTION_REQUESTED, {"kind": kind})
    assert requested == CORRECTIONS_OF[BreakType.CORRECTION_REQUESTED]
