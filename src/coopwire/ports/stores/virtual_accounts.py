"""Virtual accounts of members: what was asked for, how far each is, and whose a number is."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from coopwire.domain.payments import Dues
from coopwire.domain.virtual_accounts import Holder, VirtualAccount


@dataclass(frozen=True, slots=True)
class NewAccount:
    """An account that is asked for, with its holder (sealed) and who asked."""

    account: VirtualAccount
    holder: Holder
    asked_by: str


@dataclass(frozen=True, slots=True)
class AccountMove:
    """An account as it stands from now on; the caller holds its row.

    `number` is told when it is assigned, and sealed. `look_at`: when the gateway is asked next (None: never).
    `looked`: this is what a claimed look said, so its lease ends; a look asked for meanwhile stays due.
    """

    account: VirtualAccount
    look_at: datetime | None
    looked: bool = False
    number: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class AccountNudge:
    """Somebody told that something became of what this holder asked for: look now. `failed`: it was refused."""

    connection: str
    holder: str = field(repr=False)
    """The e-mail."""
    failed: bool
    at: datetime


@dataclass(frozen=True, slots=True)
class AccountLooked:
    """A look at an account that is waited for, under its id."""

    account: VirtualAccount
    at: datetime
    answer: str


@dataclass(frozen=True, slots=True)
class ClaimedAccount:
    """An account whose look is due, with the token under which alone its answer counts.

    `told_failed`: a webhook said that the bank refused it.
    """

    account: VirtualAccount
    token: str
    looks: int
    told_failed: bool


class VirtualAccounts(Protocol):
    """Virtual accounts and their look-ups."""

    async def get(self, account: str, *, lock: bool = False) -> VirtualAccount | None:
        """One account."""
        ...

    async def of_effect(self, effect: str) -> VirtualAccount | None:
        """The account that this effect asks for or closes, locked."""
        ...

    async def holders(self, accounts: Collection[str]) -> dict[str, Holder]:
        """In whose names these are asked for; absent once it is forgotten, or where no configured key opens it."""
        ...

    def lane(self, connection: str, email: str) -> str:
        """The lane of a holder's orders: one unresolved at a time, else a census could not tell them apart."""
        ...

    async def of_numbers(
        self, numbers: Sequence[tuple[str, str]]
    ) -> dict[tuple[str, str], tuple[VirtualAccount, ...]]:
        """By (connection, number), whose it is or was: the open one first, then those that were closed last."""
        ...

    async def of_orders(self, orders: Collection[tuple[str, str]]) -> dict[tuple[str, str], VirtualAccount]:
        """By (connection, reference), the account whose order bears the reference."""
        ...

    async def latest_dues(self, account_keys: Collection[str]) -> dict[str, Dues]:
        """By account key, the newest dues that a payment of it brought."""
        ...

    async def claim(self, slots: Mapping[str, int], now: datetime, until: datetime) -> list[ClaimedAccount]:
        """Take due looks, at most `slots` per connection, not those of closed gates; lease to `until`."""
        ...

    async def held(self, claimed: ClaimedAccount) -> VirtualAccount | None:
        """The account, locked, if its lease still has this token."""
        ...
