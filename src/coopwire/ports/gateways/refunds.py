"""Money back to the member: ask, find out, and follow to the end."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from coopwire.domain.states import RefundState
from coopwire.ports.writes import Finding


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
