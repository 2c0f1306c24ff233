"""Refunds: what was approved, how far each is, and when the gateway is asked about it next."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from coopwire.domain.receipts import AllocationLine
from coopwire.domain.refunds import Cut, Refund


@dataclass(frozen=True, slots=True)
class NewRefund:
    """An approved refund, with who asked for it and who approved it."""

    refund: Refund
    asked_by: str
    approved_by: str


@dataclass(frozen=True, slots=True)
class RefundMove:
    """A refund as it stands from now on; the caller holds its row, or it is new to everybody.

    `look_at`: when the gateway is asked next (None: never). `looked`: this is what a claimed look said, so its
    lease ends; a look that was asked for meanwhile stays due.
    """

    refund: Refund
    look_at: datetime | None
    looked: bool = False


@dataclass(frozen=True, slots=True)
class RefundLooked:
    """A look-up of a refund for the timeline, under its id."""

    refund: Refund
    at: datetime
    answer: str


@dataclass(frozen=True, slots=True)
class Reduction:
    """A refund takes a part of a receipt's allocation away; positions are those of the lines that stand now."""

    receipt: str
    cuts: tuple[Cut, ...]
    at: datetime


@dataclass(frozen=True, slots=True)
class Restoration:
    """A refund that was called done was taken back: these parts stand in the allocation again."""

    receipt: str
    account_key: str
    lines: tuple[AllocationLine, ...]
    at: datetime


@dataclass(frozen=True, slots=True)
class RefundNudge:
    """Somebody told that refunds of this payment moved, named by its reference or its charge: look at them now."""

    connection: str
    reference: str | None
    at: datetime
    charge: str | None = None


@dataclass(frozen=True, slots=True)
class ClaimedRefund:
    """A refund whose look-up is due, with the token under which alone its answer counts."""

    refund: Refund
    token: str
    looks: int


class Refunds(Protocol):
    """Refunds and their look-ups."""

    async def get(self, refund: str, *, lock: bool = False) -> Refund | None:
        """One refund."""
        ...

    async def of_receipt(self, receipt: str) -> list[Refund]:
        """Every refund of a receipt, the oldest first; the caller holds the receipt."""
        ...

    async def unordered(self, connection: str, charge: str) -> int | None:
        """The open break about a refund of this charge that stands at the gateway and was not ordered here."""
        ...

    async def of_effect(self, effect: str) -> Refund | None:
        """The refund that this effect debits for or asks the gateway for."""
        ...

    async def claim(self, slots: Mapping[str, int], now: datetime, until: datetime) -> list[ClaimedRefund]:
        """Take due look-ups, at most `slots` per connection, not those of closed gates; lease to `until`."""
        ...

    async def held(self, claimed: ClaimedRefund) -> Refund | None:
        """The refund, locked, if its lease still has this token."""
        ...
