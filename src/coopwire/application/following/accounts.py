"""Accounts that banks assign by their own time: looked for until they are there or will not come."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from coopwire.application.account_moves import AccountMoves, accounts_lock
from coopwire.application.bells import ACCOUNTS
from coopwire.application.following.tracker import Asked, contract_broken
from coopwire.application.network import Network
from coopwire.application.orders import account_order
from coopwire.domain.effects import EffectKind
from coopwire.domain.errors import ContractBroken, InvalidOrder
from coopwire.ports.clock import Clock
from coopwire.ports.failpoints import FailPoints, nothing_fails
from coopwire.ports.gateways import AccountSnapshot, VirtualAccountOrder
from coopwire.ports.stores import AccountLooked, Changes, ClaimedAccount, Transaction
from coopwire.ports.tracing import Fact
from coopwire.ports.writes import Finding


@dataclass(frozen=True, slots=True)
class Due:
    """An account to look for, and the order that was sent for it; None when its holder is not known any more."""

    claimed: ClaimedAccount
    order: VirtualAccountOrder | None = field(repr=False)


_Asked = Asked[Due, Finding[AccountSnapshot]]


class FollowedAccounts:
    """Accounts that were asked for, by their holders."""

    name, bell, kind = "account", ACCOUNTS, EffectKind.VIRTUAL_ACCOUNT

    def __init__(self, network: Network, clock: Clock, fail: FailPoints = nothing_fails) -> None:
        self._network = network
        self._clock = clock
        self._fail = fail
        self._moves = AccountMoves(network, clock)

    async def claim(
        self, tx: Transaction, slots: Mapping[str, int], now: datetime, until: datetime
    ) -> Sequence[Due]:
        """See Followed."""
        claimed = await tx.virtual_accounts.claim(slots, now, until)
        holders = await tx.virtual_accounts.holders([one.account.id for one in claimed]) if claimed else {}
        due = []
        for one in claimed:
            holder, effect = holders.get(one.account.id), await tx.effects.get(one.account.effect)
            known = holder is not None and effect is not None
            due.append(Due(one, account_order(effect, holder) if known and effect and holder else None))
        return due

    def connection(self, claimed: Due) -> str:
        """See Followed."""
        return claimed.claimed.account.connection

    def facts(self, claimed: Due) -> Mapping[str, Fact]:
        """See Followed."""
        return {"virtual_account": claimed.claimed.account.id, "attempt": claimed.claimed.looks + 1}

    def looking(self, claimed: Due) -> str:
        """See Followed."""
        return "look for account"

    async def ask(self, claimed: Due, told: list[Finding[AccountSnapshot]]) -> None:
        """See Followed."""
        account = claimed.claimed.account
        accounts = self._network.connections[account.connection].sockets.virtual_accounts
        assert accounts is not None
        if claimed.order is None:
            raise InvalidOrder("the holder's record is forgotten or does not open")
        self._fail("before look for account")
        told.append(await accounts.find(claimed.order, account.asked_at or account.created_at))
        self._fail("after look for account")

    async def record(self, tx: Transaction, asked: _Asked, now: datetime) -> Changes | None:
        """See Followed."""
        claimed = asked.claimed.claimed
        # Before the row: whoever assigns several takes this first, too.
        await tx.lock([accounts_lock(claimed.account.connection)])
        account = await tx.virtual_accounts.held(claimed)
        if account is None:
            return None
        changes = Changes(account_looks=[AccountLooked(account, now, _answer(asked))])
        for found in asked.told:
            changes.add(
                await self._moves.told(
                    tx, account, found.snapshots, looked=True, told_failed=claimed.told_failed
                )
            )
        if asked.error is not None:
            next_at = asked.retry_at(claimed.looks, now, self._clock.timings)
            changes.add(self._moves.unanswered(account, next_at))
        if isinstance(asked.error, ContractBroken):
            told = contract_broken(account.id, account.connection, asked.error.message)
            changes.breaks.append(replace(told, effect=account.effect))
        return changes


def _answer(asked: _Asked) -> str:
    if not asked.told:
        return asked.in_words()
    [found] = asked.told
    return "assigned" if found.snapshots else "not assigned"
