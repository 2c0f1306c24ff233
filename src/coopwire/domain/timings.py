"""The one table of durations, read through the Clock; profiles change lengths, never thresholds."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from datetime import timedelta

SECOND = timedelta(seconds=1)
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


@dataclass(frozen=True)
class Timings:
    """Every duration of the hub. Sources: design §6, §7, §8, §9."""

    heartbeat: timedelta = 5 * SECOND
    worker_lost_after: timedelta = 15 * SECOND
    call_deadline: timedelta = 30 * SECOND
    claim_length: timedelta = 75 * SECOND
    unknown_grace: timedelta = 30 * SECOND
    retry_ladder: tuple[timedelta, ...] = (
        5 * SECOND,
        15 * SECOND,
        30 * SECOND,
        1 * MINUTE,
        5 * MINUTE,
        15 * MINUTE,
        1 * HOUR,
    )
    effect_age_limit: timedelta = 3 * DAY
    unknown_schedule: tuple[timedelta, ...] = (30 * SECOND, 2 * MINUTE, 10 * MINUTE, 1 * HOUR)
    unknown_then_every: timedelta = 1 * HOUR
    unknown_until: timedelta = 1 * DAY
    look_schedule: tuple[timedelta, ...] = (1 * MINUTE, 5 * MINUTE, 15 * MINUTE, 60 * MINUTE)
    look_then_every: timedelta = 1 * HOUR
    look_session: timedelta = 1 * DAY
    look_daily: timedelta = 1 * DAY
    look_until: timedelta = 7 * DAY
    notice_look_ladder: tuple[timedelta, ...] = (
        5 * SECOND,
        15 * SECOND,
        30 * SECOND,
        1 * MINUTE,
        5 * MINUTE,
        15 * MINUTE,
        1 * HOUR,
    )
    refund_look_schedule: tuple[timedelta, ...] = (1 * MINUTE, 5 * MINUTE, 15 * MINUTE, 60 * MINUTE)
    refund_look_then_every: timedelta = 1 * HOUR
    refund_look_hourly_until: timedelta = 1 * DAY
    refund_look_daily: timedelta = 1 * DAY
    refund_look_until: timedelta = 30 * DAY
    dispute_look_every: timedelta = 1 * HOUR
    dispute_look_hourly_until: timedelta = 2 * DAY
    dispute_look_daily: timedelta = 1 * DAY
    dispute_look_until: timedelta = 180 * DAY
    dispute_list_back: timedelta = 3 * DAY
    settlement_list_every: timedelta = 1 * HOUR
    settlement_list_back: timedelta = 14 * DAY
    settlement_look_every: timedelta = 1 * HOUR
    settlement_look_daily: timedelta = 1 * DAY
    settlement_look_until: timedelta = 30 * DAY
    breaker_window: timedelta = 60 * SECOND
    breaker_open: timedelta = 5 * MINUTE
    workers_exchange: timedelta = 1 * SECOND
    budget_patience: timedelta = 2 * SECOND
    bus_ladder: tuple[timedelta, ...] = (5 * SECOND, 15 * SECOND, 30 * SECOND)
    bus_reconnect: timedelta = 2 * SECOND
    bus_sent_again_after: timedelta = 1 * HOUR
    bus_declared_every: timedelta = 5 * MINUTE
    events_kept: timedelta = 30 * DAY
    idempotency_kept: timedelta = 30 * DAY
    raw_kept: timedelta = 90 * DAY
    dues_valid: timedelta = 30 * DAY
    create_answer_within: timedelta = 10 * SECOND
    token_margin: timedelta = 5 * MINUTE
    business_date_every: timedelta = 5 * MINUTE
    business_date_good_for: timedelta = 1 * DAY
    speed: int = 1

    def of_provider(self, length: timedelta) -> timedelta:
        """A length that a provider's sheet states (a grace, a distance of two look-ups) in this profile."""
        return length / self.speed


_BOUND_BY_THE_MACHINE = {
    "heartbeat",
    "worker_lost_after",
    "call_deadline",
    "create_answer_within",
    "bus_reconnect",
    "workers_exchange",
}
_KEPT_WHOLE = {
    "events_kept",
    "idempotency_kept",
    "raw_kept",
    "dues_valid",
    "budget_patience",
    "settlement_list_back",
    "speed",
}
_CLAIM_OVER_DEADLINE = 2

DEFAULT = Timings()


def _shorter(value: object, factor: int) -> object:
    if isinstance(value, tuple):
        return tuple(item / factor for item in value)
    assert isinstance(value, timedelta)
    return value / factor


def _demo(factor: int = 60) -> Timings:
    """÷ 60; what the machine's own speed bounds (heartbeats, call deadlines) ÷ 5; retention whole."""
    changed = {
        field.name: _shorter(
            getattr(DEFAULT, field.name), 5 if field.name in _BOUND_BY_THE_MACHINE else factor
        )
        for field in fields(DEFAULT)
        if field.name not in _KEPT_WHOLE
    }
    changed["speed"] = factor
    changed["claim_length"] = changed["call_deadline"] * _CLAIM_OVER_DEADLINE  # type: ignore[operator]
    return replace(DEFAULT, **changed)  # type: ignore[arg-type]


DEMO = _demo()
PROFILES = {"default": DEFAULT, "demo": DEMO}

BREAKER_MIN_ATTEMPTS = 10
"""The breaker judges only when attempts are more than this (design §6)."""
BREAKER_RATIO_PERCENT = 15
"""It opens at this share of failures or more."""
