"""Flutterwave as the tests meet it: the simulator, a server that answers word for word, and the adapter."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from decimal import Decimal

import pytest
from rigs.adapters import At, Begin, Server, benches, order, real_client, serving

from coopwire.domain.payments import Mode
from coopwire.ports.gateways import CheckoutOrder
from coopwire.ports.providers import Connection, Outside
from coopwire.providers.flutterwave.adapter import connect
from coopwire.providers.flutterwave.simulator import build
from coopwire.providers.flutterwave.wire.account import Account, account

KEY = "FLWSECK_TEST-simulated-X"
HASH = "simulated-secret-hash"


def connection_to(url: str, **settings: str) -> Connection:
    """A test connection whose API is at `url`."""
    given = {"secret_key": KEY, "secret_hash": HASH, "base_url": url, **settings}
    return Connection("flutterwave-1", "flutterwave", Mode.TEST, given)


@pytest.fixture
def an_account() -> Callable[..., Account]:
    """Makes accounts with these settings."""
    return lambda **settings: account(connection_to("https://api.example.com/v3", **settings))


@pytest.fixture
async def outside() -> AsyncIterator[Outside]:
    """The real guarded client."""
    async with real_client("flutterwave-1") as one:
        yield one


def _at(outside: Outside) -> At:
    return lambda url, **settings: connect(connection_to(f"{url}/v3", **settings), outside)


@pytest.fixture
async def flutterwave(outside: Outside) -> AsyncIterator[Begin]:
    """Begins benches; see `benches`."""
    async with benches(build, _at(outside), outside.clock) as begin:
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
def a_transaction() -> Callable[..., dict[str, object]]:
    """Makes a paid transaction as verify tells it; keyword arguments replace members."""

    def make(**changes: object) -> dict[str, object]:
        return {
            "id": 4_975_363,
            "tx_ref": "ref00000000000000001",
            "flw_ref": "FLW-MOCK-0123456789abcdef",
            "amount": 1500,
            "currency": "NGN",
            "charged_amount": 1500,
            "app_fee": Decimal("21"),
            "merchant_fee": 0,
            "processor_response": "Approved",
            "status": "successful",
            "payment_type": "card",
            "created_at": "2026-03-02T09:14:24.000Z",
            "amount_settled": Decimal("1477.42"),
            "card": {"token": "flw-t1nf-secret-m03k", "last_4digits": "4246"},
            "meta": None,
            "customer": {"email": "member@example.com", "name": "Ngozi Example"},
            **changes,
        }

    return make
