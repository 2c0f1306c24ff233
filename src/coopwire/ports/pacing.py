"""How fast a connection may be called just now."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

from coopwire.domain.gates import Traffic


class Pace(Protocol):
    """Answers from memory at once and never raises."""

    def room(self, connection: str, traffic: Traffic, now: datetime) -> int | None:
        """How many calls may be started now; None: as many as the caller likes."""
        ...

    def away(self, connection: str, traffic: Traffic, now: datetime) -> bool:
        """Whether the connection is known to answer nobody, so that a failure says nothing of one call."""
        ...

    def takes_probe(self, connection: str, traffic: Traffic, now: datetime) -> bool:
        """Whether the next call would be the probe of a breaker that is half open; it is the caller's then.

        It ends with the call itself, or with one of the two below.
        """
        ...

    def give_probe_back(self, connection: str, traffic: Traffic) -> None:
        """Nothing was found out, or that they answer: the next call may be the probe."""
        ...

    def spend_probe(self, connection: str, traffic: Traffic, now: datetime) -> None:
        """What was asked in its place was not answered."""
        ...


class Unpaced:
    """The Pace of a hub that nobody slows down."""

    def room(self, connection: str, traffic: Traffic, now: datetime) -> int | None:
        """As many as the caller likes."""
        return None

    def away(self, connection: str, traffic: Traffic, now: datetime) -> bool:
        """Nothing is known."""
        return False

    def takes_probe(self, connection: str, traffic: Traffic, now: datetime) -> bool:
        """There is none."""
        return False

    def give_probe_back(self, connection: str, traffic: Traffic) -> None:
        """There is none."""

    def spend_probe(self, connection: str, traffic: Traffic, now: datetime) -> None:
        """There is none."""
