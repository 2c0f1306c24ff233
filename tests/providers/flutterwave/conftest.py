"""Flutterwave as the tests meet it: the simulator, a server that answers word for word, and the adapter."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from rigs.answering import WordForWord, answering, guarded

from coopwire.conformance.clock import ManualClock
from coopwire.conformance.tokens import MemoryTokens
from coopwire.domain.payments import Mode, Payer
from coopwire.ports.gateways import CheckoutOrder
from coopwire.ports.providers import Connection, Outside, Sockets
from coopwire.providers.flutterwave.adapter import connect
from coopwire.providers.flutterwave.simulator import build
from coopwire.providers.flutterwave.wire.account import Account, account
from coopwire.simulation.given import Given
from coopwire.simulation.kernel import Simulator, start
from coopwire.transport.http import HttpTransport

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
    return Outside(guarded("flutterwave-1", transport, clock), MemoryTokens(), clock)


@dataclass
class Bench:
    """A simulator with an adapter on it."""

    simulator: Simulator[Any]
    url: str
    sockets: Any
    clock: ManualClock

    async def open(self, reference: str, amount_minor: int = 150_000, currency: str = "NGN") -> None:
        one = order(reference, amount_minor, currency)
        await self.sockets.checkouts.send(one, self.sockets.checkouts.say(one))

    def pay(self, reference: str, **words: object) -> str:
        told = self.simulator.vendor.controls["pay"](Given({"reference": reference, **words}))
        return str(told["charges"][-1]["id"])


@pytest.fixture
async def flutterwave(outside: Outside, clock: ManualClock) -> AsyncIterator[Callable[..., Awaitable[Bench]]]:
    """`await flutterwave(currencies="NGN,XOF", …)`: a fresh simulator with these settings."""
    async with AsyncExitStack() as stack:

        async def begin(connected: dict[str, str] | None = None, **settings: str) -> Bench:
            simulator = build(settings)
            running = await start(simulator)
            stack.push_async_callback(running.stop)
            sockets = connect(connection_to(f"{running.url}/v3", **(connected or {})), outside)
            return Bench(simulator, running.url, sockets, clock)

        yield begin


@dataclass
class Server(WordForWord):
    """A server that answers word for word at `url`, with the adapter on it."""

    url: str = ""
    sockets: Any = None


@pytest.fixture
async def server(outside: Outside) -> AsyncIterator[Server]:
    """A running server."""
    one = Server()
    async with answering(one.handle) as one.url:
        one.sockets = connect(connection_to(f"{one.url}/v3"), outside)
        assert isinstance(one.sockets, Sockets)
        yield one


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
