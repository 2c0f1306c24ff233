"""The adapter against a Stripe that others wrote, for what that one has: payments by id, refunds, signed events.

It has no sessions, no idempotency keys, no windows in time and no search; those are held against the specification.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import aiohttp
import pytest
from rigs.localstripe import localstripe

from coopwire.conformance.mailbox import mailbox
from coopwire.domain.errors import Refused
from coopwire.domain.notices import NoticeVerdict
from coopwire.domain.payments import Mode
from coopwire.domain.states import PaymentState, RefundState
from coopwire.ports.gateways import RefundOrder
from coopwire.ports.providers import Connection, Outside
from coopwire.ports.writes import FindingWord
from coopwire.providers.stripe.adapter import connect
from coopwire.providers.stripe.adapter.api import Api
from coopwire.providers.stripe.webhooks import StripeWebhooks
from coopwire.providers.stripe.wire.account import account
from coopwire.providers.stripe.wire.charges import INTENT, charge_of

KEY, SECRET = "sk_test_localstripe", "whsec_localstripe"
REFERENCE, REFUND = "ref00000000000000001", "rfd00000000000000001"
GOOD, DECLINED = "4242424242424242", "4000000000000341"


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with localstripe() as address:
        yield address


@pytest.fixture
def connection(url: str) -> Connection:
    settings = {"secret_key": KEY, "webhook_secret": SECRET, "base_url": url}
    return Connection("stripe-1", "stripe", Mode.TEST, settings)


async def _post(url: str, path: str, **fields: str) -> Any:
    async with (
        aiohttp.ClientSession(headers={"Authorization": f"Bearer {KEY}"}) as http,
        http.post(f"{url}{path}", data=fields) as answer,
    ):
        return await answer.json()


async def _paid(url: str, number: str = GOOD) -> str:
    """A customer's card pays 1,500.00 naira under our reference; the payment intent's id."""
    card = {"number": number, "exp_month": "8", "exp_year": "2035", "cvc": "123"}
    fields = {f"card[{name}]": value for name, value in card.items()}
    method = await _post(url, "/v1/payment_methods", type="card", **fields)
    words = {"amount": "150000", "currency": "ngn", "metadata[reference]": REFERENCE}
    intent = await _post(url, "/v1/payment_intents", payment_method=method["id"], **words)
    await _post(url, f"/v1/payment_intents/{intent['id']}/confirm")
    return str(intent["id"])


async def test_a_payment_is_told_exactly_by_its_id(
    url: str, connection: Connection, outside: Outside
) -> None:
    """It lacks `amount_received`, which the specification never leaves out: that alone is added here."""
    intent = await _paid(url)
    api = Api(account(connection), outside)
    there = await api.fetch("fetch", "/v1/payment_intents", intent, {"expand": [INTENT]})
    assert there is not None
    document: Any = there[0]
    told = charge_of({"amount_received": document["amount"], **document}, there[1])
    assert (told.charge, told.reference, told.state) == (intent, REFERENCE, PaymentState.SUCCEEDED)
    assert (told.amount_minor, told.currency, told.mode) == (150_000, "NGN", Mode.TEST)
    assert (told.fee_known, told.fee_minor) == (True, 0)
    assert told.paid_at is not None


async def test_a_part_is_given_back_found_again_and_followed(
    url: str, connection: Connection, outside: Outside
) -> None:
    refunds = connect(connection, outside).refunds
    assert refunds is not None
    order = RefundOrder(REFUND, await _paid(url), 50_001, "NGN", whole=False)
    counted = replace(order, census=await refunds.count(order))
    assert counted.census == ()
    told = await refunds.send(counted, refunds.say(counted))
    assert (told.charge, told.amount_minor, told.reference) == (order.charge, 50_001, REFUND)
    found = await refunds.find(counted, outside.clock.now())
    assert found.word is FindingWord.EXECUTED
    assert [one.provider_ref for one in found.snapshots] == [told.provider_ref]
    assert (await refunds.fetch(told.provider_ref)).state is RefundState.SUCCEEDED


async def test_a_payment_that_was_declined_is_not_given_back(
    url: str, connection: Connection, outside: Outside
) -> None:
    sockets = connect(connection, outside)
    assert sockets.charges is not None
    assert sockets.refunds is not None
    order = RefundOrder(REFUND, await _paid(url, DECLINED), 50_001, "NGN", whole=False)
    with pytest.raises(Refused, match="Cannot refund"):
        await sockets.refunds.send(order, sockets.refunds.say(order))


async def test_its_signed_event_is_believed_and_hints_at_the_payment(
    url: str, connection: Connection
) -> None:
    async with mailbox() as mail:
        hook = {"url": mail.url, "secret": SECRET, "events[]": "payment_intent.succeeded"}
        await _post_config(url, hook)
        intent = await _paid(url)
        # It tells a second later, also of what was paid before.
        while intent.encode() not in (one := await mail.next()).body:
            pass
    webhooks = StripeWebhooks(connection)
    webhooks.verify(one.headers, one.body)
    (notice,) = webhooks.read(one.body)
    assert (notice.verdict, notice.reference, notice.charge) == (NoticeVerdict.PAID, REFERENCE, intent)
    assert (notice.amount_minor, notice.currency) == (150_000, "NGN")


async def _post_config(url: str, hook: dict[str, str]) -> None:
    async with aiohttp.ClientSession() as http, http.post(f"{url}/_config/webhooks/one", data=hook) as answer:
        assert answer.status == 200
