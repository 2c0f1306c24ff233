"""Every accident of the day can happen: the simulators know it, and the report knows what to say of it."""

from __future__ import annotations

import pytest

from coopwire.demo import simulated
from coopwire.demo.report import REASONS
from coopwire.demo.stories import IN_THE_AIR, STORIES, Accident
from coopwire.domain.books import keys_needed
from coopwire.domain.breaks import BreakType
from coopwire.providers import catalog

ACCIDENTS = [(word, accident) for word, story in STORIES.items() for accident in story.accidents]


@pytest.mark.parametrize(("word", "accident"), ACCIDENTS, ids=[word for word, _ in ACCIDENTS])
def test_the_simulator_takes_the_fault_of_the_story(word: str, accident: Accident) -> None:
    sheet = catalog.sheet(accident.provider)
    simulator = sheet.load(sheet.simulator)(simulated.SETTINGS[accident.provider])
    rule = simulator.faults.add(
        accident.operation,
        accident.kind,
        times=accident.times,
        params=accident.params,
    )
    assert rule.times == accident.times


def test_the_ugly_cases_that_a_day_can_bring_are_all_there() -> None:
    kinds = {(accident.provider, accident.kind) for _, accident in ACCIDENTS}
    assert {
        ("paystack", "duplicate"),
        ("paystack", "out_of_order"),
        ("paystack", "missing"),
        ("quickbooks", "http_500"),
        ("quickbooks", "http_429"),
        ("quickbooks", "token_expired"),
        ("bankone", "silence_after"),
    } <= kinds
    stories = STORIES.values()
    assert any(story.forged for story in stories)
    assert any(story.kills_worker for story in stories)
    assert any(story.short_percent for story in stories)
    assert any(story.tries == ("failed", "success") for story in stories)
    assert any(story.tries == () for story in stories)


def test_more_is_held_up_than_one_worker_can_hold() -> None:
    """A connection has ten places per worker, so with two workers each of them has a part in it."""
    assert IN_THE_AIR > 10


def test_every_break_has_a_reason_in_words() -> None:
    assert REASONS.keys() == set(BreakType)


def test_the_mapping_covers_every_key_that_can_be_posted() -> None:
    assert keys_needed(["paystack"]) <= simulated.MAPPING.keys()
