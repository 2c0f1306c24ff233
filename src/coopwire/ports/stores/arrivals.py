"""Money from elsewhere: batches of lines that wait to be booked, and what booking them needs to know."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from coopwire.domain.arrivals import Arrival, BatchState, LineState
from coopwire.domain.payments import Payment


@dataclass(frozen=True, slots=True)
class Batch:
    """Lines that came together: a file, or one line that waits for a second person.

    `digest` tells the same content again; `reason` is that of a rejection.
    """

    id: str
    source: str
    digest: bytes
    name: str
    state: BatchState
    lines: int
    created_by: str
    created_at: datetime
    reason: str = ""


@dataclass(frozen=True, slots=True)
class ArrivalLine:
    """One line of a batch; `line` is its number in the file."""

    batch: str
    source: str
    line: int
    arrival: Arrival


@dataclass(frozen=True, slots=True)
class LineDone:
    """What became of a line: its receipt, or why there is none."""

    line: ArrivalLine
    state: LineState
    receipt: str | None = None
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Earlier:
    """Where the same id stands already: in a receipt, or in a line (`batch`, `line`) that waits."""

    arrival: Arrival
    receipt: str | None = None
    batch: str | None = None
    line: int | None = None


@dataclass(frozen=True, slots=True)
class ArrivalContext:
    """What judging and booking an arrival needs to know.

    `payment` is the one that it names, `paid_before` whether that has a receipt, `core_account` the account of the
    payment, else of the member.
    """

    earlier: Earlier | None
    payment: Payment | None
    core_account: int | None
    paid_before: bool


class Arrivals(Protocol):
    """Batches, their lines, and the contexts of arrivals."""

    async def contexts(
        self, source: str, arrivals: Sequence[Arrival], *, bank: str | None, lock: bool
    ) -> list[ArrivalContext]:
        """In the order given. With `lock` the payments that they name are locked, in one order everywhere."""
        ...

    async def waiting(self, source: str, external_ids: Sequence[str]) -> dict[str, Earlier]:
        """Lines of the source that are proposed or wait to be booked, by external id."""
        ...

    async def latest_batch(self, source: str, external_id: str) -> Batch | None:
        """The newest batch with a line of this external id, whatever became of it."""
        ...

    async def add(self, batch: Batch, lines: Iterable[tuple[int, Arrival]]) -> Batch:
        """Store a batch with its lines; the batch that is there when the same content was stored before (and
        not rejected). Waits for one that is being committed."""
        ...

    async def same(self, source: str, digest: bytes) -> Batch | None:
        """The batch of this content that was not rejected."""
        ...

    async def batch(self, id: str, *, lock: bool = False) -> Batch | None:
        """A batch."""
        ...

    async def move(
        self,
        batch: str,
        state: BatchState,
        now: datetime,
        *,
        approved_by: str | None = None,
        reason: str = "",
    ) -> None:
        """A move of a batch, already judged."""
        ...

    async def retry(self, batch: str) -> int:
        """Let refused lines wait again; how many."""
        ...

    async def claim(
        self, sources: Collection[str], limit: int, *, batch: str | None = None, line: int | None = None
    ) -> list[ArrivalLine]:
        """Lock waiting lines of one released batch, skipping those another booker holds."""
        ...

    async def done(self, lines: Sequence[LineDone]) -> None:
        """They are booked, known or refused, in this transaction."""
        ...

    async def finish(self, now: datetime) -> None:
        """Released batches without a waiting line are done."""
        ...
