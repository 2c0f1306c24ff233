"""The whole front door over a running hub: real HTTP to the API, real simulators behind it."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator, Collection, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import aiohttp
from rigs.river import River, river
from rigs.serving import serving

from coopwire import app as composition
from coopwire.connections import Configured
from coopwire.domain.timings import DEFAULT, DEMO
from coopwire.ports.keys import Scope
from coopwire.web.api import build_api
from coopwire.web.asgi import build_app
from coopwire.web.door import Door
from coopwire.web.office import Office


@dataclass(frozen=True)
class Told:
    """An answer."""

    status: int
    headers: Mapping[str, str]
    body: Any
    raw: bytes = field(repr=False)


@dataclass
class FrontDoor:
    """A running hub and its API; `keys` holds a secret per name."""

    hub: River
    office: Office
    url: str
    api: Any
    web: aiohttp.ClientSession = field(repr=False)
    keys: dict[str, str] = field(repr=False, default_factory=dict)

    async def key(self, *scopes: Scope) -> str:
        """The secret of a new key."""
        now = self.office.clock.now()
        return (await self.office.keys.create("a test", scopes, "the test", now)).secret

    async def call(self, method: str, path: str, key: str | None = "all", **more: Any) -> Told:
        """One request as the key of that name, or with that secret; `headers`, `json`, `data` as in aiohttp."""
        headers = dict(more.pop("headers", {}))
        if key is not None:
            headers.setdefault("authorization", f"Bearer {self.keys.get(key, key)}")
        async with self.web.request(method, self.url + path, headers=headers, **more) as answer:
            raw = await answer.read()
            body = await answer.json() if "json" in answer.content_type else raw
            return Told(answer.status, answer.headers.copy(), body, raw)

    async def get(self, path: str, **more: Any) -> Told:
        """GET."""
        return await self.call("GET", path, **more)

    async def pay(self, body: Mapping[str, object], once: str | None = None, **more: Any) -> Told:
        """POST /v1/payments under this idempotency key, or a new one."""
        headers = {"idempotency-key": once or secrets.token_hex(8), **more.pop("headers", {})}
        return await self.call("POST", "/v1/payments", json=body, headers=headers, **more)


@asynccontextmanager
async def front_door(
    dsn: str, *, allowed_hosts: Collection[str] = ("127.0.0.1",), **how: Any
) -> AsyncIterator[FrontDoor]:
    """A hub with simulators, its API and its webhook door, on a free port."""

    def allow(configured: Configured) -> Configured:
        routes = replace(configured.routes, allowed_callback_hosts=frozenset(allowed_hosts))
        return replace(configured, routes=routes)

    # A slow machine must be able to open a page before the request is answered without it.
    patient = replace(DEMO, create_answer_within=DEFAULT.create_answer_within)
    async with river(dsn, change=allow, **{"lengths": patient, **how}) as hub:
        parts = composition.office(hub.app)
        door = Door(hub.app.network, hub.app.database, hub.app.clock, hub.app.bells, parts.meter)
        api = build_api(parts)
        committing = asyncio.create_task(door.run())
        try:
            async with serving(build_app(door, api)) as url, aiohttp.ClientSession() as web:
                front = FrontDoor(hub, parts, url, api, web)
                front.keys["all"] = await front.key(*Scope)
                yield front
        finally:
            committing.cancel()
            await asyncio.wait([committing])
