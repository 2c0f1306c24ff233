"""Tries a connection's adapter against the provider's own sandbox, and nothing but a sandbox."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from coopwire.cli.failures import BadInput

if TYPE_CHECKING:
    from coopwire.conformance.checks import Result
    from coopwire.ports.providers import Connection, ProviderSheet

_LIVE = re.compile(r"(?<![a-z])live(?![a-z])", re.IGNORECASE)


async def tried(connection: Connection, sheet: ProviderSheet, currency: str) -> tuple[Result, ...]:
    """Every promise that can be tried there, one after another. BadInput for anything but a sandbox."""
    from coopwire.conformance.gateways.sandbox import SANDBOX, Sandbox
    from coopwire.conformance.tokens import MemoryTokens
    from coopwire.domain.timings import DEFAULT
    from coopwire.ports.providers import Outside
    from coopwire.transport.clock import SystemClock
    from coopwire.transport.guard import LocalBoard
    from coopwire.transport.http import GuardedHttp, HttpTransport

    refuse_all_but_a_sandbox(connection, sheet)
    clock = SystemClock(datetime.now(UTC), DEFAULT)
    async with HttpTransport() as transport:
        http = GuardedHttp(connection.name, transport, LocalBoard(clock.timings, lambda *_: None), clock)
        sockets = sheet.load(sheet.connect)(connection, Outside(http, MemoryTokens(), clock))
        webhooks = sheet.load(sheet.webhooks)(connection) if sheet.webhooks is not None else None
        email = "sandbox-check@example.com"

        @asynccontextmanager
        async def sandbox() -> AsyncIterator[Sandbox]:
            yield Sandbox(sheet.profile, sockets, webhooks, currency, email, clock.now)

        return await SANDBOX.run(sheet.profile, sandbox)


def refuse_all_but_a_sandbox(connection: Connection, sheet: ProviderSheet) -> None:
    """BadInput unless it is a gateway in test mode, with no secret that looks like one of live money."""
    from coopwire.domain.payments import Mode
    from coopwire.ports.providers import Role

    if sheet.profile.role is not Role.GATEWAY:
        raise BadInput(f"{connection.name} is no gateway: only those have a sandbox that can be tried")
    if connection.mode is not Mode.TEST:
        raise BadInput(f"{connection.name} is a live connection: only a sandbox is tried")
    for field in sheet.profile.settings:
        if field.secret and _LIVE.search(connection.settings.get(field.name, "")):
            raise BadInput(
                f"{field.name} of {connection.name} looks like a live key: only a sandbox is tried"
            )
