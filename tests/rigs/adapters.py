"""A gateway's adapter as its tests meet it: over the simulator, or over a server that answers word for word."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from rigs.answering import WordForWord, answering, guarded
from rigs.gateway_benches import control

from coopwire.conformance.clock import ManualClock
from coopwire.conformance.mailbox import Mailbox, mailbox
from coopwire.conformance.tokens import MemoryTokens
from coopwire.domain.payments import Payer
from coopwire.ports.gateways import CheckoutOrder
from coopwire.ports.providers import Outside, Sockets
from coopwire.simulation.kernel import Simulator, running
from coopwire.transport.http import HttpTransport

At = Callable[..., Sockets]
"""The adapter's sockets on an API at this address; keyword arguments are further settings of the connection."""
Begin = Callable[..., Awaitable["Bench"]]


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


@asynccontextmanager
async def real_client(connection: str) -> AsyncIterator[Outside]:
    """The real guarded client, with a clock near the real time, because simulators have their own."""
    async with HttpTransport() as transport:
        clock = ManualClock(datetime.now(UTC))
        yield Outside(guarded(connection, transport, clock), MemoryTokens(), clock)


@asynccontextmanager
async def on_stage(
    build: Callable[..., Simulator[Any]], settings: Mapping[str, str]
) -> AsyncIterator[tuple[Simulator[Any], str, Mailbox, Outside]]:
    """A simulator with these settings that sends its webhooks to the mailbox, its address, and a client for it."""
    async with mailbox() as mail:
        simulator = build({"webhook_url": mail.url, **settings})
        async with running(simulator) as listening, real_client("gateway") as outside:
            yield simulator, listening.url, mail, outside


@dataclass
class Bench:
    """A simulator with an adapter on it."""

    simulator: Simulator[Any]
    url: str
    sockets: Any
    clock: Any
    an_order: Callable[..., CheckoutOrder]

    async def open(self, reference: str, amount_minor: int = 150_000, currency: str = "NGN") -> Any:
        """Open a page."""
        one = self.an_order(reference, amount_minor, currency)
        return await self.sockets.checkouts.send(one, self.sockets.checkouts.say(one))

    def control(self, name: str, /, **words: object) -> Any:
        """What POST /_sim/<name> does and answers."""
        return control(self.simulator, name, **words)

    def pay(self, reference: str, **words: object) -> str:
        """A customer pays; the charge's id."""
        return str(self.control("pay", reference=reference, **words)["charges"][-1]["id"])


@asynccontextmanager
async def benches(
    build: Callable[..., Simulator[Any]],
    at: At,
    clock: Any,
    an_order: Callable[..., CheckoutOrder] = order,
) -> AsyncIterator[Begin]:
    """`await begin(currencies="NGN,XOF", …)`: a fresh simulator with these settings; `connected`: the connection's."""
    async with AsyncExitStack() as stack:

        async def begin(connected: dict[str, str] | None = None, **settings: str) -> Bench:
            simulator = build(settings)
            url = (await stack.enter_async_context(running(simulator))).url
            return Bench(simulator, url, at(url, **(connected or {})), clock, an_order)

        yield begin


@dataclass
class Server(WordForWord):
    """A server that answers word for word at `url`, with the adapter on it."""

    url: str = ""
    sockets: Any = None


@asynccontextmanager
async def serving(at: At) -> AsyncIterator[Server]:
    """A running server."""
    one = Server()
    async with answering(one.handle) as one.url:
        one.sockets = at(one.url)
        yield one
