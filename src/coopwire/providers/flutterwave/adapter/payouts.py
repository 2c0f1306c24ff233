"""The verbs of payouts: pay to an account, follow it with its retries; names of accounts, banks, balances."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from datetime import datetime

from coopwire.domain.errors import (
    BadCredentials,
    ContractBroken,
    HubError,
    InvalidOrder,
    OutcomeUnknown,
    Refused,
    Unsupported,
)
from coopwire.domain.gates import Traffic
from coopwire.domain.states import PayoutState
from coopwire.ports.gateways import AccountName, Balance, Bank, TransferOrder, TransferSnapshot
from coopwire.ports.writes import Finding, FindingWord
from coopwire.providers.flutterwave.adapter.api import Api
from coopwire.providers.flutterwave.wire import pages, transfers
from coopwire.providers.flutterwave.wire.amounts import to_major
from coopwire.providers.flutterwave.wire.answers import denial, refusal
from coopwire.transport.reading import identifier

_MOST_RETRIES = 5
_CANNOT_TELL = frozenset({200, 400, 404})
_NO_OTP = "Flutterwave asks for no one-time password: transfers are approved in its dashboard"
_NO_BULK = "transfers go to Flutterwave one by one"


class FlutterwaveTransfers:
    """Transfers from the wallet. They take the account itself; what stands under a reference is listed by it."""

    def __init__(self, api: Api) -> None:
        self._api = api

    def say(self, order: TransferOrder) -> bytes:
        """The body of POST /transfers."""
        return transfers.transfer_body(order)

    async def send(self, order: TransferOrder, said: bytes) -> TransferSnapshot:
        """Order it once. A refusal that made a record, or that speaks of the reference, is unknown (trap 20)."""
        answer = await self._api.write("transfer", "/transfers", said)
        try:
            told = self._api.success(answer, Traffic.WRITE)
        except Refused as refused:
            if "reference" in refused.message.casefold():
                raise OutcomeUnknown(refused.message, http_status=refused.http_status) from None
            raise
        return transfers.accepted(order, told, answer.body)

    async def find(self, order: TransferOrder, sent_at: datetime) -> Finding[TransferSnapshot]:
        """What stands under our reference and its retries; an empty list is ABSENT, which proves nothing here."""
        family = await self._family(order.reference)
        if not family:
            return Finding(FindingWord.ABSENT, reason="no transfer stands under the reference")
        return Finding(FindingWord.EXECUTED, (_as_ours(family),))

    def say_many(self, orders: Sequence[TransferOrder]) -> bytes:
        """Unsupported: their answer to many has no line for each."""
        raise Unsupported(_NO_BULK)

    async def send_many(
        self, orders: Sequence[TransferOrder], said: bytes
    ) -> tuple[TransferSnapshot | HubError, ...]:
        """Unsupported."""
        raise Unsupported(_NO_BULK)

    async def fetch(self, provider_ref: str) -> TransferSnapshot:
        """The transfer of this id; one that failed is told with what became of its retries."""
        if identifier(provider_ref) != provider_ref:
            raise ContractBroken("this is no id of a transfer")
        answer = await self._api.read("fetch_transfer", f"/transfers/{provider_ref}")
        found = transfers.transfer_of(self._api.success(answer, Traffic.READ).data, answer.body)
        if found.provider_ref != provider_ref:
            raise ContractBroken("fetch answered for another transfer")
        if found.state is not PayoutState.FAILED or transfers.RETRY.search(found.reference):
            return found
        return _as_ours([found, *await self._retries(found.reference)])

    async def list_window(self, start: datetime, end: datetime) -> AsyncIterator[TransferSnapshot]:
        """Transfers created in [start, end), each once; as for charges, pages that shift are walked again."""
        walk = pages.between(pages.TRANSFERS, start, end)
        async for transfer in self._api.walk("list_transfers", "/transfers", walk):
            yield transfer

    async def fee(self, amount_minor: int, currency: str) -> int:
        """What GET /transfers/fee says."""
        query = {"amount": to_major(amount_minor, currency), "currency": currency}
        answer = await self._api.read("transfer_fee", "/transfers/fee", query)
        return transfers.fee_of(self._api.success(answer, Traffic.READ), currency)

    async def finalise(self, provider_ref: str, otp: str) -> TransferSnapshot:
        """Unsupported."""
        raise Unsupported(_NO_OTP)

    async def resend_otp(self, provider_ref: str) -> None:
        """Unsupported."""
        raise Unsupported(_NO_OTP)

    async def _family(self, reference: str) -> list[TransferSnapshot]:
        """What stands under the reference, and its retries, in their order."""
        first = await self._under(reference)
        if not any(one.state is PayoutState.FAILED for one in first):
            return first
        return [*first, *await self._retries(reference)]

    async def _retries(self, reference: str) -> list[TransferSnapshot]:
        found: list[TransferSnapshot] = []
        for number in range(1, _MOST_RETRIES + 1):
            retry = await self._under(f"{reference}_RETRY_{number}")
            if not retry:
                break
            found += retry
        return found

    async def _under(self, reference: str) -> list[TransferSnapshot]:
        walk = pages.Walk(pages.TRANSFERS, {"reference": reference}, lambda one: one.reference == reference)
        return [one async for one in self._api.walk("list_transfers", "/transfers", walk)]


def _as_ours(family: Sequence[TransferSnapshot]) -> TransferSnapshot:
    """Where the payout stands, under the id and the reference of the first: retries have their own."""
    first, best = family[0], transfers.best_of(family)
    return replace(best, provider_ref=first.provider_ref, reference=first.reference, retry_of="")


class FlutterwaveAccountNames:
    """Names of accounts and banks."""

    def __init__(self, api: Api) -> None:
        self._api = api

    async def banks(self, currency: str) -> tuple[Bank, ...]:
        """The banks of the country whose currency it is; none where that is not known."""
        country = transfers.COUNTRIES.get(currency)
        if country is None:
            return ()
        answer = await self._api.read("list_banks", f"/banks/{country}")
        return transfers.banks_of(self._api.success(answer, Traffic.READ), currency)

    async def resolve(self, account: str, bank: str) -> AccountName:
        """Who holds the account. It is asked with a POST that writes nothing."""
        try:
            transfers.check_account(account, bank)
        except InvalidOrder as wrong:
            return AccountName(None, wrong.message)
        body = json.dumps({"account_number": account, "account_bank": bank}, separators=(",", ":")).encode()
        answer = await self._api.ask("resolve_account", "/accounts/resolve", body)
        denied = denial(answer)
        if denied is not None and answer.status in _CANNOT_TELL:
            meant = refusal(denied, Traffic.READ, answer.status)
            if not isinstance(meant, BadCredentials):
                return AccountName(None, denied.message)
        return transfers.name_of(account, self._api.success(answer, Traffic.READ))


class FlutterwaveBalances:
    """The wallet that transfers are paid from."""

    def __init__(self, api: Api) -> None:
        self._api = api

    async def balances(self) -> tuple[Balance, ...]:
        """What is available in each currency."""
        answer = await self._api.read("balances", "/balances")
        return transfers.balances_of(self._api.success(answer, Traffic.READ))
