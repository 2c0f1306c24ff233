"""A door for webhooks on loopback: takes whatever a simulator sends and hands it to a check."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from aiohttp import web

_PATIENCE_AT_STOP = 1.0
"""Seconds for senders that keep their connection."""


@dataclass(frozen=True, slots=True)
class Mail:
    """One webhook as it came in: raw bytes, header names lower case."""

    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Mailbox:
    """What came to `url`, in the order of its arrival."""

    url: str
    waiting: asyncio.Queue[Mail] = field(default_factory=asyncio.Queue)

    async def next(self) -> Mail:
        """The next webhook; waits until there is one."""
        return await self.waiting.get()


@asynccontextmanager
async def mailbox() -> AsyncIterator[Mailbox]:
    """A mailbox that answers every webhook with 200."""
    waiting: asyncio.Queue[Mail] = asyncio.Queue()

    async def take(request: web.Request) -> web.Response:
        headers = {name.lower(): value for name, value in request.headers.items()}
        waiting.put_nowait(Mail(headers, await request.read()))
        return web.Response()

    app = web.Application()
    app.router.add_post("/webhooks", take)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=_PATIENCE_AT_STOP)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        yield Mailbox(f"http://127.0.0.1:{runner.addresses[0][1]}/webhooks", waiting)
    finally:
        await runner.cleanup()
