"""Bank accounts that a gateway wants to know before it pays to them."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from coopwire.ports.writes import Finding


@dataclass(frozen=True, slots=True)
class RecipientOrder:
    """Make an account known; number and bank code are text, the name is that of the account's holder."""

    reference: str
    account: str = field(repr=False)
    bank: str
    name: str = field(repr=False)
    currency: str


@dataclass(frozen=True, slots=True)
class RecipientSnapshot:
    """The account as they know it; `provider_ref` is what a transfer names."""

    provider_ref: str


class Recipients(Protocol):
    """Accounts to pay to. Absent where a transfer names the account itself."""

    def say(self, order: RecipientOrder) -> bytes:
        """The body exactly as it will be sent; InvalidOrder when the gateway is known to refuse it."""
        ...

    async def send(self, order: RecipientOrder, said: bytes) -> RecipientSnapshot:
        """Send once. Refused, TryLater, OutcomeUnknown, BadCredentials, ContractBroken."""
        ...

    async def find(self, order: RecipientOrder, sent_at: datetime) -> Finding[RecipientSnapshot]:
        """What became of it."""
        ...
