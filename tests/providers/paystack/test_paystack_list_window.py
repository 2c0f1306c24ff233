"""Listing a window of charges: every charge once, by cursor and by page number, while the pages shift."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from coopwire.domain.errors import BadCredentials, ContractBroken, TryLater
from coopwire.domain.states import PaymentState
from coopwire.ports.gateways import Charges, ChargeSnapshot

Begin = Callable[..., Awaitable[Any]]
START = datetime(2026, 3, 2, tzinfo=UTC)
END = datetime(2026, 3, 3, tzinfo=UTC)


async def listed(charges: Charges, start: datetime = START, end: datetime = END) -> list[ChargeSnapshot]:
    return [charge async for charge in charges.list_window(start, end)]


def ids(found: list[ChargeSnapshot]) -> list[str]:
    return [charge.charge for charge in found]


def said(rows: list[dict[str, object]], **meta: object) -> bytes:
    return json.dumps(
        {"status": True, "message": "Transactions retrieved", "data": rows, "meta": meta}
    ).encode()


@pytest.fixture
def row(a_transaction: Callable[..., dict[str, object]]) -> Callable[..., dict[str, object]]:
    """One row of a list, by its number."""

    def make(number: int, **changes: object) -> dict[str, object]:
        return a_transaction(id=number, reference=f"ref{number}", **changes)

    return make


Row = Callable[..., dict[str, object]]


def queries(server: Any) -> list[dict[str, str]]:
    return [{k: v[0] for k, v in parse_qs(urlsplit(one.path).query).items()} for one in server.asked]


# -- against the simulator ------------------------------------------------------------------------------------


@pytest.mark.parametrize("cursor_end", ["null", "text"])
async def test_every_charge_of_the_window_is_told_once_whatever_its_state(
    paystack: Begin, cursor_end: str
) -> None:
    bench = await paystack(largest_page="3", cursor_end=cursor_end)
    outcomes = ["success", "failed", "abandoned", "processing", "reversed", "success", "success"]
    for number, outcome in enumerate(outcomes):
        await bench.open(f"ref{number}", 1000 + number)
        if outcome == "reversed":
            bench.pay(f"ref{number}")
        bench.pay(f"ref{number}", outcome=outcome)
    now = bench.clock.now()
    found = await listed(bench.sockets.charges, now - timedelta(hours=1), now + timedelta(hours=1))
    assert sorted(charge.reference for charge in found) == [f"ref{n}" for n in range(7)]
    states = {charge.reference: charge.state for charge in found}
    assert states["ref1"] is PaymentState.FAILED
    assert states["ref3"] is PaymentState.PROCESSING
    assert states["ref4"] is PaymentState.SUCCEEDED


async def test_nothing_outside_the_window_is_told(paystack: Begin) -> None:
    bench = await paystack()
    await bench.open("early")
    bench.simulator.clock.advance(7200)
    middle = bench.simulator.clock.now() - timedelta(seconds=1)
    await bench.open("inside")
    bench.simulator.clock.advance(7200)
    await bench.open("late")
    found = await listed(bench.sockets.charges, middle, middle + timedelta(hours=1))
    assert [charge.reference for charge in found] == ["inside"]


async def test_charges_that_come_in_meanwhile_hide_none_of_the_others(paystack: Begin) -> None:
    bench = await paystack(largest_page="2")
    for number in range(7):
        await bench.open(f"ref{number}")
    now = bench.clock.now()
    found = []
    async for charge in bench.sockets.charges.list_window(now - timedelta(hours=1), now + timedelta(hours=1)):
        found.append(charge.reference)
        await bench.open(f"new{len(found)}")
    assert {f"ref{number}" for number in range(7)} <= set(found)
    assert len(found) == len(set(found))


async def test_an_empty_window_is_empty(paystack: Begin) -> None:
    bench = await paystack()
    assert await listed(bench.sockets.charges) == []


# -- by cursor ------------------------------------------------------------------------------------------------


async def test_the_cursor_is_followed_to_its_end(server: Any, charges: Charges, row: Row) -> None:
    server.will_say(said([row(3), row(2)], next="abc=", previous="null", perPage=2))
    server.will_say(said([row(1)], next=None, previous="xyz", perPage=2))
    assert ids(await listed(charges)) == ["3", "2", "1"]
    first, second = queries(server)
    assert first["use_cursor"] == "true" and "next" not in first
    assert (second["next"], second["from"], second["to"]) == ("abc=", first["from"], first["to"])


@pytest.mark.parametrize("end", [{}, {"next": None}, {"next": "null"}, {"next": ""}])
async def test_every_way_to_end_a_cursor_ends_it(
    server: Any, charges: Charges, row: Row, end: dict[str, object]
) -> None:
    server.will_say(said([row(1)], perPage=50, **end))
    assert ids(await listed(charges)) == ["1"]
    assert len(server.asked) == 1


async def test_a_cursor_that_goes_in_circles_is_noticed(server: Any, charges: Charges, row: Row) -> None:
    for _ in range(2):
        server.will_say(said([row(1)], next="again", perPage=1))
    with pytest.raises(ContractBroken, match="cursor"):
        await listed(charges)


# -- by page number -------------------------------------------------------------------------------------------


def numbered(rows: list[dict[str, object]], page: int, pages: int, total: int) -> bytes:
    return said(rows, total=total, total_volume=1, skipped=0, perPage=2, page=page, pageCount=pages)


async def test_page_numbers_are_followed_when_they_answer_with_them(
    server: Any, charges: Charges, row: Row
) -> None:
    server.will_say(numbered([row(3), row(2)], 1, 2, 3))
    server.will_say(numbered([row(1)], 2, 2, 3))
    assert ids(await listed(charges)) == ["3", "2", "1"]
    assert queries(server)[1]["page"] == "2"


async def test_a_page_that_shifts_forward_is_walked_again_and_told_once(
    server: Any, charges: Charges, row: Row
) -> None:
    server.will_say(numbered([row(3), row(2)], 1, 2, 3))
    # A charge came in: 2 moved on to the second page, and 4 was never seen.
    server.will_say(numbered([row(2), row(1)], 2, 2, 4))
    server.will_say(numbered([row(4), row(3)], 1, 2, 4))
    server.will_say(numbered([row(2), row(1)], 2, 2, 4))
    assert ids(await listed(charges)) == ["3", "2", "1", "4"]


async def test_a_page_that_shifts_backward_is_walked_again_and_none_is_lost(
    server: Any, charges: Charges, row: Row
) -> None:
    server.will_say(numbered([row(4), row(3)], 1, 2, 4))
    # 4 left the list: 2 moved on to the first page, which was read already.
    server.will_say(numbered([row(1)], 2, 2, 3))
    server.will_say(numbered([row(3), row(2)], 1, 2, 3))
    server.will_say(numbered([row(1)], 2, 2, 3))
    assert sorted(ids(await listed(charges))) == ["1", "2", "3", "4"]


async def test_a_list_that_never_stands_still_is_tried_later(server: Any, charges: Charges, row: Row) -> None:
    for _ in range(5):
        server.will_say(numbered([row(2), row(1)], 1, 2, 4))
        server.will_say(numbered([row(1)], 2, 2, 4))
    with pytest.raises(TryLater):
        await listed(charges)


async def test_a_list_that_always_shows_the_first_page_is_noticed(
    server: Any, charges: Charges, row: Row
) -> None:
    for _ in range(2):
        server.will_say(numbered([row(2), row(1)], 1, 2, 4))
    with pytest.raises(ContractBroken, match="page"):
        await listed(charges)


async def test_page_numbers_as_text_are_read_too(server: Any, charges: Charges, row: Row) -> None:
    server.will_say(said([row(1)], total="1", page="1", pageCount="1", perPage="50"))
    assert ids(await listed(charges)) == ["1"]


# -- trouble --------------------------------------------------------------------------------------------------


async def test_a_row_that_cannot_be_read_hides_no_other_and_is_told_at_the_end(
    server: Any, charges: Charges, row: Row
) -> None:
    server.will_say(said([row(3), row(2, amount="many"), {"id": 9}], next="n", perPage=3))
    server.will_say(said([row(1)], perPage=3))
    found = []
    with pytest.raises(ContractBroken, match="2 rows"):
        async for charge in charges.list_window(START, END):
            found.append(charge.charge)
    assert found == ["3", "1"]


async def test_a_row_keeps_its_own_raw_text_with_every_digit(server: Any, charges: Charges, row: Row) -> None:
    body = said([row(1)], perPage=50).replace(b'"fees": 2250', b'"fees": 2250.1250')
    server.will_say(body)
    (charge,) = await listed(charges)
    assert charge.fee_exact == "2250.125"
    assert b"2250.1250" in charge.raw and b'"ref1"' in charge.raw


async def test_a_row_without_its_time_is_told_rather_than_lost(
    server: Any, charges: Charges, row: Row
) -> None:
    server.will_say(said([row(1, created_at=None)], perPage=50))
    assert ids(await listed(charges)) == ["1"]


@pytest.mark.parametrize(
    "body",
    [
        b'{"status": true, "message": "ok", "data": []}',
        b'{"status": true, "message": "ok", "data": {}, "meta": {"perPage": 50}}',
        b'{"status": true, "message": "ok", "data": null, "meta": {"perPage": 50}}',
        b'{"status": true, "message": "ok", "data": [], "meta": {"page": "one", "pageCount": 1, "total": 0}}',
        b'{"status": true, "message": "ok", "data": [], "meta": {"next": {"a": 1}}}',
    ],
)
async def test_a_list_in_neither_form_is_no_list(server: Any, charges: Charges, body: bytes) -> None:
    server.will_say(body)
    with pytest.raises(ContractBroken):
        await listed(charges)


async def test_a_failure_on_a_later_page_is_told_after_the_first(
    server: Any, charges: Charges, row: Row
) -> None:
    server.will_say(said([row(2)], next="n", perPage=1))
    server.will_say(b"", 502)
    server.will_say(b'{"status": false, "message": "Invalid key"}', 400)
    found = []
    with pytest.raises(TryLater):
        async for charge in charges.list_window(START, END):
            found.append(charge.charge)
    assert found == ["2"]
    with pytest.raises(BadCredentials):
        await listed(charges)


async def test_the_window_is_asked_for_in_utc(server: Any, charges: Charges) -> None:
    server.will_say(said([], perPage=50))
    lagos = timedelta(hours=1)
    start = datetime.fromisoformat("2026-03-02T00:00:00+01:00")
    await listed(charges, start, start + timedelta(days=1))
    (query,) = queries(server)
    assert query["from"] == (START - lagos).strftime("%Y-%m-%dT%H:%M:%S.000Z")
    assert query["to"].startswith("2026-03-02T23:00:00")
