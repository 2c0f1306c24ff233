"""One Paystack account's API: the address and the key on every request, lists walked page by page."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from typing import TypeVar
from urllib.parse import quote, urlencode

from coopwire.domain.errors import ContractBroken
from coopwire.domain.gates import Traffic
from coopwire.ports.http import HttpAnswer, HttpRequest
from coopwire.ports.providers import Outside
from coopwire.providers.paystack.wire import pages
from coopwire.providers.paystack.wire.account import Account
from coopwire.providers.paystack.wire.answers import Said, success
from coopwire.transport.http import retry_after
from coopwire.transport.passes import MOST_PASSES

_RowT = TypeVar("_RowT")


class Api:
    """One account's API: the address and the key on every request."""

    def __init__(self, of: Account, outside: Outside) -> None:
        self.account = of
        self._http = outside.http
        self._clock = outside.clock

    async def read(self, operation: str, path: str, query: Mapping[str, str] | None = None) -> HttpAnswer:
        """GET below the base address."""
        url = f"{self.account.base_url}{path}"
        if query:
            url = f"{url}?{urlencode(query)}"
        return await self._http.call(HttpRequest(operation, "GET", url, Traffic.READ, self._headers()))

    async def write(self, operation: str, path: str, body: bytes, method: str = "POST") -> HttpAnswer:
        """Send JSON below the base address."""
        headers = {**self._headers(), "Content-Type": "application/json"}
        url = f"{self.account.base_url}{path}"
        return await self._http.call(HttpRequest(operation, method, url, Traffic.WRITE, headers, body))

    async def remove(self, operation: str, path: str) -> HttpAnswer:
        """DELETE below the base address."""
        url = f"{self.account.base_url}{path}"
        return await self._http.call(HttpRequest(operation, "DELETE", url, Traffic.WRITE, self._headers()))

    async def verify(self, reference: str) -> HttpAnswer:
        """What stands under a reference of the account; ContractBroken when it cannot be asked for."""
        if not reference.strip("."):
            # "." and ".." would ask for another path.
            raise ContractBroken("this reference cannot be asked for")
        return await self.read("verify", f"/transaction/verify/{quote(reference, safe='')}")

    async def walk(self, operation: str, path: str, walk: pages.Walk[_RowT]) -> AsyncGenerator[_RowT, None]:
        """Every row of a list, in as many passes as it takes."""
        for _ in range(MOST_PASSES):
            query: dict[str, str] | None = walk.first()
            while query is not None:
                answer = await self.read(operation, path, query)
                page = walk.read(self.success(answer, Traffic.READ))
                for row in walk.fresh(page.rows, page.total):
                    yield row
                query = walk.turn(page)
            if walk.complete:
                break
        walk.conclude()

    def success(self, answer: HttpAnswer, traffic: Traffic) -> Said:
        """The envelope of a success; raises what any other answer means."""
        return success(answer, traffic, retry_after(answer, self._clock.now()))

    def _headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.account.secret_key}", "Accept": "application/json"}
