"""A BankOne adapter wired as the hub wires it, in front of the simulator or of a server with set answers."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import date
from typing import Any

import pytest
from rigs.answering import WordForWord, answering, guarded

from coopwire.conformance.clock import ManualClock
from coopwire.conformance.tokens import MemoryTokens
from coopwire.domain.payments import Mode
from coopwire.ports.corebank import PostingOrder
from coopwire.ports.providers import Connection, Outside
from coopwire.providers.bankone.adapter import (
    BankOneAccounts,
    BankOneDate,
    BankOnePostings,
    BankOneReversals,
    BankOneStatements,
    connect,
)
from coopwire.providers.bankone.simulator import build
from coopwire.simulation.kernel import Simulator, running
from coopwire.transport.http import HttpTransport

TOKEN = "planted-token-7f3a"


@dataclass
class Desk:
    """One connection's adapter with everything around it."""

    accounts: BankOneAccounts
    postings: BankOnePostings
    reversals: BankOneReversals
    statements: BankOneStatements
    business_date: BankOneDate
    clock: ManualClock
    script: WordForWord
    simulator: Simulator[Any]


Sit = Callable[..., Awaitable[Desk]]


@pytest.fixture
async def sit() -> AsyncIterator[Sit]:
    """`sit()` before a scripted server, `sit(simulated=True)` before the simulator; settings as words."""
    async with AsyncExitStack() as stack:

        async def sit(*, simulated: bool = False, **settings: str) -> Desk:
            script, simulator = WordForWord(), build({"token": TOKEN, "business_date": "2026-03-02"})
            if simulated:
                url = (await stack.enter_async_context(running(simulator))).url
            else:
                url = await stack.enter_async_context(answering(script.handle))
            clock = ManualClock()
            given = {"token": TOKEN, "base_url": url} | settings
            connection = Connection("core", "bankone", Mode.TEST, given)
            transport = await stack.enter_async_context(HttpTransport())
            http = guarded("core", transport, clock)
            sockets = connect(connection, Outside(http, MemoryTokens(), clock))
            assert isinstance(sockets.accounts, BankOneAccounts)
            assert isinstance(sockets.postings, BankOnePostings)
            assert isinstance(sockets.reversals, BankOneReversals)
            assert isinstance(sockets.statements, BankOneStatements)
            assert isinstance(sockets.business_date, BankOneDate)
            return Desk(
                sockets.accounts,
                sockets.postings,
                sockets.reversals,
                sockets.statements,
                sockets.business_date,
                clock,
                script,
                simulator,
            )

        yield sit


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
