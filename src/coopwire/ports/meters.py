"""What the front door counts, and how the counts are shown."""

from __future__ import annotations

from enum import StrEnum
from typing import Protocol


class DoorWord(StrEnum):
    """What became of one request at the webhook door. A repeated webhook counts as accepted."""

    ACCEPTED = "accepted"
    FORGED = "forged"
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

    def exposition(self) -> tuple[bytes, str]:
        """All counts as text with its media type, for `/metrics`."""
        ...
