"""The adapter over real HTTP: at the simulator, and at a server that answers word for word."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from coopwire.domain.errors import (
    BadCredentials,
    ContractBroken,
    HubError,
    InvalidOrder,
    NotSent,
    OutcomeUnknown,
    Refused,
    TryLater,
)
from coopwire.domain.payments import Mode
from coopwire.domain.states import PaymentState
from coopwire.ports.gateways import CheckoutOrder
from coopwire.ports.providers import Connection, Outside
from coopwire.ports.writes import FindingWord
from coopwire.providers.flutterwave.adapter import connect

Begin = Callable[..., Awaitable[Any]]
Order = Callable[..., CheckoutOrder]
Transaction = Callable[..., dict[str, object]]
SENT_AT = datetime(2026, 3, 2, tzinfo=UTC)
REF = "ref00000000000000001"
HOSTILE = (
    ("note", 'quotes " and \\ and {}'),
    ("emoji", "🙂👩🏽\u200d🌾"),
    ("long", "x" * 10_240),
    ("rtl", "\u202eright to left\u202c العربية"),
)


async def send(bench: Any, order: CheckoutOrder) -> Any:
    return await bench.sockets.checkouts.send(order, bench.sockets.checkouts.say(order))


def said(data: object, **more: object) -> str:
    return json.dumps({"status": "success", "message": "m", "data": data, **more})


def listed(*rows: object, total: int, page: int = 1, pages: int = 1) -> str:
    info = {"total": total, "current_page": page, "total_pages": pages}
    return said(list(rows), meta={"page_info": info})


NONE = json.dumps({"status": "error", "message": "No transaction was found for this id", "data": None})


async def test_a_second_send_of_the_same_reference_opens_another_page_of_the_same_reference(
    flutterwave: Begin, an_order: Order
) -> None:
    bench = await flutterwave()
    first, second = await send(bench, an_order()), await send(bench, an_order())
    assert first.url != second.url
    assert {page["reference"] for page in bench.simulator.vendor.truth()["pages"]} == {REF}


@pytest.mark.parametrize(
    "kind", ["drop_after", "html", "empty", "truncated", "http_500", "http_503", "redirect"]
)
async def test_an_untrustworthy_answer_to_an_order_is_unknown(
    flutterwave: Begin, an_order: Order, kind: str
) -> None:
    bench = await flutterwave()
    bench.simulator.faults.add("create_payment", kind)
    with pytest.raises(OutcomeUnknown):
        await send(bench, an_order())
    assert (await bench.sockets.checkouts.find(an_order(), SENT_AT)).word is FindingWord.ABSENT


@pytest.mark.parametrize(
    "kind", ["drop_after", "html", "empty", "truncated", "http_500", "http_503", "redirect"]
)
@pytest.mark.parametrize("operation", ["verify_by_reference", "list_transactions"])
async def test_a_spoilt_read_is_never_an_answer(flutterwave: Begin, kind: str, operation: str) -> None:
    bench = await flutterwave()
    await bench.open(REF)
    bench.pay(REF)
    bench.simulator.faults.add(operation, kind)
    with pytest.raises((TryLater, ContractBroken)):
        await bench.sockets.charges.find(REF)


async def test_an_oversized_answer_is_no_answer(server: Any, an_order: Order) -> None:
    server.will_say(said({"link": "https://pay.example/x", "pad": "x" * (5 << 20)}))
    with pytest.raises(OutcomeUnknown):
        await send(server, an_order())


@pytest.mark.parametrize("status", [400, 401])
async def test_a_refused_key_stops_the_connection(flutterwave: Begin, an_order: Order, status: int) -> None:
    bench = await flutterwave(secret_key="FLWSECK_TEST-another", invalid_key_status=str(status))
    with pytest.raises(BadCredentials):
        await send(bench, an_order())


async def test_a_rate_limit_says_how_long_to_wait(flutterwave: Begin, an_order: Order) -> None:
    bench = await flutterwave()
    bench.simulator.faults.add("create_payment", "http_429", params={"retry_after": 7})
    with pytest.raises(TryLater) as later:
        await send(bench, an_order())
    assert later.value.retry_after == 7.0


async def test_nobody_listening_means_nothing_was_sent(outside: Outside, an_order: Order) -> None:
    nowhere = {"secret_key": "FLWSECK_TEST-x", "base_url": "http://127.0.0.1:9/v3"}
    sockets = connect(Connection("f", "flutterwave", Mode.TEST, nowhere), outside)
    assert sockets.checkouts is not None
    with pytest.raises(NotSent):
        await sockets.checkouts.send(an_order(), sockets.checkouts.say(an_order()))


async def test_hostile_facts_arrive_and_come_back_unchanged(flutterwave: Begin, an_order: Order) -> None:
    bench = await flutterwave()
    await send(bench, an_order(facts=HOSTILE))
    bench.pay(REF)
    (charge,) = await bench.sockets.charges.find(REF)
    assert json.loads(charge.raw)["data"]["meta"] == dict(HOSTILE)


@pytest.mark.parametrize("facts", [(("a", "NUL \x00"),), (("half \ud800", "b"),)])
async def test_what_cannot_arrive_unchanged_leaves_nothing_there(
    flutterwave: Begin, an_order: Order, facts: Any
) -> None:
    bench = await flutterwave()
    with pytest.raises(InvalidOrder):
        await send(bench, an_order(facts=facts))
    assert list(bench.simulator.record.entries()) == []


async def test_the_key_goes_in_the_header_and_nowhere_else(server: Any, an_order: Order) -> None:
    server.will_say(said({"link": "https://pay.example/x"}))
    await send(server, an_order())
    [asked] = server.asked
    assert asked.headers["Authorization"] == "Bearer FLWSECK_TEST-simulated-X"
    assert b"FLWSECK" not in asked.body
    assert "FLWSECK" not in asked.path


@pytest.mark.parametrize("answers", ["latest", "first", "successful"])
@pytest.mark.parametrize("ids", ["number", "text"])
async def test_all_transactions_of_a_reference_are_found_whichever_the_look_up_tells(
    flutterwave: Begin, answers: str, ids: str
) -> None:
    bench = await flutterwave(reference_answers=answers, list_ids=ids, page_size="2")
    await bench.open(REF)
    await bench.open("another")
    bench.pay("another")
    expected = [bench.pay(REF, outcome=one) for one in ("failed", "successful", "failed", "successful")]
    found = await bench.sockets.charges.find(REF)
    assert [charge.charge for charge in found] == expected
    assert [charge.state is PaymentState.SUCCEEDED for charge in found] == [False, True, False, True]


async def test_the_one_that_the_look_up_tells_counts_though_the_list_lacks_it(
    server: Any, a_transaction: Transaction
) -> None:
    """What days their list covers by itself nobody says."""
    server.will_say(said({**a_transaction(), "app_fee": 21, "amount_settled": 1477}))
    server.will_say(listed(total=0))
    (charge,) = await server.sockets.charges.find(REF)
    assert charge.charge == "4975363"


async def test_an_id_that_a_webhook_named_is_asked_for_and_counts_if_the_reference_is_ours(
    flutterwave: Begin,
) -> None:
    bench = await flutterwave()
    for reference in (REF, "another"):
        await bench.open(reference)
    ours, theirs = bench.pay(REF), bench.pay("another")
    found = await bench.sockets.charges.find(REF, (ours, theirs, "999", "chg_1", "../x", ""))
    assert [charge.charge for charge in found] == [ours]


async def test_no_transaction_is_empty_and_costs_one_call(server: Any) -> None:
    server.will_say(NONE, 400)
    assert await server.sockets.charges.find(REF) == ()
    assert [asked.path for asked in server.asked] == [f"/v3/transactions/verify_by_reference?tx_ref={REF}"]


@pytest.mark.parametrize(
    ("status", "body", "error"),
    [
        (200, NONE.replace("No transaction", "No such thing"), ContractBroken),
        (404, "<html>No transaction was found for this id</html>", ContractBroken),
        (503, NONE, TryLater),
    ],
)
async def test_an_absence_in_other_words_is_not_believed(
    server: Any, status: int, body: str, error: type[HubError]
) -> None:
    server.will_say(body, status)
    with pytest.raises(error):
        await server.sockets.charges.find(REF)


async def test_an_answer_about_another_reference_or_id_is_no_answer(
    server: Any, a_transaction: Transaction
) -> None:
    plain = {**a_transaction(tx_ref="another"), "app_fee": 21, "amount_settled": 1477}
    server.will_say(said(plain))
    with pytest.raises(ContractBroken):
        await server.sockets.charges.find(REF)
    server.will_say(NONE, 400)
    server.will_say(said(plain))
    with pytest.raises(ContractBroken):
        await server.sockets.charges.find(REF, ("1",))


@pytest.mark.parametrize("reference", ["a b&c=d", "../x?y#z", "ümläut/🙂"])
async def test_any_reference_is_asked_for_as_one_parameter(server: Any, reference: str) -> None:
    server.will_say(NONE, 400)
    await server.sockets.charges.find(reference)
    [asked] = server.asked
    assert asked.path.startswith("/v3/transactions/verify_by_reference?tx_ref=")
    assert asked.path.count("&") == 0


async def test_a_window_is_walked_by_whole_days_and_cut_to_the_moment(flutterwave: Begin) -> None:
    bench = await flutterwave(page_size="3")
    await bench.open(REF)
    ids = [bench.pay(REF) for _ in range(8)]
    now = datetime.now(UTC)
    window = bench.sockets.charges.list_window(now - timedelta(minutes=5), now + timedelta(minutes=5))
    assert {charge.charge async for charge in window} == set(ids)
    nothing = bench.sockets.charges.list_window(now + timedelta(minutes=5), now + timedelta(minutes=9))
    assert [charge async for charge in nothing] == []


async def test_a_list_that_goes_in_circles_or_has_no_count_breaks_the_contract(server: Any) -> None:
    now = datetime.now(UTC)
    for answer in (listed({}, total=9, page=0, pages=3), said([])):
        server.will_say(answer)
        with pytest.raises(ContractBroken):
            [one async for one in server.sockets.charges.list_window(now, now)]


async def test_a_row_that_cannot_be_read_hides_no_other(server: Any, a_transaction: Transaction) -> None:
    plain = {**a_transaction(created_at=None), "app_fee": 21, "amount_settled": 1477}
    server.will_say(listed({"id": 1}, plain, total=2))
    now, told = datetime.now(UTC), []
    with pytest.raises(ContractBroken, match="1 rows"):
        async for charge in server.sockets.charges.list_window(now, now):
            told.append(charge.charge)
    assert told == ["4975363"]


async def test_a_rule_of_theirs_is_refused_with_their_words(flutterwave: Begin, an_order: Order) -> None:
    bench = await flutterwave()
    with pytest.raises(Refused, match="Invalid currency provided"):
        await send(bench, an_order(currency="GHS"))
