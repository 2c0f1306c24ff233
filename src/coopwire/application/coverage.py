"""Judges a mapping of neutral keys to the books' accounts before anything is posted through it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from coopwire.ports.books import GlAccount


class Flaw(StrEnum):
    """Why a key cannot be posted to."""

    UNMAPPED = "unmapped"
    NO_SUCH_ACCOUNT = "no_such_account"
    INACTIVE = "inactive"
    NOT_POSTABLE = "not_postable"


_REMEDIES = {
    Flaw.UNMAPPED: "no account is given for it: add one and load the mapping again",
    Flaw.NO_SUCH_ACCOUNT: "the chart has no account with this id: correct it and load the mapping again",
    Flaw.INACTIVE: "the account is inactive: make it active in the books, or choose another one",
    Flaw.NOT_POSTABLE: "journals must not touch an account of this type: choose another one",
}


@dataclass(frozen=True, slots=True)
class Gap:
    """A key through which nothing could be posted; `account` is empty when none is given."""

    key: str
    flaw: Flaw
    account: str = ""
    name: str = ""
    type: str = ""

    @property
    def remedy(self) -> str:
        """What to do about it."""
        return _REMEDIES[self.flaw]


def unmapped(entries: Mapping[str, str], needed: Iterable[str]) -> list[Gap]:
    """The keys that the posting rules need and the mapping does not have; the chart is not asked."""
    return [Gap(key, Flaw.UNMAPPED) for key in sorted(set(needed) - entries.keys())]


def gaps(entries: Mapping[str, str], needed: Iterable[str], chart: Iterable[GlAccount]) -> list[Gap]:
    """Everything that keeps the mapping from being used, by key; empty when it may go live.

    Keys that no rule needs (any more) are judged too: a rule of tomorrow may need them.
    """
    accounts = {account.account: account for account in chart}
    judged = [_judged(key, account, accounts.get(account)) for key, account in entries.items()]
    found = [gap for gap in judged if gap is not None]
    return sorted([*unmapped(entries, needed), *found], key=lambda gap: gap.key)


def _judged(key: str, account: str, found: GlAccount | None) -> Gap | None:
    if found is None:
        return Gap(key, Flaw.NO_SUCH_ACCOUNT, account)
    if not found.active:
        return Gap(key, Flaw.INACTIVE, account, found.name, found.type)
    if not found.postable:
        return Gap(key, Flaw.NOT_POSTABLE, account, found.name, found.type)
    return None
