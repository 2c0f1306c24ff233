"""The verbs of bank accounts: which banks there are, who holds an account, what stands on ours."""

from __future__ import annotations

from coopwire.domain.errors import BadCredentials, InvalidOrder
from coopwire.domain.gates import Traffic
from coopwire.ports.gateways import AccountName, Balance, Bank
from coopwire.providers.paystack.adapter.api import Api
from coopwire.providers.paystack.wire import bank_accounts, pages
from coopwire.providers.paystack.wire.answers import denial, refusal


class PaystackAccountNames:
    """Names of accounts, as the banks tell them to Paystack."""

    def __init__(self, api: Api) -> None:
        self._api = api

    async def banks(self, currency: str) -> tuple[Bank, ...]:
        """Every bank that takes this currency."""
        walk = pages.banks_of(currency)
        return tuple([bank async for bank in self._api.walk("list_banks", "/bank", walk)])

    async def resolve(self, account: str, bank: str) -> AccountName:
        """Who holds the account. That they cannot tell is told in many words: a denial that is about the key or
        the pace is an error, any other one means that nobody can be named."""
        try:
            bank_accounts.check_account(account, bank)
        except InvalidOrder as wrong:
            return AccountName(None, wrong.message)
        query = {"account_number": account, "bank_code": bank}
        answer = await self._api.read("resolve_account", "/bank/resolve", query)
        denied = denial(answer)
        if denied is not None and answer.status in _CANNOT_TELL:
            meant = refusal(denied, Traffic.READ, answer.status)
            if not isinstance(meant, BadCredentials):
                return AccountName(None, denied.message)
        return bank_accounts.name_of(account, self._api.success(answer, Traffic.READ))


_CANNOT_TELL = frozenset({200, 400, 404, 422})


class PaystackBalances:
    """The balance that transfers are paid from."""

    def __init__(self, api: Api) -> None:
        self._api = api

    async def balances(self) -> tuple[Balance, ...]:
        """What stands in each currency."""
        answer = await self._api.read("balance", "/balance")
        return bank_accounts.balances_of(self._api.success(answer, Traffic.READ))
