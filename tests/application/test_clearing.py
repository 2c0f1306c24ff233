"""What a gateway owes beside its clearing account: equal whenever both are right, and told whenever one is not."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st
from rigs.days import DAY, LAGOS

from coopwire.application.reconciling.clearing import ClearingDay, compare_clearing, unconfirmed
from coopwire.application.reconciling.sides import BusinessDay
from coopwire.domain.breaks import BreakType
from coopwire.domain.payments import Mode
from coopwire.domain.receipts import FeeBearer
from coopwire.domain.states import PaymentState
from coopwire.ports.days import Clearing, Outgoing, Owed, Unsettled
from coopwire.ports.gateways import ChargeSnapshot

BUSINESS = BusinessDay(DAY, LAGOS)
LISTED_AT = BUSINESS.end + timedelta(hours=6)
SINCE = BUSINESS.start - timedelta(days=3)


@dataclass(frozen=True)
class Money:
    """A charge: what was paid, its fee, whether that was known in time, when, and whether a payout has it."""

    gross: int
    fee: int
    known: bool
    days_ago: int
    settled: bool


_MONEY = st.builds(
    Money,
    gross=st.integers(101, 10**15),
    fee=st.integers(0, 100),
    known=st.booleans(),
    days_ago=st.integers(-1, 6),
    settled=st.booleans(),
)


def _paid_at(money: Money) -> datetime:
    return BUSINESS.start + timedelta(hours=9) - timedelta(days=money.days_ago)


def _charge(n: int, money: Money) -> ChargeSnapshot:
    return ChargeSnapshot(
        f"c{n}", f"ref{n}", PaymentState.SUCCEEDED, money.gross, None, "NGN", money.fee, str(money.fee),
        FeeBearer.LENDER, True, Mode.TEST, "card", _paid_at(money), _paid_at(money),
    )  # fmt: skip


def _receipt(n: int, money: Money) -> Unsettled:
    net = money.gross - (money.fee if money.known else 0)
    at = _paid_at(money)
    return Unsettled("gate", f"ref{n}", f"c{n}", "NGN", net, money.known, at, at)


def a_day(all_money: list[Money], refunds: list[int]) -> ClearingDay:
    """Both sides right: the list goes back to SINCE and on to the day after."""
    numbered = list(enumerate(all_money))
    ours = [_receipt(n, m) for n, m in numbered if not m.settled and m.days_ago >= 0]
    refunded = tuple(Outgoing("gate", f"f{n}", "NGN", minor) for n, minor in enumerate(refunds))
    standing = sum(one.net_minor for one in ours) - sum(refunds)
    clearing = (Clearing("gate", "NGN", len(ours) + len(refunds), standing, 0, 0),) if ours or refunds else ()
    settled = frozenset(("gate", f"c{n}") for n, m in numbered if m.settled)
    listed = [_charge(n, m) for n, m in numbered if _paid_at(m) >= SINCE]
    return ClearingDay(
        "gate", BUSINESS, LISTED_AT, SINCE, listed, Owed(tuple(ours), refunded, clearing, settled)
    )


_DAYS = st.builds(a_day, st.lists(_MONEY, max_size=12), st.lists(st.integers(1, 10**6), max_size=3))


@given(_DAYS)
def test_what_is_right_on_both_sides_holds(side: ClearingDay) -> None:
    section, found = compare_clearing(side)
    assert (section.holds, found.findings, unconfirmed(side)) == (True, [], [])


@given(_DAYS, st.integers(-(10**9), 10**9).filter(bool))
def test_a_minor_unit_too_much_or_too_little_in_the_books_is_told(side: ClearingDay, more: int) -> None:
    off = (*side.ours.clearing, Clearing("gate", "NGN", 1, more, 0, 0))
    section, found = compare_clearing(replace(side, ours=replace(side.ours, clearing=off)))
    assert not section.holds
    assert [(one.type, one.amount_minor) for one in found.findings] == [(BreakType.CLEARING_DIFFERS, -more)]


@given(_DAYS, _MONEY.filter(lambda money: 0 <= money.days_ago <= 2))
def test_a_charge_that_one_side_alone_has_is_told(side: ClearingDay, money: Money) -> None:
    _, theirs_alone = compare_clearing(replace(side, theirs=[*side.theirs, _charge(99, money)]))
    assert [one.amount_minor for one in theirs_alone.findings] == [money.gross - money.fee]
    one = _receipt(99, money)
    with_it = Clearing("gate", "NGN", 1, one.net_minor, 0, 0)
    ours = replace(side.ours, unsettled=(*side.ours.unsettled, one), clearing=(*side.ours.clearing, with_it))
    ours_alone = replace(side, ours=ours)
    assert [late.charge for late in unconfirmed(ours_alone)] == ["c99"], "it is looked up singly first"
    assert [f.amount_minor for f in compare_clearing(ours_alone)[1].findings] == [-one.net_minor]
    # What came in after the list was made cannot be in it.
    later = replace(one, recorded_at=LISTED_AT)
    since = replace(ours, unsettled=(*side.ours.unsettled, later))
    assert compare_clearing(replace(side, ours=since))[0].holds


@given(_DAYS)
def test_a_payout_that_is_paid_and_not_booked_is_told_and_named(side: ClearingDay) -> None:
    owed = side.paid
    if not owed:
        return
    settled = side.ours.settled | {("gate", charge) for charge in owed}
    unbooked = replace(side.ours, settled=settled, unbooked=frozenset({("gate", "po_1")}))
    _, found = compare_clearing(replace(side, ours=unbooked))
    [one] = found.findings
    assert one.theirs["settlements_not_booked"] == ["po_1"]


def test_entries_on_their_way_to_the_books_count_and_are_shown_apart() -> None:
    side = a_day([Money(1_000, 15, True, 0, False)], [])
    ordered = (Clearing("gate", "NGN", 0, 0, 1, 985),)
    section, _ = compare_clearing(replace(side, ours=replace(side.ours, clearing=ordered)))
    assert section.holds
    assert [bucket.name for bucket in section.ours] == ["on its way to the books"]
