"""The gates of a connection: while one is closed, its effects wait with their attempts untouched."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class GateKind(StrEnum):
    """Why a connection may be closed."""

    BREAKER = "breaker"
    CREDENTIALS = "credentials"
    CALENDAR = "calendar"
    BUDGET = "budget"
    MANUAL = "manual"
    RECOVERY = "recovery"


class Traffic(StrEnum):
    """Reads and writes have gates apart."""

    READ = "read"
    WRITE = "write"


@dataclass(frozen=True, slots=True)
class Gate:
    """One closed gate; `until` None means until somebody opens it."""

    connection: str
    kind: GateKind
    traffic: Traffic
    reason: str
    until: datetime | None
