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


@dataclass(frozen=True, slots=True)
class Unpublished:
    """An event that waits to be published."""

    seq: int
    event: Event


@dataclass(frozen=True, slots=True)
class Published:
    """An event that was given to the bus."""

    id: str
    type: str
    traceparent: str | None


class Outbox(Protocol):
    """Events that wait to be published, and their deliveries.

    A delivery is one row per event and consumer on every bus: it makes the effect once, and it is the dead letter.
    Where a broker carries the messages, `due_at` is when one that nobody took is handed to the broker again.
    """

    async def publish(
        self, subscribers: Mapping[str, Sequence[str]], limit: int, now: datetime
    ) -> list[Published]:
        """Turn unpublished events into one delivery per consumer of their type; those published.

        None also when another relay is at it: one relay is active at a time.
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
    ) -> datetime:
        """Try again at `retry_at`, or dead-letter with the cause when None; when it failed for the first time."""
        ...

    async def prepare(
        self, subscribers: Mapping[str, Sequence[str]], limit: int, due_at: datetime, after: int
    ) -> list[Unpublished]:
        """The oldest unpublished events behind the number `after`, in their order.

        The deliveries of each are laid down before a broker hears of it.
        """
        ...

    async def published(self, seqs: Sequence[int], now: datetime) -> None:
        """The broker has confirmed these events."""
        ...

    async def overdue(
        self, consumers: Sequence[str], limit: int, now: datetime
    ) -> list[tuple[str, Delivery]]:
        """Deliveries of published events that are due and that nobody took, with their consumers."""
        ...

    async def handed_over(self, deliveries: Sequence[tuple[str, Delivery]], due_at: datetime) -> None:
        """The broker has confirmed these; when nobody has taken one by `due_at`, it is due again."""
        ...

    async def take(self, consumer: str, events: Sequence[str]) -> list[Delivery]:
        """Lock those deliveries of these events (ids) that have not taken effect, in the order of the outbox.

        What is done or dead is left out, and so is an event that the outbox does not know.
        """
        ...
