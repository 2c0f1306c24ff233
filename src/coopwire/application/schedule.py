"""When to look or try next: pure functions over the duration table."""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import datetime, timedelta

from coopwire.domain.mandates import Mandate
from coopwire.domain.payouts import Payout
from coopwire.domain.settlements import Settlement
from coopwire.domain.states import (
    ENDED_DISPUTE,
    ENDED_PAYOUT,
    DisputeState,
    MandateState,
    PayoutState,
    SettlementStand,
)
from coopwire.domain.timings import Timings
from coopwire.ports.providers import Trust


def next_look(created_at: datetime, now: datetime, timings: Timings) -> datetime | None:
    """The next scheduled look: 1, 5, 15, 60 min, hourly to the end of the session, daily to 7 days."""
    age = now - created_at
    for offset in timings.look_schedule:
        if offset > age:
            return created_at + offset
    step = timings.look_then_every if age < timings.look_session else timings.look_daily
    return now + step if age + step <= timings.look_until else None


def next_noticed_look(noticed_looks: int, now: datetime, timings: Timings) -> datetime | None:
    """The next look while a notice is not confirmed; None when its ladder is climbed."""
    ladder = timings.notice_look_ladder
    return now + ladder[noticed_looks] if noticed_looks < len(ladder) else None


def next_refund_look(accepted_at: datetime, now: datetime, timings: Timings) -> datetime | None:
    """The next look at an accepted refund: 1, 5, 15, 60 min, hourly for a day, daily to 30 days; None after."""
    age = now - accepted_at
    for offset in timings.refund_look_schedule:
        if offset > age:
            return accepted_at + offset
    hourly = age < timings.refund_look_hourly_until
    step = timings.refund_look_then_every if hourly else timings.refund_look_daily
    return now + step if age + step <= timings.refund_look_until else None


def next_dispute_look(
    opened_at: datetime, state: DisputeState, now: datetime, timings: Timings
) -> datetime | None:
    """The next look at a dispute: hourly while the lender must answer and for two days, then daily; None at the end."""
    age = now - opened_at
    if state in ENDED_DISPUTE or age >= timings.dispute_look_until:
        return None
    often = state is DisputeState.OPEN or age < timings.dispute_look_hourly_until
    return now + (timings.dispute_look_every if often else timings.dispute_look_daily)


def next_settlement_look(settlement: Settlement, now: datetime, timings: Timings) -> datetime | None:
    """The next look at a settlement: hourly until its entry is ordered, then daily, for a month; None after.

    Whatever the gateway's list tells of it otherwise makes a look due, however old it is.
    """
    if now - settlement.recorded_at >= timings.settlement_look_until:
        return None
    open_ = settlement.stand in (SettlementStand.WAITING, SettlementStand.DIFFERS)
    return now + (timings.settlement_look_every if open_ else timings.settlement_look_daily)


def next_payout_look(payout: Payout, now: datetime, timings: Timings) -> datetime | None:
    """The next look at a transfer: as at a refund, and one that succeeded daily as long, for it may come back."""
    accepted_at = payout.accepted_at or now
    if payout.state is PayoutState.SUCCEEDED:
        later = now + timings.refund_look_daily
        return later if later - accepted_at <= timings.refund_look_until else None
    return None if payout.state in ENDED_PAYOUT else next_refund_look(accepted_at, now, timings)


def next_mandate_look(mandate: Mandate, now: datetime, timings: Timings) -> datetime | None:
    """The next look at a mandate: as for a payment while the member is waited for, None when that is over; as often
    after the approval, and daily from then on, for nobody tells that one ended."""
    match mandate.state:
        case MandateState.ENDED | MandateState.FAILED:
            return None
        case MandateState.APPROVED:
            return next_look(mandate.approved_at or now, now, timings) or now + timings.look_daily
        case MandateState.ACTIVE | MandateState.SUSPENDED:
            return now + timings.look_daily
        case _:
            return next_look(mandate.asked_at or now, now, timings)


def next_try(tries: int, retry_after: float | None, now: datetime, timings: Timings) -> datetime:
    """The next try after the given number of tries: the ladder with up to 20 % jitter, or what they asked."""
    rung = timings.retry_ladder[min(max(tries - 1, 0), len(timings.retry_ladder) - 1)]
    wait = rung * (1 + random.random() / 5)
    if retry_after is not None:
        wait = max(wait, timings.of_provider(timedelta(seconds=retry_after)))
    return now + wait


def next_unknown_look(
    looks: int, unknown_since: datetime, now: datetime, trust: Trust, timings: Timings
) -> datetime | None:
    """The next look-up of an unknown effect; None when the schedule (a day) is over."""
    if now - unknown_since >= timings.unknown_until:
        return None
    step = _step(timings.unknown_schedule, looks, timings.unknown_then_every)
    return now + max(step, timings.of_provider(trust.look_every))


def _step(ladder: Sequence[timedelta], index: int, then: timedelta) -> timedelta:
    return ladder[index] if index < len(ladder) else then
