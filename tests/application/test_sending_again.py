"""An order that may be sent again: looked for first, sent again where nothing is there, and ever more rarely."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from coopwire.application.outcomes import Setting, found, send_again
from coopwire.domain.effects import Effect, EffectKind
from coopwire.domain.payments import Payer
from coopwire.domain.states import EffectState
from coopwire.domain.timings import DEFAULT
from coopwire.ports.gateways import CheckoutOrder, CheckoutSnapshot
from coopwire.ports.providers import Lookup, Trust
from coopwire.ports.writes import Finding, FindingWord

SENT = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
DAY = timedelta(days=1)
ORDER = CheckoutOrder("ref1", 100, "NGN", Payer("M", "", "", ""))
BOTH = Trust(lookup=Lookup.BY_REFERENCE, idempotent_for=DAY)


def setting(trust: Trust, age: timedelta = timedelta(minutes=1), tries: int = 1) -> Setting:
    effect = Effect(
        id="e1",
        kind=EffectKind.CHECKOUT,
        connection="gate",
        reference="ref1",
        order={},
        fingerprint="",
        state=EffectState.UNKNOWN,
        created_at=SENT,
        due_at=SENT,
        tries=tries,
        first_sent_at=SENT,
        deadline_at=SENT + timedelta(seconds=30),
        unknown_since=SENT,
    )
    return Setting(effect, "token", SENT + age, trust, DEFAULT)


def after(word: FindingWord, **more: object) -> tuple[EffectState, str]:
    snapshots = (CheckoutSnapshot("ref1", None, None),) if word is FindingWord.EXECUTED else ()
    outcome = found(setting(BOTH, **more), ORDER, Finding(word, snapshots))  # type: ignore[arg-type]
    return outcome.state, outcome.word


def test_what_is_found_is_done_and_not_sent_again() -> None:
    assert after(FindingWord.EXECUTED) == (EffectState.DONE, "done")


def test_what_is_not_there_is_sent_again_within_the_window() -> None:
    assert after(FindingWord.ABSENT) == (EffectState.INTENDED, "send_again")


def test_after_the_window_it_stays_unknown() -> None:
    assert after(FindingWord.ABSENT, age=DAY) == (EffectState.UNKNOWN, "absent")


def test_what_cannot_be_told_is_not_sent_again() -> None:
    assert after(FindingWord.PENDING) == (EffectState.UNKNOWN, "pending")


@pytest.mark.parametrize(
    "trust", [Trust(lookup=Lookup.BY_REFERENCE), Trust(lookup=Lookup.CENSUS), Trust(lookup=Lookup.NONE)]
)
def test_without_a_window_absence_alone_sends_nothing_again(trust: Trust) -> None:
    assert send_again(setting(trust)) is None
    outcome = found(setting(trust), ORDER, Finding(FindingWord.ABSENT))
    assert outcome.state is EffectState.UNKNOWN


def test_the_first_time_it_is_sent_at_once_and_then_ever_more_rarely() -> None:
    """A day of trouble at a gateway must not leave thousands of pages."""
    waits = []
    for tries in range(1, 9):
        one = setting(BOTH, tries=tries)
        again = send_again(one)
        assert again is not None
        waits.append(again.due_at - one.now)
    assert waits[0] == timedelta(0)
    assert waits[1] >= DEFAULT.retry_ladder[1]
    assert waits[-1] >= DEFAULT.retry_ladder[-1]
