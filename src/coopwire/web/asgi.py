"""The whole front door as one ASGI application: webhooks go past the framework, everything else through it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
ASGI = Callable[[Scope, Receive, Send], Awaitable[None]]

WEBHOOKS = "/webhooks/"


def build_app(door: ASGI, api: ASGI) -> ASGI:
    """Webhooks to the door; the API, the server's lifespan and all the rest to the API."""

    async def front(scope: Scope, receive: Receive, send: Send) -> None:
        webhook = scope["type"] == "http" and scope["path"].startswith(WEBHOOKS)
        await (door if webhook else api)(scope, receive, send)

    return front
