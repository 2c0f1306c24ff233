"""The socket of the event bus: consumers that write rows, and a relay that publishes after the commit."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from coopwire.domain.events import Event, EventType
from coopwire.ports.stores import Transaction

Handle = Callable[[Transaction, Sequence[Event]], Awaitable[None]]
"""Reacts to events by writing rows in the given transaction; it calls no provider and publishes nothing."""


@dataclass(frozen=True, slots=True)
class Consumer:
    """A named subscriber; the name is its identity in the inbox, the dead letters and the metrics."""

    name: str
    types: tuple[EventType, ...]
    handle: Handle


class BusBells(Protocol):
    """What wakes the bus early and tells it to end."""

    closing: bool

    def ring(self, *topics: str) -> None: ...
    async def wait(self, topic: str, seconds: float) -> None: ...


class BusUnavailable(Exception):
    """The broker is away or gave up on us; what it has not confirmed waits in the outbox."""


class EventBus(Protocol):
    """At least once on the wire, effect once in the house."""

    async def verify(self) -> None:
        """Whether it can be used as it is configured.

        ConfigurationError says what a person has to change, BusUnavailable that it may come by itself.
        """
        ...

    async def run(self) -> None:
        """Relay and consume until the bells close; what is away is waited for."""
        ...
