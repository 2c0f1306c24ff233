"""The end of the audit trail, and how it grows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class AuditHead:
    """The last place of the chain and its hash in hex: whoever keeps it can tell later whether the trail was cut."""

    position: int
    hash: str


class AuditChain(Protocol):
    """Entries are made by the storage, with what they are about; here they get their places."""

    async def extend(self, limit: int, *, wait: bool = False) -> int:
        """Give up to `limit` waiting entries their places, the oldest first; how many.

        0 also when another chainer is at it, unless `wait` says to wait for it.
        """
        ...

    async def head(self) -> AuditHead | None:
        """The end of the chain; None before the first entry has its place."""
        ...
