"""Sockets of payment gateways: open a checkout, find charges, refund them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from coopwire.domain.payments import Mode, Payer
from coopwire.domain.receipts import FeeBearer
from coopwire.domain.states import PaymentState, RefundState
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


@dataclass(frozen=True, slots=True)
class RefundOrder:
    """Give `amount_minor` of a charge back; `reference` is ours, carried along where the gateway allows it.

    `census`: the gateway's ids of all refunds of the charge right before the send; none of them is ours.
    """

    reference: str
    charge: str
    amount_minor: int
    currency: str
    whole: bool
    """Whether it is everything that was paid."""
    census: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class RefundSnapshot:
    """A refund as the gateway tells it; `reference` is ours where they repeat it, `charge` their id of the charge.

    `needs_attention`: they wait for the member's account details or the like.
    """

    provider_ref: str
    charge: str
    amount_minor: int
    currency: str
    state: RefundState
    created_at: datetime | None
    reference: str | None = None
    needs_attention: bool = False
    reason: str = ""
    raw: bytes = field(default=b"", repr=False)


def same_refund(order: RefundOrder, found: RefundSnapshot) -> bool:
    """Whether the refund found is about the charge, amount and currency of the order."""
    asked = (order.charge, order.amount_minor, order.currency)
    return (found.charge, found.amount_minor, found.currency) == asked


class Refunds(Protocol):
    """Money back to the member. They take no reference of ours: what stands there is counted before a send."""

    async def count(self, order: RefundOrder) -> tuple[str, ...]:
        """Their ids of all refunds of the charge now. TryLater, BadCredentials, ContractBroken."""
        ...

    def say(self, order: RefundOrder) -> bytes:
        """The body exactly as it will be sent; InvalidOrder when the gateway is known to refuse it."""
        ...

    async def send(self, order: RefundOrder, said: bytes) -> RefundSnapshot:
        """Ask once; accepted is not paid. Refused, TryLater, OutcomeUnknown, BadCredentials, ContractBroken."""
        ...

    async def find(self, order: RefundOrder, sent_at: datetime) -> Finding[RefundSnapshot]:
        """EXECUTED with the one that came to the census and is ours; PENDING where it cannot be told whose."""
        ...

    async def fetch(self, provider_ref: str) -> RefundSnapshot:
        """The refund of this id. TryLater, BadCredentials, ContractBroken (also when they do not know it)."""
        ...

    def list_window(self, start: datetime, end: datetime) -> AsyncIterator[RefundSnapshot]:
        """Refunds created in [start, end), whatever their state, each once even if pages shift."""
        ...
