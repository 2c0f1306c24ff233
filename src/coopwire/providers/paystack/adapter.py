"""The verbs of Paystack: open a checkout, find it again, read charges, give money back."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from datetime import datetime
from typing import TypeVar
from urllib.parse import quote, urlencode

from coopwire.domain.errors import ContractBroken
from coopwire.domain.gates import Traffic
from coopwire.ports.gateways import (
    ChargeSnapshot,
    CheckoutOrder,
    CheckoutSnapshot,
    RefundOrder,
    RefundSnapshot,
)
from coopwire.ports.http import HttpAnswer, HttpRequest
from coopwire.ports.providers import Connection, Outside, Sockets
from coopwire.ports.writes import Finding
from coopwire.providers.paystack.wire import checkouts, pages, refunds
from coopwire.providers.paystack.wire.account import Account, account
from coopwire.providers.paystack.wire.answers import Said, denial, success
from coopwire.providers.paystack.wire.charges import charge_of
from coopwire.transport.http import retry_after
from coopwire.transport.markers import found_since
from coopwire.transport.passes import MOST_PASSES

_RowT = TypeVar("_RowT")


def connect(connection: Connection, outside: Outside) -> Sockets:
    """The sockets of one Paystack account. ConfigurationError for bad settings."""
    api = _Api(account(connection), outside)
    return Sockets(
        checkouts=PaystackCheckouts(api), charges=PaystackCharges(api), refunds=PaystackRefunds(api)
    )


class _Api:
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

    async def write(self, operation: str, path: str, body: bytes) -> HttpAnswer:
        """POST JSON below the base address."""
        headers = {**self._headers(), "Content-Type": "application/json"}
        url = f"{self.account.base_url}{path}"
        return await self._http.call(HttpRequest(operation, "POST", url, Traffic.WRITE, headers, body))

    async def verify(self, reference: str) -> HttpAnswer:
        """What stands under a reference of the account; ContractBroken when it cannot be asked for."""
        if not reference.strip("."):
            # "." and ".." would ask for another path.
            raise ContractBroken("this reference cannot be asked for")
        return await self.read("verify", f"/transaction/verify/{quote(reference, safe='')}")

    async def walk(self, operation: str, path: str, walk: pages.Walk[_RowT]) -> AsyncIterator[_RowT]:
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


class PaystackCheckouts:
    """Hosted pages of Paystack; the reference is the only key against a second one."""

    def __init__(self, api: _Api) -> None:
        self._api = api

    def say(self, order: CheckoutOrder) -> bytes:
        """The body of /transaction/initialize."""
        return checkouts.checkout_body(order, self._api.account.channels)

    async def send(self, order: CheckoutOrder, said: bytes) -> CheckoutSnapshot:
        """Open the page; `provider_ref` is None, for they give no id before the member pays."""
        answer = await self._api.write("initialize", "/transaction/initialize", said)
        return checkouts.opened(order, self._api.success(answer, Traffic.WRITE))

    async def find(self, order: CheckoutOrder, sent_at: datetime) -> Finding[CheckoutSnapshot]:
        """EXECUTED without the page's address, or ABSENT when they say so in the agreed words."""
        answer = await self._api.verify(order.reference)
        denied = denial(answer)
        if denied is not None and denied.reference_absent:
            return checkouts.NOT_THERE
        return checkouts.found(order, self._api.success(answer, Traffic.READ))


class PaystackCharges:
    """Charges by reference, by id and by day."""

    def __init__(self, api: _Api) -> None:
        self._api = api

    async def find(self, reference: str, charges: tuple[str, ...] = ()) -> tuple[ChargeSnapshot, ...]:
        """The charge under the reference, and those ids that carry it too (text that is no id is none)."""
        first = await self._under(reference)
        known = {} if first is None else {first.charge: first}
        for charge_id in dict.fromkeys(charges):
            if charge_id not in known and charge_id.isascii() and charge_id.isdecimal():
                other = await self._by_id(charge_id)
                if other is not None and other.reference == reference:
                    known[charge_id] = other
        return tuple(known.values())

    async def _under(self, reference: str) -> ChargeSnapshot | None:
        answer = await self._api.verify(reference)
        denied = denial(answer)
        if denied is not None and denied.reference_absent:
            return None
        found = charge_of(self._api.success(answer, Traffic.READ).data, answer.body)
        if found.reference != reference:
            raise ContractBroken("verify answered for another reference")
        return found

    async def _by_id(self, charge_id: str) -> ChargeSnapshot | None:
        answer = await self._api.read("fetch", f"/transaction/{charge_id}")
        denied = denial(answer)
        if denied is not None and denied.id_absent:
            return None
        found = charge_of(self._api.success(answer, Traffic.READ).data, answer.body)
        if found.charge != charge_id:
            raise ContractBroken("fetch answered for another id")
        return found

    async def list_window(self, start: datetime, end: datetime) -> AsyncIterator[ChargeSnapshot]:
        """Charges created in [start, end), each once.

        Pages by number shift when a charge comes in meanwhile: they are walked again until one walk has seen
        all, TryLater when the list never stands still. A row that cannot be read does not hide the others:
        ContractBroken comes after the last of them.
        """
        async for charge in self._api.walk("list", "/transaction", pages.between(pages.CHARGES, start, end)):
            yield charge


class PaystackRefunds:
    """Money back to the customer; ours are known by the marker in the merchant's note."""

    def __init__(self, api: _Api) -> None:
        self._api = api

    async def count(self, order: RefundOrder) -> tuple[str, ...]:
        """Their ids of all refunds of the charge now."""
        return tuple([refund.provider_ref async for refund in self._of(order.charge)])

    def say(self, order: RefundOrder) -> bytes:
        """The body of POST /refund."""
        return refunds.refund_body(order)

    async def send(self, order: RefundOrder, said: bytes) -> RefundSnapshot:
        """Ask once: they queue it, and tell by their own time whether it came through."""
        answer = await self._api.write("refund", "/refund", said)
        return refunds.accepted(order, self._api.success(answer, Traffic.WRITE), answer.body)

    async def find(self, order: RefundOrder, sent_at: datetime) -> Finding[RefundSnapshot]:
        """What the list of the charge's refunds says, beside the order's census."""
        return found_since(order, [refund async for refund in self._of(order.charge)])

    async def fetch(self, provider_ref: str) -> RefundSnapshot:
        """The refund of this id; ContractBroken when they do not know it."""
        if not (provider_ref.isascii() and provider_ref.isdecimal()):
            raise ContractBroken("this is no id of a refund")
        answer = await self._api.read("fetch_refund", f"/refund/{provider_ref}")
        found = refunds.refund_of(self._api.success(answer, Traffic.READ).data, answer.body)
        if found.provider_ref != provider_ref:
            raise ContractBroken("fetch answered for another refund")
        return found

    async def list_window(self, start: datetime, end: datetime) -> AsyncIterator[RefundSnapshot]:
        """Refunds created in [start, end), each once; as for charges, pages that shift are walked again."""
        walk = pages.between(pages.REFUNDS, start, end)
        async for refund in self._api.walk("list_refunds", "/refund", walk):
            yield refund

    def _of(self, charge: str) -> AsyncIterator[RefundSnapshot]:
        return self._api.walk("list_refunds", "/refund", pages.refunds_of(charge))
