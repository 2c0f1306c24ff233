"""The budgets of connections over all workers: calls are leased in slices and spent from memory."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol

from coopwire.domain.budgets import Budget, Period, slice_of
from coopwire.domain.errors import GateClosed
from coopwire.ports.budgets import Asked, BudgetExchange, Given, Pause, Seats, Wanted
from coopwire.ports.clock import Clock
from coopwire.transport.exchanging import keep_exchanging

_LOOK_AGAIN = 0.1
"""Seconds after which a call that waits looks whether the next second has begun, and asks again."""
_log = logging.getLogger(__name__)


class Budgets(Protocol):
    """Whether a call may be sent now."""

    async def enter(self, connection: str) -> None:
        """Take a place for one call, waiting for it a little; GateClosed when there is none."""
        ...

    def leave(self, connection: str) -> None:
        """The call is over, whatever became of it."""
        ...

    def pause(self, connection: str, length: timedelta, reason: str) -> None:
        """They asked for patience: no call to this connection for so long, by any worker."""
        ...


class Unlimited:
    """The Budgets of a program that has none."""

    async def enter(self, connection: str) -> None:
        """There is always room."""

    def leave(self, connection: str) -> None:
        """Nothing was taken."""

    def pause(self, connection: str, length: timedelta, reason: str) -> None:
        """Nobody else calls."""


@dataclass(slots=True)
class _Purse:
    """The calls of one period that this worker leased and has not made."""

    starts_at: datetime | None = None
    calls: int = 0
    used_up: bool = False

    def turn(self, starts_at: datetime) -> None:
        """A new period begins with nothing."""
        if self.starts_at != starts_at:
            self.starts_at, self.calls, self.used_up = starts_at, 0, False


@dataclass(slots=True)
class _Account:
    """What one connection may do here."""

    budget: Budget
    purses: dict[Period, _Purse]
    seats: int = 0
    held: int = 0
    taken: int = 0
    waiting: int = 0
    peak: int = 0
    ask_again_at: float = 0.0
    paused: Pause | None = None
    untold: Pause | None = None
    line: asyncio.Lock = field(default_factory=asyncio.Lock)
    news: asyncio.Event = field(default_factory=asyncio.Event)


class SharedBudgets:
    """Budgets over a shared database.

    Calls are made from what was leased; `run` leases more, and hears of pauses. Nothing is asked of the
    database on the way of a call. While it is away only what is leased can be spent: a call too few is made up
    for, one too many may cost the connection.
    """

    def __init__(
        self,
        worker: str,
        budgets: Mapping[str, Budget],
        exchange: BudgetExchange,
        clock: Clock,
        on_room: Callable[[], None],
    ) -> None:
        self._worker = worker
        self._exchange = exchange
        self._clock = clock
        self._on_room = on_room
        self._accounts = {name: _account(budget) for name, budget in budgets.items()}
        self._urgent = asyncio.Event()
        self._heard_at: datetime | None = None

    # -- one call -----------------------------------------------------------------------------------------

    async def enter(self, connection: str) -> None:
        """See Budgets."""
        account = self._accounts[connection]
        self._check_pause(connection, account)
        if account.budget.unlimited:
            return
        account.waiting += 1
        account.peak = max(account.peak, account.taken + account.waiting)
        try:
            async with asyncio.timeout(self._clock.timings.budget_patience.total_seconds()), account.line:
                while not self._take(account):
                    self._check_pause(connection, account)
                    await self._more(account)
        except TimeoutError:
            raise GateClosed(f"{connection}: its budget has no call left just now") from None
        finally:
            account.waiting -= 1

    def leave(self, connection: str) -> None:
        """See Budgets."""
        account = self._accounts[connection]
        if not account.budget.unlimited:
            account.taken -= 1
            account.news.set()

    def pause(self, connection: str, length: timedelta, reason: str) -> None:
        """See Budgets."""
        account, until = self._accounts[connection], self._clock.now() + length
        if account.paused is None or account.paused.until < until:
            account.paused = account.untold = Pause(connection, until, reason)
            self._urgent.set()

    def _check_pause(self, connection: str, account: _Account) -> None:
        if account.paused is not None and self._clock.now() < account.paused.until:
            raise GateClosed(f"{connection}: {account.paused.reason}")

    def _take(self, account: _Account) -> bool:
        now = self._clock.now()
        self._turn(account, now)
        if not self._has_seat(account, now) or any(not purse.calls for purse in account.purses.values()):
            return False
        for purse in account.purses.values():
            purse.calls -= 1
        account.taken += 1
        return True

    def _has_seat(self, account: _Account, now: datetime) -> bool:
        if account.budget.at_once is None:
            return True
        # After so long a silence the others may believe that our seats are free.
        heard = self._heard_at is not None and now - self._heard_at <= self._clock.timings.worker_lost_after
        return heard and account.taken < account.seats

    async def _more(self, account: _Account) -> None:
        """Have more leased, and wait for news or for the next second.

        What was refused is asked for again after a while, so that a call that waits does not ask without pause.
        """
        account.news.clear()
        moment = asyncio.get_running_loop().time()
        if moment >= account.ask_again_at:
            account.ask_again_at = moment + _LOOK_AGAIN
            self._urgent.set()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(account.news.wait(), _LOOK_AGAIN)

    def _turn(self, account: _Account, now: datetime) -> None:
        for period, purse in account.purses.items():
            purse.turn(period.start(now))

    # -- with the others ----------------------------------------------------------------------------------

    async def run(self) -> None:
        """Exchange in short distances, and at once when calls wait, until cancelled."""
        await keep_exchanging(self.exchange, self._urgent, self._clock)

    async def exchange(self) -> bool:
        """Ask and be given once; False when the database is away."""
        self._urgent.clear()
        now, timings = self._clock.now(), self._clock.timings
        asked = self._asked(now)
        lost_before = now - timings.worker_lost_after - timings.call_deadline
        try:
            given = await self._exchange.exchange(self._worker, asked, now, lost_before)
        except OSError as error:
            _log.warning("budgets are not renewed: %s", type(error).__name__)
            return False
        except Exception as error:
            # Whatever becomes of its messages, the next exchange must be tried.
            _log.error("the exchange of budgets broke", exc_info=error)
            return False
        self._heard_at = now
        self._hear(asked, given)
        return True

    def _asked(self, now: datetime) -> Asked:
        wanted, seats, pauses = [], [], []
        for name, account in sorted(self._accounts.items()):
            self._turn(account, now)
            wanted += self._wanted(name, account, now) if account.waiting else []
            if account.budget.at_once is not None and (account.peak or account.held):
                seats.append(Seats(name, account.peak, account.taken, account.budget.at_once))
                # Until the answer nobody sits down: the seats may be fewer then.
                account.seats = account.taken
                account.peak = account.taken + account.waiting
            if account.untold is not None:
                pauses.append(account.untold)
        return Asked(tuple(wanted), tuple(seats), tuple(pauses))

    def _wanted(self, name: str, account: _Account, now: datetime) -> list[Wanted]:
        limits = account.budget.limits()
        return [
            Wanted(name, period, period.start(now), max(slice_of(period, limit) - purse.calls, 1), limit)
            for period, purse in account.purses.items()
            if not purse.calls and not purse.used_up
            for limit in [limits[period]]
        ]

    def _hear(self, asked: Asked, given: Given) -> None:
        for one in given.leased:
            self._keep(one.wanted, one.calls)
        for name, seats in given.seats.items():
            self._accounts[name].seats = self._accounts[name].held = seats
        known = {pause.connection: pause for pause in given.pauses}
        for name, account in self._accounts.items():
            if account.untold in asked.pauses:
                account.untold = None
            was, account.paused = account.paused, account.untold or known.get(name)
            if was is not None and account.paused is None:
                self._on_room()
        for account in self._accounts.values():
            account.news.set()

    def _keep(self, wanted: Wanted, calls: int) -> None:
        purse = self._accounts[wanted.connection].purses[wanted.period]
        if purse.starts_at != wanted.starts_at:
            return
        purse.calls += calls
        if calls:
            self._accounts[wanted.connection].ask_again_at = 0.0
        purse.used_up = not calls
        if purse.used_up and wanted.period is not Period.SECOND:
            left = wanted.starts_at + wanted.period.length - self._clock.now()
            reason = f"all {wanted.limit} calls of this {wanted.period.value} are used up"
            self.pause(wanted.connection, left, reason)


def _account(budget: Budget) -> _Account:
    return _Account(budget, {period: _Purse() for period in budget.limits()})
