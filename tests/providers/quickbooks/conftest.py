"""A QuickBooks adapter wired as the hub wires it, in front of the simulator or of a server with set answers."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import pytest
from rigs.answering import WordForWord, answering, guarded

from coopwire.conformance.clock import ManualClock
from coopwire.conformance.tokens import MemoryTokens
from coopwire.domain.books import Side
from coopwire.domain.payments import Mode
from coopwire.domain.timings import DEFAULT, Timings
from coopwire.ports.books import JournalOrder, JournalOrderLine
from coopwire.ports.providers import Connection, Outside
from coopwire.ports.tokens import Tokens
from coopwire.providers.quickbooks.adapter import QuickBooksChart, QuickBooksJournals, connect
from coopwire.providers.quickbooks.simulator import build
from coopwire.simulation.kernel import Simulator, running
from coopwire.transport.http import HttpTransport

REALM = "9130350000000001"


@dataclass
class Desk:
    """One connection's adapter with everything around it."""

    connection: Connection
    outside: Outside
    tokens: MemoryTokens
    clock: ManualClock
    script: WordForWord
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

        async def sit(*, simulated: bool = False, timings: Timings = DEFAULT, **settings: str) -> Desk:
            script, simulator = WordForWord(), build({"refresh_rotation_seconds": "0"})
            if simulated:
                url = (await stack.enter_async_context(running(simulator))).url
            else:
                url = await stack.enter_async_context(answering(script.handle))
            clock, tokens = ManualClock(timings=timings), MemoryTokens()
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
            outside = Outside(guarded("books", transport, clock), tokens, clock)
            return Desk(connection, outside, tokens, clock, script, simulator)

        yield sit


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
