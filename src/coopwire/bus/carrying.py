"""What a broker is to the bus: the sockets that each transport fills, and that relay and takers stand on."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from coopwire.domain.events import Event
from coopwire.ports.bus import Consumer

Failure = Mapping[str, str | int | datetime]
"""What a dead letter says on the broker, as headers."""
BATCH = 200
"""So many messages share a transaction at most, and so many the broker hands out before one is acknowledged."""


class Unroutable(Exception):
    """The broker has no place for a message that somebody here wants."""


class Parcel(Protocol):
    """Messages that came together and are acknowledged together."""

    @property
    def bodies(self) -> Sequence[bytes]:
        """What came, in its order."""
        ...

    async def acknowledge(self) -> None:
        """Tell the broker that these are done with. BusUnavailable when it went away."""
        ...


class Sender(Protocol):
    """Hands messages to the broker.

    Every method returns when the message is safe there. BusUnavailable when that is not known, Unroutable when it
    has no place.
    """

    @property
    def keeps_back(self) -> bool:
        """Whether the broker keeps a message for the length of a rung; else its row is due then."""
        ...

    async def publish(self, event: Event) -> None:
        """To everybody who wants it; what no consumer of the hub wants may go nowhere."""
        ...

    async def deliver(self, consumer: str, event: Event) -> None:
        """To one consumer alone: what nobody took, and what is delivered again."""
        ...

    async def retry(self, consumer: str, event: Event, rung: int) -> None:
        """To a rung of the consumer's ladder, where the broker keeps messages back."""
        ...

    async def bury(self, consumer: str, event: Event, failure: Failure) -> None:
        """To the consumer's dead letters."""
        ...

    async def bury_unread(self, consumer: str, body: bytes, failure: Failure) -> None:
        """To the consumer's dead letters: something that is no event."""
        ...


class Taking(Protocol):
    """Who takes the messages of one consumer."""

    consumer: Consumer

    def put(self, parcel: Parcel) -> None:
        """A parcel has arrived."""
        ...


class Line(Protocol):
    """An open connection to a broker on which everything stands that the hub needs."""

    @property
    def host(self) -> str:
        """Where it leads, without a secret."""
        ...

    @property
    def sender(self) -> Sender: ...

    async def mend(self) -> None:
        """Put what is missing in its place again."""
        ...

    def consuming(self, takers: Sequence[Taking]) -> AbstractAsyncContextManager[None]:
        """Messages come to the takers for the block."""
        ...


@dataclass(frozen=True, slots=True)
class Standing:
    """What stands on a broker."""

    host: str
    missing: Sequence[str]
    """Names of what the hub needs and the next start makes."""
    lying: Mapping[str, int]
    """How many messages lie in each place that is there."""
    waiting: int
    """How many of them the hub's consumers have yet to take."""


class Broker(Protocol):
    """A broker, seen from outside.

    Every method raises ConfigurationError for what a person must change, BusUnavailable for what may mend itself.
    """

    async def verify(self) -> None:
        """Whether it lets us in and has, or takes, what the hub needs."""
        ...

    async def standing(self) -> Standing:
        """What is missing there and what lies there; nothing is made."""
        ...

    def session(self, ended: asyncio.Event) -> AbstractAsyncContextManager[Line]:
        """Connected for the block; `ended` is set when the connection is lost."""
        ...
