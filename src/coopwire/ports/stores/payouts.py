"""Payouts: what was asked for, how far each is, and when it is looked at next."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from coopwire.domain.payouts import Beneficiary, Payout


@dataclass(frozen=True, slots=True)
class NewPayout:
    """A payout that was asked for, with its beneficiary (sealed at rest); it is due to be checked at once."""

    payout: Payout
    beneficiary: Beneficiary = field(repr=False)


@dataclass(frozen=True, slots=True)
class PayoutMove:
    """A payout as it stands from now on; the caller holds its row.

    `look_at`: when it is looked at next (None: never). `looked`: this is what a claimed look said, so its lease
    ends; a look that was asked for meanwhile stays due. `beneficiary`: with what was learned of it, None: as it was.
    """

    payout: Payout
    look_at: datetime | None
    looked: bool = False
    beneficiary: Beneficiary | None = field(repr=False, default=None)


@dataclass(frozen=True, slots=True)
class PayoutLooked:
    """A look at a payout, kept under its id."""

    payout: Payout
    at: datetime
    answer: str


@dataclass(frozen=True, slots=True)
class PayoutNudge:
    """Somebody told that the transfer of this reference moved: look at it now."""

    connection: str
    reference: str
    at: datetime


@dataclass(frozen=True, slots=True)
class ClaimedPayout:
    """A payout whose look is due, with the token under which alone its answer counts."""

    payout: Payout
    beneficiary: Beneficiary | None = field(repr=False)
    token: str
    looks: int


class Payouts(Protocol):
    """Payouts, their beneficiaries and their looks."""

    async def get(self, payout: str, *, lock: bool = False) -> Payout | None:
        """One payout."""
        ...

    async def of_effects(self, effects: Sequence[str], *, lock: bool = False) -> dict[str, Payout]:
        """By effect, the payout that it makes an account known for or pays; locked in one order."""
        ...

    async def beneficiaries(self, payouts: Sequence[str]) -> dict[str, Beneficiary]:
        """Who is paid, unsealed; absent where no configured key opens it."""
        ...

    async def recipients(self, payouts: Sequence[str]) -> dict[str, str]:
        """The gateway's ids of the accounts that were made known for them."""
        ...

    async def committed_minor(self, connection: str, currency: str, since: datetime) -> int:
        """What the payouts that are not finished take of the float, and those that finished since then."""
        ...

    async def claim(self, slots: Mapping[str, int], now: datetime, until: datetime) -> list[ClaimedPayout]:
        """Take due looks, at most `slots` per connection, not those of closed gates; lease to `until`."""
        ...

    async def held(self, claimed: ClaimedPayout) -> Payout | None:
        """The payout, locked, if its lease still has this token."""
        ...
