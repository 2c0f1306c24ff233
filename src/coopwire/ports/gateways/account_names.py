"""Who holds a bank account, as the banks say it, and which banks there are."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Bank:
    """A bank that the gateway pays to; `code` is what an order names, text with its leading zeros."""

    provider_ref: str
    code: str
    name: str
    currency: str
    active: bool


@dataclass(frozen=True, slots=True)
class AccountName:
    """Who holds an account; None when they say that they cannot tell, and then `reason` has their words."""

    name: str | None = field(repr=False)
    reason: str = ""


class AccountNames(Protocol):
    """Reads about bank accounts. Errors: TryLater, BadCredentials, ContractBroken."""

    async def banks(self, currency: str) -> tuple[Bank, ...]:
        """Every bank that takes this currency (ISO 4217), each once."""
        ...

    async def resolve(self, account: str, bank: str) -> AccountName:
        """Who holds the account at the bank; both are text, for they may begin with a nought."""
        ...
