"""The breaker opens at the design's numbers, and only at those."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coopwire.conformance.clock import START
from coopwire.domain.breakers import BreakerState
from coopwire.domain.gates import Gate, GateKind, Traffic
from coopwire.domain.timings import DEFAULT, DEMO
from coopwire.transport.guard import LocalBoard

CORE, WRITE, READ = "core", Traffic.WRITE, Traffic.READ


class Desk:
    """One board with the changes that it told."""

    def __init__(self, timings=DEFAULT):
        self.changes = []
        self.timings = timings
        self.board = LocalBoard(timings, lambda *change: self.changes.append(change))
        self.now = START

    def note(self, *answered, traffic=WRITE):
        for ok in answered:
            self.board.note(CORE, traffic, ok, self.now)

    def wait(self, length):
        self.now += length

    def passes(self, traffic=WRITE):
        return self.board.may_pass(CORE, traffic, self.now)

    @property
    def state(self):
        return self.board.state(CORE, WRITE, self.now)

    def break_it(self):
        self.note(*[False] * 11)


@pytest.fixture
def desk():
    return Desk()


def test_ten_failures_of_ten_leave_it_closed(desk):
    desk.note(*[False] * 10)
    assert desk.state is BreakerState.CLOSED
    assert desk.passes()


def test_one_failure_of_eleven_leaves_it_closed(desk):
    desk.note(False, *[True] * 10)
    assert desk.state is BreakerState.CLOSED


def test_two_failures_of_eleven_open_it(desk):
    desk.note(*[True] * 9, False, False)
    assert desk.state is BreakerState.OPEN
    assert not desk.passes()


def test_the_eleventh_attempt_opens_it_even_if_it_succeeds(desk):
    desk.note(*[False] * 10, True)
    assert desk.state is BreakerState.OPEN


@pytest.mark.parametrize(("failures", "attempts", "state"), [(3, 20, "open"), (14, 100, "closed")])
def test_fifteen_percent_is_the_limit(desk, failures, attempts, state):
    desk.note(*[True] * (attempts - failures), *[False] * failures)
    assert desk.state == state


def test_reads_do_not_open_the_gate_of_writes(desk):
    desk.note(*[False] * 50, traffic=READ)
    assert desk.passes()
    assert not desk.passes(READ)


def test_what_is_older_than_the_window_does_not_count(desk):
    desk.note(*[False] * 10)
    desk.wait(timedelta(seconds=60))
    desk.note(False)
    assert desk.state is BreakerState.CLOSED


def test_what_is_just_inside_the_window_counts(desk):
    desk.note(*[False] * 10)
    desk.wait(timedelta(seconds=59))
    desk.note(False)
    assert desk.state is BreakerState.OPEN


def test_failures_leave_the_window_second_by_second(desk):
    for _ in range(200):
        desk.note(False)
        desk.wait(timedelta(seconds=6))
    assert desk.changes == []


def test_opening_tells_the_gate_once_and_when_it_ends(desk):
    desk.break_it()
    desk.note(*[False] * 30)
    ((connection, traffic, gate),) = desk.changes
    assert (connection, traffic) == (CORE, WRITE)
    assert gate == Gate(CORE, GateKind.BREAKER, WRITE, gate.reason, START + timedelta(minutes=5))
    assert "writes" in gate.reason


def test_it_stays_open_for_its_time_and_then_lets_one_probe_pass(desk):
    desk.break_it()
    desk.wait(timedelta(minutes=5) - timedelta(microseconds=1))
    assert not desk.passes()
    desk.wait(timedelta(microseconds=1))
    assert desk.state is BreakerState.HALF_OPEN
    assert desk.passes()
    assert not desk.passes()


def test_a_probe_that_succeeds_closes_it(desk):
    desk.break_it()
    desk.wait(timedelta(minutes=5))
    assert desk.passes()
    desk.note(True)
    assert desk.state is BreakerState.CLOSED
    assert desk.changes[-1] == (CORE, WRITE, None)
    assert all(desk.passes() for _ in range(20))


def test_after_closing_the_old_failures_are_forgotten(desk):
    desk.break_it()
    desk.wait(timedelta(minutes=5))
    desk.passes()
    desk.note(True)
    desk.note(*[False] * 10)
    assert desk.state is BreakerState.CLOSED


def test_a_probe_that_fails_opens_it_again_for_the_whole_time(desk):
    desk.break_it()
    desk.wait(timedelta(minutes=7))
    assert desk.passes()
    desk.note(False)
    assert desk.state is BreakerState.OPEN
    assert desk.changes[-1][2].until == desk.now + timedelta(minutes=5)
    desk.wait(timedelta(minutes=5))
    assert desk.passes()


def test_a_probe_whose_end_is_never_told_gives_its_place_back(desk):
    desk.break_it()
    desk.wait(timedelta(minutes=5))
    assert desk.passes()
    desk.wait(DEFAULT.call_deadline - timedelta(microseconds=1))
    assert not desk.passes()
    desk.wait(timedelta(microseconds=1))
    assert desk.passes()


def test_answers_to_calls_from_before_do_not_close_an_open_breaker(desk):
    desk.break_it()
    desk.note(*[True] * 100)
    assert desk.state is BreakerState.OPEN


def test_after_a_short_opening_the_failures_within_the_window_are_forgotten_too():
    desk = Desk(replace(DEFAULT, breaker_open=timedelta(seconds=1)))
    desk.break_it()
    desk.wait(timedelta(seconds=1))
    assert desk.passes()
    desk.note(True, False)
    assert desk.state is BreakerState.CLOSED


def test_a_failed_probe_does_not_hold_the_place_of_the_next():
    desk = Desk(replace(DEFAULT, breaker_open=timedelta(seconds=1)))
    desk.break_it()
    for _ in range(3):
        desk.wait(timedelta(seconds=1))
        assert desk.passes()
        desk.note(False)


def test_the_demo_profile_changes_lengths_and_no_threshold():
    desk = Desk(DEMO)
    desk.note(*[True] * 9, False)
    assert desk.state is BreakerState.CLOSED
    desk.note(False)
    assert desk.state is BreakerState.OPEN
    desk.wait(timedelta(seconds=5))
    assert desk.state is BreakerState.HALF_OPEN


def test_a_listener_that_fails_does_not_stop_the_judge(caplog):
    def fail(*_):
        raise RuntimeError("the database is away")

    board = LocalBoard(DEFAULT, fail)
    for _ in range(11):
        board.note(CORE, WRITE, False, START)
    assert board.state(CORE, WRITE, START) is BreakerState.OPEN
    assert "a listener of the transport failed" in caplog.text


def test_a_clock_that_steps_back_keeps_the_count(desk):
    desk.note(*[False] * 5)
    desk.wait(timedelta(seconds=-30))
    desk.note(*[False] * 6)
    assert desk.state is BreakerState.OPEN


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 20)), max_size=80))
def test_it_opens_exactly_when_a_plain_count_over_the_window_says_so(steps):
    desk, seen = Desk(), []
    for ok, seconds in steps:
        desk.wait(timedelta(seconds=seconds))
        desk.note(ok)
        seen.append((desk.now, ok))
        window = [good for at, good in seen if at > desk.now - timedelta(seconds=60)]
        failures = window.count(False)
        expected = len(window) > 10 and failures / len(window) >= 0.15
        assert (desk.state is BreakerState.OPEN) == expected
        if expected:
            break
