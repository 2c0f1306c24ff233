"""Disputes: how each stands, when the gateway is asked about it next, and the lender's answer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from coopwire.domain.disputes import AnswerState, Claim, Dispute, DisputeAnswer

EVERY = ""
"""Stands for the list of all disputes of a connection, where a look is at one of them."""


@dataclass(frozen=True, slots=True)
class DisputeNudge:
    """Somebody told of a dispute (their id; EVERY where they did not say which): look at it now."""

    connection: str
    provider_ref: str
    at: datetime


@dataclass(frozen=True, slots=True)
class ClaimedDispute:
    """A look that is due, with the token under which alone its answer counts; `since`: when it was asked for first."""

    connection: str
    provider_ref: str
    token: str
    looks: int
    since: datetime


@dataclass(frozen=True, slots=True)
class AnswerWords:
    """What an answer says: both may tell of a person, and are kept sealed."""

    message: str = field(repr=False)
    evidence_file: str | None = field(default=None, repr=False)


class Disputes(Protocol):
    """Disputes, the looks at them, and answers to them."""

    async def claim(self, slots: Mapping[str, int], now: datetime, until: datetime) -> list[ClaimedDispute]:
        """Take due looks, at most `slots` per connection, not those of closed gates; lease to `until`.

        Each connection's list is among what is looked at.
        """
        ...

    async def looked(self, claimed: ClaimedDispute, read_until: datetime, next_at: datetime | None) -> bool:
        """End the lease and plan the next look (None: none); False, and nothing is changed, when it was lost.

        `read_until` is kept as `since` of a list: from there it has to be read the next time.
        """
        ...

    async def keep_look(self, dispute: Dispute, at: datetime, answer: str) -> None:
        """Keep what was answered, for the timeline."""
        ...

    async def get(self, id: str, *, lock: bool = False) -> Dispute | None:
        """One dispute."""
        ...

    async def known(self, connection: str, provider_ref: str) -> Dispute | None:
        """The dispute of this id of theirs, locked."""
        ...

    async def of_charge(self, connection: str, charge: str) -> tuple[str | None, str | None]:
        """Our receipt and payment of a charge."""
        ...

    async def claims(self, connection: str, charge: str) -> list[Claim]:
        """Every dispute of a charge, the oldest first; nothing is locked."""
        ...

    async def save(self, dispute: Dispute, now: datetime) -> None:
        """Write it as it stands from now on."""
        ...

    async def answer(self, dispute: str) -> DisputeAnswer | None:
        """The answer that counts, locked: proposed, approved or given."""
        ...

    async def answer_of(self, effect: str) -> DisputeAnswer | None:
        """The answer that this effect gives, locked."""
        ...

    async def answer_by(self, id: str) -> DisputeAnswer | None:
        """The answer of this id."""
        ...

    async def asker(self, answer: str) -> str:
        """The lasting identity of who asked for it."""
        ...

    async def add_answer(self, answer: DisputeAnswer, words: AnswerWords, asker: str) -> None:
        """Store an answer; its words are sealed."""
        ...

    async def move_answer(self, answer: str, state: AnswerState, now: datetime) -> None:
        """Say where an answer stands."""
        ...

    async def approve_answer(self, answer: str, approved_by: str, effect: str, now: datetime) -> None:
        """It is approved, and this effect gives it."""
        ...

    async def words(self, effects: list[str]) -> dict[str, AnswerWords]:
        """What answers say, by the effect that gives them; absent where no key opens them."""
        ...
