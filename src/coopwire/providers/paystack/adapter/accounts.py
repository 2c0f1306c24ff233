"""Accounts in customers' names: ask for one, find it, read it, look for missed transfers, close it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import date, datetime
from urllib.parse import quote

from coopwire.domain.errors import ContractBroken
from coopwire.domain.gates import Traffic
from coopwire.ports.gateways import AccountClosingOrder, AccountSnapshot, VirtualAccountOrder, closing_found
from coopwire.ports.writes import Finding
from coopwire.providers.paystack.adapter.api import Api
from coopwire.providers.paystack.wire import accounts, pages
from coopwire.providers.paystack.wire.answers import denial


class PaystackVirtualAccounts:
    """Dedicated accounts. An order carries no reference of ours: the customer's accounts are counted before it."""

    def __init__(self, api: Api) -> None:
        self._api = api

    async def count(self, order: VirtualAccountOrder) -> tuple[str, ...]:
        """Their ids of all accounts of the customer now; none for a customer whom they do not know."""
        return tuple([accounts.id_of(account) async for account in self._of(order)])

    def say(self, order: VirtualAccountOrder) -> bytes:
        """The body of POST /dedicated_account/assign."""
        return accounts.assign_body(order, self._api.account)

    async def send(self, order: VirtualAccountOrder, said: bytes) -> AccountSnapshot:
        """Ask once: they make the customer, ask the bank, and tell later by webhook what came of it."""
        answer = await self._api.write("assign_account", "/dedicated_account/assign", said)
        self._api.success(answer, Traffic.WRITE)
        return accounts.asked(order)

    async def find(self, order: VirtualAccountOrder, sent_at: datetime) -> Finding[AccountSnapshot]:
        """What the list of the customer's accounts says, beside the order's census."""
        return accounts.found(order, [account async for account in self._of(order)])

    async def fetch(self, provider_ref: str) -> AccountSnapshot:
        """The account of this id; ContractBroken when they do not know it."""
        return await _fetch(self._api, provider_ref)

    async def requery(self, provider_ref: str, on: date) -> None:
        """Ask them to look at the bank for transfers of that day; whatever they find comes by webhook."""
        account = await self.fetch(provider_ref)
        query = accounts.requery(account, on)
        answer = await self._api.read("requery_account", "/dedicated_account/requery", query)
        self._api.success(answer, Traffic.READ)

    async def _of(self, order: VirtualAccountOrder) -> AsyncIterator[AccountSnapshot]:
        path = f"/customer/{quote(accounts.address(order.holder), safe='')}"
        answer = await self._api.read("fetch_customer", path)
        denied = denial(answer)
        if denied is not None and denied.customer_absent(answer.status):
            return
        customer = accounts.customer_of(order.holder, self._api.success(answer, Traffic.READ).data)
        walk = pages.accounts_of(customer)
        async for account in self._api.walk("list_accounts", "/dedicated_account", walk):
            yield account


class PaystackAccountClosings:
    """Ends of dedicated accounts; which one is in the path, and there is no body."""

    def __init__(self, api: Api) -> None:
        self._api = api

    def say(self, order: AccountClosingOrder) -> bytes:
        """Nothing; InvalidOrder for what is no id of an account."""
        accounts.check_id(order.account)
        return b""

    async def send(self, order: AccountClosingOrder, said: bytes) -> AccountSnapshot:
        """Close it."""
        answer = await self._api.remove("close_account", f"/dedicated_account/{order.account}")
        return accounts.closed(order, self._api.success(answer, Traffic.WRITE), answer.body)

    async def find(self, order: AccountClosingOrder, sent_at: datetime) -> Finding[AccountSnapshot]:
        """EXECUTED when the account is not assigned any more, ABSENT while it is."""
        return closing_found(await _fetch(self._api, order.account))


async def _fetch(api: Api, provider_ref: str) -> AccountSnapshot:
    if not accounts.is_id(provider_ref):
        raise ContractBroken("this is no id of an account")
    answer = await api.read("fetch_account", f"/dedicated_account/{provider_ref}")
    found = accounts.account_of(api.success(answer, Traffic.READ).data, answer.body)
    if found.provider_ref != provider_ref:
        raise ContractBroken("fetch answered for another account")
    return found
