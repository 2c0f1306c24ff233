"""A QuickBooks adapter wired as the hub wires it, in front of the simulator or of a server with set answers."""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

import pytest
from aiohttp import web

from coopwire.conformance.clock import ManualClock
from coopwire.conformance.tokens import MemoryTokens
from coopwire.domain.books import Side
from coopwire.domain.payments import Mode
from coopwire.ports.books import JournalOrder, JournalOrderLine
from coopwire.ports.providers import Connection, Outside
from coopwire.ports.tokens import Tokens
from coopwire.providers.quickbooks.adapter import QuickBooksChart, QuickBooksJournals, connect
from coopwire.providers.quickbooks.simulator import build
from coopwire.simulation.kernel import Simulator, start
from coopwire.transport.guard import LocalBoard
from coopwire.transport.http import GuardedHttp, HttpTransport

REALM = "9130350000000001"


@dataclass
class Script:
    """What a server answers next, and what it was asked."""

    answers: deque[tuple[int, bytes, Mapping[str, str]]] = field(default_factory=deque)
    asked: list[tuple[str, str, Mapping[str, str], bytes]] = field(default_factory=list)

    def answer(self, body: bytes | str, status: int = 200, **headers: str) -> None:
        raw = body.encode() if isinstance(body, str) else body
        self.answers.append((status, raw, headers))

    async def handle(self, request: web.Request) -> web.Response:
        self.asked.append((request.method, request.path_qs, request.headers, await request.read()))
        status, body, headers = self.answers.popleft()
        return web.Response(status=status, body=body, headers=headers)


@dataclass
class Desk:
    """One connection's adapter with everything around it."""

    connection: Connection
    outside: Outside
    tokens: MemoryTokens
    clock: ManualClock
    script: Script
    simulator: Simulator[Any]

    @property
    def journals(self) -> QuickBooksJournals:
        return self._sockets[1]

    @property
    def chart(self) -> QuickBooksChart:
        return self._sockets[0]

    def __post_init__(self) -> None:
        sockets = connect(self.connection, self.outside)
        assert isinstance(sockets.chart_of_accounts, QuickBooksChart)
        assert isinstance(sockets.journals, QuickBooksJournals)
        self._sockets = (sockets.chart_of_accounts, sockets.journals)


Sit = Callable[..., Awaitable[Desk]]


@pytest.fixture
async def sit() -> AsyncIterator[Sit]:
    """`sit()` before a scripted server, `sit(simulated=True)` before the simulator; settings as words."""
    async with AsyncExitStack() as stack:

        async def sit(*, simulated: bool = False, **settings: str) -> Desk:
            script, simulator = Script(), build({"refresh_rotation_seconds": "0"})
            url = await (_simulated(stack, simulator) if simulated else _scripted(stack, script))
            clock, tokens = ManualClock(), MemoryTokens()
            end = clock.now() + timedelta(hours=-1 if simulated else 1)
            tokens.put("books", Tokens("access-token-1", "simulated-refresh-token", end))
            given = {
                "client_id": "simulated-client",
                "client_secret": "simulated-secret",
                "realm_id": REALM,
                "base_url": url,
                "token_url": f"{url}/oauth2/v1/tokens/bearer",
                "authorize_url": f"{url}/connect/oauth2",
            }
            connection = Connection("books", "quickbooks", Mode.TEST, given | settings)
            transport = await stack.enter_async_context(HttpTransport())
            board = LocalBoard(clock.timings, lambda *_: None)
            http = GuardedHttp("books", transport, board, clock)
            return Desk(connection, Outside(http, tokens, clock), tokens, clock, script, simulator)

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
def order() -> JournalOrder:
    """A repayment of 52,500.00 with a fee of 887.50."""
    return JournalOrder(
        reference="r4e1f9k2m7p3t8w5x6z0",
        on=date(2026, 3, 2),
        currency="NGN",
        narrative="Loan repayment L-77",
        lines=(
            JournalOrderLine("91", Side.DEBIT, 5_161_250, "Gateway clearing"),
            JournalOrderLine("64", Side.DEBIT, 88_750),
            JournalOrderLine("120", Side.CREDIT, 4_000_000, "Principal"),
            JournalOrderLine("82", Side.CREDIT, 1_100_000),
            JournalOrderLine("83", Side.CREDIT, 150_000),
        ),
        branch="IKEJA",
    )
