"""Dead letters: deliveries that the bus gave up, and what a person does about them."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from coopwire.domain.letters import Letters


@dataclass(frozen=True, slots=True)
class Lot:
    """Letters of one consumer, cause and type that go together.

    `first_at` to `last_at` is when they are delivered; `overtaking` is how many of them leave an older letter of
    their key behind, which is not among those that were asked for.
    """

    consumer: str
    group: str
    type: str
    cause: str
    letters: int
    first_at: datetime
    last_at: datetime
    overtaking: int


class DeadLetters(Protocol):
    """Moves of deliveries that a person asks for; the bus makes all others."""

    async def unknown(self, ids: Collection[str]) -> list[str]:
        """Those of these ids that no letter has or ever had."""
        ...

    async def plan(self, which: Letters, now: datetime, every: timedelta) -> list[Lot]:
        """What `redrive` would do now."""
        ...

    async def redrive(
        self, which: Letters, now: datetime, every: timedelta, actor: str, reason: str
    ) -> list[Lot]:
        """Deliver dead letters again; discarded ones too, where `which` names them by id.

        Each consumer gets one every `every`, behind those that are already on their way to it at a rate; without
        a distance all at once. Letters of one key stay in their order, also behind those on their way.
        """
        ...

    async def discard(self, which: Letters, now: datetime, actor: str, reason: str) -> int:
        """Never deliver these dead letters; they are kept. How many."""
        ...
