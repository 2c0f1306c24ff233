"""The control plane over HTTP."""

from __future__ import annotations

from typing import Any

import pytest

Shop = Any


async def test_a_fault_is_added_listed_and_fires(shop: Shop) -> None:
    status, rule = await shop.control("POST", "faults", {"operation": "add", "kind": "html", "times": 2})
    assert status == 200
    async with shop.add() as answer:
        assert answer.status == 502
    _, listed = await shop.control("GET", "faults")
    assert listed == {"faults": [{**rule, "seen": 1, "fired": 1}]}


async def test_a_fault_for_ever_has_no_number_of_times(shop: Shop) -> None:
    _, rule = await shop.control("POST", "faults", {"operation": "*", "kind": "empty", "times": None})
    assert rule["times"] is None


async def test_one_fault_or_all_can_be_taken_away(shop: Shop) -> None:
    _, first = await shop.control("POST", "faults", {"operation": "add", "kind": "html"})
    await shop.control("POST", "faults", {"operation": "add", "kind": "empty"})
    assert await shop.control("DELETE", f"faults/{first['id']}") == (200, {"removed": first["id"]})
    _, left = await shop.control("GET", "faults")
    assert [rule["kind"] for rule in left["faults"]] == ["empty"]
    assert await shop.control("DELETE", "faults") == (200, {"faults": []})
    assert (await shop.control("DELETE", "faults/99"))[0] == 400


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("faults", {"operation": "add"}),
        ("faults", {"operation": "nothing", "kind": "html"}),
        ("faults", {"operation": "add", "kind": "html", "tmies": 2}),
        ("faults", {"operation": "add", "kind": "html", "times": "2"}),
        ("faults", {"operation": "add", "kind": "html", "params": [1]}),
        ("faults", ["add", "html"]),
        ("clock", {"seconds": -1}),
        ("clock", {}),
        ("settings", {"stpe": "2"}),
        ("settings", {"step": 2}),
        ("set", {"count": "many"}),
        ("set", {"cuont": 3}),
    ],
)
async def test_nonsense_is_refused_with_a_reason(shop: Shop, path: str, body: object) -> None:
    status, told = await shop.control("POST", path, body)
    assert status == 400
    assert told["error"]


async def test_a_body_that_is_no_json_is_refused_with_a_reason(shop: Shop) -> None:
    async with shop.http.post(f"{shop.running.url}/_sim/faults", data=b"{") as answer:
        assert (answer.status, await answer.json()) == (400, {"error": "the body is not JSON"})


async def test_the_record_shows_every_request_without_secrets(shop: Shop) -> None:
    async with shop.add(b'{"pin": "1234", "list": [{"Pin": "1234"}], "amount": 10.10}'):
        pass
    async with shop.http.get(f"{shop.running.url}/count?pin=1234&page=2"):
        pass
    _, told = await shop.control("GET", "requests")
    added, looked = told["requests"]
    assert added["body"] == {"pin": "***", "list": [{"Pin": "***"}], "amount": "10.10"}
    assert (looked["path"], looked["query"]) == ("/count", {"pin": "***", "page": "2"})
    assert (added["operation"], added["status"], added["accepted"], added["fault"]) == (
        "add",
        200,
        True,
        None,
    )
    assert "1234" not in str(told)


async def test_the_record_can_be_narrowed(shop: Shop) -> None:
    for body in (b"one", b"turn me away", b"two"):
        async with shop.add(body):
            pass
    async with shop.http.get(f"{shop.running.url}/count"):
        pass
    _, accepted = await shop.control("GET", "requests?operation=add&accepted=true")
    assert [entry["n"] for entry in accepted["requests"]] == [1, 3]
    _, newer = await shop.control("GET", "requests?after=2")
    assert [entry["n"] for entry in newer["requests"]] == [3, 4]
    assert (await shop.control("GET", "requests?after=x"))[0] == 400
    _, counts = await shop.control("GET", "counts")
    assert counts == {"add": {"accepted": 2, "refused": 1}, "look": {"accepted": 1}}


async def test_state_settings_and_the_vendors_own_controls(shop: Shop) -> None:
    assert await shop.control("POST", "set", {"count": 41}) == (200, {"count": 41})
    assert await shop.control("POST", "settings", {"step": "2"}) == (200, {"step": "2"})
    async with shop.add():
        pass
    assert await shop.control("GET", "state") == (200, {"count": 43})
    assert await shop.control("GET", "settings") == (200, {"step": "2"})


async def test_a_reset_forgets_what_happened_and_keeps_settings(shop: Shop) -> None:
    await shop.control("POST", "settings", {"step": "2"})
    await shop.control("POST", "faults", {"operation": "look", "kind": "html"})
    async with shop.add():
        pass
    await shop.control("POST", "reset")
    assert await shop.control("GET", "state") == (200, {"count": 0})
    assert await shop.control("GET", "faults") == (200, {"faults": []})
    assert await shop.control("GET", "requests") == (200, {"requests": []})
    assert await shop.control("GET", "settings") == (200, {"step": "2"})


async def test_the_clock_is_advanced(shop: Shop) -> None:
    before = shop.simulator.clock.now()
    status, _ = await shop.control("POST", "clock", {"seconds": 86400})
    assert status == 200
    assert (shop.simulator.clock.now() - before).days == 1
