"""Events that wait to be published, and their deliveries."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from coopwire.domain.events import Event


@dataclass(frozen=True, slots=True)
class Delivery:
    """One event on its way to one consumer."""

    seq: int
    event: Event
    tries: int


class Outbox(Protocol):
    """Events that wait to be published, and their deliveries on the PostgreSQL bus."""

    async def publish(self, subscribers: Mapping[str, Sequence[str]], limit: int, now: datetime) -> int:
        """Turn unpublished events into one delivery per consumer of their type; the number published.

        0 also when another relay is at it: one relay is active at a time.
        """
        ...

    async def claim(self, consumer: str, limit: int, now: datetime) -> list[Delivery]:
        """Lock due deliveries of one consumer for this transaction, skipping those another one holds."""
        ...

    async def done(self, consumer: str, deliveries: Sequence[Delivery], now: datetime) -> None:
        """They took effect in this transaction."""
        ...

    async def failed(
        self, consumer: str, delivery: Delivery, cause: str, now: datetime, retry_at: datetime | None
    ) -> None:
        """Try again at `retry_at`, or dead-letter with the cause when None."""
        ...

    async def revive(self, consumer: str, event: str, now: datetime) -> bool:
        """Deliver a dead letter again."""
        ...
