"""Stripe's payouts through the adapter: every line is about something, and they add up to what went to the bank."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import date
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coopwire.domain.errors import ContractBroken
from coopwire.domain.states import SettlementState
from coopwire.ports.gateways import LineKind, SettlementLine, Settlements, SettlementSnapshot
from coopwire.providers.stripe.wire.settlements import STATES, payout_of, row_of, settlement_of

PAYOUT = "po_1Pgc79B7WZ01zgkWu1KToYf4"
A_DAY = 1_772_409_600
"""2026-03-02T00:00:00Z"""


def a_payout(**changes: object) -> dict[str, object]:
    return {
        "id": PAYOUT,
        "object": "payout",
        "amount": 995,
        "arrival_date": A_DAY,
        "automatic": True,
        "created": A_DAY - 7_200,
        "currency": "usd",
        "failure_code": None,
        "failure_message": None,
        "livemode": False,
        "method": "standard",
        "reconciliation_status": "completed",
        "status": "paid",
        **changes,
    }


def a_row(amount: int = 1_000, fee: int = 5, **changes: object) -> dict[str, object]:
    return {
        "id": "txn_1",
        "object": "balance_transaction",
        "amount": amount,
        "currency": "usd",
        "created": A_DAY - 90_000,
        "fee": fee,
        "net": amount - fee,
        "reporting_category": "charge",
        "source": a_charge(),
        "status": "available",
        "type": "charge",
        **changes,
    }


def a_charge(**changes: object) -> dict[str, object]:
    return {
        "id": "ch_1",
        "object": "charge",
        "created": A_DAY - 90_001,
        "payment_intent": "pi_1",
        "metadata": {"reference": "ref00000000000000001"},
        **changes,
    }


def settled(lines: Sequence[SettlementLine] = (), **changes: object) -> SettlementSnapshot:
    return settlement_of(payout_of(a_payout(**changes), b""), lines)


def line(**changes: Any) -> SettlementLine:
    return row_of(a_row(**changes), b"").line


def page(*rows: object, more: bool = False) -> str:
    return json.dumps({"object": "list", "data": rows, "has_more": more, "url": "/v1/x"})


def query(path: str) -> dict[str, str]:
    return dict(parse_qsl(urlsplit(path).query))


@pytest.fixture
def settlements(server: Any) -> Settlements:
    return server.sockets.settlements  # type: ignore[no-any-return]


# -- payouts --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("word", "state"),
    [
        ("pending", SettlementState.PENDING),
        ("in_transit", SettlementState.PROCESSING),
        ("paid", SettlementState.PAID),
        ("failed", SettlementState.FAILED),
        ("canceled", SettlementState.FAILED),
    ],
)
def test_every_word_has_its_state(word: str, state: SettlementState) -> None:
    assert settled(status=word).state is state


@given(st.text(min_size=1, max_size=30).filter(lambda word: word not in STATES))
def test_any_other_word_is_on_its_way_and_says_so(word: str) -> None:
    try:
        told = settled(status=word)
    except ContractBroken:
        return
    assert (told.state, "never seen" in told.reason) == (SettlementState.PROCESSING, True)


_AMOUNTS = st.integers(-(10**12), 10**12)
_CATEGORIES = st.sampled_from(["charge", "refund", "dispute", "dispute_reversal", "fee", "risk_reserve"])


@given(st.lists(st.tuples(_AMOUNTS, st.integers(-(10**6), 10**6), _CATEGORIES), max_size=30))
def test_whatever_is_in_it_the_sum_of_its_lines_is_what_went_to_the_bank(
    rows: list[tuple[int, int, str]],
) -> None:
    lines = [line(amount=amount, fee=fee, reporting_category=word) for amount, fee, word in rows]
    net = sum(amount - fee for amount, fee, _ in rows)
    told = settled(lines, amount=net)
    assert told.gap_minor == 0
    assert told.gross_minor - told.fee_minor - told.deductions_minor == told.net_minor == net
    assert sum(one.gross_minor - one.fee_minor for one in lines) == net


def test_a_line_that_is_missing_is_a_gap_and_never_mended() -> None:
    told = settled([line(amount=900, fee=5)], amount=995)
    assert (told.net_minor, told.gap_minor) == (995, -100)


def test_a_payout_by_hand_has_no_lines_and_says_so() -> None:
    told = settled(automatic=False, reconciliation_status="not_applicable")
    assert (told.net_minor, told.gap_minor) == (995, -995)
    assert "by hand" in told.reason


def test_a_payout_that_is_not_put_together_yet_says_so() -> None:
    assert "not put together" in settled(reconciliation_status="in_progress").reason


def test_a_payout_that_came_back_says_why() -> None:
    told = settled(status="failed", failure_code="account_closed")
    assert (told.state, told.reason) == (SettlementState.FAILED, "account_closed")


def test_trap_2_a_payout_in_yen_is_in_yen() -> None:
    told = settled(currency="jpy", amount=500)
    assert (told.net_minor, told.currency) == (500, "JPY")


@pytest.mark.parametrize(
    "changes",
    [
        {"object": "transfer"},
        {"id": None},
        {"currency": "dollars"},
        {"status": None},
        {"amount": "many"},
        {"arrival_date": "soon"},
        {"livemode": "no"},
    ],
)
def test_a_payout_that_cannot_be_read_is_broken_never_guessed(changes: dict[str, object]) -> None:
    with pytest.raises(ContractBroken):
        settled(**changes)


# -- lines ----------------------------------------------------------------------------------------------------


def test_a_charge_is_named_by_its_intent_and_its_reference() -> None:
    told = line()
    assert (told.kind, told.charge, told.reference, told.subject) == (
        LineKind.CHARGE,
        "pi_1",
        "ref00000000000000001",
        "",
    )
    assert (told.gross_minor, told.fee_minor, told.fee_exact, told.fee_known) == (1_000, 5, "5", True)
    assert line(source=a_charge(payment_intent=None)).charge == "ch_1"


@pytest.mark.parametrize(
    ("category", "source", "kind"),
    [
        ("refund", {"id": "re_1", "object": "refund", "payment_intent": "pi_1"}, LineKind.REFUND),
        ("dispute", {"id": "dp_1", "object": "dispute", "payment_intent": "pi_1"}, LineKind.DISPUTE),
        (
            "dispute_reversal",
            {"id": "dp_1", "object": "dispute", "payment_intent": "pi_1"},
            LineKind.DISPUTE_REVERSAL,
        ),
        ("refund_failure", {"id": "re_1", "object": "refund", "payment_intent": "pi_1"}, LineKind.OTHER),
    ],
)
def test_what_comes_after_a_charge_names_itself_and_the_charge(
    category: str, source: dict[str, object], kind: LineKind
) -> None:
    told = line(amount=-400, fee=0, reporting_category=category, source=source)
    assert (told.kind, told.subject, told.charge) == (kind, source["id"], "pi_1")
    assert (told.gross_minor, told.reference, told.paid_at) == (-400, "", None)


def test_a_dispute_costs_a_fee_of_its_own() -> None:
    told = line(amount=-1_000, fee=1_500, reporting_category="dispute", source={"id": "dp_1"})
    assert (told.gross_minor, told.fee_minor) == (-1_000, 1_500)


@pytest.mark.parametrize("source", [None, "", "fee_1"])
def test_a_fee_of_no_charge_is_about_nothing_else(source: object) -> None:
    told = line(amount=-250, fee=0, reporting_category="fee", type="stripe_fee", source=source)
    assert (told.kind, told.gross_minor, told.charge, told.subject) == (
        LineKind.FEE,
        -250,
        "",
        source or "txn_1",
    )


@pytest.mark.parametrize(
    "changes",
    [
        {"net": 996},
        {"amount": "1000"},
        {"fee": None},
        {"currency": None},
        {"id": None},
        {"reporting_category": None},
        {"object": "charge"},
    ],
)
def test_a_line_that_cannot_be_read_or_does_not_add_up_is_broken(changes: dict[str, Any]) -> None:
    with pytest.raises(ContractBroken):
        row_of({**a_row(), **changes}, b"")


# -- over the wire --------------------------------------------------------------------------------------------


async def test_days_are_asked_for_by_the_day_of_arrival_and_each_payout_with_its_lines(
    server: Any, settlements: Settlements
) -> None:
    server.will_say(page(a_payout(), a_payout(id="po_2", automatic=False)))
    server.will_say(page(a_row(amount=-995, fee=0, id="txn_0", reporting_category="payout"), a_row()))
    day = date(2026, 3, 2)
    told = [one async for one in settlements.list_window(day, day)]
    assert [(one.provider_ref, one.gross_minor, one.gap_minor) for one in told] == [
        (PAYOUT, 1_000, 0),
        ("po_2", 0, -995),
    ]
    asked = [query(one.path) for one in server.asked]
    assert (asked[0]["arrival_date[gte]"], asked[0]["arrival_date[lt]"]) == (str(A_DAY), str(A_DAY + 86_400))
    assert (asked[1]["payout"], asked[1]["expand[0]"]) == (PAYOUT, "data.source")


async def test_lines_are_read_page_by_page_after_the_last_one_and_the_payout_itself_is_none(
    server: Any, settlements: Settlements
) -> None:
    server.will_say(json.dumps(a_payout()))
    server.will_say(page(a_row(id="txn_9", reporting_category="payout"), a_row(id="txn_8"), more=True))
    server.will_say(page(a_row(id="txn_7", source=a_charge(payment_intent="pi_7"))))
    assert [one.charge async for one in settlements.lines(PAYOUT)] == ["pi_1", "pi_7"]
    assert query(server.asked[2].path)["starting_after"] == "txn_8"


async def test_a_payout_by_hand_is_not_asked_for_lines(server: Any, settlements: Settlements) -> None:
    server.will_say(json.dumps(a_payout(automatic=False)))
    assert [one async for one in settlements.lines(PAYOUT)] == []
    assert len(server.asked) == 1


@pytest.mark.parametrize("wanted", ["", "..", "po_1/../2", "po_٣", "ch_1"])
async def test_an_id_that_is_none_of_theirs_asks_for_nothing(
    server: Any, settlements: Settlements, wanted: str
) -> None:
    with pytest.raises(ContractBroken):
        await settlements.fetch(wanted)
    with pytest.raises(ContractBroken):
        [one async for one in settlements.lines(wanted)]
    assert server.asked == []
