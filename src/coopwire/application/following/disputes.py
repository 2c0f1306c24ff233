"""Disputes: read one by one when a webhook or the schedule says so, and all of a gateway's every hour.

So a webhook that is lost only delays.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

import structlog

from coopwire.application.bells import DISPUTES
from coopwire.application.dispute_moves import DisputeMoves, dispute_lock
from coopwire.application.following.tracker import Asked, contract_broken
from coopwire.application.network import Network
from coopwire.application.schedule import next_dispute_look
from coopwire.domain.disputes import Dispute
from coopwire.domain.effects import EffectKind
from coopwire.domain.errors import ContractBroken
from coopwire.domain.references import derived_reference
from coopwire.ports.clock import Clock
from coopwire.ports.failpoints import FailPoints, nothing_fails
from coopwire.ports.gateways import DisputeSnapshot
from coopwire.ports.stores import Changes, ClaimedDispute, DisputeNudge, Transaction
from coopwire.ports.stores.disputes import EVERY
from coopwire.ports.tracing import Fact

_log = structlog.get_logger()
_Asked = Asked[ClaimedDispute, DisputeSnapshot]


class FollowedDisputes:
    """Disputes that the gateways tell of, until they are won or lost."""

    name, bell, kind = "dispute", DISPUTES, EffectKind.DISPUTE_ANSWER

    def __init__(self, network: Network, clock: Clock, fail: FailPoints = nothing_fails) -> None:
        self._network = network
        self._clock = clock
        self._fail = fail
        self._moves = DisputeMoves(clock)

    async def claim(
        self, tx: Transaction, slots: Mapping[str, int], now: datetime, until: datetime
    ) -> Sequence[ClaimedDispute]:
        """See Followed."""
        return await tx.disputes.claim(slots, now, until)

    def connection(self, claimed: ClaimedDispute) -> str:
        """See Followed."""
        return claimed.connection

    def facts(self, claimed: ClaimedDispute) -> Mapping[str, Fact]:
        """See Followed."""
        return {"attempt": claimed.looks + 1}

    def looking(self, claimed: ClaimedDispute) -> str:
        """See Followed."""
        return "look up dispute"

    async def ask(self, claimed: ClaimedDispute, told: list[DisputeSnapshot]) -> None:
        """See Followed."""
        self._fail("before fetch dispute")
        await self._read(claimed, told)
        self._fail("after fetch dispute")

    async def _read(self, claimed: ClaimedDispute, told: list[DisputeSnapshot]) -> None:
        disputes = self._network.connections[claimed.connection].sockets.disputes
        assert disputes is not None
        if claimed.provider_ref != EVERY:
            told.append(await disputes.fetch(claimed.provider_ref))
            return
        now, back = self._clock.now(), self._clock.timings.dispute_list_back
        # From before the last time that the list was read whole, however long ago that was.
        async for one in disputes.list_window(claimed.since - back, now + back):
            told.append(one)

    async def record(self, tx: Transaction, asked: _Asked, now: datetime) -> Changes | None:
        """See Followed; what the gateway said is true even when another look has it by now."""
        claimed = asked.claimed
        connection = self._network.connections[claimed.connection].connection
        changes, stand = Changes(), []
        await tx.lock([dispute_lock(connection.name, one.provider_ref) for one in asked.told])
        for told in asked.told:
            dispute, follows = await self._moves.told(tx, connection.name, connection.mode, told)
            changes.add(follows)
            if dispute is not None:
                stand.append(dispute)
        if isinstance(asked.error, ContractBroken):
            subject = derived_reference("dispute", claimed.connection, claimed.provider_ref)
            changes.breaks.append(contract_broken(subject, claimed.connection, asked.error.message))
        # A list that broke off was not read: the next one begins where this one did.
        read_until = now if asked.error is None else claimed.since
        if not await tx.disputes.looked(claimed, read_until, self._next(asked, stand, now)):
            _log.info("dispute_look_was_late")
        for dispute in stand if claimed.provider_ref != EVERY else ():
            await tx.disputes.keep_look(dispute, now, dispute.state.value)
        if claimed.provider_ref == EVERY:
            changes.dispute_nudges += self._to_follow(stand, now)
        return changes

    def _next(self, asked: _Asked, stand: list[Dispute], now: datetime) -> datetime | None:
        timings = self._clock.timings
        if asked.error is not None:
            return asked.retry_at(asked.claimed.looks, now, timings)
        if asked.claimed.provider_ref == EVERY:
            return now + timings.dispute_look_every
        return next_dispute_look(stand[0].opened_at, stand[0].state, now, timings) if stand else None

    def _to_follow(self, stand: list[Dispute], now: datetime) -> list[DisputeNudge]:
        """Looks of their own for disputes that the list has told of and that have not ended."""
        timings = self._clock.timings
        planned = [(one, next_dispute_look(one.opened_at, one.state, now, timings)) for one in stand]
        return [DisputeNudge(one.connection, one.provider_ref, at) for one, at in planned if at is not None]
