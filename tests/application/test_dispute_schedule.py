"""How often disputes are looked at, and which moves of theirs there are."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coopwire.application.schedule import next_dispute_look
from coopwire.domain.states import DISPUTE_MOVES, ENDED_DISPUTE, DisputeState
from coopwire.domain.timings import DEFAULT

OPENED_AT = datetime(2026, 3, 2, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


@pytest.mark.parametrize(
    ("state", "age", "after"),
    [
        (DisputeState.OPEN, timedelta(), HOUR),
        (DisputeState.OPEN, 90 * DAY, HOUR),
        (DisputeState.UNDER_REVIEW, HOUR, HOUR),
        (DisputeState.UNDER_REVIEW, 3 * DAY, DAY),
        (DisputeState.UNDER_REVIEW, 180 * DAY, None),
        (DisputeState.WON, HOUR, None),
        (DisputeState.LOST, HOUR, None),
    ],
)
def test_who_must_answer_is_asked_every_hour_and_who_waits_for_the_bank_every_day(
    state: DisputeState, age: timedelta, after: timedelta | None
) -> None:
    now = OPENED_AT + age
    assert next_dispute_look(OPENED_AT, state, now, DEFAULT) == (None if after is None else now + after)


@given(st.sampled_from(DisputeState), st.sampled_from(DisputeState))
def test_what_was_decided_may_be_decided_otherwise_but_is_never_open_again(
    old: DisputeState, new: DisputeState
) -> None:
    if old in ENDED_DISPUTE and new in DISPUTE_MOVES[old]:
        assert new in ENDED_DISPUTE
