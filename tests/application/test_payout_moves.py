"""Whatever a gateway says of a transfer, its payout moves as the table allows, or a break says why not."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from coopwire.application.network import Network, Routes
from coopwire.application.payout_moves import PayoutMoves
from coopwire.application.schedule import next_payout_look
from coopwire.conformance.clock import ManualClock
from coopwire.domain.breaks import BreakType
from coopwire.domain.payments import AllocationMode, Mode
from coopwire.domain.payouts import Payout, missing_minor
from coopwire.domain.states import ENDED_PAYOUT, ORDERED_PAYOUT, PAYOUT_MOVES, PayoutState, may_move
from coopwire.ports.gateways import TransferSnapshot
from coopwire.ports.providers import Connected, Connection, Sockets
from coopwire.providers.paystack import PROVIDER

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
GATEWAY = Connected(Connection("gateway", "paystack", Mode.TEST, {}), PROVIDER.profile, Sockets(), None)
NETWORK = Network(
    {"gateway": GATEWAY}, Routes("gateway", None, None, None, AllocationMode.HUB, {}, ZoneInfo("UTC"))
)
PAYOUT = Payout(
    id="o5u8t1d4h7k0m3p6s9v2",
    connection="gateway",
    amount_minor=250_050,
    currency="NGN",
    bank="011",
    purpose="a loan",
    state=PayoutState.PROCESSING,
    created_at=NOW,
    asker="user 1",
    asked_by="one",
    fee_minor=1_000,
    transfer="t1r4a7n0s3f6e9r2k5m8",
    provider_ref="TRF_1",
    accepted_at=NOW,
)
TOLD = TransferSnapshot(
    "TRF_1", "t1r4a7n0s3f6e9r2k5m8", 250_050, "NGN", PayoutState.PROCESSING, NOW, mode=Mode.TEST
)
AT_THE_GATEWAY = sorted((ORDERED_PAYOUT | ENDED_PAYOUT) - {PayoutState.INTENDED})
AMOUNTS = st.integers(1, 10**12)


def moves() -> PayoutMoves:
    return PayoutMoves(NETWORK, ManualClock(NOW))


@given(st.sampled_from(AT_THE_GATEWAY), st.sampled_from(AT_THE_GATEWAY))
def test_a_payout_moves_as_the_table_allows_and_what_it_forbids_is_a_break(
    was: PayoutState, says: PayoutState
) -> None:
    changes = moves().told(replace(PAYOUT, state=was), replace(TOLD, state=says))
    [moved] = changes.payout_moves
    allowed = may_move(PAYOUT_MOVES, was, says)
    assert moved.payout.state is (says if allowed else was)
    changed = [one for one in changes.breaks if one.type is BreakType.PAYOUT_CHANGED]
    assert bool(changed) is not allowed
    reversed_ = [one for one in changes.breaks if one.type is BreakType.PAYOUT_REVERSED]
    assert bool(reversed_) is (says is PayoutState.REVERSED and was is not says and allowed)


@given(
    st.sampled_from(
        [{"amount_minor": 250_051}, {"currency": "GHS"}, {"mode": Mode.LIVE}],
    ),
    st.sampled_from(AT_THE_GATEWAY),
)
def test_other_money_moves_nothing(change: dict[str, object], says: PayoutState) -> None:
    changes = moves().told(PAYOUT, replace(TOLD, state=says, **change))  # type: ignore[arg-type]
    assert changes.payout_moves[0].payout.state is PAYOUT.state
    assert [one.type for one in changes.breaks] == [BreakType.PAYOUT_CHANGED]
    assert changes.events == []


@given(AMOUNTS, AMOUNTS, AMOUNTS)
def test_the_float_lacks_what_it_does_not_have_beside_the_others(
    available: int, committed: int, amount: int
) -> None:
    payout = replace(PAYOUT, amount_minor=amount)
    missing = missing_minor(available, committed, payout)
    assert available + missing >= committed + payout.takes_minor
    assert missing == 0 or available + missing == committed + payout.takes_minor


def test_what_nobody_answers_about_for_too_long_is_told_to_a_person() -> None:
    clock = ManualClock(NOW)
    waiting = PayoutMoves(NETWORK, clock)
    asked_for = replace(PAYOUT, state=PayoutState.CHECKING, accepted_at=None)
    assert waiting.unanswered(asked_for, NOW).breaks == []
    clock.advance(timedelta(days=1))
    assert [one.type for one in waiting.unanswered(asked_for, NOW).breaks] == [BreakType.PAYOUT_OVERDUE]
    assert waiting.unanswered(PAYOUT, NOW).breaks == []
    clock.advance(timedelta(days=30))
    assert [one.type for one in waiting.unanswered(PAYOUT, NOW).breaks] == [BreakType.PAYOUT_OVERDUE]


def test_a_success_is_looked_at_for_a_month_because_it_may_come_back() -> None:
    timings = ManualClock(NOW).timings
    paid = replace(PAYOUT, state=PayoutState.SUCCEEDED)
    at, looks = NOW, 0
    while (following := next_payout_look(paid, at, timings)) is not None:
        at, looks = following, looks + 1
    assert (looks, at - NOW) == (30, timedelta(days=30))
    assert next_payout_look(replace(PAYOUT, state=PayoutState.FAILED), NOW, timings) is None
