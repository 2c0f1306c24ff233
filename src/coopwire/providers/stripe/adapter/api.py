"""One Stripe account's API: the pinned version and the key on every request, an idempotency key on every write."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from typing import Final, TypeVar
from urllib.parse import quote

from coopwire.domain.errors import ContractBroken
from coopwire.domain.gates import Traffic
from coopwire.ports.http import HttpAnswer, HttpRequest
from coopwire.ports.providers import Outside
from coopwire.providers.stripe.wire.account import Account
from coopwire.providers.stripe.wire.answers import Said, absent, denial, success
from coopwire.providers.stripe.wire.form import Field, encoded
from coopwire.providers.stripe.wire.pages import Walk
from coopwire.providers.stripe.wire.reading import linked
from coopwire.transport.http import retry_after

API_VERSION: Final = "2026-10-28.endive"
"""The shapes that `wire` reads. Source: payments contract 0."""

_RowT = TypeVar("_RowT")


class Api:
    """One account's API. Paths begin with /v1 and hold no ids that were not checked."""

    def __init__(self, of: Account, outside: Outside) -> None:
        self.account = of
        self.clock = outside.clock
        self._http = outside.http

    async def read(self, operation: str, path: str, query: Mapping[str, Field] | None = None) -> HttpAnswer:
        """GET below the base address."""
        url = f"{self.account.base_url}{path}"
        if query:
            url = f"{url}?{encoded(query)}"
        return await self._http.call(HttpRequest(operation, "GET", url, Traffic.READ, self._headers()))

    async def write(self, operation: str, path: str, body: bytes, key: str) -> HttpAnswer:
        """POST a form below the base address. `key`: ours for this order, the same at every try of it.

        The operation is part of the key: what one order asks of two paths never meets under one.
        """
        headers = {
            **self._headers(),
            "Content-Type": "application/x-www-form-urlencoded",
            "Idempotency-Key": f"coopwire:{operation}:{key}",
        }
        url = f"{self.account.base_url}{path}"
        return await self._http.call(HttpRequest(operation, "POST", url, Traffic.WRITE, headers, body))

    async def fetch(
        self, operation: str, path: str, id_: str, query: Mapping[str, Field] | None = None
    ) -> tuple[object, bytes] | None:
        """The object of an id below the path, with the body that told it; None when they say that it is not there.

        ContractBroken when they tell another one.
        """
        answer = await self.read(operation, f"{path}/{quote(id_, safe='')}", query)
        denied = denial(answer)
        if denied is not None and absent(denied):
            return None
        told = self.success(answer, Traffic.READ).data
        if linked(told) != id_:
            raise ContractBroken("another object was told than the one that was asked for")
        return told, answer.body

    async def walk(self, operation: str, path: str, walk: Walk[_RowT]) -> AsyncGenerator[_RowT, None]:
        """Every row of a list. A row that cannot be read does not hide the others: ContractBroken comes last."""
        query: Mapping[str, Field] | None = walk.first()
        while query is not None:
            page = self.success(await self.read(operation, path, query), Traffic.READ)
            for row in walk.fresh(walk.rows(page), 0):
                yield row
            query = walk.turn(page)
        walk.conclude()

    def success(self, answer: HttpAnswer, traffic: Traffic) -> Said:
        """What a success says; raises what any other answer means."""
        return success(answer, traffic, retry_after(answer, self.clock.now()))

    def _headers(self) -> dict[str, str]:
        return {
            "Authorization": f"Bearer {self.account.secret_key}",
            "Accept": "application/json",
            "Stripe-Version": API_VERSION,
        }
