"""The mirror of a journal that was posted: what it says, and what may be mirrored."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from coopwire.application.planning import journal_effect, journal_reversal_effect
from coopwire.domain.books import JournalEntry, JournalLine, Side
from coopwire.domain.effects import Effect, EffectKind
from coopwire.domain.states import EffectState

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)
ENTRY = JournalEntry(
    kind="loan_repayment",
    on=date(2026, 11, 20),
    currency="NGN",
    narrative="Loan repayment of LN-1",
    lines=(
        JournalLine("gateway_clearing.main", Side.DEBIT, 900),
        JournalLine("gateway_charges", Side.DEBIT, 100),
        JournalLine("loan_principal", Side.CREDIT, 1000),
    ),
    branch="IKEJA",
    member="M-1",
)


def journal() -> Effect:
    made = journal_effect(ENTRY, "books", NOW, about=("receipt", "r1"), receipt="r1", payment="p1")
    return replace(made, state=EffectState.DONE, provider_ref="450")


def reversed_(posted: Effect) -> Effect:
    return journal_reversal_effect(
        posted, on=date(2026, 11, 25), mapping=3, about=("reversal", posted.id), now=NOW
    )


def test_a_reversal_says_the_mirrored_lines_on_the_day_it_is_given() -> None:
    posted = journal()
    undone = reversed_(posted)
    assert undone.order == {
        "on": "2026-11-25",
        "currency": "NGN",
        "kind": "reversal",
        "narrative": f"Reversal of {posted.reference}: Loan repayment of LN-1",
        "branch": "IKEJA",
        "mapping": 3,
        "lines": [
            ["gateway_clearing.main", "credit", 900],
            ["gateway_charges", "credit", 100],
            ["loan_principal", "debit", 1000],
        ],
    }
    assert (undone.kind, undone.connection, undone.state) == (
        EffectKind.JOURNAL,
        "books",
        EffectState.INTENDED,
    )
    assert (undone.after, undone.receipt, undone.payment) == (posted.id, "r1", "p1")


def test_the_same_reversal_has_one_name_and_another_has_another() -> None:
    posted = journal()
    assert reversed_(posted).reference == reversed_(posted).reference != posted.reference
    again = reversed_(replace(reversed_(posted), state=EffectState.DONE))
    assert len({posted.reference, reversed_(posted).reference, again.reference}) == 3
    assert again.order["lines"] == posted.order["lines"]


@pytest.mark.parametrize("state", [state for state in EffectState if state is not EffectState.DONE])
def test_a_journal_that_is_not_known_to_be_posted_is_not_reversed(state: EffectState) -> None:
    with pytest.raises(ValueError, match="only a journal that is done"):
        reversed_(replace(journal(), state=state))


@pytest.mark.parametrize("kind", [kind for kind in EffectKind if kind is not EffectKind.JOURNAL])
def test_nothing_but_a_journal_is_reversed_by_a_journal(kind: EffectKind) -> None:
    with pytest.raises(ValueError, match="only a journal that is done"):
        reversed_(replace(journal(), kind=kind))
