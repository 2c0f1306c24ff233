"""The shipped durations are those of the design, and the profile of the demonstration differs in lengths only."""

from __future__ import annotations

from dataclasses import fields
from datetime import timedelta

import pytest

from coopwire.domain.timings import (
    BREAKER_MIN_ATTEMPTS,
    BREAKER_RATIO_PERCENT,
    DEFAULT,
    DEMO,
    PROFILES,
    Timings,
)

S, MIN, H, D = (timedelta(**{unit: 1}) for unit in ("seconds", "minutes", "hours", "days"))
BOUND_BY_THE_MACHINE = {
    "heartbeat",
    "worker_lost_after",
    "call_deadline",
    "create_answer_within",
    "bus_reconnect",
    "workers_exchange",
}
WHOLE = {
    "events_kept",
    "idempotency_kept",
    "raw_kept",
    "dues_valid",
    "budget_patience",
    "settlement_list_back",
}
DESIGN = {
    "heartbeat": 5 * S,
    "retry_ladder": (5 * S, 15 * S, 30 * S, 1 * MIN, 5 * MIN, 15 * MIN, 1 * H),
    "unknown_schedule": (30 * S, 2 * MIN, 10 * MIN, 1 * H),
    "unknown_then_every": 1 * H,
    "unknown_until": 1 * D,
    "look_schedule": (1 * MIN, 5 * MIN, 15 * MIN, 60 * MIN),
    "look_then_every": 1 * H,
    "look_daily": 1 * D,
    "look_until": 7 * D,
    "breaker_window": 60 * S,
    "breaker_open": 5 * MIN,
    "bus_ladder": (5 * S, 15 * S, 30 * S),
    "idempotency_kept": 30 * D,
}
"""Design §6 (heartbeat, retry, unknown, look-ups, breaker), §7 (bus) and §9 (idempotency), written out."""


@pytest.mark.parametrize("name", DESIGN)
def test_the_default_profile_has_the_numbers_of_the_design(name: str) -> None:
    assert getattr(DEFAULT, name) == DESIGN[name]


def test_the_breaker_thresholds_are_those_of_the_design_and_belong_to_no_profile() -> None:
    assert (BREAKER_MIN_ATTEMPTS, BREAKER_RATIO_PERCENT) == (10, 15)


def test_the_default_profile_is_what_a_deployment_gets_unless_it_says_otherwise() -> None:
    assert PROFILES["default"] is DEFAULT
    assert Timings() == DEFAULT
    assert DEFAULT.speed == 1


def test_a_claim_outlives_its_call_and_a_lost_worker_missed_two_beats_in_both_profiles() -> None:
    for profile in PROFILES.values():
        assert profile.claim_length > profile.call_deadline
        assert profile.worker_lost_after > 2 * profile.heartbeat


@pytest.mark.parametrize("name", [one.name for one in fields(Timings) if one.name != "speed"])
def test_the_demo_profile_differs_in_lengths_only(name: str) -> None:
    default, demo = getattr(DEFAULT, name), getattr(DEMO, name)
    if name == "claim_length":
        assert demo == 2 * DEMO.call_deadline
        return
    factor = 1 if name in WHOLE else 5 if name in BOUND_BY_THE_MACHINE else DEMO.speed
    if isinstance(default, tuple):
        assert demo == tuple(step / factor for step in default)
    else:
        assert demo == default / factor


def test_the_demo_profile_is_sixty_times_as_fast_and_shortens_what_providers_ask_for_likewise() -> None:
    assert DEMO.speed == 60
    assert DEMO.of_provider(60 * S) == 1 * S
    assert DEFAULT.of_provider(60 * S) == 60 * S
