"""Comparisons of business days, and the breaks that they find again or no longer."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date, datetime
from typing import Protocol

from coopwire.domain.breaks import Break
from coopwire.domain.reconciliation import DayReport


class Reconciliations(Protocol):
    """The record of comparisons on one transaction."""

    async def begun(self, run: str, day: date, actor: str, at: datetime) -> None:
        """Keep that a comparison began."""
        ...

    async def ended(self, report: DayReport, state: str) -> None:
        """Keep what it says."""
        ...

    async def failed(self, run: str, at: datetime) -> None:
        """Keep that it came to no end."""
        ...

    async def found(self, report: DayReport, breaks: Sequence[Break]) -> list[Break]:
        """Note that these breaks, all of them open or closed rows by now, were found by this run.

        One whose facts have changed is told anew, and opened again if it was closed; so is one that a run closed as
        gone. Those are returned. One that a person closed with the same facts stays closed.
        """
        ...

    async def payments_of(self, receipts: Collection[str]) -> dict[str, str]:
        """By receipt, the payment that it is of; absent where it is of none."""
        ...

    async def resolve_gone(
        self, report: DayReport, found: Collection[str], heard: Collection[str]
    ) -> list[Break]:
        """Resolve open breaks of this day whose `once` is not among those found; returns them.

        Nothing is concluded about connections other than those that were `heard`, nor about a break that a run found
        which began later.
        """
        ...

    async def waiting(self, once: Collection[str]) -> int:
        """How many of these breaks still ask for somebody."""
        ...
