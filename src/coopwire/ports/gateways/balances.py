"""What stands on our account at the gateway: the float that payouts are made from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Balance:
    """What can be paid out now, in minor units; it may be negative."""

    currency: str
    available_minor: int


class Balances(Protocol):
    """A read of the float. Errors: TryLater, BadCredentials, ContractBroken."""

    async def balances(self) -> tuple[Balance, ...]:
        """One for each currency of the account."""
        ...
