"""The table that links members (or one loan of a member) to their accounts in a core bank."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Protocol


@dataclass(frozen=True, slots=True)
class CoreAccountLine:
    """One line to be stored, already well-formed; `line` is its number in the file or list."""

    line: int
    connection: str
    member: str
    loan: str | None
    number: str = field(repr=False)

    @property
    def key(self) -> tuple[str, str, str | None]:
        """What is unique in the table."""
        return self.connection, self.member, self.loan


class Placed(StrEnum):
    """What became of a line."""

    CREATED = "created"
    CHANGED = "changed"
    UNCHANGED = "unchanged"
    BUSY = "busy"
    """The number may not change now: a credit to the account is being sent, or its outcome is unknown."""


class CoreAccountTable(Protocol):
    """The table as a whole."""

    async def put(self, lines: Sequence[CoreAccountLine], actor: str, now: datetime) -> list[Placed]:
        """Store all lines (their keys distinct) in one transaction, audited; none of them when one is BUSY."""
        ...
