"""Every request is one of the official file and of the official package; every answer of the simulator, and all that
the adapter reads, has the members of the pinned version."""

from __future__ import annotations

import importlib
import re
from collections.abc import Awaitable, Callable, Iterator, Mapping
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import aiohttp
import pytest
import stripe as official
from rigs.stripe_official import ABSENT, fixture, misfits, strange_in, there

from coopwire.domain.payments import Mode
from coopwire.domain.states import PaymentState, RefundState
from coopwire.ports.gateways import CheckoutOrder, RefundOrder
from coopwire.providers.stripe.adapter.api import API_VERSION
from coopwire.providers.stripe.inspectors import error, payment, refund, webhook
from coopwire.providers.stripe.simulator.desk import API_VERSION as SIMULATED_VERSION
from coopwire.providers.stripe.wire.charges import charge_of, page_alone
from coopwire.providers.stripe.wire.refunds import refund_of
from coopwire.simulation import exact_json
from coopwire.simulation.record import Entry

pytestmark = pytest.mark.skipif(not there(), reason=ABSENT)

Begin = Callable[..., Awaitable[Any]]
_YOUNGER = {
    "list_sessions": {"created[gte]", "status"},
    "create_session": {"allowed_payment_method_types[0]"},
}
"""Parameters that the official file is too old for; the package of the pinned version has them."""
_PARAMS = {
    "create_session": "checkout._session_create_params.SessionCreateParams",
    "list_sessions": "checkout._session_list_params.SessionListParams",
    "fetch_session": "checkout._session_retrieve_params.SessionRetrieveParams",
    "list_intents": "_payment_intent_list_params.PaymentIntentListParams",
    "search_intents": "_payment_intent_search_params.PaymentIntentSearchParams",
    "fetch_intent": "_payment_intent_retrieve_params.PaymentIntentRetrieveParams",
    "create_refund": "_refund_create_params.RefundCreateParams",
    "list_refunds": "_refund_list_params.RefundListParams",
    "fetch_refund": "_refund_retrieve_params.RefundRetrieveParams",
}


@pytest.fixture
async def asked(stripe: Begin, an_order: Callable[..., CheckoutOrder]) -> list[Entry]:
    """Everything that the adapter says, through a day with a page, a payment and a refund."""
    bench = await stripe({"allowed_payment_method_types": "card"}, currencies="ngn", refund_ends="stays")
    order = an_order(facts=(("loan", "L-1"),))
    checkouts, charges, refunds = bench.sockets.checkouts, bench.sockets.charges, bench.sockets.refunds
    page = await checkouts.send(order, checkouts.say(order))
    now = bench.clock.now()
    await checkouts.find(order, now)
    await charges.find(order.reference)
    intent = bench.pay(order.reference)
    for hints in ((), (intent,), (page.provider_ref,)):
        await charges.find(order.reference, hints)
    window = now - timedelta(hours=1), now + timedelta(hours=1)
    assert [one.charge async for one in charges.list_window(*window)] == [intent]
    back = RefundOrder("rfd1", intent, 1_000, "NGN", whole=False)
    await refunds.count(back)
    told = await refunds.send(back, refunds.say(back))
    await refunds.fetch(told.provider_ref)
    assert [one.provider_ref async for one in refunds.list_window(*window)] == [told.provider_ref]
    return list(bench.simulator.record.entries())


async def test_every_request_is_one_of_the_official_file(asked: list[Entry]) -> None:
    assert {one.operation for one in asked} == set(_PARAMS)
    for one in asked:
        younger = _YOUNGER.get(one.operation, set())
        assert set(strange_in(one.method, one.path, one.body)) <= younger, one.operation


async def test_every_parameter_is_one_of_the_official_package(asked: list[Entry]) -> None:
    for one in asked:
        module, _, name = _PARAMS[one.operation].rpartition(".")
        known = getattr(importlib.import_module(f"stripe.params.{module}"), name).__annotations__
        assert set(_names(one)) <= set(known), one.operation


def _names(one: Entry) -> Iterator[str]:
    said = one.body.decode() or urlsplit(one.path).query
    yield from (re.split(r"[\[]", name)[0] for name, _ in parse_qsl(said, keep_blank_values=True))


def test_the_pinned_version_is_that_of_the_official_package() -> None:
    assert API_VERSION == SIMULATED_VERSION == official.api_version


async def test_every_answer_of_the_simulator_has_the_members_of_the_pinned_version(
    stripe: Begin, an_order: Callable[..., CheckoutOrder]
) -> None:
    bench = await stripe(currencies="ngn", refund_ends="stays")
    await bench.open(an_order().reference)
    intent = bench.pay(an_order().reference)
    made = bench.control("dashboard_refund", reference=an_order().reference, amount=1_000)["refund"]["id"]
    shown = await _read(bench.url, f"/v1/payment_intents/{intent}?expand[]=latest_charge.balance_transaction")
    told = {
        "payment_intent": shown,
        "charge": shown["latest_charge"],
        "balance_transaction": shown["latest_charge"]["balance_transaction"],
        "checkout.session": (await _read(bench.url, "/v1/checkout/sessions"))["data"][0],
        "refund": await _read(bench.url, f"/v1/refunds/{made}"),
        "event": (await _read(bench.url, "/v1/events"))["data"][0],
    }
    for resource, document in told.items():
        assert list(misfits(resource, document)) == [], resource


async def _read(url: str, path: str) -> Any:
    headers = {"Authorization": "Bearer sk_test_simulated"}
    async with aiohttp.ClientSession(headers=headers) as http, http.get(f"{url}{path}") as answer:
        assert answer.status == 200, path
        return exact_json.loads(await answer.read())


def test_the_official_package_has_the_members_that_the_adapter_reads() -> None:
    """By their names in its own classes."""
    read: Mapping[type, str] = {
        official.PaymentIntent: "id amount amount_received currency status livemode created metadata latest_charge "
        "last_payment_error cancellation_reason payment_method_types",
        official.Charge: "id created refunded balance_transaction payment_method_details payment_intent",
        official.BalanceTransaction: "id currency fee",
        official.checkout.Session: "id url client_reference_id amount_total currency livemode status payment_status "
        "payment_intent created metadata",
        official.Refund: "id amount currency status payment_intent charge created metadata failure_reason "
        "pending_reason",
        official.Event: "id type livemode created data",
    }
    for resource, members in read.items():
        known = {name for base in resource.__mro__ for name in getattr(base, "__annotations__", {})}
        assert set(members.split()) <= known, resource


# -- their samples ---------------------------------------------------------------------------------------------


def test_their_payment_intent_is_read() -> None:
    """A shape sample: its values contradict each other, so that an error stands beside an untried payment."""
    told = charge_of(fixture("payment_intent"), b"")
    assert (told.charge, told.reference) == ("pi_1PgafyB7WZ01zgkWSjxsAJo3", "pi_1PgafyB7WZ01zgkWSjxsAJo3")
    assert (told.state, told.failure_reason) == (PaymentState.FAILED, "declined without a word")
    assert (told.amount_minor, told.requested_minor, told.currency) == (1_099, 1_099, "USD")
    assert (told.fee_known, told.mode, told.channel) == (False, Mode.TEST, "card")


def test_their_charge_and_its_entry_are_read_where_they_are_expanded() -> None:
    charge = {**fixture("charge"), "balance_transaction": {**fixture("balance_transaction"), "fee": 59}}
    paid = {"status": "succeeded", "amount_received": 1_099, "last_payment_error": None}
    told = charge_of({**fixture("payment_intent"), **paid, "latest_charge": charge}, b"")
    assert (told.state, told.amount_minor, told.fee_minor) == (PaymentState.SUCCEEDED, 1_099, 59)
    assert told.paid_at is not None
    assert told.paid_at.isoformat() == "2009-02-13T23:31:30+00:00"


def test_their_refund_is_read() -> None:
    told = refund_of(fixture("refund"), b"")
    assert (told.provider_ref, told.charge) == ("re_1Pgc72B7WZ01zgkWqPvrRrPE", "ch_1PgafuB7WZ01zgkWXYmPNZs8")
    assert (told.amount_minor, told.currency, told.state) == (100, "USD", RefundState.SUCCEEDED)
    assert (told.reference, told.needs_attention, told.reason) == (None, False, "")


def test_their_session_is_read_once_it_has_a_price() -> None:
    """Theirs has neither amount nor currency."""
    page = {**fixture("checkout.session"), "amount_total": 1_099, "currency": "usd"}
    told = page_alone(page, b"")
    assert (told.charge[:8], told.state, told.amount_minor) == ("cs_test_", PaymentState.PENDING, 1_099)


def test_their_event_is_kept_with_a_reason() -> None:
    [told] = webhook(exact_json.dumps(fixture("event")).encode(), {})
    assert (told.object, told.event, told.reference) == ("unknown", "plan.created", None)


def test_their_objects_are_inspected() -> None:
    def shown(kind: str) -> bytes:
        return exact_json.dumps(fixture(kind)).encode()

    assert payment(shown("payment_intent"), {})[0].status == "failed"
    assert refund(shown("refund"), {})[0].status == "succeeded"
    refused = {"error": {"type": "card_error", "code": "card_declined", "message": "Declined"}}
    [told] = error(exact_json.dumps(refused).encode(), {":status": "402"})
    assert (told.error, told.code, told.message) == ("Refused", "card_declined", "Declined")
