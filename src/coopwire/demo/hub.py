"""A client of the hub's public API: asks for payments as a loan system does, and reads as an operator does."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import date
from typing import Any

import aiohttp

from coopwire.demo.children import DemoFailure

_ROWS_PER_PAGE = 200
_PATIENCE = 30.0
_POLL = 0.25
_GOOD = (200, 201, 202)


@dataclass(frozen=True, slots=True)
class Asked:
    """A payment that the hub accepted, with the page where the member pays."""

    payment: str
    attempt: str
    url: str


class Hub:
    """The API of one hub, by one key."""

    def __init__(self, url: str, key: str, web: aiohttp.ClientSession) -> None:
        self.url = url
        self.key = key
        self._web = web

    async def ask(self, body: dict[str, Any], key: str) -> Asked:
        """Ask a member to pay. Waits for the page where the hub has none yet; DemoFailure when refused."""
        told = await self._call("POST", "payments", json=body, headers={"Idempotency-Key": key})
        payment = told["payment"]["reference"]
        deadline = time.monotonic() + _PATIENCE
        while told["checkout_url"] is None:
            if time.monotonic() > deadline:
                raise DemoFailure(f"payment {payment} got no page within {_PATIENCE:.0f} s")
            await asyncio.sleep(_POLL)
            told = await self.read(f"payments/{payment}")
        return Asked(payment, told["attempt"], told["checkout_url"])

    async def link_accounts(self, table: str) -> None:
        """Take in the table member → core account, as CSV. DemoFailure when a line is refused."""
        await self._call("PUT", "core-accounts", data=table.encode(), headers={"Content-Type": "text/csv"})

    async def reconcile(self, day: date) -> str:
        """Begin to compare a business day; the id of the run."""
        told = await self._call("POST", "reconciliations", json={"day": day.isoformat()})
        return str(told["id"])

    async def read(self, path: str, **query: str) -> Any:
        """GET below /v1. DemoFailure on anything but a 200."""
        return await self._call("GET", path, params=query)

    async def rows(self, noun: str, **query: str) -> AsyncIterator[dict[str, Any]]:
        """Every row of a list, all pages."""
        after: dict[str, str] = {}
        while True:
            page = await self.read(noun, limit=str(_ROWS_PER_PAGE), **query, **after)
            for row in page["items"]:
                yield row
            if page["next"] is None:
                return
            after = {"cursor": page["next"]}

    async def count(self, noun: str, **query: str) -> int:
        """How many rows a list has."""
        return len([row async for row in self.rows(noun, **query)])

    async def _call(self, method: str, path: str, **more: Any) -> Any:
        headers = {"Authorization": f"Bearer {self.key}", **more.pop("headers", {})}
        try:
            async with self._web.request(method, f"{self.url}/v1/{path}", headers=headers, **more) as answer:
                if answer.status not in _GOOD:
                    raise DemoFailure(f"the hub answers {answer.status} to {path}: {await answer.text()}")
                return await answer.json()
        except (aiohttp.ClientError, TimeoutError) as error:
            raise DemoFailure(f"the hub does not answer to {path}: {type(error).__name__}") from None
