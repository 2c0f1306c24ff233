"""Recoveries after a restore: the hours that the database lost and the providers did not."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True, slots=True)
class RecoveryRow:
    """A recovery: nothing was sent from `closed_at` on until its release; a hub that is gone worked until `until`.

    `compared_at`: when the days were last listed and compared, None while a gateway's could not be.
    """

    closed_at: datetime
    since: datetime
    until: datetime
    compared_at: datetime | None = None


class Recoveries(Protocol):
    """What the storage must know of a recovery, also when it is over.

    A write that is ordered after one, about something that happened before its `until`, may have been sent by the
    hub that is gone. The storage keeps it as unknown from the beginning, so that it is looked up first.
    """

    async def keep(self, closed_at: datetime, since: datetime, until: datetime, actor: str) -> None:
        """A recovery begins, or the same one again: what was compared counts no more."""
        ...

    async def compared(self, now: datetime) -> None:
        """Every gateway's days were listed."""
        ...

    async def under_way(self) -> RecoveryRow | None:
        """The one that is not released yet."""
        ...

    async def release(self, now: datetime) -> None:
        """The one that is under way ends."""
        ...
