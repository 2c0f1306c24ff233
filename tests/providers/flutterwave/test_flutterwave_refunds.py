"""Refunds at Flutterwave: no reference, no currency, refusals under HTTP 200, and a census before a send."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coopwire.domain.errors import ContractBroken, InvalidOrder, OutcomeUnknown, Refused
from coopwire.domain.states import RefundState
from coopwire.ports.gateways import RefundOrder
from coopwire.ports.writes import FindingWord
from coopwire.providers.flutterwave.wire.account import COMPLETED, Account
from coopwire.providers.flutterwave.wire.refunds import marker_of, refund_body, refund_of, state_of, told
from coopwire.simulation.given import Given

Begin = Callable[..., Awaitable[Any]]
ORDER = RefundOrder("refund00000000000001", "4975363", 50_001, "NGN", False)
SENT_AT = datetime(2026, 3, 2, tzinfo=UTC)


def row(**changes: object) -> dict[str, object]:
    """A refund as their list tells it."""
    return {
        "id": 74896,
        "amount_refunded": "500.01",
        "status": "completed",
        "comment": "coopwire:refund00000000000001",
        "meta": "{'source':'ledgerbalance'}",
        "created_at": "2026-03-02T09:14:24.000Z",
        "transaction_id": 4975363,
        **changes,
    }


def test_the_amount_is_a_number_in_major_units_and_the_comment_bears_our_marker() -> None:
    assert refund_body(ORDER) == b'{"amount":500.01,"comments":"coopwire:refund00000000000001"}'


@given(minor=st.integers(min_value=1, max_value=10**12))
def test_every_minor_unit_is_asked_back(minor: int) -> None:
    assert f'"amount":{minor // 100}'.encode() in refund_body(replace(ORDER, amount_minor=minor))


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"charge": "ref1"}, "charge"),
        ({"charge": "1/../2"}, "charge"),
        ({"reference": "A Marker"}, "reference"),
        ({"amount_minor": 0}, "amount_minor"),
    ],
)
def test_what_they_would_not_take_is_refused_before_it_is_sent(changes: Any, field: str) -> None:
    with pytest.raises(InvalidOrder) as refused:
        refund_body(replace(ORDER, **changes))
    assert refused.value.field == field


@pytest.mark.parametrize(
    ("word", "state"),
    [
        ("completed", RefundState.SUCCEEDED),
        ("COMPLETED", RefundState.SUCCEEDED),
        ("completed-mpgs", RefundState.SUCCEEDED),
        ("completed-momo", RefundState.SUCCEEDED),
        ("completed-bank-transfer", RefundState.SUCCEEDED),
        ("completed-by-nobody-knows", RefundState.PROCESSING),
        ("new", RefundState.PROCESSING),
        ("pending", RefundState.PROCESSING),
        ("pending-momo", RefundState.PROCESSING),
        ("failed", RefundState.FAILED),
        ("refunded", RefundState.PROCESSING),
    ],
)
def test_only_an_explicit_word_ends_a_refund(word: str, state: RefundState) -> None:
    assert state_of(word, COMPLETED) is state


def test_which_words_end_a_refund_is_a_setting(an_account: Callable[..., Account]) -> None:
    account = an_account(refund_completed="done")
    assert refund_of(told(row(status="done"), b""), "NGN", account).state is RefundState.SUCCEEDED
    seen = refund_of(told(row(status="completed"), b""), "NGN", account)
    assert (seen.state, "completed" in seen.reason) == (RefundState.PROCESSING, True)


@pytest.mark.parametrize("name", ["transaction_id", "tx_id"])
def test_the_transaction_is_known_by_either_name_and_an_id_may_be_text(name: str) -> None:
    seen = told({**row(transaction_id=None), name: "4975363", "id": "74896"}, b"")
    assert (seen.id, seen.charge) == ("74896", "4975363")


@pytest.mark.parametrize(
    ("comment", "marker"),
    [
        ("coopwire:abc1", "abc1"),
        ("see coopwire:abc1, please", "abc1"),
        ("notcoopwire:abc1", None),
        ("by hand", None),
        (None, None),
        (5, None),
    ],
)
def test_a_marker_is_ours_or_none(comment: object, marker: str | None) -> None:
    assert marker_of(row(comment=comment)) == marker


@pytest.mark.parametrize(
    "broken",
    [
        {"id": "x"},
        {"transaction_id": None},
        {"created_at": "soon"},
        {"status": None},
        {"amount_refunded": "500.005"},
    ],
)
def test_a_refund_that_cannot_be_read_breaks_the_contract(
    broken: dict[str, object], an_account: Callable[..., Account]
) -> None:
    with pytest.raises(ContractBroken):
        refund_of(told(row(**broken), b""), "NGN", an_account())


async def _paid(flutterwave: Begin, **settings: Any) -> tuple[Any, RefundOrder]:
    bench = await flutterwave(refund_ends="stays", **settings)
    await bench.open("ref1")
    charge = bench.pay("ref1")
    return bench, replace(ORDER, charge=charge, amount_minor=50_000)


async def _send(bench: Any, order: RefundOrder) -> Any:
    return await bench.sockets.refunds.send(order, bench.sockets.refunds.say(order))


async def test_a_refusal_under_http_200_is_refused_in_their_words(flutterwave: Begin) -> None:
    bench, order = await _paid(flutterwave)
    with pytest.raises(Refused, match="greater than the charged amount"):
        await _send(bench, replace(order, amount_minor=10_000_000))
    with pytest.raises(Refused, match="non-existent transaction"):
        await _send(bench, replace(order, charge="1"))


async def test_a_refusal_that_carries_a_record_is_unknown(flutterwave: Begin) -> None:
    bench, order = await _paid(flutterwave)
    bench.simulator.faults.add("create_refund", "decline", params={"record": True, "status": 400})
    with pytest.raises(OutcomeUnknown):
        await _send(bench, order)


async def test_a_word_of_success_at_once_is_success(flutterwave: Begin) -> None:
    """As in every official sample of a refund that was just made."""
    bench, order = await _paid(flutterwave, refund_begins="completed")
    assert (await _send(bench, order)).state is RefundState.SUCCEEDED


@pytest.mark.parametrize("connected", [{}, {"refunds_by_date": "false"}, {"refunds_by_id": "false"}])
async def test_a_refund_is_counted_found_and_fetched_whatever_their_list_can_do(
    flutterwave: Begin, connected: dict[str, str]
) -> None:
    by_id = connected.get("refunds_by_id", "true")
    bench, order = await _paid(flutterwave, connected=connected, refund_page_size="2", refunds_by_id=by_id)
    hands = [
        bench.simulator.vendor.controls["dashboard_refund"](Given({"reference": "ref1", "amount": 100 + n}))
        for n in range(5)
    ]
    refunds = bench.sockets.refunds
    counted = replace(order, census=await refunds.count(order))
    assert set(counted.census) == {str(one["refund"]["id"]) for one in hands}
    made = await _send(bench, counted)
    found = await refunds.find(counted, SENT_AT)
    assert (found.word, [one.provider_ref for one in found.snapshots]) == (
        FindingWord.EXECUTED,
        [made.provider_ref],
    )
    fetched = await refunds.fetch(made.provider_ref)
    assert (fetched.amount_minor, fetched.currency, fetched.reference) == (50_000, "NGN", order.reference)


async def test_without_the_comment_a_refund_of_our_amount_may_be_ours_or_a_strangers(
    flutterwave: Begin,
) -> None:
    bench, order = await _paid(flutterwave, echo_comments="false")
    counted = replace(order, census=await bench.sockets.refunds.count(order))
    await _send(bench, counted)
    assert (await bench.sockets.refunds.find(counted, SENT_AT)).word is FindingWord.PENDING


async def test_the_currency_of_a_refund_is_that_of_its_transaction(flutterwave: Begin) -> None:
    bench = await flutterwave(currencies="NGN,XOF", refund_ends="stays")
    await bench.open("ref1", 2_500, "XOF")
    order = replace(ORDER, charge=bench.pay("ref1"), amount_minor=1_000, currency="XOF")
    made = await _send(bench, order)
    now = datetime.now(UTC)
    window = bench.sockets.refunds.list_window(now - timedelta(hours=1), now + timedelta(hours=1))
    assert [(one.amount_minor, one.currency) async for one in window] == [(1_000, "XOF")]
    assert (await bench.sockets.refunds.fetch(made.provider_ref)).currency == "XOF"


@pytest.mark.parametrize("ref", ["", "..", "1/2", "x", "75000"])
async def test_a_refund_that_they_do_not_know_breaks_the_contract(flutterwave: Begin, ref: str) -> None:
    bench, _ = await _paid(flutterwave)
    with pytest.raises(ContractBroken):
        await bench.sockets.refunds.fetch(ref)


async def test_an_answer_about_another_transaction_or_amount_breaks_the_contract(server: Any) -> None:
    for wrong in ({"tx_id": 1}, {"amount_refunded": 500}):
        data = {**row(transaction_id=None, tx_id=4975363), **wrong}
        server.will_say(json.dumps({"status": "success", "message": "m", "data": data}))
        with pytest.raises(ContractBroken):
            await server.sockets.refunds.send(ORDER, server.sockets.refunds.say(ORDER))
