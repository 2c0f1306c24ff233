"""Breaks with their life: where each stands, what was done about it, and the effects that correct it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from coopwire.domain.breaks import Break, BreakType
from coopwire.domain.effects import Effect
from coopwire.domain.states import BreakState


class BreakMove(StrEnum):
    """What was done about a break; the history holds nothing else."""

    OPENED = "opened"
    COMMENTED = "commented"
    ASSIGNED = "assigned"
    LOOKED = "looked"
    PROPOSED = "proposed"
    WITHDRAWN = "withdrawn"
    REJECTED = "rejected"
    APPROVED = "approved"
    RESOLVED = "resolved"
    WRITTEN_OFF = "written_off"
    REOPENED = "reopened"


@dataclass(frozen=True, slots=True)
class BreakRow:
    """A break as it stands.

    `proposal` holds the proposed correction in its plain form (`action`) and what it will write (`plan`).
    `proposer` is the lasting identity behind `proposed_by`; `refund` the refund that an approval began.
    """

    id: int
    found: Break
    state: BreakState
    opened_at: datetime
    owner: str | None = None
    proposal: Mapping[str, object] | None = None
    proposed_by: str | None = None
    proposer: str | None = None
    approved_by: str | None = None
    resolution: str | None = None
    refund: str | None = None
    run: str | None = None
    closed_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class BreakNote:
    """One line of a break's history, which is only ever added to."""

    break_: int
    at: datetime
    actor: str
    move: BreakMove
    text: str
    facts: Mapping[str, object] = field(default_factory=dict)


class Breaks(Protocol):
    """Breaks, their history, and the effects that correct them."""

    async def get(self, id: int, *, lock: bool = False) -> BreakRow | None:
        """One break; with `lock` nobody else moves it until the commit."""
        ...

    async def known(self, once: Sequence[str]) -> dict[str, BreakRow]:
        """The breaks that exist under these names of their facts (`Break.once`)."""
        ...

    async def unclosed(self, type_: BreakType, subject: str) -> BreakRow | None:
        """A break of this type about this subject that still asks for somebody."""
        ...

    async def save(self, row: BreakRow) -> None:
        """Write where it stands now; the caller holds its lock and has asked the table of moves."""
        ...

    async def note(self, note: BreakNote) -> None:
        """Add a line to the history."""
        ...

    async def history(self, id: int) -> list[BreakNote]:
        """The whole history, the oldest line first."""
        ...

    async def link(self, id: int, effects: Mapping[str, str]) -> None:
        """These effects (id → the effect or receipt that each corrects) are what the approval began."""
        ...

    async def unlink(self, id: int) -> None:
        """What was begun is over; the next approval begins anew. The links stay as a trace."""
        ...

    async def effects(self, id: int) -> list[Effect]:
        """The effects of the present approval."""
        ...

    async def begun(self, id: int) -> int:
        """How many effects were ever linked to it."""
        ...

    async def of_effects(self, effects: Sequence[str]) -> list[int]:
        """The approved breaks that wait for one of these effects, in the order of their ids."""
        ...

    async def standstills(self, effects: Sequence[str]) -> list[int]:
        """The open breaks that say nothing but that one of these effects stands still, in the order of their ids."""
        ...

    async def of_refunds(self, refunds: Sequence[str]) -> list[int]:
        """The approved breaks that wait for one of these refunds, in the order of their ids."""
        ...

    async def corrections(self, subject: str) -> list[Effect]:
        """Every effect by which any break corrected this effect or receipt, the oldest first."""
        ...
