"""The simulated Stripe by itself: keys and their window, forms, lists, the late search, events and their signatures."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from rigs.answering import answering

Begin = Callable[..., Awaitable[Any]]
PAGE = {
    "mode": "payment",
    "success_url": "https://lender.example/back?s={CHECKOUT_SESSION_ID}",
    "client_reference_id": "ref1",
    "line_items[0][price_data][currency]": "ngn",
    "line_items[0][price_data][unit_amount]": "1500",
    "line_items[0][price_data][product_data][name]": "Loan",
    "line_items[0][quantity]": "2",
    "payment_intent_data[metadata][reference]": "ref1",
}


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(headers={"Authorization": "Bearer sk_test_simulated"}) as one:
        yield one


async def post(
    http: aiohttp.ClientSession, url: str, form: Mapping[str, str], key: str = ""
) -> tuple[int, Any, Mapping[str, str]]:
    headers = {"Idempotency-Key": key} if key else {}
    async with http.post(url, data=form, headers=headers) as answer:
        return answer.status, await answer.json(), answer.headers


async def get(http: aiohttp.ClientSession, url: str) -> tuple[int, Any]:
    async with http.get(url) as answer:
        return answer.status, await answer.json()


async def test_the_first_answer_under_a_key_comes_again_for_a_day(
    stripe: Begin, http: aiohttp.ClientSession
) -> None:
    bench = await stripe()
    url = f"{bench.url}/v1/checkout/sessions"
    _, first, _ = await post(http, url, PAGE, "k1")
    assert first["amount_total"] == 3_000
    status, again, headers = await post(http, url, PAGE, "k1")
    assert (status, again, headers["Idempotent-Replayed"]) == (200, first, "true")
    status, other, _ = await post(http, url, {**PAGE, "success_url": "https://x.example"}, "k1")
    assert (status, other["error"]["type"]) == (400, "idempotency_error")
    bench.simulator.clock.advance(24 * 3_600 + 1)
    _, anew, _ = await post(http, url, PAGE, "k1")
    assert anew["id"] != first["id"]
    assert bench.simulator.record.counts()["create_session"] == {"accepted": 2, "repeated": 1, "refused": 1}


async def test_without_a_key_everything_is_done_each_time(stripe: Begin, http: aiohttp.ClientSession) -> None:
    bench = await stripe()
    for _ in range(2):
        await post(http, f"{bench.url}/v1/checkout/sessions", PAGE)
    assert len(bench.simulator.vendor.truth()["pages"]) == 2


async def test_an_answer_to_what_was_not_valid_is_not_kept(
    stripe: Begin, http: aiohttp.ClientSession
) -> None:
    bench = await stripe()
    url = f"{bench.url}/v1/checkout/sessions"
    status, _, _ = await post(http, url, {**PAGE, "mode": "setup"}, "k1")
    assert status == 400
    status, _, _ = await post(http, url, PAGE, "k1")
    assert status == 200


async def test_a_failure_of_theirs_is_kept_under_the_key(stripe: Begin, http: aiohttp.ClientSession) -> None:
    bench = await stripe()
    url = f"{bench.url}/v1/checkout/sessions"
    bench.simulator.faults.add("create_session", "remembered_500", params={"done": True})
    for _ in range(2):
        status, told, _ = await post(http, url, PAGE, "k1")
        assert (status, told["error"]["type"]) == (500, "api_error")
    assert len(bench.simulator.vendor.truth()["pages"]) == 1


@pytest.mark.parametrize(
    ("changes", "param"),
    [
        ({"mode": ""}, "mode"),
        ({"success_url": ""}, "success_url"),
        ({"line_items[0][price_data][unit_amount]": "1.5"}, "unit_amount"),
        ({"line_items[0][price_data][currency]": "eur"}, "line_items[0][price_data][currency]"),
        ({"customer_email": "nobody"}, "customer_email"),
        ({"expires_at": "1"}, "expires_at"),
        ({"metadata[x]": "y" * 501}, "metadata"),
        ({"surprise": "1"}, "surprise"),
        ({"payment_intent_data[surprise]": "1"}, "surprise"),
    ],
)
async def test_a_form_that_they_would_refuse_is_refused_with_its_parameter(
    stripe: Begin, http: aiohttp.ClientSession, changes: dict[str, str], param: str
) -> None:
    bench = await stripe()
    status, told, _ = await post(http, f"{bench.url}/v1/checkout/sessions", {**PAGE, **changes})
    assert (status, told["error"]["type"], told["error"]["param"]) == (400, "invalid_request_error", param)


async def test_json_is_no_form(stripe: Begin, http: aiohttp.ClientSession) -> None:
    bench = await stripe()
    async with http.post(f"{bench.url}/v1/checkout/sessions", json=PAGE) as answer:
        assert answer.status == 400


async def test_lists_come_the_newest_first_and_go_on_behind_a_row(
    stripe: Begin, http: aiohttp.ClientSession
) -> None:
    bench = await stripe()
    ids = [bench.control("dashboard_payment", amount=1_000)["charges"][0]["id"] for _ in range(5)]
    told: list[str] = []
    query = "limit=2"
    while True:
        _, page = await get(http, f"{bench.url}/v1/payment_intents?{query}")
        told += [row["id"] for row in page["data"]]
        if not page["has_more"]:
            break
        query = f"limit=2&starting_after={told[-1]}"
    assert told == ids[::-1]
    assert (await get(http, f"{bench.url}/v1/payment_intents?limit=101"))[0] == 400
    assert (await get(http, f"{bench.url}/v1/payment_intents?starting_after=pi_nobody"))[0] == 400
    assert (await get(http, f"{bench.url}/v1/payment_intents/pi_nobody"))[1]["error"][
        "code"
    ] == "resource_missing"


async def test_a_window_in_unix_seconds_holds(stripe: Begin, http: aiohttp.ClientSession) -> None:
    bench = await stripe()
    bench.control("dashboard_payment", amount=1_000)
    [row] = (await get(http, f"{bench.url}/v1/payment_intents"))[1]["data"]
    at = row["created"]
    for query, rows in (
        (f"created[gte]={at}&created[lt]={at + 1}", 1),
        (f"created[gt]={at}", 0),
        (f"created[lte]={at}", 1),
        (f"created[lt]={at}", 0),
        (f"created={at}", 1),
    ):
        assert len((await get(http, f"{bench.url}/v1/payment_intents?{query}"))[1]["data"]) == rows, query
    assert (await get(http, f"{bench.url}/v1/payment_intents?created[since]=1"))[0] == 400


async def test_what_is_expanded_is_told_in_full_and_all_else_by_its_id(
    stripe: Begin, http: aiohttp.ClientSession
) -> None:
    bench = await stripe()
    intent = bench.control("dashboard_payment", amount=1_000)["charges"][0]["id"]
    url = f"{bench.url}/v1/payment_intents/{intent}"
    assert (await get(http, url))[1]["latest_charge"].startswith("ch_")
    told = (await get(http, f"{url}?expand[]=latest_charge.balance_transaction"))[1]
    assert told["latest_charge"]["balance_transaction"]["fee"] == 59
    assert told["latest_charge"]["payment_intent"] == intent
    assert (await get(http, f"{url}?expand[]=nothing_like_it"))[0] == 400
    page = (await get(http, f"{bench.url}/v1/payment_intents?expand[]=data.latest_charge"))[1]
    assert page["data"][0]["latest_charge"]["object"] == "charge"


async def test_the_fee_of_what_is_captured_in_the_background_comes_later(
    stripe: Begin, http: aiohttp.ClientSession
) -> None:
    bench = await stripe()
    await post(http, f"{bench.url}/v1/checkout/sessions", PAGE)
    url = f"{bench.url}/v1/payment_intents/{bench.pay('ref1')}?expand[]=latest_charge"
    assert (await get(http, url))[1]["latest_charge"]["balance_transaction"] is None
    bench.simulator.clock.advance(3)
    await bench.simulator.backstage.idle()
    assert (await get(http, url))[1]["latest_charge"]["balance_transaction"].startswith("txn_")
    assert bench.simulator.vendor.desk.events[-1]["type"] == "charge.updated"
    at_once = {**PAGE, "client_reference_id": "ref2", "payment_intent_data[capture_method]": "automatic"}
    await post(http, f"{bench.url}/v1/checkout/sessions", at_once)
    url = f"{bench.url}/v1/payment_intents/{bench.pay('ref2')}?expand[]=latest_charge"
    assert (await get(http, url))[1]["latest_charge"]["balance_transaction"].startswith("txn_")


async def test_the_search_is_late(stripe: Begin, http: aiohttp.ClientSession) -> None:
    bench = await stripe()
    await bench.open("ref1")
    bench.pay("ref1")
    url = f"{bench.url}/v1/payment_intents/search"
    query = {"query": "metadata['reference']:'ref1'"}

    async def found() -> int:
        async with http.get(url, params=query) as answer:
            return len((await answer.json())["data"])

    assert await found() == 0
    bench.simulator.clock.advance(61)
    assert await found() == 1
    assert (await get(http, f"{url}?query=nonsense"))[0] == 400


async def test_a_page_is_over_when_its_time_is(stripe: Begin, http: aiohttp.ClientSession) -> None:
    bench = await stripe()
    await bench.open("ref1")
    bench.control("begin", reference="ref1")
    bench.simulator.clock.advance(24 * 3_600 + 1)
    [page] = (await get(http, f"{bench.url}/v1/checkout/sessions"))[1]["data"]
    assert (page["status"], page["url"]) == ("expired", None)
    intent = (await get(http, f"{bench.url}/v1/payment_intents/{page['payment_intent']}"))[1]
    assert (intent["status"], intent["cancellation_reason"]) == ("canceled", "expired")
    status, _, _ = await post(http, f"{bench.url}/v1/checkout/sessions/{page['id']}/expire", {})
    assert status == 400


async def test_a_customer_pays_on_the_page_and_comes_back(stripe: Begin, http: aiohttp.ClientSession) -> None:
    bench = await stripe()
    _, page, _ = await post(http, f"{bench.url}/v1/checkout/sessions", PAGE)
    async with http.get(page["url"]) as shown:
        assert "ref1" in await shown.text()
    async with http.post(page["url"], data={"outcome": "succeeded"}, allow_redirects=False) as done:
        assert done.status == 303
        assert done.headers["Location"] == f"https://lender.example/back?s={page['id']}"
    async with http.get(page["url"]) as gone:
        assert gone.status == 404


async def test_each_end_of_a_payment_has_its_events(stripe: Begin) -> None:
    bench = await stripe()
    for reference, outcomes in (("a", ["failed", "succeeded"]), ("b", ["processing", "succeeded"])):
        await bench.open(reference)
        for outcome in outcomes:
            bench.pay(reference, outcome=outcome)
    assert [event["type"] for event in bench.simulator.vendor.desk.events] == [
        "payment_intent.payment_failed",
        "charge.failed",
        "payment_intent.succeeded",
        "charge.succeeded",
        "checkout.session.completed",
        "payment_intent.processing",
        "checkout.session.completed",
        "payment_intent.succeeded",
        "charge.succeeded",
        "checkout.session.async_payment_succeeded",
    ]


async def test_an_endpoint_gets_only_what_it_is_subscribed_to_and_each_try_is_signed_anew(
    stripe: Begin,
) -> None:
    heard: list[str] = []

    async def hear(request: web.Request) -> web.Response:
        heard.append(request.headers["Stripe-Signature"])
        return web.Response(status=500 if len(heard) == 1 else 200)

    async with answering(hear) as hook:
        bench = await stripe(webhook_url=hook, enabled_events="payment_intent.succeeded")
        await bench.open("ref1")
        bench.pay("ref1")
        while not heard:
            await asyncio.sleep(0.01)
        bench.simulator.clock.advance(3_600)
        await bench.simulator.backstage.idle()
    assert len(heard) == 2
    stamps = [int(one.split(",")[0].removeprefix("t=")) for one in heard]
    assert stamps[1] - stamps[0] >= 3_600
    assert heard[0] != heard[1]


async def test_a_refund_takes_no_more_than_is_left_and_a_failed_one_takes_nothing(
    stripe: Begin, http: aiohttp.ClientSession
) -> None:
    bench = await stripe(refund_ends="stays")
    await bench.open("ref1")
    intent = bench.pay("ref1")
    url = f"{bench.url}/v1/refunds"
    _, refund, _ = await post(http, url, {"payment_intent": intent, "amount": "150000"})
    status, told, _ = await post(http, url, {"payment_intent": intent, "amount": "1"})
    assert (status, told["error"]["code"]) == (400, "charge_already_refunded")
    bench.control("refund", id=refund["id"], status="failed")
    status, _, _ = await post(http, url, {"payment_intent": intent})
    assert status == 200
    assert bench.simulator.vendor.truth()["refunded_minor"] == {"NGN": 150_000}
    assert "refund.failed" in [event["type"] for event in bench.simulator.vendor.desk.events]


async def test_a_reset_forgets_everything_but_the_settings(
    stripe: Begin, http: aiohttp.ClientSession
) -> None:
    bench = await stripe()
    await post(http, f"{bench.url}/v1/checkout/sessions", PAGE, "k1")
    bench.pay("ref1")
    await bench.simulator.reset()
    truth = bench.simulator.vendor.truth()
    assert (truth["pages"], truth["charges"], truth["refunds"]) == ([], [], [])
    _, _, headers = await post(http, f"{bench.url}/v1/checkout/sessions", PAGE, "k1")
    assert "Idempotent-Replayed" not in headers
