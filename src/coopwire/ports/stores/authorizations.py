"""What members left with gateways: kept with their leave, found by member, opened only to be charged or ended."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from coopwire.domain.authorizations import Left, SavedAuthorization


@dataclass(frozen=True, slots=True)
class NewAuthorization:
    """A way to pay that is kept from now on; what the gateway wants to hear is sealed."""

    authorization: SavedAuthorization
    left: Left = field(repr=False)


class Authorizations(Protocol):
    """Ways to pay that members left."""

    async def get(self, authorization: str, *, lock: bool = False) -> SavedAuthorization | None:
        """One of them."""
        ...

    async def known(self, asked: Sequence[tuple[str, str, str]]) -> set[tuple[str, str, str]]:
        """Those of (connection, member, code) that are kept already, or were."""
        ...

    async def left(self, authorizations: Collection[str]) -> dict[str, Left]:
        """What the gateway wants to hear; absent once it is forgotten, or where no configured key opens it."""
        ...

    async def end(self, authorization: SavedAuthorization) -> None:
        """Write that it is ended, and by which effect."""
        ...

    async def forget(self, authorizations: Collection[str]) -> None:
        """Delete what the gateway wanted to hear."""
        ...
