"""Paystack as the tests meet it: the simulator, a server that answers word for word, and the adapter."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pytest
from rigs.answering import WordForWord, answering, guarded

from coopwire.conformance.clock import ManualClock
from coopwire.conformance.tokens import MemoryTokens
from coopwire.domain.payments import Mode, Payer
from coopwire.ports.gateways import Charges, CheckoutOrder, Checkouts, Refunds
from coopwire.ports.providers import Connection, Outside, Sockets
from coopwire.providers.paystack.adapter import connect
from coopwire.providers.paystack.simulator import build
from coopwire.simulation.given import Given
from coopwire.simulation.kernel import Simulator, start
from coopwire.transport.http import HttpTransport

KEY = "sk_test_simulated"


def connection_to(url: str, **settings: str) -> Connection:
    """A test connection whose API is at `url`."""
    return Connection("paystack-1", "paystack", Mode.TEST, {"secret_key": KEY, "base_url": url, **settings})


@pytest.fixture
async def transport() -> AsyncIterator[HttpTransport]:
    """One client for the test."""
    async with HttpTransport() as one:
        yield one


@pytest.fixture
def clock() -> ManualClock:
    """A clock near the real time, because simulators have their own."""
    return ManualClock(datetime.now(UTC))


@pytest.fixture
def outside(transport: HttpTransport, clock: ManualClock) -> Outside:
    """The real guarded client."""
    return Outside(guarded("paystack-1", transport, clock), MemoryTokens(), clock)


@dataclass
class Bench:
    """A simulator with an adapter on it."""

    simulator: Simulator[Any]
    url: str
    checkouts: Checkouts
    charges: Charges
    clock: ManualClock
    sockets: Sockets

    async def open(self, reference: str, amount_minor: int = 150_000, currency: str = "NGN") -> None:
        one = order(reference, amount_minor, currency)
        await self.checkouts.send(one, self.checkouts.say(one))

    def pay(self, reference: str, **words: object) -> None:
        self.simulator.vendor.controls["pay"](Given({"reference": reference, **words}))


@pytest.fixture
async def paystack(outside: Outside, clock: ManualClock) -> AsyncIterator[Callable[..., Awaitable[Bench]]]:
    """`await paystack(currencies="NGN,XOF", …)`: a fresh simulator with these settings."""
    async with AsyncExitStack() as stack:

        async def begin(**settings: str) -> Bench:
            simulator = build(settings)
            running = await start(simulator)
            stack.push_async_callback(running.stop)
            sockets = connect(connection_to(running.url), outside)
            assert sockets.checkouts is not None and sockets.charges is not None
            return Bench(simulator, running.url, sockets.checkouts, sockets.charges, clock, sockets)

        yield begin


@dataclass
class Server(WordForWord):
    """A server that answers word for word at `url`."""

    url: str = ""


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    """A running server."""
    one = Server()
    async with answering(one.handle) as one.url:
        yield one


@pytest.fixture
def checkouts(server: Server, outside: Outside) -> Checkouts:
    """The adapter's checkouts at the server that answers word for word."""
    found = connect(connection_to(server.url), outside).checkouts
    assert found is not None
    return found


@pytest.fixture
def charges(server: Server, outside: Outside) -> Charges:
    """The adapter's charges at the server that answers word for word."""
    found = connect(connection_to(server.url), outside).charges
    assert found is not None
    return found


@pytest.fixture
def refunds(server: Server, outside: Outside) -> Refunds:
    """The adapter's refunds at the server that answers word for word."""
    found = connect(connection_to(server.url), outside).refunds
    assert found is not None
    return found


def order(
    reference: str = "ref00000000000000001",
    amount_minor: int = 150_000,
    currency: str = "NGN",
    email: str = "member@example.com",
    return_url: str | None = None,
    facts: tuple[tuple[str, str], ...] = (),
) -> CheckoutOrder:
    """A checkout order with everyday values."""
    payer = Payer("M-1", "Ngozi Example", "+2348000000000", email)
    return CheckoutOrder(reference, amount_minor, currency, payer, return_url, facts)


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
