"""The keys under which clients ask once."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True, slots=True)
class IdempotencyRow:
    """An earlier request under the same key: the digest of its body and what it made."""

    digest: str
    made: str
    created_at: datetime


class Idempotency(Protocol):
    """Idempotency keys, scoped by API key."""

    async def take(
        self, scope: str, key: str, digest: str, made: str, now: datetime
    ) -> IdempotencyRow | None:
        """Take the key for `made`; else the earlier row (waits for one that is being committed)."""
        ...
