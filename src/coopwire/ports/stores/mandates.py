"""Members' mandates: what was asked for, how far each is, and what is debited on one."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from coopwire.domain.authorizations import Left
from coopwire.domain.mandates import Approach, Debtor, Mandate


@dataclass(frozen=True, slots=True)
class NewMandate:
    """A mandate that is asked for, with who gives it (sealed) and who asked."""

    mandate: Mandate
    debtor: Debtor
    asked_by: str


@dataclass(frozen=True, slots=True)
class MandateMove:
    """A mandate as it stands from now on; the caller holds its row.

    `approach` is what the member must do, and `code` what is debited, when they are told; both are sealed. `look_at`:
    when the gateway is asked next (None: never). `looked`: this is what a claimed look said, so its lease ends; a look
    asked for meanwhile stays due.
    """

    mandate: Mandate
    look_at: datetime | None
    looked: bool = False
    approach: Approach | None = field(default=None, repr=False)
    code: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class MandateNudge:
    """Somebody told that something became of a mandate of this reference, or of this debtor: look now."""

    connection: str
    reference: str | None
    debtor: str | None = field(repr=False)
    """The e-mail."""
    at: datetime


@dataclass(frozen=True, slots=True)
class MandateLooked:
    """A look at a mandate, under its id."""

    mandate: Mandate
    at: datetime
    answer: str


@dataclass(frozen=True, slots=True)
class ClaimedMandate:
    """A mandate whose look is due, with the token under which alone its answer counts, and its code if it is known."""

    mandate: Mandate
    token: str
    looks: int
    code: str | None = field(default=None, repr=False)


class Mandates(Protocol):
    """Mandates and their look-ups."""

    async def get(self, mandate: str, *, lock: bool = False) -> Mandate | None:
        """One mandate."""
        ...

    async def of_effect(self, effect: str) -> Mandate | None:
        """The mandate that this effect starts or changes, locked."""
        ...

    async def debtors(self, mandates: Collection[str]) -> dict[str, Debtor]:
        """Who gives these; absent once that is forgotten, or where no configured key opens it."""
        ...

    async def left(self, mandates: Collection[str]) -> dict[str, Left]:
        """What the gateway wants to hear when it debits; absent before it was told and once it is forgotten."""
        ...

    async def claim(self, slots: Mapping[str, int], now: datetime, until: datetime) -> list[ClaimedMandate]:
        """Take due looks, at most `slots` per connection, not those of closed gates; lease to `until`."""
        ...

    async def held(self, claimed: ClaimedMandate) -> Mandate | None:
        """The mandate, locked, if its lease still has this token."""
        ...

    async def forget(self, mandates: Collection[str]) -> None:
        """Delete what the gateway wanted to hear."""
        ...
