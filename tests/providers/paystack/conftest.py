"""Paystack as the tests meet it: the simulator, a server that answers word for word, and the adapter."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from rigs.adapters import At, Begin, Server, benches, order, real_client, serving

from coopwire.domain.payments import Mode
from coopwire.ports.gateways import CheckoutOrder
from coopwire.ports.providers import Connection, Outside
from coopwire.providers.paystack.adapter import connect
from coopwire.providers.paystack.simulator import build

KEY = "sk_test_simulated"


def connection_to(url: str, **settings: str) -> Connection:
    """A test connection whose API is at `url`."""
    return Connection("paystack-1", "paystack", Mode.TEST, {"secret_key": KEY, "base_url": url, **settings})


@pytest.fixture
async def outside() -> AsyncIterator[Outside]:
    """The real guarded client."""
    async with real_client("paystack-1") as one:
        yield one


def _at(outside: Outside) -> At:
    return lambda url, **settings: connect(connection_to(url, **settings), outside)


@pytest.fixture
async def paystack(outside: Outside) -> AsyncIterator[Begin]:
    """Begins benches; see `benches`."""
    async with benches(build, _at(outside), outside.clock) as begin:
        yield begin


@pytest.fixture
async def server(outside: Outside) -> AsyncIterator[Server]:
    """A running server."""
    async with serving(_at(outside)) as one:
        yield one


@pytest.fixture
def checkouts(server: Server) -> Any:
    """The adapter's checkouts at the server that answers word for word."""
    return server.sockets.checkouts


@pytest.fixture
def charges(server: Server) -> Any:
    """The adapter's charges at the server that answers word for word."""
    return server.sockets.charges


@pytest.fixture
def refunds(server: Server) -> Any:
    """The adapter's refunds at the server that answers word for word."""
    return server.sockets.refunds


@pytest.fixture
def an_order() -> Callable[..., CheckoutOrder]:
    """Makes orders; see `order`."""
    return order


@pytest.fixture
def a_transaction() -> Callable[..., dict[str, object]]:
    """Makes a paid transaction as verify tells it; keyword arguments replace members."""

    def make(**changes: object) -> dict[str, object]:
        return {
            "id": 5_100_000_001,
            "domain": "test",
            "status": "success",
            "reference": "ref00000000000000001",
            "amount": 150_000,
            "message": None,
            "gateway_response": "Successful",
            "paid_at": "2026-03-02T09:15:02.000Z",
            "created_at": "2026-03-02T09:14:24.000Z",
            "channel": "card",
            "currency": "NGN",
            "metadata": "",
            "fees": 2_250,
            "authorization": {"authorization_code": "AUTH_secretcode", "last4": "4081"},
            "customer": {"email": "member@example.com", "first_name": "Ngozi"},
            "requested_amount": 150_000,
            **changes,
        }

    return make


@pytest.fixture
def connection() -> Callable[..., Connection]:
    """Makes connections; see `connection_to`."""
    return connection_to
