"""A loan system as the tests meet it: a small server with its own copy of the secret, and the adapter."""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

import pytest
from aiohttp import web
from rigs.answering import answering, guarded

from coopwire.conformance.clock import ManualClock
from coopwire.conformance.tokens import MemoryTokens
from coopwire.domain.payments import Mode
from coopwire.ports.lms import CallbackOrder, Callbacks
from coopwire.ports.providers import Connection, Outside
from coopwire.providers.lms.adapter import connect
from coopwire.transport.http import HttpTransport
from coopwire.transport.signatures import StandardWebhooks

SECRET = "whsec_" + base64.b64encode(b"a secret of thirty-two bytes ...").decode()


@dataclass
class LoanSystem:
    """Answers each message as the test says, and keeps what it received."""

    clock: ManualClock
    url: str = ""
    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    received: list[tuple[Mapping[str, str], bytes]] = field(default_factory=list)
    secret: str = SECRET
    answers_as: str | None = None
    signs: bool = False
    hangs_up: bool = False

    def will_answer(self, body: bytes, *, signs: bool = True) -> None:
        self.body, self.signs = body, signs

    async def handle(self, request: web.Request) -> web.Response:
        headers = {name.lower(): value for name, value in request.headers.items()}
        self.received.append((headers, await request.read()))
        if self.hangs_up and request.transport is not None:
            request.transport.close()
        signed = dict(self.headers)
        if self.signs:
            message_id = self.answers_as or headers["webhook-id"]
            signed |= StandardWebhooks([self.secret]).sign(message_id, self.clock.now(), self.body)
        return web.Response(status=self.status, body=self.body, headers=signed)


@pytest.fixture
def clock() -> ManualClock:
    """A clock that the test moves."""
    return ManualClock(datetime(2026, 3, 2, 9, 0, tzinfo=UTC))


@pytest.fixture
async def lms(clock: ManualClock) -> AsyncIterator[LoanSystem]:
    """A running loan system."""
    one = LoanSystem(clock)
    async with answering(one.handle) as server:
        one.url = f"{server}/hooks"
        yield one


@pytest.fixture
async def outside(clock: ManualClock) -> AsyncIterator[Outside]:
    """The real guarded client."""
    async with HttpTransport() as transport:
        yield Outside(guarded("lms", transport, clock), MemoryTokens(), clock)


@pytest.fixture
def open_lms(outside: Outside) -> Callable[..., Callbacks]:
    """`open_lms(url=…, secret=…)`: the socket of a connection with these settings."""

    def make(**settings: str) -> Callbacks:
        connection = Connection("lms", "lms", Mode.TEST, {"secret": SECRET, **settings})
        callbacks = connect(connection, outside).callbacks
        assert callbacks is not None
        return callbacks

    return make


@pytest.fixture
def callbacks(lms: LoanSystem, open_lms: Callable[..., Callbacks]) -> Callbacks:
    """The socket to the running loan system."""
    return open_lms(url=lms.url)


PAYLOAD: dict[str, object] = {
    "type": "receipt.recorded",
    "timestamp": "2026-03-02T09:00:00+00:00",
    "data": {"receipt": "rcpt-1", "value_minor": 150_000, "currency": "NGN", "member": "M-1"},
}


@pytest.fixture
def a_message() -> Callable[..., CallbackOrder]:
    """Makes orders."""

    def make(
        reference: str = "0123456789abcdef0123",
        url: str | None = None,
        payload: Mapping[str, object] = PAYLOAD,
        wants_allocation: bool = False,
    ) -> CallbackOrder:
        return CallbackOrder(reference, url, payload, wants_allocation)

    return make
