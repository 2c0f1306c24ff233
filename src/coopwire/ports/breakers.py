"""What the workers of a deployment tell each other about their connections' breakers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from coopwire.domain.breakers import Breaker, Tally
from coopwire.domain.gates import Traffic

BreakerKey = tuple[str, Traffic]
"""(connection, traffic)."""


@dataclass(frozen=True, slots=True)
class Bucket:
    """What one worker, or several together, counted from `starts_at` on for the length of a bucket."""

    connection: str
    traffic: Traffic
    generation: int
    starts_at: datetime
    tally: Tally

    @property
    def key(self) -> BreakerKey:
        """Whose calls these were."""
        return self.connection, self.traffic


@dataclass(frozen=True, slots=True)
class Told:
    """What a worker has to say. A bucket stands for itself: told twice, it counts once.

    `turned` are breakers that it opened or closed, each as it should be now; one counts only while the shared
    breaker is of the generation before. `probes` are the breakers through which it wants to send the probe.
    """

    buckets: Sequence[Bucket] = ()
    turned: Sequence[Breaker] = ()
    probes: Sequence[BreakerKey] = ()


@dataclass(frozen=True, slots=True)
class Heard:
    """How all breakers stand that were ever turned, and what the other workers counted."""

    breakers: Sequence[Breaker]
    buckets: Sequence[Bucket]


class BreakerExchange(Protocol):
    """The shared memory of the breakers."""

    async def exchange(
        self, worker: str, told: Told, now: datetime, counted_from: datetime, probe_until: datetime
    ) -> Heard:
        """Tell and hear in one go; StorageUnavailable when that cannot be.

        Buckets that started before `counted_from` are not told back. A probe that is given ends at
        `probe_until` at the latest: then another worker may have it.
        """
        ...
