"""Stripe as the tests meet it: the simulator, a server that answers word for word, and the adapter."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from rigs import adapters
from rigs.adapters import At, Begin, Server, benches, real_client, serving

from coopwire.domain.payments import Mode
from coopwire.ports.gateways import CheckoutOrder
from coopwire.ports.providers import Connection, Outside
from coopwire.providers.stripe.adapter import connect
from coopwire.providers.stripe.simulator import build
from coopwire.providers.stripe.wire.account import Account, account

KEY = "sk_test_simulated"
SECRET = "whsec_simulated"


def connection_to(url: str, **settings: str) -> Connection:
    """A test connection whose API is at `url`."""
    given = {"secret_key": KEY, "webhook_secret": SECRET, "base_url": url, **settings}
    return Connection("stripe-1", "stripe", Mode.TEST, given)


@pytest.fixture
def an_account() -> Callable[..., Account]:
    """Makes accounts with these settings."""
    return lambda **settings: account(connection_to("https://api.example.com", **settings))


@pytest.fixture
async def outside() -> AsyncIterator[Outside]:
    """The real guarded client."""
    async with real_client("stripe-1") as one:
        yield one


def _at(outside: Outside) -> At:
    return lambda url, **settings: connect(connection_to(url, **settings), outside)


def order(*told: Any, **more: Any) -> CheckoutOrder:
    """A checkout order with everyday values, and somewhere to go back to."""
    return adapters.order(*told, **{"return_url": "https://lender.example/back", **more})


@pytest.fixture
async def stripe(outside: Outside) -> AsyncIterator[Begin]:
    """Begins benches; see `benches`."""
    async with benches(build, _at(outside), outside.clock, order) as begin:
        yield begin


@pytest.fixture
async def server(outside: Outside) -> AsyncIterator[Server]:
    """A running server."""
    async with serving(_at(outside)) as one:
        yield one


@pytest.fixture
def an_order() -> Callable[..., CheckoutOrder]:
    """Makes orders; see `order`."""
    return order


@pytest.fixture
def an_intent() -> Callable[..., dict[str, object]]:
    """Makes a paid payment intent, expanded as we ask for it; keyword arguments replace members."""

    def make(**changes: object) -> dict[str, object]:
        entry = {"id": "txn_1", "object": "balance_transaction", "amount": 150_000, "currency": "ngn"}
        charge = {
            "id": "ch_1",
            "object": "charge",
            "created": 1_772_442_864,
            "refunded": False,
            "payment_method_details": {"type": "card", "card": {"last4": "4242"}},
            "balance_transaction": {**entry, "fee": 4_380, "net": 145_620},
        }
        return {
            "id": "pi_1",
            "object": "payment_intent",
            "amount": 150_000,
            "amount_received": 150_000,
            "currency": "ngn",
            "status": "succeeded",
            "livemode": False,
            "created": 1_772_442_800,
            "client_secret": "pi_1_secret_x",
            "last_payment_error": None,
            "cancellation_reason": None,
            "payment_method_types": ["card"],
            "metadata": {"reference": "ref00000000000000001"},
            "latest_charge": charge,
            **changes,
        }

    return make
