"""What the front door, the bus and the calls outside count, and how it is shown."""

from __future__ import annotations

from enum import StrEnum
from typing import Protocol


class DoorWord(StrEnum):
    """What became of one request at the webhook door. A repeated webhook counts as accepted."""

    ACCEPTED = "accepted"
    FORGED = "forged"
    FOREIGN_ADDRESS = "foreign_address"
    TOO_LARGE = "too_large"
    UNKNOWN_CONNECTION = "unknown_connection"
    NOT_A_POST = "not_a_post"
    CUT_OFF = "cut_off"
    FAILED = "failed"


class Meter(Protocol):
    """Counts requests. Labels are our own words only, never what a client sent."""

    def webhook(self, connection: str, word: DoorWord) -> None:
        """One request at the webhook door; `connection` is empty unless it is one of ours."""
        ...

    def request(self, method: str, route: str, status: int, seconds: float) -> None:
        """One request of the API; `route` is the template of its path, empty if there is none."""
        ...

    async def exposition(self) -> tuple[bytes, str]:
        """All counts, and how the hub stands, as text with its media type, for `/metrics`. Never fails: that
        the database is away is a figure too."""
        ...


class BusMeter(Protocol):
    """Counts what becomes of events. A count is told after the commit of what it counts."""

    def published(self, events: int) -> None:
        """So many events were given to the bus."""
        ...

    def consumed(self, consumer: str, deliveries: int) -> None:
        """So many took effect."""
        ...

    def retried(self, consumer: str) -> None:
        """One failed, and comes again."""
        ...

    def dead(self, consumer: str) -> None:
        """One was given up."""
        ...


class Uncounted:
    """The BusMeter of a bus whose events nobody counts."""

    def published(self, events: int) -> None:
        """See BusMeter."""

    def consumed(self, consumer: str, deliveries: int) -> None:
        """See BusMeter."""

    def retried(self, consumer: str) -> None:
        """See BusMeter."""

    def dead(self, consumer: str) -> None:
        """See BusMeter."""
