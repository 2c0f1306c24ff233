"""The one source of time; nothing else in the hub reads a clock."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Protocol

from coopwire.domain.timings import Timings


class Clock(Protocol):
    """Aware UTC time and the duration table; a test's clock can be advanced."""

    @property
    def timings(self) -> Timings:
        """The duration table of this deployment's profile."""
        ...

    def now(self) -> datetime:
        """The hub's time, aware UTC (production: database time plus a monotonic offset)."""
        ...

    async def sleep(self, length: timedelta) -> None:
        """Wait; a test's clock may return at once."""
        ...
