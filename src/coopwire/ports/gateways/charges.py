"""What members paid: charges by reference, by id and by window."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from coopwire.domain.payments import Mode
from coopwire.domain.receipts import FeeBearer
from coopwire.domain.states import PaymentState
from coopwire.ports.gateways.saved_charges import Authorization


@dataclass(frozen=True, slots=True)
class Card:
    """What they tell of the card that was charged, as far as its price depends on it; None where they do not.

    `country` is the ISO 3166 code of where it was issued, `brand` their own word in small letters.
    """

    country: str | None
    brand: str | None


@dataclass(frozen=True, slots=True)
class ChargeSnapshot:
    """One charge as the gateway tells it; amounts in minor units.

    `amount_minor` is what left the member's pocket, `requested_minor` what was asked where they repeat it.
    `fee_exact` is the fee in minor units as decimal text, `fee_minor` the same rounded half-even.
    """

    charge: str
    reference: str
    state: PaymentState
    amount_minor: int
    requested_minor: int | None
    currency: str
    fee_minor: int
    fee_exact: str
    fee_bearer: FeeBearer
    fee_known: bool
    mode: Mode
    channel: str
    paid_at: datetime | None
    created_at: datetime | None
    failure_reason: str = ""
    reversed: bool = False
    """Whether they say that the money went back (a refund or a dispute, which their own reads tell apart)."""
    credited_account: str | None = field(default=None, repr=False)
    """The number of the member's virtual account that was credited; None for money that came by a page."""
    authorization: Authorization | None = field(default=None, repr=False)
    """The way to pay that the member left with the gateway, where it may be charged again."""
    card: Card | None = None
    raw: bytes = field(default=b"", repr=False)


class Charges(Protocol):
    """Reads of what members paid. Errors: TryLater, BadCredentials, ContractBroken."""

    async def find(self, reference: str, charges: tuple[str, ...] = ()) -> tuple[ChargeSnapshot, ...]:
        """Every charge known under our reference, and those of `charges` (provider ids) that carry it.

        Empty when the gateway positively says that it knows none.
        """
        ...

    def list_window(self, start: datetime, end: datetime) -> AsyncIterator[ChargeSnapshot]:
        """Charges created in [start, end), whatever their state, each once even if pages shift."""
        ...
