"""The verbs of payouts: make an account known, pay to it, say the OTP, follow it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from urllib.parse import quote

from coopwire.domain.errors import ContractBroken, HubError
from coopwire.domain.gates import Traffic
from coopwire.ports.gateways import RecipientOrder, RecipientSnapshot, TransferOrder, TransferSnapshot
from coopwire.ports.writes import Finding, FindingWord
from coopwire.providers.paystack.adapter.api import Api
from coopwire.providers.paystack.wire import bank_accounts, pages, transfers
from coopwire.providers.paystack.wire.answers import denial


class PaystackRecipients:
    """Accounts to pay to; making the same one known again gives the record that is there."""

    def __init__(self, api: Api) -> None:
        self._api = api

    def say(self, order: RecipientOrder) -> bytes:
        """The body of POST /transferrecipient."""
        return bank_accounts.recipient_body(order)

    async def send(self, order: RecipientOrder, said: bytes) -> RecipientSnapshot:
        """Make it known; the same account again is the same recipient."""
        answer = await self._api.write("create_recipient", "/transferrecipient", said)
        return bank_accounts.recipient_of(order, self._api.success(answer, Traffic.WRITE))

    async def find(self, order: RecipientOrder, sent_at: datetime) -> Finding[RecipientSnapshot]:
        """They have no look-up by account: it is sent again."""
        return Finding(FindingWord.PENDING, reason="a recipient cannot be looked up by its account")


class PaystackTransfers:
    """Transfers from the balance; the reference is the only key against a second one."""

    def __init__(self, api: Api) -> None:
        self._api = api

    def say(self, order: TransferOrder) -> bytes:
        """The body of POST /transfer."""
        return transfers.transfer_body(order)

    async def send(self, order: TransferOrder, said: bytes) -> TransferSnapshot:
        """Order it once; even the word `success` means that it is on its way."""
        answer = await self._api.write("transfer", "/transfer", said)
        return transfers.accepted(order, self._api.success(answer, Traffic.WRITE), answer.body)

    async def find(self, order: TransferOrder, sent_at: datetime) -> Finding[TransferSnapshot]:
        """What stands under our reference; ABSENT when they say "Transfer not found"."""
        path = f"/transfer/verify/{quote(order.reference, safe='')}"
        answer = await self._api.read("verify_transfer", path)
        denied = denial(answer)
        if denied is not None and denied.transfer_absent:
            return transfers.NOT_THERE
        return transfers.found(order, self._api.success(answer, Traffic.READ), answer.body)

    def say_many(self, orders: Sequence[TransferOrder]) -> bytes:
        """The body of POST /transfer/bulk, which needs OTPs switched off."""
        return transfers.many_body(orders)

    async def send_many(
        self, orders: Sequence[TransferOrder], said: bytes
    ) -> tuple[TransferSnapshot | HubError, ...]:
        """Order many at once; when they refuse, they refuse all."""
        answer = await self._api.write("transfer_bulk", "/transfer/bulk", said)
        return transfers.taken_on(orders, self._api.success(answer, Traffic.WRITE))

    async def fetch(self, provider_ref: str) -> TransferSnapshot:
        """The transfer of this code; ContractBroken when they do not know it."""
        code = transfers.needed_code(provider_ref)
        answer = await self._api.read("fetch_transfer", f"/transfer/{code}")
        found = transfers.transfer_of(self._api.success(answer, Traffic.READ).data, answer.body)
        if found.provider_ref != code:
            raise ContractBroken("fetch answered for another transfer")
        return found

    async def list_window(self, start: datetime, end: datetime) -> AsyncIterator[TransferSnapshot]:
        """Transfers created in [start, end), each once; as for charges, pages that shift are walked again."""
        walk = pages.between(pages.TRANSFERS, start, end)
        async for transfer in self._api.walk("list_transfers", "/transfer", walk):
            yield transfer

    async def fee(self, amount_minor: int, currency: str) -> int:
        """What the connection's table says; it is written in the minor units of the account's currency."""
        return self._api.account.transfer_fees.fee(amount_minor)

    async def finalise(self, provider_ref: str, otp: str) -> TransferSnapshot:
        """Give the OTP."""
        said = transfers.otp_body(provider_ref, otp)
        answer = await self._api.write("finalize_transfer", "/transfer/finalize_transfer", said)
        found = transfers.transfer_of(self._api.success(answer, Traffic.WRITE).data, answer.body)
        if found.provider_ref != provider_ref:
            raise ContractBroken("they answered for another transfer")
        return transfers.not_yet(found)

    async def resend_otp(self, provider_ref: str) -> None:
        """Have it sent again to the business phone."""
        answer = await self._api.write(
            "resend_otp", "/transfer/resend_otp", transfers.resend_body(provider_ref)
        )
        self._api.success(answer, Traffic.WRITE)
