"""What becomes of a virtual account: its moves, and all that follows from each in the same transaction."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime

from coopwire.application import announce
from coopwire.application.network import Network
from coopwire.application.planning import callback_effect
from coopwire.application.schedule import next_look
from coopwire.domain.breaks import Break, BreakType
from coopwire.domain.effects import Effect, EffectKind
from coopwire.domain.events import VIRTUAL_ACCOUNT_MOVED
from coopwire.domain.states import ACCOUNT_MOVES, AccountState, may_move
from coopwire.domain.virtual_accounts import VirtualAccount
from coopwire.ports.clock import Clock
from coopwire.ports.gateways import AccountSnapshot
from coopwire.ports.stores import AccountMove, Changes, Transaction

_TOLD = frozenset({AccountState.ACTIVE, AccountState.FAILED, AccountState.CLOSED})
"""States that the loan system is told of."""


def accounts_lock(connection: str) -> str:
    """Whoever opens accounts at a connection does it one after the other under this lock: a number has one owner."""
    return f"accounts:{connection}"


class AccountMoves:
    """Moves virtual accounts by what the gateway says, or by what became of their effects."""

    def __init__(self, network: Network, clock: Clock) -> None:
        self._network = network
        self._clock = clock

    # -- what became of an effect -------------------------------------------------------------------------

    async def done(self, tx: Transaction, effect: Effect, told: Iterable[AccountSnapshot]) -> Changes:
        """The gateway took an order on, or has closed an account."""
        account = await tx.virtual_accounts.of_effect(effect.id)
        if account is None:
            return Changes()
        if effect.kind is EffectKind.ACCOUNT_CLOSING:
            return self._move(account, AccountState.CLOSED, "")
        account = replace(account, asked_at=account.asked_at or self._clock.now())
        return await self.told(tx, account, told)

    async def stopped(self, tx: Transaction, effect: Effect) -> Changes:
        """The gateway refused it, or an operator skipped it: an account that is open stays so."""
        account = await tx.virtual_accounts.of_effect(effect.id)
        if account is None or effect.id == account.closing:
            return Changes()
        return self._move(account, AccountState.FAILED, effect.reason)

    # -- what a look says ---------------------------------------------------------------------------------

    async def told(
        self,
        tx: Transaction,
        account: VirtualAccount,
        told: Iterable[AccountSnapshot],
        *,
        looked: bool = False,
        told_failed: bool = False,
    ) -> Changes:
        """What stands in the holder's name at the gateway; nothing while the bank has not assigned it.

        With `told_failed` a webhook said that the bank refused: if nothing is there, nothing will come.
        """
        open_ = next((one for one in told if one.state is AccountState.ACTIVE), None)
        if open_ is not None:
            return await self._assigned(tx, account, open_, looked)
        if told_failed:
            return self._not_assigned(account, "the bank did not assign it", looked)
        now = self._clock.now()
        next_at = next_look(account.asked_at or now, now, self._clock.timings)
        if next_at is None:
            return self._not_assigned(account, "the bank has not assigned it in all the time", looked)
        if account.state is AccountState.FAILED:
            return self._stay(account, None, looked)
        return self._move(account, AccountState.PENDING, "", next_at, looked)

    def unanswered(self, account: VirtualAccount, look_at: datetime) -> Changes:
        """Nobody answered: look again."""
        return self._stay(account, look_at, True)

    async def _assigned(
        self, tx: Transaction, account: VirtualAccount, told: AccountSnapshot, looked: bool
    ) -> Changes:
        assert told.number is not None
        await tx.lock([accounts_lock(account.connection)])
        here = (account.connection, told.number)
        owners = (await tx.virtual_accounts.of_numbers([here])).get(here, ())
        if any(one.state is AccountState.ACTIVE and one.id != account.id for one in owners):
            return self._not_assigned(account, "its number is another account's here", looked)
        known = replace(account, bank=told.bank, provider_ref=told.provider_ref)
        return self._move(known, AccountState.ACTIVE, "", None, looked, told.number)

    def _not_assigned(self, account: VirtualAccount, reason: str, looked: bool) -> Changes:
        changes = self._move(account, AccountState.FAILED, reason, None, looked)
        changes.breaks.append(
            Break(
                BreakType.ACCOUNT_NOT_ASSIGNED,
                account.id,
                once=f"account_not_assigned:{account.id}",
                effect=account.effect,
                evidence={"connection": account.connection, "member": account.member, "reason": reason},
            )
        )
        return changes

    # -- the move itself ----------------------------------------------------------------------------------

    def _move(
        self,
        account: VirtualAccount,
        state: AccountState,
        reason: str,
        look_at: datetime | None = None,
        looked: bool = False,
        number: str | None = None,
    ) -> Changes:
        """The account in its new state, announced; as it was where its table does not allow that."""
        if not may_move(ACCOUNT_MOVES, account.state, state):
            return self._stay(account, None, looked)
        now = self._clock.now()
        moved = replace(account, state=state, reason=reason)
        if state is AccountState.ACTIVE:
            moved = replace(moved, opened_at=now)
        if state is AccountState.CLOSED:
            moved = replace(moved, closed_at=now)
        changes = Changes(account_moves=[AccountMove(moved, look_at, looked, number)])
        if state is not account.state:
            data = moved_facts(moved, account.state)
            changes.events.append(
                announce.event(VIRTUAL_ACCOUNT_MOVED, account.id, account.account_key, data, now)
            )
            self._tell(moved, data, changes, now)
        return changes

    def _stay(self, account: VirtualAccount, look_at: datetime | None, looked: bool) -> Changes:
        return Changes(account_moves=[AccountMove(account, look_at, looked)])

    def _tell(
        self, account: VirtualAccount, data: dict[str, object], changes: Changes, now: datetime
    ) -> None:
        lms = self._network.routes.lms
        if lms is None or account.state not in _TOLD:
            return
        type_ = f"virtual_account.{account.state.value}"
        data = {**data, "loan": account.loan, "kind": account.kind.value}
        changes.effects.append(
            callback_effect(lms, type_, data, now, subject=account.id, url=account.callback_url)
        )


def moved_facts(account: VirtualAccount, was: AccountState) -> dict[str, object]:
    """The members of `virtual_account.moved`; the number is not among them."""
    return {
        "virtual_account": account.id,
        "member": account.member,
        "connection": account.connection,
        "state": account.state.value,
        "was": was.value,
        "reason": account.reason,
    }
