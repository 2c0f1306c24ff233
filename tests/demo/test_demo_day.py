"""The day that ships with the project: enough of everything, and consistent in itself."""

from __future__ import annotations

from collections import Counter, defaultdict
from datetime import UTC, datetime
from itertools import pairwise

import pytest

from coopwire.demo import day
from coopwire.demo.stories import STORIES
from coopwire.domain.payments import PaymentKind

ROWS = day.read()
NOW = datetime(2026, 3, 2, 7, 0, tzinfo=UTC)


def total_due(row: day.Repayment) -> int:
    return sum(due.amount_minor for due in row.dues)


def test_the_day_has_at_least_300_loan_repayments_and_every_other_kind() -> None:
    kinds = Counter(row.kind for row in ROWS)
    assert kinds["loan_repayment"] >= 300
    assert kinds.keys() == {kind.value for kind in PaymentKind}


def test_every_story_is_played_and_every_word_is_a_story() -> None:
    assert {row.story for row in ROWS} == set(STORIES)


def test_the_rows_follow_the_clock_of_the_day() -> None:
    assert all(earlier.at <= later.at for earlier, later in pairwise(ROWS))
    assert 0 <= ROWS[0].at <= ROWS[-1].at < day.LENGTH


def test_amounts_are_positive_and_many_have_kobo() -> None:
    assert all(row.amount_minor > 0 for row in ROWS)
    assert sum(row.amount_minor % 100 != 0 for row in ROWS) > len(ROWS) / 2


def test_parts_overpayments_and_early_payments_are_what_they_are_called() -> None:
    for row in ROWS:
        match row.story:
            case "partial":
                assert row.amount_minor < total_due(row)
            case "over":
                assert row.amount_minor > total_due(row)
            case "early":
                assert all(due.due_in_days > 7 for due in row.dues)


def test_a_loan_is_told_with_the_same_dues_each_time() -> None:
    dues = defaultdict(set)
    for row in ROWS:
        if row.dues:
            dues[row.loan].add(row.dues)
    assert all(len(told) == 1 for told in dues.values())
    assert any(Counter(row.loan for row in ROWS if row.dues)[loan] > 1 for loan in dues)


def test_a_member_has_one_core_account_of_their_own() -> None:
    accounts = {row.member: row.core_account for row in ROWS}
    assert all(row.core_account == accounts[row.member] for row in ROWS)
    assert len(set(accounts.values())) == len(accounts)
    assert all(len(account) == 10 and account.isdecimal() for account in accounts.values())


def test_repayments_name_a_loan_and_savings_and_shares_an_account() -> None:
    for row in ROWS:
        target = "account" if row.kind in ("savings", "shares") else "loan"
        body = row.request(NOW)
        assert body[target] == getattr(row, target)
        assert {"loan", "account"} & body.keys() == {target}


def test_several_branches_and_channels_take_part() -> None:
    assert len({row.branch for row in ROWS}) >= 3
    assert len({row.channel for row in ROWS}) >= 3


@pytest.mark.parametrize("count", [1, len(STORIES), 30, len(ROWS), 10_000])
def test_a_shorter_day_keeps_one_of_every_story_as_far_as_they_go(count: int) -> None:
    rows = day.chosen(ROWS, count)
    assert len(rows) == min(count, len(ROWS))
    assert list(rows) == sorted(set(rows), key=lambda row: row.number)
    assert len({row.story for row in rows}) == min(count, len(STORIES))


def test_the_whole_day_is_chosen_unless_a_number_is_given() -> None:
    assert day.chosen(ROWS, None) == ROWS


def test_the_loan_system_and_the_request_tell_the_same_dues() -> None:
    [row] = [row for row in ROWS if row.number == next(r.number for r in ROWS if r.dues)]
    [member] = day.loans([row], NOW)
    [loan] = member["loans"]
    assert loan["dues"] == row.request(NOW)["dues"]["lines"]


def test_a_fraction_of_a_kobo_is_refused() -> None:
    assert day.kobo("1234.56") == 123_456
    with pytest.raises(ValueError, match="whole kobo"):
        day.kobo("0.001")
