"""Who is alive."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol


class Workers(Protocol):
    """Who is alive."""

    async def beat(self, worker: str, now: datetime) -> None:
        """This worker lives."""
        ...

    async def gone(self, worker: str) -> None:
        """This worker ended in good order."""
        ...
