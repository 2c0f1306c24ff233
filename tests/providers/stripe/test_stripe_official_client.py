"""The simulator, driven by the official package of Stripe, with models and a check of signatures of its own."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
import stripe as official
from aiohttp import web
from rigs.answering import answering

KEY, SECRET = "sk_test_simulated", "whsec_simulated"


def client_of(url: str, key: str = KEY) -> Any:
    """The official client; it never tries again by itself."""
    return official.StripeClient(key, base_addresses={"api": url}, max_network_retries=0)


async def test_the_official_client_opens_is_paid_refunds_and_checks_what_it_is_told(
    stripe: Callable[..., Awaitable[Any]],
) -> None:
    heard: list[tuple[bytes, str]] = []

    async def hear(request: web.Request) -> web.Response:
        heard.append((await request.read(), request.headers["Stripe-Signature"]))
        return web.Response()

    async with answering(hear) as hook:
        bench = await stripe(webhook_url=hook, old_webhook_secret="whsec_rolled", refund_ends="stays")
        client = client_of(bench.url)

        def opens() -> Any:
            price = {"currency": "ngn", "unit_amount": 150_000, "product_data": {"name": "Loan"}}
            return client.v1.checkout.sessions.create(
                {
                    "mode": "payment",
                    "success_url": "https://lender.example/back",
                    "client_reference_id": "ref1",
                    "line_items": [{"price_data": price, "quantity": 1}],
                    "payment_intent_data": {"metadata": {"reference": "ref1"}, "capture_method": "automatic"},
                },
                {"idempotency_key": "one"},
            )

        page = await asyncio.to_thread(opens)
        assert (page.status, page.payment_status, page.amount_total) == ("open", "unpaid", 150_000)
        assert (await asyncio.to_thread(opens)).id == page.id
        bench.pay("ref1")

        def reads() -> Any:
            return client.v1.checkout.sessions.retrieve(
                page.id, {"expand": ["payment_intent.latest_charge.balance_transaction"]}
            )

        intent = (await asyncio.to_thread(reads)).payment_intent
        assert (intent.status, intent.amount_received, intent.metadata["reference"]) == (
            "succeeded",
            150_000,
            "ref1",
        )
        entry = intent.latest_charge.balance_transaction
        assert entry.amount - entry.fee == entry.net

        def gives_back() -> Any:
            words = {"payment_intent": intent.id, "amount": 1_000, "metadata": {"reference": "rfd1"}}
            return client.v1.refunds.create(words)

        refund = await asyncio.to_thread(gives_back)
        assert (refund.status, refund.amount, refund.payment_intent) == ("pending", 1_000, intent.id)

        def walks() -> list[str]:
            rows = client.v1.payment_intents.list({"limit": 1, "created": {"gte": 1}})
            return [one.id for one in rows.auto_paging_iter()]

        bench.control("dashboard_payment", amount=5_000)
        assert len(await asyncio.to_thread(walks)) == 2
        bench.simulator.clock.advance(120)

        def searches() -> Any:
            return client.v1.payment_intents.search({"query": "metadata['reference']:'ref1'"}).data

        assert [one.id for one in await asyncio.to_thread(searches)] == [intent.id]
        while len(heard) < 5:
            await asyncio.sleep(0.01)
    # Either secret of the two that sign while one is rolled.
    for body, signature in heard:
        for secret in (SECRET, "whsec_rolled"):
            assert official.Webhook.construct_event(body, signature, secret).object == "event"
    with pytest.raises(official.SignatureVerificationError):
        official.Webhook.construct_event(*heard[0], "whsec_stranger")


async def test_the_official_client_knows_the_simulators_refusals(
    stripe: Callable[..., Awaitable[Any]],
) -> None:
    bench = await stripe()

    def raised(call: Callable[[Any], Any], key: str = KEY) -> type[BaseException]:
        try:
            call(client_of(bench.url, key))
        except official.StripeError as error:
            return type(error)
        raise AssertionError("it was not refused")

    async def refused(call: Callable[[Any], Any], key: str = KEY) -> type[BaseException]:
        return await asyncio.to_thread(raised, call, key)

    def fetch(client: Any) -> Any:
        return client.v1.payment_intents.retrieve("pi_nobody")

    assert await refused(fetch) is official.InvalidRequestError
    assert await refused(fetch, "sk_test_stranger") is official.AuthenticationError
    await bench.open("ref1")
    intent = bench.pay("ref1")

    def gives_back(amount: int) -> Callable[[Any], Any]:
        words = {"payment_intent": intent, "amount": amount}
        return lambda client: client.v1.refunds.create(words, {"idempotency_key": "two"})

    await asyncio.to_thread(gives_back(1_000), client_of(bench.url))
    assert await refused(gives_back(2_000)) is official.IdempotencyError
    bench.simulator.faults.add("fetch_intent", "http_429")
    assert await refused(lambda client: client.v1.payment_intents.retrieve(intent)) is official.RateLimitError


async def test_the_official_client_answers_disputes_reads_a_payout_and_charges_what_was_left(
    stripe: Callable[..., Awaitable[Any]],
) -> None:
    bench = await stripe()
    client = client_of(bench.url)
    await bench.open("ref1")
    bench.pay("ref1")
    left = bench.simulator.vendor.account.intents[0]
    left.future_use, left.customer = "off_session", "cus_1"
    claims = [bench.control("dispute", reference="ref1", amount=1_000)["dispute"]["id"] for _ in range(2)]
    contested, closed = claims

    def answers() -> tuple[Any, Any]:
        evidence = {"uncategorized_text": "She has agreed"}
        told = client.v1.disputes.update(contested, {"evidence": evidence, "submit": True})
        return told, client.v1.disputes.close(closed, {"expand": ["payment_intent"]})

    told, lost = await asyncio.to_thread(answers)
    assert (told.status, told.evidence_details.submission_count) == ("under_review", 1)
    assert (lost.status, lost.payment_intent.metadata["reference"]) == ("lost", "ref1")
    [there] = bench.control("settle", deductions=7)["settlements"]

    def reads() -> tuple[Any, list[Any]]:
        rows = client.v1.balance_transactions.list(
            {"payout": there["id"], "limit": 1, "expand": ["data.source"]}
        )
        return client.v1.payouts.retrieve(there["id"]), list(rows.auto_paging_iter())

    payout, rows = await asyncio.to_thread(reads)
    assert sum(row.net for row in rows if row.type != "payout") == payout.amount
    assert [row.source.id for row in rows if row.reporting_category == "dispute"] == [closed, contested]

    def charges() -> Any:
        words = {"amount": 500, "currency": "ngn", "customer": "cus_1", "payment_method": left.payment_method}
        return client.v1.payment_intents.create({**words, "off_session": True, "confirm": True})

    assert (await asyncio.to_thread(charges)).status == "succeeded"
    bench.control("plan", method=left.payment_method, outcome="authentication_required")
    with pytest.raises(official.CardError) as declined:
        await asyncio.to_thread(charges)
    assert declined.value.code == "authentication_required"
    assert declined.value.error.payment_intent.status == "requires_payment_method"

    def ends() -> Any:
        return client.v1.payment_methods.detach(left.payment_method)

    assert (await asyncio.to_thread(ends)).customer is None
    with pytest.raises(official.InvalidRequestError, match="not attached"):
        await asyncio.to_thread(ends)
