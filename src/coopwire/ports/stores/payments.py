"""Payments, their attempts and who pays."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from coopwire.domain.payments import Attempt, Payer, Payment
from coopwire.domain.states import PaymentState


@dataclass(frozen=True, slots=True)
class PaymentMove:
    """A payment or attempt moves to another state."""

    reference: str
    state: PaymentState
    reason: str = ""


@dataclass(frozen=True, slots=True)
class NewPayment:
    """A payment that comes with its money: nobody is asked, so there is no attempt and no payer's record."""

    payment: Payment
    core_account: int | None
    metadata: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class PageUrl:
    """The address of an attempt's payment page, sealed at rest."""

    attempt: str
    url: str = field(repr=False)


class Payments(Protocol):
    """Payments, attempts and payers."""

    async def create(
        self,
        payment: Payment,
        attempt: Attempt,
        payer: Payer,
        *,
        core_account: int | None,
        return_url: str | None,
        metadata: Mapping[str, object],
    ) -> None:
        """Store a payment with its first attempt; the payer sealed."""
        ...

    async def add_attempt(self, attempt: Attempt) -> None:
        """A further attempt of a payment."""
        ...

    async def get(self, references: Sequence[str], *, lock: bool = False) -> dict[str, Payment]:
        """Payments by reference; with `lock` nobody else moves them until the commit."""
        ...

    async def of_attempt(self, attempt: str) -> tuple[Attempt, Payment] | None:
        """An attempt with its payment."""
        ...

    async def first_attempt(self, payment: str) -> Attempt | None:
        """A payment's first attempt."""
        ...

    async def page(self, attempt: str) -> str | None:
        """The address of an attempt's page, unsealed."""
        ...

    async def payers(self, payments: Sequence[str]) -> dict[str, Payer]:
        """Who pays, unsealed; absent where nobody was asked, or where no configured key opens it."""
        ...

    async def return_urls(self, payments: Sequence[str]) -> dict[str, str | None]:
        """Where the member is sent after paying."""
        ...
