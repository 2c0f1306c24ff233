"""What a process without an API lets others see of it: that it runs, and its metrics."""

from __future__ import annotations

from coopwire.ports.meters import Meter
from coopwire.web.asgi import Receive, Scope, Send

_HEALTHY = (200, b'{"status":"ok"}', "application/json")
_NOT_FOUND = (404, b'{"type":"about:blank","title":"Not Found","status":404}', "application/problem+json")


class Watching:
    """An ASGI application for `GET /metrics` and `GET /healthz`. It reads no body and needs no key."""

    def __init__(self, meter: Meter) -> None:
        self._meter = meter

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] == "lifespan":
            await _live(receive, send)
        elif scope["type"] == "http":
            await _answer(send, *await self._told(scope))

    async def _told(self, scope: Scope) -> tuple[int, bytes, str]:
        if scope["method"] not in ("GET", "HEAD"):
            return _NOT_FOUND
        if scope["path"] == "/metrics":
            return (200, *await self._meter.exposition())
        return _HEALTHY if scope["path"] == "/healthz" else _NOT_FOUND


async def _live(receive: Receive, send: Send) -> None:
    while (await receive())["type"] != "lifespan.shutdown":
        await send({"type": "lifespan.startup.complete"})
    await send({"type": "lifespan.shutdown.complete"})


async def _answer(send: Send, status: int, body: bytes, media: str) -> None:
    headers = [
        (b"content-type", media.encode()),
        (b"content-length", str(len(body)).encode()),
        (b"cache-control", b"no-store"),
    ]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
