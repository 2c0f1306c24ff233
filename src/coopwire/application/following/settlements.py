"""Settlements: each gateway's list by the hour, and one by one until the entry is ordered; a month beyond it daily.

What a webhook hints at is looked at sooner. A look reads and moves nothing outside; whatever it brings is recorded
under the connection's lock, so that a settlement that is told twice is one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

import structlog

from coopwire.application.bells import SETTLEMENTS
from coopwire.application.following.tracker import Asked, contract_broken
from coopwire.application.network import Network
from coopwire.application.schedule import next_settlement_look
from coopwire.application.settlement_moves import SettlementMoves, Told, settlements_lock
from coopwire.domain.errors import ContractBroken
from coopwire.domain.settlements import Settlement, settlement_id
from coopwire.domain.states import ORDERED_SETTLEMENT, SettlementState
from coopwire.ports.clock import Clock
from coopwire.ports.failpoints import FailPoints, nothing_fails
from coopwire.ports.gateways import SettlementSnapshot
from coopwire.ports.providers import Capability
from coopwire.ports.stores import Changes, ClaimedSettlement, SettlementNudge, Transaction
from coopwire.ports.stores.settlements import EVERY
from coopwire.ports.tracing import Fact

_log = structlog.get_logger()
_A_DAY = timedelta(days=1)
_Asked = Asked[ClaimedSettlement, Told]


class FollowedSettlements:
    """Settlements that the gateways tell of."""

    name, bell, kind = "settlement", SETTLEMENTS, Capability.SETTLEMENTS

    def __init__(self, network: Network, clock: Clock, fail: FailPoints = nothing_fails) -> None:
        self._network = network
        self._clock = clock
        self._fail = fail
        self._moves = SettlementMoves(network, clock)

    async def claim(
        self, tx: Transaction, slots: Mapping[str, int], now: datetime, until: datetime
    ) -> Sequence[ClaimedSettlement]:
        """See Followed."""
        return await tx.settlements.claim(slots, now, until)

    def connection(self, claimed: ClaimedSettlement) -> str:
        """See Followed."""
        return claimed.connection

    def facts(self, claimed: ClaimedSettlement) -> Mapping[str, Fact]:
        """See Followed."""
        return {"attempt": claimed.looks + 1}

    def looking(self, claimed: ClaimedSettlement) -> str:
        """See Followed."""
        return "look up settlement"

    async def ask(self, claimed: ClaimedSettlement, told: list[Told]) -> None:
        """See Followed."""
        self._fail("before fetch settlement")
        await self._read(claimed, told)
        self._fail("after fetch settlement")

    async def _read(self, claimed: ClaimedSettlement, told: list[Told]) -> None:
        socket = self._network.connections[claimed.connection].sockets.settlements
        assert socket is not None
        if claimed.provider_ref == EVERY:
            now, back = self._clock.now(), self._clock.timings.settlement_list_back
            # To tomorrow: it is tomorrow already where some gateways date.
            first, last = (now - back).date(), self._network.routes.business_day(now + _A_DAY)
            async for one in socket.list_window(first, last):
                told.append(Told(one))
            return
        one = await socket.fetch(claimed.provider_ref)
        if one.state is not SettlementState.PAID or claimed.stand in ORDERED_SETTLEMENT:
            told.append(Told(one))
            return
        told.append(Told(one, tuple([line async for line in socket.lines(claimed.provider_ref)])))

    async def record(self, tx: Transaction, asked: _Asked, now: datetime) -> Changes | None:
        """See Followed."""
        claimed, changes = asked.claimed, Changes()
        await tx.lock([settlements_lock(claimed.connection)])
        if claimed.provider_ref == EVERY:
            changes.settlement_nudges += await self._to_look_at(tx, claimed.connection, asked.told, now)
        stands = None
        for told in asked.told if claimed.provider_ref != EVERY else ():
            stands, follows = await self._moves.told(tx, claimed.connection, told)
            changes.add(follows)
        if isinstance(asked.error, ContractBroken):
            subject = settlement_id(claimed.connection, claimed.provider_ref)
            changes.breaks.append(contract_broken(subject, claimed.connection, asked.error.message))
        if not await tx.settlements.looked(claimed, self._next(asked, stands, now)):
            _log.info("settlement_look_was_late")
        return changes

    async def _to_look_at(
        self, tx: Transaction, connection: str, told: Sequence[Told], now: datetime
    ) -> list[SettlementNudge]:
        """Looks at those that are new here, or stand otherwise than the list tells.

        What was paid out before the hub began to read settlements was booked by somebody else.
        """
        since = await tx.settlements.read_since(connection)
        snapshots = [one.settlement for one in told if _from(since, one.settlement)]
        known = await tx.settlements.known(connection, [one.provider_ref for one in snapshots])
        return [
            SettlementNudge(connection, one.provider_ref, now)
            for one in snapshots
            if (was := known.get(one.provider_ref)) is None or _told_otherwise(was, one)
        ]

    def _next(self, asked: _Asked, stands: Settlement | None, now: datetime) -> datetime | None:
        timings = self._clock.timings
        if asked.error is not None:
            return asked.retry_at(asked.claimed.looks, now, timings)
        if asked.claimed.provider_ref == EVERY:
            return now + timings.settlement_list_every
        return next_settlement_look(stands, now, timings) if stands is not None else None


def _from(since: datetime | None, told: SettlementSnapshot) -> bool:
    return since is not None and (told.settled_on is None or told.settled_on >= since.date())


def _told_otherwise(was: Settlement, told: SettlementSnapshot) -> bool:
    theirs = (told.state, told.gross_minor, told.fee_exact, told.deductions_minor, told.net_minor)
    return theirs != (was.state, was.gross_minor, was.fee_exact, was.deductions_minor, was.net_minor)
