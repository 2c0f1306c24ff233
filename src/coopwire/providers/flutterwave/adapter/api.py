"""One Flutterwave account's API: the address and the key on every request, lists walked page by page."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from typing import TypeVar
from urllib.parse import urlencode

from coopwire.domain.gates import Traffic
from coopwire.ports.http import HttpAnswer, HttpRequest
from coopwire.ports.providers import Outside
from coopwire.providers.flutterwave.wire import pages
from coopwire.providers.flutterwave.wire.account import Account
from coopwire.providers.flutterwave.wire.answers import Said, denial, success
from coopwire.transport.http import retry_after
from coopwire.transport.passes import MOST_PASSES

_RowT = TypeVar("_RowT")


class Api:
    """One account's API: the address and the key on every request."""

    def __init__(self, of: Account, outside: Outside) -> None:
        self.account = of
        self.clock = outside.clock
        self._http = outside.http

    async def read(self, operation: str, path: str, query: Mapping[str, str] | None = None) -> HttpAnswer:
        """GET below the base address."""
        url = f"{self.account.base_url}{path}"
        if query:
            url = f"{url}?{urlencode(query)}"
        return await self._http.call(HttpRequest(operation, "GET", url, Traffic.READ, self._headers()))

    async def write(self, operation: str, path: str, body: bytes, method: str = "POST") -> HttpAnswer:
        """Send JSON below the base address."""
        return await self._send(operation, method, path, body, Traffic.WRITE)

    async def ask(self, operation: str, path: str, body: bytes) -> HttpAnswer:
        """POST JSON that writes nothing there."""
        return await self._send(operation, "POST", path, body, Traffic.READ)

    async def _send(
        self, operation: str, method: str, path: str, body: bytes, traffic: Traffic
    ) -> HttpAnswer:
        headers = {**self._headers(), "Content-Type": "application/json"}
        url = f"{self.account.base_url}{path}"
        return await self._http.call(HttpRequest(operation, method, url, traffic, headers, body))

    async def verify(self, reference: str) -> tuple[Said, bytes] | None:
        """A transaction under a reference with the body that told it, whichever of several they choose; None when
        they have none."""
        answer = await self.read(
            "verify_reference", "/transactions/verify_by_reference", {"tx_ref": reference}
        )
        return self._there(answer)

    async def verify_id(self, charge: str) -> tuple[Said, bytes] | None:
        """The transaction of an id with the body that told it; None when they have none."""
        answer = await self.read("verify", f"/transactions/{charge}/verify")
        return self._there(answer)

    async def walk(self, operation: str, path: str, walk: pages.Walk[_RowT]) -> AsyncIterator[_RowT]:
        """Every row of a list, in as many passes as it takes."""
        for _ in range(MOST_PASSES):
            query: dict[str, str] | None = walk.first()
            while query is not None:
                page = pages.page(self.success(await self.read(operation, path, query), Traffic.READ))
                for row in walk.fresh(page.rows, page.total):
                    yield row
                query = walk.turn(page)
            if walk.complete:
                break
        walk.conclude()

    def success(self, answer: HttpAnswer, traffic: Traffic) -> Said:
        """The envelope of a success; raises what any other answer means."""
        return success(answer, traffic, retry_after(answer, self.clock.now()))

    def _there(self, answer: HttpAnswer) -> tuple[Said, bytes] | None:
        denied = denial(answer)
        if denied is not None and denied.absent:
            return None
        return self.success(answer, Traffic.READ), answer.body

    def _headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.account.secret_key}", "Accept": "application/json"}
