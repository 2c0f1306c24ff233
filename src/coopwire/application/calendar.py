"""Observes the day on which the core bank books: for the value date of postings, and for the close of a day."""

from __future__ import annotations

from datetime import date, datetime

import structlog

from coopwire.application.bells import CALENDAR, Bells
from coopwire.application.network import Network
from coopwire.application.rounds import repeat
from coopwire.domain.errors import HubError, Unsupported
from coopwire.ports.clock import Clock
from coopwire.ports.stores import Database

_log = structlog.get_logger()


class BusinessDays:
    """Asks the routes' core bank for its business date now and then, and keeps every change.

    The answer stands in `network.core_day` for those who plan postings, so that no receipt costs a statement.
    """

    def __init__(self, network: Network, database: Database, clock: Clock, bells: Bells) -> None:
        self._network = network
        self._database = database
        self._clock = clock
        self._bells = bells
        self._due: datetime | None = None
        self._told = ""

    async def run(self) -> None:
        """Ask at once and every `business_date_every`, until the bells close."""
        await repeat("business date", self._round, self._bells, CALENDAR)

    async def _round(self) -> bool:
        now = self._clock.now()
        if self._due is None or now >= self._due:
            self._due = now + self._clock.timings.business_date_every
            await self.look()
        return False

    async def look(self) -> None:
        """Ask once. Without an answer nothing is stored, and the last one is good for a while."""
        bank = self._network.routes.core_bank
        socket = self._network.connections[bank].sockets.business_date if bank is not None else None
        if bank is None or socket is None:
            return
        try:
            on = await socket.current()
        except HubError as error:
            self._unknown(bank, error)
        else:
            await self._heard(bank, on)

    async def _heard(self, bank: str, on: date) -> None:
        now, day = self._clock.now(), self._network.core_day
        day.on, day.until = on, now + self._clock.timings.business_date_good_for
        self._told = ""
        async with self._database.begin("business date") as tx:
            # Two workers that hear of one change at the same time keep it once.
            await tx.lock([f"business date:{bank}"])
            await tx.connections.see_business_date(bank, on, now)

    def _unknown(self, bank: str, error: HubError) -> None:
        """Told once, until there is an answer or another reason."""
        if isinstance(error, Unsupported):
            self._network.core_day.until = None
        if self._told != type(error).__name__:
            self._told = type(error).__name__
            _log.warning("business_date_unknown", connection=bank, error=self._told, reason=error.message)
