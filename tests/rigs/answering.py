"""A small HTTP server of a test's own, one that answers word for word, and the real client towards it."""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import NamedTuple

from aiohttp import web

from coopwire.ports.clock import Clock
from coopwire.transport.guard import LocalBoard
from coopwire.transport.http import GuardedHttp, HttpTransport


@asynccontextmanager
async def answering(handle: Callable[[web.Request], Awaitable[web.Response]]) -> AsyncIterator[str]:
    """The address of a server on a free loopback port; `handle` answers every request."""
    app = web.Application()
    app.router.add_route("*", "/{rest:.*}", handle)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


class Asked(NamedTuple):
    """One request; `path` with its query, as it came."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes


@dataclass
class WordForWord:
    """Gives each request the next prepared answer, and keeps what it was asked."""

    answers: deque[tuple[int, bytes, Mapping[str, str]]] = field(default_factory=deque)
    asked: list[Asked] = field(default_factory=list)

    def will_say(self, body: bytes | str, status: int = 200, **headers: str) -> None:
        """Prepare one answer: JSON unless `headers` say otherwise."""
        raw = body.encode() if isinstance(body, str) else body
        self.answers.append((status, raw, {"Content-Type": "application/json", **headers}))

    async def handle(self, request: web.Request) -> web.Response:
        """Answer one request."""
        headers = dict(request.headers)
        self.asked.append(Asked(request.method, request.raw_path, headers, await request.read()))
        status, body, said = self.answers.popleft()
        return web.Response(status=status, body=body, headers=said)


def guarded(connection: str, transport: HttpTransport, clock: Clock) -> GuardedHttp:
    """The real client of a connection, with a breaker of its own that tells nobody."""
    return GuardedHttp(connection, transport, LocalBoard(clock.timings, lambda *_: None), clock)
