"""Settlements: how each stands, what it is tied to, and when the gateway is asked about it next."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from coopwire.domain.fees import FeeFacts
from coopwire.domain.receipts import Receipt
from coopwire.domain.settlements import Known, Line, Settlement
from coopwire.domain.states import SettlementStand

EVERY = ""
"""Stands for the list of a connection's settlements, where a look is at one of them."""


@dataclass(frozen=True, slots=True)
class SettlementNudge:
    """Somebody told of a settlement (their id; EVERY where they did not say which): look at it now."""

    connection: str
    provider_ref: str
    at: datetime


@dataclass(frozen=True, slots=True)
class ClaimedSettlement:
    """A look that is due, with the token under which alone its answer counts.

    `stand`: where the settlement stood when the look was claimed, None for the list and for one never read.
    """

    connection: str
    provider_ref: str
    token: str
    looks: int
    stand: SettlementStand | None


class Settlements(Protocol):
    """Settlements with their lines, and the looks at them."""

    async def claim(
        self, slots: Mapping[str, int], now: datetime, until: datetime
    ) -> Sequence[ClaimedSettlement]:
        """Take due looks, at most `slots` per connection, not those of closed gates; lease to `until`.

        Each connection's list is among what is looked at.
        """
        ...

    async def looked(self, claimed: ClaimedSettlement, next_at: datetime | None) -> bool:
        """End the lease and plan the next look (None: none); False, and nothing is changed, when it was lost."""
        ...

    async def read_since(self, connection: str) -> datetime | None:
        """When the hub began to read settlements of this connection; None: it has not."""
        ...

    async def known(self, connection: str, provider_refs: Collection[str]) -> dict[str, Settlement]:
        """Settlements by their ids at the gateway, locked."""
        ...

    async def get(self, id: str, *, lock: bool = False) -> Settlement | None:
        """One settlement."""
        ...

    async def lines(self, id: str) -> list[Line]:
        """Its lines in their order."""
        ...

    async def ours(self, settlement: Settlement, lines: Sequence[Line]) -> Known:
        """What the hub has of everything that these lines name, and what is open of the connection."""
        ...

    async def save(self, settlement: Settlement, now: datetime, lines: Sequence[Line] | None = None) -> None:
        """Write it as it stands from now on, with its lines where they are given."""
        ...

    async def late_fees(self, id: str) -> list[tuple[Receipt, FeeFacts]]:
        """Receipts whose fee this settlement is the first to tell, with that fee, and what it should have been."""
        ...

    async def of_effects(self, effects: Collection[str]) -> list[str]:
        """The settlements that one of these effects books, or books in the place of the first entry."""
        ...

    async def breaks(self, id: str) -> list[int]:
        """Open breaks about what does not tie in this settlement; those with a proposal are somebody's to end."""
        ...
