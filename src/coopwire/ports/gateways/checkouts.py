"""Hosted payment pages: open one, and find out what became of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from coopwire.domain.payments import Payer
from coopwire.ports.writes import Finding


@dataclass(frozen=True, slots=True)
class CheckoutOrder:
    """Ask the gateway for a page on which the member pays exactly this amount (minor units)."""

    reference: str
    amount_minor: int
    currency: str
    payer: Payer
    return_url: str | None = None
    facts: tuple[tuple[str, str], ...] = ()
    """Names and values shown in the gateway's own dashboard; no personal data."""
    save: bool = False
    """Whether what the member pays with is to be kept there, to be charged again; for a gateway that must be asked."""


@dataclass(frozen=True, slots=True)
class CheckoutSnapshot:
    """The page they opened; `url` is a secret of the member, None where a look-up cannot give it back."""

    reference: str
    provider_ref: str | None
    url: str | None = field(repr=False)


class Checkouts(Protocol):
    """Hosted payment pages."""

    def say(self, order: CheckoutOrder) -> bytes:
        """The body exactly as it will be sent; InvalidOrder when the gateway is known to refuse it."""
        ...

    async def send(self, order: CheckoutOrder, said: bytes) -> CheckoutSnapshot:
        """Send once. Refused, TryLater, OutcomeUnknown (duplicate too), BadCredentials, ContractBroken."""
        ...

    async def find(self, order: CheckoutOrder, sent_at: datetime) -> Finding[CheckoutSnapshot]:
        """What became of it."""
        ...
