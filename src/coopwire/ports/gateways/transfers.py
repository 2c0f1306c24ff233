"""Money to a bank account: order it, find it, say its OTP, and follow it to the end."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from coopwire.domain.errors import HubError
from coopwire.domain.payments import Mode
from coopwire.domain.states import PayoutState
from coopwire.ports.writes import Finding


@dataclass(frozen=True, slots=True)
class TransferOrder:
    """Pay `amount_minor` to an account under our reference.

    `recipient` is the gateway's name for the account, None where it takes the account itself. `narration` is what
    the beneficiary reads.
    """

    reference: str
    amount_minor: int
    currency: str
    account: str = field(repr=False)
    bank: str
    name: str = field(repr=False)
    narration: str
    recipient: str | None = None


@dataclass(frozen=True, slots=True)
class TransferSnapshot:
    """A transfer as the gateway tells it; `fee_minor` where they tell it, `mode` and `recipient` likewise.

    `retry_of`: the reference of the failed transfer that it is another try of, empty for a first one.
    """

    provider_ref: str
    reference: str
    amount_minor: int
    currency: str
    state: PayoutState
    created_at: datetime | None
    fee_minor: int | None = None
    mode: Mode | None = None
    recipient: str | None = None
    reason: str = ""
    retry_of: str = ""
    raw: bytes = field(default=b"", repr=False)


def same_transfer(order: TransferOrder, found: TransferSnapshot) -> bool:
    """Whether the transfer found pays what the order says, to whom it says where they tell that."""
    told = found.recipient is None or order.recipient is None or found.recipient == order.recipient
    asked = (order.reference, order.amount_minor, order.currency)
    return told and (found.reference, found.amount_minor, found.currency) == asked


class Transfers(Protocol):
    """Money to bank accounts. That they took an order on says nothing of how it ends: `fetch` does."""

    def say(self, order: TransferOrder) -> bytes:
        """The body exactly as it will be sent; InvalidOrder when the gateway is known to refuse it."""
        ...

    async def send(self, order: TransferOrder, said: bytes) -> TransferSnapshot:
        """Order it once; never told as succeeded. Refused, TryLater, OutcomeUnknown (duplicate too), …"""
        ...

    async def find(self, order: TransferOrder, sent_at: datetime) -> Finding[TransferSnapshot]:
        """What stands under our reference."""
        ...

    def say_many(self, orders: Sequence[TransferOrder]) -> bytes:
        """The body of one order of many transfers; InvalidOrder as for one, Unsupported where they take none."""
        ...

    async def send_many(
        self, orders: Sequence[TransferOrder], said: bytes
    ) -> tuple[TransferSnapshot | HubError, ...]:
        """Order many at once: an outcome for each, in their order. A line that the answer lacks is OutcomeUnknown."""
        ...

    async def fetch(self, provider_ref: str) -> TransferSnapshot:
        """The transfer of this id. TryLater, BadCredentials, ContractBroken (also when they do not know it)."""
        ...

    def list_window(self, start: datetime, end: datetime) -> AsyncIterator[TransferSnapshot]:
        """Transfers created in [start, end), whatever their state, each once even if pages shift."""
        ...

    async def fee(self, amount_minor: int, currency: str) -> int:
        """What they are going to charge for a transfer, in minor units. TryLater where they are asked."""
        ...

    async def finalise(self, provider_ref: str, otp: str) -> TransferSnapshot:
        """Give the one-time password that a transfer waits for; never told as succeeded. Errors as for `send`.

        Refused: the password is wrong, or nothing waits for one. Unsupported where they ask for none.
        """
        ...

    async def resend_otp(self, provider_ref: str) -> None:
        """Have the one-time password sent again, to the lender's own phone. Errors as for `send`."""
        ...
