"""How often a connection may be called: so many calls in each second, minute and day, and so many at once."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Period(StrEnum):
    """A span of time that has a number of calls; days are days of UTC."""

    SECOND = "second"
    MINUTE = "minute"
    DAY = "day"

    @property
    def length(self) -> timedelta:
        """How long it is."""
        return _LENGTHS[self]

    def start(self, at: datetime) -> datetime:
        """When the one that holds `at` began."""
        return at - (at - _EPOCH) % self.length


_LENGTHS = {
    Period.SECOND: timedelta(seconds=1),
    Period.MINUTE: timedelta(minutes=1),
    Period.DAY: timedelta(days=1),
}
_SLICES = {Period.SECOND: 4, Period.MINUTE: 20, Period.DAY: 200}
"""Into so many slices a period's calls are cut: larger ones are fewer leases, smaller ones a fairer share."""


@dataclass(frozen=True, slots=True)
class Budget:
    """Calls to one connection over all workers, reads and writes together; None: without limit."""

    per_second: int | None = None
    per_minute: int | None = None
    per_day: int | None = None
    at_once: int | None = None

    def limits(self) -> dict[Period, int]:
        """The calls of every period that has a limit."""
        found = {
            Period.SECOND: self.per_second,
            Period.MINUTE: self.per_minute,
            Period.DAY: self.per_day,
        }
        return {period: limit for period, limit in found.items() if limit is not None}

    def burst(self, most: int) -> int:
        """How many calls it makes sense to start together, at most `most`."""
        return min([most, *self.limits().values(), *([] if self.at_once is None else [self.at_once])])

    @property
    def unlimited(self) -> bool:
        """Whether nothing is limited."""
        return self == UNLIMITED


UNLIMITED = Budget()
"""The budget of a connection that may be called as often as anybody likes."""


def slice_of(period: Period, limit: int) -> int:
    """How many calls a worker leases at a time."""
    return max(limit // _SLICES[period], 1)
