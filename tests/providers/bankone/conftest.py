"""A BankOne adapter wired as the hub wires it, in front of the simulator or of a server with set answers."""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import pytest
from aiohttp import web

from coopwire.conformance.clock import ManualClock
from coopwire.conformance.tokens import MemoryTokens
from coopwire.domain.payments import Mode
from coopwire.ports.corebank import PostingOrder
from coopwire.ports.providers import Connection, Outside
from coopwire.providers.bankone.adapter import BankOneAccounts, BankOnePostings, connect
from coopwire.providers.bankone.simulator import build
from coopwire.simulation.kernel import Simulator, start
from coopwire.transport.guard import LocalBoard
from coopwire.transport.http import GuardedHttp, HttpTransport

TOKEN = "planted-token-7f3a"


@dataclass
class Script:
    """What a server answers next, and what it was asked."""

    answers: deque[tuple[int, bytes, Mapping[str, str]]] = field(default_factory=deque)
    asked: list[tuple[str, bytes]] = field(default_factory=list)

    def answer(self, body: bytes | str, status: int = 200, **headers: str) -> None:
        raw = body.encode() if isinstance(body, str) else body
        self.answers.append((status, raw, headers))

    async def handle(self, request: web.Request) -> web.Response:
        self.asked.append((request.path_qs, await request.read()))
        status, body, headers = self.answers.popleft()
        return web.Response(status=status, body=body, headers=headers)


@dataclass
class Desk:
    """One connection's adapter with everything around it."""

    accounts: BankOneAccounts
    postings: BankOnePostings
    clock: ManualClock
    script: Script
    simulator: Simulator[Any]


Sit = Callable[..., Awaitable[Desk]]


@pytest.fixture
async def sit() -> AsyncIterator[Sit]:
    """`sit()` before a scripted server, `sit(simulated=True)` before the simulator; settings as words."""
    async with AsyncExitStack() as stack:

        async def sit(*, simulated: bool = False, **settings: str) -> Desk:
            script, simulator = Script(), build({"token": TOKEN, "business_date": "2026-03-02"})
            url = await (_simulated(stack, simulator) if simulated else _scripted(stack, script))
            clock = ManualClock()
            given = {"token": TOKEN, "base_url": url} | settings
            connection = Connection("core", "bankone", Mode.TEST, given)
            transport = await stack.enter_async_context(HttpTransport())
            http = GuardedHttp("core", transport, LocalBoard(clock.timings, lambda *_: None), clock)
            sockets = connect(connection, Outside(http, MemoryTokens(), clock))
            assert isinstance(sockets.accounts, BankOneAccounts)
            assert isinstance(sockets.postings, BankOnePostings)
            return Desk(sockets.accounts, sockets.postings, clock, script, simulator)

        yield sit


async def _scripted(stack: AsyncExitStack, script: Script) -> str:
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", script.handle)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    stack.push_async_callback(runner.cleanup)
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    return f"http://127.0.0.1:{runner.addresses[0][1]}"


async def _simulated(stack: AsyncExitStack, simulator: Simulator[Any]) -> str:
    running = await start(simulator)
    stack.push_async_callback(running.stop)
    return running.url


@pytest.fixture
def order() -> PostingOrder:
    """A repayment of 1,025.50 credited to a member against the gateway receivable."""
    return PostingOrder(
        reference="TA1B2C3D4E5F",
        account="1100000001",
        amount_minor=102_550,
        currency="NGN",
        narration="Loan repayment L-77",
        value_on=date(2026, 3, 2),
        gl="1001",
    )
