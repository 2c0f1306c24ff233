"""What a look-up of one of our own writes can answer."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Generic, TypeVar

_SnapshotT = TypeVar("_SnapshotT")


class FindingWord(StrEnum):
    """What they know of a write of ours."""

    EXECUTED = "executed"
    PENDING = "pending"
    REFUSED = "refused"
    ABSENT = "absent"
    UNSENT = "unsent"
    """It is certain that no byte of it left the house."""


@dataclass(frozen=True, slots=True)
class Finding(Generic[_SnapshotT]):
    """The answer of a look-up: EXECUTED carries every snapshot found under our reference (usually one)."""

    word: FindingWord
    snapshots: tuple[_SnapshotT, ...] = ()
    reason: str = ""
