"""The one table of durations, read through the Clock; profiles change lengths, never thresholds."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from datetime import timedelta

_S = lambda n: timedelta(seconds=n)  # noqa: E731 - keeps the table below readable
_M = lambda n: timedelta(minutes=n)  # noqa: E731
_H = lambda n: timedelta(hours=n)  # noqa: E731
_D = lambda n: timedelta(days=n)  # noqa: E731


@dataclass(frozen=True)
class Timings:
    """Every duration of the hub. Sources: design §6, §7, §8, §9."""

    heartbeat: timedelta = _S(5)
    worker_lost_after: timedelta = _S(15)
    call_deadline: timedelta = _S(30)
    claim_length: timedelta = _S(75)
    unknown_grace: timedelta = _S(30)
    retry_ladder: tuple[timedelta, ...] = (_S(5), _S(15), _S(30), _M(1), _M(5), _M(15), _H(1))
    effect_age_limit: timedelta = _D(3)
    unknown_schedule: tuple[timedelta, ...] = (_S(30), _M(2), _M(10), _H(1))
    unknown_then_every: timedelta = _H(1)
    unknown_until: timedelta = _D(1)
    look_schedule: tuple[timedelta, ...] = (_M(1), _M(5), _M(15), _M(60))
    look_then_every: timedelta = _H(1)
    look_session: timedelta = _D(1)
    look_daily: timedelta = _D(1)
    look_until: timedelta = _D(7)
    look_lease: timedelta = _M(1)
    notice_look_ladder: tuple[timedelta, ...] = (_S(5), _S(15), _S(30), _M(1), _M(5), _M(15), _H(1))
    breaker_window: timedelta = _S(60)
    breaker_open: timedelta = _M(5)
    bus_ladder: tuple[timedelta, ...] = (_S(5), _S(15), _S(30))
    idempotency_kept: timedelta = _D(30)
    raw_kept: timedelta = _D(90)
    dues_valid: timedelta = _D(30)
    create_answer_within: timedelta = _S(10)
    token_margin: timedelta = _M(5)


_BOUND_BY_THE_MACHINE = {"heartbeat", "worker_lost_after", "call_deadline", "create_answer_within"}
_KEPT_WHOLE = {"idempotency_kept", "raw_kept", "dues_valid"}
_CLAIM_OVER_DEADLINE = 2

DEFAULT = Timings()


def _shorter(value: object, factor: int) -> object:
    if isinstance(value, tuple):
        return tuple(item / factor for item in value)
    assert isinstance(value, timedelta)
    return value / factor


def _demo(factor: int = 60) -> Timings:
    """÷ 60, except what the machine's own speed bounds: heartbeats and call deadlines ÷ 5, retention whole."""
    changed = {
        field.name: _shorter(
            getattr(DEFAULT, field.name), 5 if field.name in _BOUND_BY_THE_MACHINE else factor
        )
        for field in fields(DEFAULT)
        if field.name not in _KEPT_WHOLE
    }
    changed["claim_length"] = changed["call_deadline"] * _CLAIM_OVER_DEADLINE  # type: ignore[operator]
    return replace(DEFAULT, **changed)  # type: ignore[arg-type]


DEMO = _demo()
PROFILES = {"default": DEFAULT, "demo": DEMO}

BREAKER_MIN_ATTEMPTS = 10
"""The breaker judges only when attempts are more than this (design §6)."""
BREAKER_RATIO_PERCENT = 15
"""It opens at this share of failures or more."""
