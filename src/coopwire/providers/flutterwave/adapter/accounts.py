"""Static accounts in customers' names: ask for one, read it by the id that the answer named, close it."""

from __future__ import annotations

from datetime import date, datetime

from coopwire.domain.errors import ContractBroken, Unsupported
from coopwire.domain.gates import Traffic
from coopwire.ports.gateways import AccountClosingOrder, AccountSnapshot, VirtualAccountOrder, closing_found
from coopwire.ports.http import HttpAnswer
from coopwire.ports.writes import Finding, FindingWord
from coopwire.providers.flutterwave.adapter.api import Api
from coopwire.providers.flutterwave.wire import accounts
from coopwire.providers.flutterwave.wire.answers import denial


class FlutterwaveVirtualAccounts:
    """Accounts that bear our reference. Nothing lists them: see the trust in the data sheet for a lost answer."""

    def __init__(self, api: Api) -> None:
        self._api = api

    async def count(self, order: VirtualAccountOrder) -> tuple[str, ...]:
        """None: they cannot be counted, and need not be, for each bears the reference of its order."""
        return ()

    def say(self, order: VirtualAccountOrder) -> bytes:
        """The body of POST /virtual-account-numbers."""
        return accounts.account_body(order, self._api.account)

    async def send(self, order: VirtualAccountOrder, said: bytes) -> AccountSnapshot:
        """Ask once: they answer with the account."""
        answer = await self._api.write("open_account", "/virtual-account-numbers", said)
        return accounts.account_of(self._api.success(answer, Traffic.WRITE).data, answer.body)

    async def find(self, order: VirtualAccountOrder, sent_at: datetime) -> Finding[AccountSnapshot]:
        """ABSENT, which proves nothing here."""
        return accounts.NOT_TOLD

    async def fetch(self, provider_ref: str) -> AccountSnapshot:
        """The account of this id; ContractBroken when they do not know it."""
        answer = await _read(self._api, provider_ref)
        return _told(self._api, provider_ref, answer)

    async def requery(self, provider_ref: str, on: date) -> None:
        """Unsupported: what they missed they cannot be asked to look for."""
        raise Unsupported("Flutterwave cannot be asked to look for transfers: the list of the day tells them")


class FlutterwaveAccountClosings:
    """Ends of accounts."""

    def __init__(self, api: Api) -> None:
        self._api = api

    def say(self, order: AccountClosingOrder) -> bytes:
        """The body that makes it inactive."""
        return accounts.closing_body(order)

    async def send(self, order: AccountClosingOrder, said: bytes) -> AccountSnapshot:
        """Close it."""
        answer = await self._api.write("close_account", f"/virtual-account-numbers/{order.account}", said)
        return accounts.closed(order, self._api.success(answer, Traffic.WRITE), answer.body)

    async def find(self, order: AccountClosingOrder, sent_at: datetime) -> Finding[AccountSnapshot]:
        """EXECUTED when it is told as inactive, or not known any more; ABSENT while it is told as open."""
        answer = await _read(self._api, order.account)
        denied = denial(answer)
        if denied is not None and denied.order_absent:
            return Finding(FindingWord.EXECUTED, (accounts.gone(order, answer.body),))
        return closing_found(_told(self._api, order.account, answer))


async def _read(api: Api, provider_ref: str) -> HttpAnswer:
    if not accounts.is_id(provider_ref):
        raise ContractBroken("this is no id of an account")
    return await api.read("fetch_account", f"/virtual-account-numbers/{provider_ref}")


def _told(api: Api, provider_ref: str, answer: HttpAnswer) -> AccountSnapshot:
    found = accounts.account_of(api.success(answer, Traffic.READ).data, answer.body)
    if found.provider_ref != provider_ref:
        raise ContractBroken("fetch answered for another account")
    return found
