"""Stripe as the tests meet it: the simulator, a server that answers word for word, and the adapter."""

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
from coopwire.ports.gateways import CheckoutOrder
from coopwire.ports.providers import Connection, Outside
from coopwire.providers.stripe.adapter import connect
from coopwire.providers.stripe.simulator import build
from coopwire.providers.stripe.wire.account import Account, account
from coopwire.simulation.given import Given
from coopwire.simulation.kernel import Simulator, start
from coopwire.transport.http import HttpTransport

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
    return Outside(guarded("stripe-1", transport, clock), MemoryTokens(), clock)


@dataclass
class Bench:
    """A simulator with an adapter on it."""

    simulator: Simulator[Any]
    url: str
    sockets: Any
    clock: ManualClock

    async def open(self, reference: str, amount_minor: int = 150_000, currency: str = "NGN") -> Any:
        """Open a page."""
        one = order(reference, amount_minor, currency)
        return await self.sockets.checkouts.send(one, self.sockets.checkouts.say(one))

    def control(self, name: str, **words: object) -> Any:
        """What POST /_sim/<name> does and answers."""
        return self.simulator.vendor.controls[name](Given(words))

    def pay(self, reference: str, **words: object) -> str:
        """A customer pays; the charge's id."""
        return str(self.control("pay", reference=reference, **words)["charges"][-1]["id"])


@pytest.fixture
async def stripe(outside: Outside, clock: ManualClock) -> AsyncIterator[Callable[..., Awaitable[Bench]]]:
    """`await stripe(currencies="ngn,xof", …)`: a fresh simulator with these settings."""
    async with AsyncExitStack() as stack:

        async def begin(connected: dict[str, str] | None = None, **settings: str) -> Bench:
            simulator = build(settings)
            running = await start(simulator)
            stack.push_async_callback(running.stop)
            sockets = connect(connection_to(running.url, **(connected or {})), outside)
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
        one.sockets = connect(connection_to(one.url), outside)
        yield one


def order(
    reference: str = "ref00000000000000001",
    amount_minor: int = 150_000,
    currency: str = "NGN",
    email: str = "member@example.com",
    return_url: str | None = "https://lender.example/back",
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
