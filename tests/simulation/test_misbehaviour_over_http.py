"""Every fault kind as a caller meets it: what is answered, and whether it was done."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

import aiohttp
import pytest

from coopwire.simulation.kernel import running

Until = Callable[[Callable[[], bool]], Awaitable[None]]
Shop = Any
"""The fixture's type lives in conftest.py, which cannot be imported."""
IMPATIENT = aiohttp.ClientTimeout(total=0.2)


def last_entry(shop: Shop) -> Any:
    return list(shop.simulator.record.entries())[-1]


async def test_without_a_fault_it_is_done_and_recorded(shop: Shop) -> None:
    async with shop.add(b"one") as answer:
        assert (answer.status, await answer.json()) == (200, {"count": 1})
    entry = last_entry(shop)
    assert (entry.operation, entry.body, entry.status, entry.outcome, entry.fault) == (
        "add",
        b"one",
        200,
        "accepted",
        "",
    )


async def test_who_is_turned_away_gets_the_answer_and_is_recorded_as_refused(shop: Shop) -> None:
    async with shop.add(b"turn me away") as answer:
        assert answer.status == 400
    assert last_entry(shop).outcome == "refused"
    assert shop.kiosk.count == 0


async def test_an_unknown_path_is_answered_in_the_vendors_words(shop: Shop) -> None:
    async with shop.http.get(f"{shop.running.url}/nowhere") as answer:
        assert (answer.status, await answer.json()) == (404, {"failure": 404})


@pytest.mark.parametrize(("done", "count"), [(False, 0), (True, 1)])
@pytest.mark.parametrize("status", [500, 503])
async def test_a_server_error_comes_before_or_after_doing(
    shop: Shop, status: int, done: bool, count: int
) -> None:
    shop.simulator.faults.add("add", f"http_{status}", params={"done": done})
    async with shop.add() as answer:
        assert (answer.status, await answer.json()) == (status, {"failure": status})
    assert shop.kiosk.count == count
    assert last_entry(shop).outcome == ("accepted" if done else "not_done")


@pytest.mark.parametrize(("params", "header"), [({}, None), ({"retry_after": 7}, "7")])
async def test_429_comes_with_or_without_retry_after(
    shop: Shop, params: dict[str, object], header: str | None
) -> None:
    shop.simulator.faults.add("add", "http_429", params=params)
    async with shop.add() as answer:
        assert (answer.status, answer.headers.get("Retry-After")) == (429, header)
    assert shop.kiosk.count == 0


@pytest.mark.parametrize(("kind", "count"), [("silence_before", 0), ("silence_after", 1)])
async def test_silence_lasts_until_the_caller_goes(shop: Shop, kind: str, count: int) -> None:
    shop.simulator.faults.add("add", kind)
    with pytest.raises(TimeoutError):
        async with shop.http.post(f"{shop.running.url}/add", timeout=IMPATIENT):
            pass
    assert shop.kiosk.count == count


async def test_a_silent_simulator_lets_go_of_its_callers_when_it_stops(shop: Shop, until: Until) -> None:
    shop.simulator.faults.add("add", "silence_before")
    caller = asyncio.create_task(shop.add()._coro)
    await until(lambda: any(shop.simulator.record.entries()))
    await shop.running.stop()
    with pytest.raises(aiohttp.ClientError):
        await caller


@pytest.mark.parametrize("reset", [False, True])
@pytest.mark.parametrize(("kind", "count"), [("drop_before", 0), ("drop_after", 1)])
async def test_a_dropped_connection_has_no_answer(shop: Shop, kind: str, count: int, reset: bool) -> None:
    shop.simulator.faults.add("add", kind, params={"reset": reset})
    with pytest.raises(aiohttp.ClientError):
        async with shop.add():
            pass
    assert shop.kiosk.count == count


@pytest.mark.parametrize(("done", "count"), [(False, 0), (True, 1)])
async def test_html_comes_where_json_was_expected(shop: Shop, done: bool, count: int) -> None:
    shop.simulator.faults.add("add", "html", params={"done": done, "status": 200})
    async with shop.add() as answer:
        assert (answer.status, answer.content_type) == (200, "text/html")
        assert (await answer.text()).startswith("<!DOCTYPE html>")
    assert shop.kiosk.count == count


@pytest.mark.parametrize(("done", "count"), [(False, 0), (True, 1)])
async def test_an_empty_body_says_nothing(shop: Shop, done: bool, count: int) -> None:
    shop.simulator.faults.add("add", "empty", params={"done": done})
    async with shop.add() as answer:
        assert (answer.status, await answer.read()) == (200, b"")
    assert shop.kiosk.count == count


async def test_truncated_json_is_half_of_the_true_answer(shop: Shop) -> None:
    shop.simulator.faults.add("add", "truncated")
    async with shop.add() as answer:
        half = await answer.read()
    assert b'{"count":1}'.startswith(half)
    with pytest.raises(json.JSONDecodeError):
        json.loads(half)
    assert shop.kiosk.count == 1


async def test_a_cut_answer_ends_in_the_middle_of_its_body(shop: Shop) -> None:
    shop.simulator.faults.add("add", "truncated", params={"cut": True})
    with pytest.raises(aiohttp.ClientPayloadError):
        async with shop.add() as answer:
            await answer.read()
    assert shop.kiosk.count == 1


async def test_a_slow_answer_comes_when_the_clock_says_so(shop: Shop, until: Until) -> None:
    shop.simulator.faults.add("add", "slow", params={"seconds": 600})
    caller = asyncio.create_task(shop.add()._coro)
    await until(lambda: shop.simulator.backstage.busy == 1)
    assert shop.kiosk.count == 0
    shop.simulator.clock.advance(600)
    answer = await caller
    assert await answer.json() == {"count": 1}


async def test_a_slow_call_is_done_even_when_the_caller_has_gone(shop: Shop) -> None:
    shop.simulator.faults.add("add", "slow", params={"seconds": 600})
    with pytest.raises(TimeoutError):
        async with shop.http.post(f"{shop.running.url}/add", timeout=IMPATIENT):
            pass
    assert shop.kiosk.count == 0
    shop.simulator.clock.advance(600)
    await shop.simulator.backstage.idle()
    assert shop.kiosk.count == 1


async def test_a_late_call_answers_nothing_and_lands_after_everybody_stopped_waiting(shop: Shop) -> None:
    shop.simulator.faults.add("add", "late", params={"seconds": 600})
    with pytest.raises(TimeoutError):
        async with shop.http.post(f"{shop.running.url}/add", data=b"late", timeout=IMPATIENT):
            pass
    assert shop.kiosk.count == 0
    assert not list(shop.simulator.record.entries())
    shop.simulator.clock.advance(600)
    await shop.simulator.backstage.idle()
    assert shop.kiosk.count == 1
    assert (last_entry(shop).body, last_entry(shop).fault) == (b"late", "late")


async def test_a_redirect_leads_elsewhere_and_does_nothing(shop: Shop) -> None:
    shop.simulator.faults.add("add", "redirect")
    async with shop.add() as answer:
        assert answer.status == 302
        assert answer.headers["Location"].startswith(shop.running.url)
    assert shop.kiosk.count == 0


async def test_a_vendor_tells_a_decline_in_its_own_words(shop: Shop) -> None:
    shop.simulator.faults.add("add", "decline", params={"code": "51"})
    async with shop.add() as answer:
        assert (answer.status, await answer.json()) == (422, {"code": "51"})
    assert shop.kiosk.count == 0
    assert last_entry(shop).fault == "decline"


async def test_a_simulator_that_was_down_comes_back_with_its_state(shop: Shop) -> None:
    async with shop.add():
        pass
    port = int(shop.running.url.rpartition(":")[2])
    await shop.running.stop()
    with pytest.raises(aiohttp.ClientError):
        async with shop.add():
            pass
    async with running(shop.simulator, port=port), shop.add() as answer:
        assert await answer.json() == {"count": 2}


async def test_a_taken_port_is_told(shop: Shop) -> None:
    port = int(shop.running.url.rpartition(":")[2])
    with pytest.raises(OSError, match="address already in use"):
        async with running(shop.simulator, port=port):
            pass
