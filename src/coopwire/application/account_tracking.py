"""Waits for accounts that banks assign by their own time: due ones are claimed, looked for, and recorded."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import structlog

from coopwire.application.account_moves import AccountMoves
from coopwire.application.bells import ACCOUNTS, EFFECTS, OUTBOX, Bells
from coopwire.application.network import Network
from coopwire.application.orders import account_order
from coopwire.application.patience import be_patient, stop_if_locked_out
from coopwire.application.rounds import repeat
from coopwire.application.writing import write
from coopwire.domain.breaks import Break, BreakType
from coopwire.domain.effects import EffectKind
from coopwire.domain.errors import ContractBroken, HubError, InvalidOrder
from coopwire.domain.gates import Traffic
from coopwire.ports.clock import Clock
from coopwire.ports.failpoints import FailPoints, nothing_fails
from coopwire.ports.gateways import AccountSnapshot, VirtualAccountOrder
from coopwire.ports.stores import AccountLooked, Changes, ClaimedAccount, Database, Transaction
from coopwire.ports.tracing import Traces, here, untraced, working
from coopwire.ports.writes import Finding

_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class _Due:
    """An account to look for, and the order that was sent for it; None when its holder is not known any more."""

    claimed: ClaimedAccount
    order: VirtualAccountOrder | None = field(repr=False)


@dataclass(frozen=True, slots=True)
class _Asked:
    """What stands in the holder's name at the gateway, or why nobody says."""

    claimed: ClaimedAccount
    told: Finding[AccountSnapshot] | None = None
    error: HubError | None = None
    asked_at: datetime | None = None
    """When a call that brought an error began."""
    traceparent: str | None = field(default_factory=here)


class AccountTracker:
    """Looks for accounts that were asked for; one look at an account is in flight at a time."""

    def __init__(
        self,
        network: Network,
        database: Database,
        clock: Clock,
        bells: Bells,
        fail: FailPoints = nothing_fails,
        traces: Traces = untraced,
    ) -> None:
        self._network = network
        self._database = database
        self._clock = clock
        self._bells = bells
        self._fail = fail
        self._traces = traces
        self._moves = AccountMoves(network, clock)

    async def run(self) -> None:
        """Look until the bells close."""
        await repeat("track accounts", self._round, self._bells, ACCOUNTS)

    async def _round(self) -> bool:
        now = self._clock.now()
        names = self._network.by_kind[EffectKind.VIRTUAL_ACCOUNT]
        free = {name: self._network.slots(name, Traffic.READ, 0, now) for name in names}
        slots = {name: number for name, number in free.items() if number}
        if not slots:
            return False
        async with self._database.begin("claim accounts") as tx:
            claimed = await tx.virtual_accounts.claim(slots, now, now + self._clock.timings.claim_length)
            due = await self._due(tx, claimed)
        for asked in await asyncio.gather(*(self._ask(one) for one in due)):
            try:
                await self._record(asked)
            except OSError:
                raise
            except Exception as error:
                # The lease runs out and the look is done again; the others are recorded nevertheless.
                account = asked.claimed.account.id
                _log.error("account_not_recorded", account=account, error=type(error).__name__)
        return bool(due)

    async def _due(self, tx: Transaction, claimed: Sequence[ClaimedAccount]) -> list[_Due]:
        holders = await tx.virtual_accounts.holders([one.account.id for one in claimed]) if claimed else {}
        due = []
        for one in claimed:
            holder, effect = holders.get(one.account.id), await tx.effects.get(one.account.effect)
            known = holder is not None and effect is not None
            due.append(_Due(one, account_order(effect, holder) if known and effect and holder else None))
        return due

    async def _ask(self, due: _Due) -> _Asked:
        account = due.claimed.account
        with working(
            self._traces,
            "look for account",
            virtual_account=account.id,
            connection=account.connection,
            attempt=due.claimed.looks + 1,
        ) as span:
            asked = await self._asked(due)
            if asked.error is not None:
                span.failed(type(asked.error).__name__)
                _log.info("look_failed", outcome=type(asked.error).__name__)
            return asked

    async def _asked(self, due: _Due) -> _Asked:
        account = due.claimed.account
        accounts = self._network.connections[account.connection].sockets.virtual_accounts
        assert accounts is not None
        if due.order is None:
            return _Asked(
                due.claimed, error=InvalidOrder("the holder's record is forgotten or does not open")
            )
        self._fail("before look for account")
        asked_at = self._clock.now()
        try:
            asked = _Asked(
                due.claimed, await accounts.find(due.order, account.asked_at or account.created_at)
            )
        except HubError as error:
            asked = _Asked(due.claimed, error=error, asked_at=asked_at)
        except Exception as error:
            _log.error("adapter_broke_its_promise", read=True, error=type(error).__name__)
            asked = _Asked(due.claimed, error=ContractBroken(f"the adapter raised {type(error).__name__}"))
        self._fail("after look for account")
        return asked

    async def _record(self, asked: _Asked) -> None:
        now = self._clock.now()
        async with self._database.begin("record account") as tx:
            account = await tx.virtual_accounts.held(asked.claimed)
            if account is None:
                return
            changes = Changes(account_looks=[AccountLooked(account, now, _answer(asked))])
            if asked.told is not None:
                found, failed = asked.told.snapshots, asked.claimed.told_failed
                changes.add(await self._moves.told(tx, account, found, looked=True, told_failed=failed))
            else:
                assert asked.error is not None
                changes.add(self._moves.unanswered(account, now + self._after_error(asked)))
                await self._on_error(tx, asked, changes)
            await write(tx, changes, now)
        self._bells.ring(EFFECTS, OUTBOX)

    def _after_error(self, asked: _Asked) -> timedelta:
        ladder = self._clock.timings.retry_ladder
        wait = ladder[min(asked.claimed.looks, len(ladder) - 1)]
        told = getattr(asked.error, "retry_after", None)
        return wait if told is None else max(wait, self._clock.timings.of_provider(timedelta(seconds=told)))

    async def _on_error(self, tx: Transaction, asked: _Asked, changes: Changes) -> None:
        account, error = asked.claimed.account, asked.error
        now = self._clock.now()
        await be_patient(tx, account.connection, error, now, self._clock.timings)
        await stop_if_locked_out(tx, account.connection, [Traffic.READ], error, asked.asked_at or now, now)
        if isinstance(error, ContractBroken):
            changes.breaks.append(
                Break(
                    BreakType.CONTRACT_BROKEN,
                    account.id,
                    once=f"contract_broken:{account.id}",
                    effect=account.effect,
                    evidence={"connection": account.connection, "reason": error.message},
                )
            )


def _answer(asked: _Asked) -> str:
    if asked.told is None:
        return f"no answer: {type(asked.error).__name__}"
    return "assigned" if asked.told.snapshots else "not assigned"
