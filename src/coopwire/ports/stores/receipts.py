"""Money that arrived, with its allocation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from coopwire.domain.fees import FeeFacts
from coopwire.domain.payments import Component
from coopwire.domain.receipts import AllocationLine, AllocationState, Receipt


@dataclass(frozen=True, slots=True)
class NewReceipt:
    """A receipt with its allocation, under the key by which its loan is locked."""

    receipt: Receipt
    account_key: str
    allocation_state: AllocationState
    lines: tuple[AllocationLine, ...]
    dues_version: str | None
    fee: FeeFacts | None = None
    """None for money that no gateway saw."""


@dataclass(frozen=True, slots=True)
class Reallocation:
    """A decision of the loan system, or of two persons, takes the place of lines of a receipt's allocation.

    Only lines of the component `of` are replaced, or all when it is None; `payment` links the receipt to one.
    """

    receipt: str
    account_key: str
    lines: tuple[AllocationLine, ...]
    at: datetime
    of: Component | None = None
    payment: str | None = None


class Receipts(Protocol):
    """Receipts and their allocation."""

    async def get(self, receipt: str, *, lock: bool = False) -> NewReceipt | None:
        """A receipt with its allocation."""
        ...

    async def under(self, connection: str, reference: str) -> Sequence[str]:
        """Ids of receipts that came under this reference, the oldest first."""
        ...
