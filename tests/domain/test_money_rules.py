"""Rules of money for all inputs: allocation conserves, dues are met once, entries balance, states go forward."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coopwire.domain.allocation import allocate, whole_to
from coopwire.domain.books import (
    GATEWAY_CHARGES,
    JournalEntry,
    JournalLine,
    Side,
    UnbalancedEntry,
    clearing_key,
    holding_key,
    keys_needed,
    reallocation_entry,
    receipt_entry,
    reversal_entry,
    total,
)
from coopwire.domain.money import IN_USE, MAX_MINOR, Money, MoneyError, exponent, from_major
from coopwire.domain.payments import (
    DUE_COMPONENTS,
    AllocationMode,
    Component,
    Due,
    Dues,
    Payment,
    PaymentKind,
)
from coopwire.domain.receipts import (
    AllocationError,
    AllocationLine,
    FeeBearer,
    Receipt,
    ReceiptSource,
    Source,
    check_conserved,
)
from coopwire.domain.states import (
    EFFECT_MOVES,
    FINISHED_EFFECT,
    PAYMENT_MOVES,
    EffectState,
    ForbiddenMove,
    PaymentState,
    may_move,
    move,
)

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
AMOUNTS = st.integers(min_value=1, max_value=10**14)
LINES = st.lists(
    st.builds(
        Due,
        id=st.uuids().map(str),
        component=st.sampled_from(DUE_COMPONENTS),
        amount_minor=AMOUNTS,
        due_on=st.dates(date(2020, 1, 1), date(2030, 1, 1)),
    ),
    max_size=12,
)
CURRENCIES = st.sampled_from(["NGN", "KES", "USD", "XOF", "JPY", "KWD", "TND"])


def payment(lines: list[Due], kind: PaymentKind = PaymentKind.LOAN_REPAYMENT) -> Payment:
    dues = Dues(NOW - timedelta(hours=1), "7", tuple(lines), NOW + timedelta(days=1))
    return Payment(
        reference="p" * 20,
        kind=kind,
        money=Money(1, "NGN"),
        member="M-1",
        loan="LN-1",
        branch=None,
        dues=dues,
        state=PaymentState.PENDING,
        allocation=AllocationMode.HUB,
        callback_url=None,
        created_at=NOW,
    )


def receipt(gross: int, fee: int, bearer: FeeBearer, currency: str = "NGN") -> Receipt:
    return Receipt(
        id="r" * 20,
        connection="paystack",
        reference="a" * 20,
        charge="1",
        attempt=None,
        payment=None,
        currency=currency,
        requested_minor=None,
        gross_minor=gross,
        fee_minor=fee,
        fee_exact=str(fee),
        fee_bearer=bearer,
        channel="card",
        paid_at=NOW,
        recorded_at=NOW,
    )


@given(AMOUNTS, LINES)
def test_an_allocation_conserves_every_minor_unit(value: int, lines: list[Due]) -> None:
    allocation = allocate(payment(lines), value, {}, NOW)
    check_conserved(value, allocation)


@given(st.lists(AMOUNTS, min_size=1, max_size=8), LINES)
def test_receipts_over_one_snapshot_never_satisfy_a_due_twice(values: list[int], lines: list[Due]) -> None:
    already: Counter[str] = Counter()
    for value in values:
        for line in allocate(payment(lines), value, already, NOW):
            if line.due is not None:
                already[line.due] += line.amount_minor
    owed = {line.id: line.amount_minor for line in lines}
    assert all(already[due] <= owed[due] for due in already)
    assert sum(already.values()) == min(sum(values), sum(owed.values()))


@given(AMOUNTS, LINES)
def test_penalty_comes_before_fees_before_interest_before_principal(value: int, lines: list[Due]) -> None:
    met = Counter(
        {line.due: line.amount_minor for line in allocate(payment(lines), value, {}, NOW) if line.due}
    )
    ordered = sorted(lines, key=lambda due: DUE_COMPONENTS.index(due.component))
    for earlier, later in pairwise(ordered):
        if earlier.component is not later.component and met[later.id] > 0:
            assert met[earlier.id] == earlier.amount_minor


def test_expired_and_absent_dues_go_to_suspense() -> None:
    due = Due("D1", Component.PRINCIPAL, 100, date(2026, 1, 1))
    assert allocate(payment([due]), 50, {}, NOW + timedelta(days=2)) == whole_to(Component.SUSPENSE, 50)
    assert allocate(replace(payment([due]), dues=None), 50, {}, NOW) == whole_to(Component.SUSPENSE, 50)


@given(
    AMOUNTS,
    st.integers(min_value=0, max_value=10**9),
    st.sampled_from(FeeBearer),
    LINES,
    CURRENCIES,
)
def test_every_entry_of_a_receipt_balances_and_needs_only_known_keys(
    net: int, fee: int, bearer: FeeBearer, lines: list[Due], currency: str
) -> None:
    one = receipt(net + fee, fee, bearer, currency)
    allocation = allocate(payment(lines), one.value_minor, {}, NOW)
    entry = receipt_entry(
        one, allocation, on=date(2026, 11, 20), kind="k", narrative="n", branch=None, member=None
    )
    signed = {line.key: line.amount_minor * (1 if line.side is Side.DEBIT else -1) for line in entry.lines}
    assert sum(signed.values()) == 0
    assert signed[clearing_key("paystack")] == one.net_minor
    assert signed.get(GATEWAY_CHARGES, 0) == (fee if bearer is FeeBearer.LENDER else 0)
    assert signed.keys() <= keys_needed(["paystack"])


@given(AMOUNTS, LINES, CURRENCIES, st.sampled_from(ReceiptSource))
def test_the_money_of_a_receipt_is_held_by_its_source_and_a_mapping_must_name_the_account(
    net: int, lines: list[Due], currency: str, source: ReceiptSource
) -> None:
    one = replace(receipt(net, 0, FeeBearer.LENDER, currency), source=source)
    allocation = allocate(payment(lines), one.value_minor, {}, NOW)
    entry = receipt_entry(
        one, allocation, on=date(2026, 11, 20), kind="k", narrative="n", branch=None, member=None
    )
    [debit] = [line for line in entry.lines if line.side is Side.DEBIT]
    assert debit.key == holding_key(source, one.connection)
    if source is not ReceiptSource.GATEWAY:
        assert debit.key in keys_needed([], [Source(one.connection, source)])
        assert debit.key not in keys_needed([one.connection])


@given(AMOUNTS, LINES)
def test_a_reallocation_empties_suspense_by_exactly_the_value(value: int, lines: list[Due]) -> None:
    allocation = allocate(payment(lines), value, {}, NOW)
    entry = reallocation_entry(
        allocation, on=date(2026, 11, 20), currency="NGN", narrative="n", branch=None, member=None
    )
    assert entry is not None
    assert total((line for line in entry.lines if line.key == "suspense"), Side.DEBIT) == value


def test_a_reallocation_to_suspense_needs_no_entry() -> None:
    lines = whole_to(Component.SUSPENSE, 5)
    on = date(2026, 11, 20)
    assert reallocation_entry(lines, on=on, currency="NGN", narrative="", branch=None, member=None) is None


@given(st.lists(st.builds(JournalLine, st.sampled_from("abc"), st.sampled_from(Side), AMOUNTS), max_size=5))
def test_an_entry_that_does_not_balance_cannot_be_built(lines: list[JournalLine]) -> None:
    balanced = len(lines) >= 2 and total(lines, Side.DEBIT) == total(lines, Side.CREDIT)
    if balanced:
        JournalEntry("k", date(2026, 11, 20), "NGN", "", tuple(lines))
    else:
        with pytest.raises(UnbalancedEntry):
            JournalEntry("k", date(2026, 11, 20), "NGN", "", tuple(lines))


@given(st.lists(st.tuples(st.sampled_from("abcd"), st.sampled_from("abcd"), AMOUNTS), min_size=1, max_size=6))
def test_an_entry_and_its_reversal_leave_nothing_on_any_key(pairs: list[tuple[str, str, int]]) -> None:
    lines = [
        line
        for debit, credit, amount in pairs
        for line in (JournalLine(debit, Side.DEBIT, amount), JournalLine(credit, Side.CREDIT, amount))
    ]
    on = date(2026, 11, 20)
    mirror = reversal_entry(lines, on=on, currency="NGN", narrative="why", branch="IKEJA", member="M-1")
    left: Counter[str] = Counter()
    for line in (*lines, *mirror.lines):
        left[line.key] += line.amount_minor if line.side is Side.DEBIT else -line.amount_minor
    assert set(left.values()) == {0}
    assert len(mirror.lines) == len(lines)
    assert (mirror.kind, mirror.on, mirror.currency) == ("reversal", on, "NGN")
    assert (mirror.narrative, mirror.branch, mirror.member) == ("why", "IKEJA", "M-1")


@given(AMOUNTS, st.lists(st.integers(min_value=-5, max_value=10**14), max_size=4))
def test_parts_that_do_not_make_the_whole_are_refused(value: int, parts: list[int]) -> None:
    lines = [AllocationLine(Component.SUSPENSE, part) for part in parts]
    if sum(parts) == value and all(part > 0 for part in parts):
        check_conserved(value, lines)
    else:
        with pytest.raises(AllocationError):
            check_conserved(value, lines)


@given(st.integers(min_value=-(10**12), max_value=10**12), CURRENCIES)
def test_money_survives_the_way_to_major_units_and_back(minor: int, currency: str) -> None:
    money = Money(minor, currency)
    assert from_major(money.major(), currency) == money
    assert -money.major().as_tuple().exponent == exponent(currency)


@pytest.mark.parametrize("minor", [1.0, True, "1", None, MAX_MINOR + 1])
def test_what_is_not_a_whole_number_of_minor_units_is_no_money(minor: object) -> None:
    with pytest.raises(MoneyError):
        Money(minor, "NGN")  # type: ignore[arg-type]


@pytest.mark.parametrize("currency", ["ngn", "NG", "NAIRA", "", "N1N", "NGN\n"])
def test_a_currency_is_three_capital_letters(currency: str) -> None:
    with pytest.raises(MoneyError):
        Money(1, currency)


def test_currencies_do_not_mix() -> None:
    with pytest.raises(MoneyError):
        Money(1, "NGN") + Money(1, "KES")


@given(st.lists(st.sampled_from(PaymentState), max_size=30))
def test_success_is_never_left_whatever_is_reported(reports: list[PaymentState]) -> None:
    state = PaymentState.INTENDED
    for report in reports:
        before = state
        state = report if may_move(PAYMENT_MOVES, state, report) else state
        if before is PaymentState.SUCCEEDED:
            assert state is PaymentState.SUCCEEDED
        assert not (before is not PaymentState.INTENDED and state is PaymentState.INTENDED)


def test_a_member_may_try_again_on_the_same_page() -> None:
    for end in (PaymentState.FAILED, PaymentState.ABANDONED):
        assert move("attempt", PAYMENT_MOVES, end, PaymentState.SUCCEEDED) is PaymentState.SUCCEEDED
    with pytest.raises(ForbiddenMove):
        move("attempt", PAYMENT_MOVES, PaymentState.SUCCEEDED, PaymentState.FAILED)


def test_a_finished_effect_never_moves_and_unknown_is_never_sent() -> None:
    assert all(EFFECT_MOVES[state] == frozenset() for state in FINISHED_EFFECT)
    assert EffectState.SENDING not in EFFECT_MOVES[EffectState.UNKNOWN]
    assert {old for old, news in EFFECT_MOVES.items() if EffectState.SENDING in news} == {
        EffectState.INTENDED
    }


def test_the_currencies_in_use_are_told_with_their_decimals() -> None:
    odd = {currency for currency in IN_USE if exponent(currency) != 2}
    assert len(IN_USE) > 150
    assert {"JPY", "XOF", "UGX", "KWD"} <= odd
    assert {"NGN", "GHS", "KES", "USD"} <= IN_USE - odd
