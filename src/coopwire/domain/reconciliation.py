"""What the comparison of one business day says: sums on both sides, differences, and whether it all adds up."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime

from coopwire.domain.breaks import BreakType


@dataclass(frozen=True, slots=True)
class Sum:
    """How many, and how much in minor units."""

    count: int
    minor: int


@dataclass(frozen=True, slots=True)
class Bucket:
    """One part of a whole, in one currency; the buckets of a side are disjoint and leave nothing out."""

    name: str
    currency: str
    sum: Sum


@dataclass(frozen=True, slots=True)
class Section:
    """One outside system beside us. `source`: gateway, refunds, payouts, books, bank, clearing, or landing for where
    the money is.

    `theirs` parts what they told, `ours` what we have; it holds when both agree to the minor unit and nothing
    differs. `problem` says why nothing could be compared; then it does not hold.
    """

    source: str
    connection: str
    theirs: tuple[Bucket, ...]
    ours: tuple[Bucket, ...]
    holds: bool
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Finding:
    """One difference at a connection with the facts of both sides; amounts in minor units, no personal data."""

    type: BreakType
    connection: str
    subject: str
    currency: str | None
    amount_minor: int | None
    ours: Mapping[str, object]
    theirs: Mapping[str, object]

    @property
    def once(self) -> str:
        """What makes it the same when it is found again."""
        return f"{self.type.value}:{self.subject}"


@dataclass(frozen=True, slots=True)
class DayReport:
    """The whole comparison of one day by one run.

    `healed` names what the run mended by looking up again. The digests are SHA-256 over everything that was
    compared, and over what came of it: the same inputs give the same outcome. `audit_head` is the end of the
    audit trail when the run ended.
    """

    run: str
    day: date
    zone: str
    started_at: datetime
    finished_at: datetime
    actor: str
    sections: tuple[Section, ...]
    findings: tuple[Finding, ...]
    healed: tuple[str, ...]
    holds: bool
    inputs_digest: str
    outcome_digest: str
    audit_head: str
    over: bool = True
    """Whether the day was over when the comparison began; else money of it may still come in."""
