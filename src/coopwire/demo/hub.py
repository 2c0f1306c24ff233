"""A client of the hub's public API: asks for payments as a loan system does, and reads as an operator does."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import aiohttp

from coopwire.demo.children import DemoFailure

_ROWS_PER_PAGE = 200
_PATIENCE = 30.0
_POLL = 0.25


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
        self._headers = {"Authorization": f"Bearer {key}"}
        self._web = web

    async def ask(self, body: dict[str, Any], key: str) -> Asked:
        """Ask a member to pay. Waits for the page where the hub has none yet; DemoFailure when refused."""
        headers = {**self._headers, "Idempotency-Key": key}
        async with self._web.post(f"{self.url}/v1/payments", json=body, headers=headers) as answer:
            told = await answer.json()
            if answer.status not in (200, 201, 202):
                raise DemoFailure(f"the hub refuses a payment ({answer.status}): {told}")
        payment = told["payment"]["reference"]
        deadline = asyncio.get_running_loop().time() + _PATIENCE
        while told["checkout_url"] is None:
            if asyncio.get_running_loop().time() > deadline:
                raise DemoFailure(f"payment {payment} got no page within {_PATIENCE:.0f} s")
            await asyncio.sleep(_POLL)
            told = await self.read(f"payments/{payment}")
        return Asked(payment, told["attempt"], told["checkout_url"])

    async def open_page(self, url: str) -> None:
        """The member's browser opens the gateway's page."""
        async with self._web.get(url) as answer:
            if answer.status != 200:
                raise DemoFailure(f"the gateway's page answers {answer.status}")

    async def read(self, path: str, **query: str) -> Any:
        """GET below /v1. DemoFailure on anything but a 200."""
        url = f"{self.url}/v1/{path}"
        async with self._web.get(url, params=query, headers=self._headers) as answer:
            if answer.status != 200:
                raise DemoFailure(f"the hub answers {answer.status} to {path}")
            return await answer.json()

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
