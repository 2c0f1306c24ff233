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


class Unpaced:
    """The Pace of a hub that nobody slows down."""

    def room(self, connection: str, traffic: Traffic, now: datetime) -> int | None:
        """As many as the caller likes."""
        return None

    def away(self, connection: str, traffic: Traffic, now: datetime) -> bool:
        """Nothing is known."""
        return False
