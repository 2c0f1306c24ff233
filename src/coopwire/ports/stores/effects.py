"""Outgoing writes: claims, tries, outcomes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol

from coopwire.domain.effects import Effect, EffectKind
from coopwire.domain.states import EffectState
from coopwire.ports.stores.connections import AccountMapping


@dataclass(frozen=True, slots=True)
class Claim:
    """A claimed effect: the token under which alone its outcome counts, and until when it may be sent.

    `loan` is the one that its payment is for, so that whoever reads the logs finds it by that.
    """

    effect: Effect
    token: str
    until: datetime
    loan: str | None = None


@dataclass(frozen=True, slots=True)
class Try:
    """One try: the body exactly as it will be sent (sealed at rest) and the mapping version behind it."""

    effect: str
    token: str
    worker: str
    body: bytes = field(repr=False)
    mapping_version: int | None
    claimed_at: datetime


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a claimed send or of a look-up of an unknown one; counts only under its token."""

    effect: str
    token: str
    state: EffectState
    at: datetime
    due_at: datetime
    provider_ref: str | None = None
    reason: str = ""
    counts_as_try: bool = True
    looked: bool = False
    word: str = ""
    """The outcome in one word for the try's row (done, refused, try_later, not_sent …)."""


@dataclass(frozen=True, slots=True)
class InTurn:
    """Claims taken in turns, and per (connection, kind) whose turn was the last."""

    claims: list[Claim]
    last: Mapping[tuple[str, EffectKind], str]


class Effects(Protocol):
    """Outgoing writes."""

    async def claim(
        self, slots: Mapping[tuple[str, EffectKind], int], worker: str, now: datetime, until: datetime
    ) -> list[Claim]:
        """Take due effects whose predecessors are finished and gates open; they are now sending."""
        ...

    async def claim_in_turn(
        self,
        slots: Mapping[tuple[str, EffectKind], int],
        last: Mapping[tuple[str, EffectKind], str],
        worker: str,
        now: datetime,
        until: datetime,
    ) -> InTurn:
        """The same in turns: one of every loan, from the loan after the `last` on, before a second of any."""
        ...

    async def claim_unknown(
        self, slots: Mapping[tuple[str, EffectKind], int], worker: str, now: datetime, until: datetime
    ) -> list[Claim]:
        """Take unknown effects whose look-up is due and whose read gates are open; they stay unknown."""
        ...

    async def insert_claimed(self, effect: Effect, claim: Claim, worker: str) -> None:
        """Store an effect that this process sends itself right after the commit."""
        ...

    async def tries(self, tries: Sequence[Try]) -> None:
        """Store the bodies about to be sent."""
        ...

    async def keep_census(self, effect: str, token: str, census: Sequence[str]) -> bool:
        """Keep what stood at the target before the send; False when the claim of this token is lost."""
        ...

    async def last_body(self, effect: str) -> bytes | None:
        """The body of the latest try."""
        ...

    async def sent_mappings(self, effects: Sequence[str]) -> dict[str, AccountMapping]:
        """By effect, the mapping version with which its latest try was said, or it was found."""
        ...

    async def record(self, outcomes: Sequence[Outcome]) -> list[Effect]:
        """Write outcomes that still hold their token; return the effects so moved, in their new state."""
        ...

    async def late(self, outcomes: Sequence[Outcome]) -> list[Effect]:
        """Keep stale outcomes as evidence on their tries; return those effects as they stand now."""
        ...

    async def lost(self, now: datetime, heartbeat_before: datetime, grace: timedelta) -> list[Effect]:
        """sending → unknown where the worker was not heard since `heartbeat_before` or the claim is over."""
        ...

    async def lane_tails(self, lanes: Sequence[str]) -> dict[str, str]:
        """The last effect of each lane that has one; the caller holds the lanes' locks."""
        ...

    async def reopen(self, effect: str, now: datetime, reason: str) -> bool:
        """intended, held or unknown → unknown, looked up now: a late answer says it may be done."""
        ...

    async def reenter(self, closed_at: datetime, now: datetime) -> int:
        """Enter every write that a lost hub may have sent as unknown, looked up now; how many there are.

        That is what was there before `closed_at` and is not finished, unless it was looked up since. Messages to
        the loan system stay: it takes the same id again. What is ordered later is judged as it is stored.
        """
        ...

    async def never_looked_up(self) -> int:
        """How many effects are unknown and were not looked up a single time since they are."""
        ...

    async def looks_before(self, at: datetime) -> int:
        """How many unknown effects have a look-up due before `at`."""
        ...

    async def unresolved(self) -> dict[tuple[EffectKind, EffectState], int]:
        """How many effects are not finished, by kind and state."""
        ...

    async def get(self, effect: str, *, lock: bool = False) -> Effect | None:
        """One effect."""
        ...

    async def of_receipts(self, receipts: Sequence[str]) -> dict[str, list[Effect]]:
        """The effects of each receipt."""
        ...

    async def of_payment(self, payment: str) -> list[Effect]:
        """The effects that try to collect a payment, under the references of its attempts."""
        ...

    async def move(self, effect: str, state: EffectState, due_at: datetime, reason: str) -> None:
        """An operator's move, already judged by the table."""
        ...
