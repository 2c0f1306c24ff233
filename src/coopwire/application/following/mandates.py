"""Mandates that members approve and banks activate by their own time: looked at until they end."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from coopwire.application.bells import MANDATES
from coopwire.application.following.tracker import Asked, contract_broken
from coopwire.application.mandate_moves import MandateMoves, mandate_lock
from coopwire.application.network import Network
from coopwire.domain.effects import EffectKind
from coopwire.domain.errors import ContractBroken
from coopwire.ports.clock import Clock
from coopwire.ports.failpoints import FailPoints, nothing_fails
from coopwire.ports.gateways import MandateKey, MandateSnapshot
from coopwire.ports.stores import Changes, ClaimedMandate, MandateLooked, Transaction
from coopwire.ports.tracing import Fact

_Asked = Asked[ClaimedMandate, MandateSnapshot | None]


class FollowedMandates:
    """Mandates that the gateway has taken on, from the member's page to their end."""

    name, bell, kind = "mandate", MANDATES, EffectKind.MANDATE

    def __init__(self, network: Network, clock: Clock, fail: FailPoints = nothing_fails) -> None:
        self._network = network
        self._clock = clock
        self._fail = fail
        self._moves = MandateMoves(network, clock)

    async def claim(
        self, tx: Transaction, slots: Mapping[str, int], now: datetime, until: datetime
    ) -> Sequence[ClaimedMandate]:
        """See Followed."""
        return await tx.mandates.claim(slots, now, until)

    def connection(self, claimed: ClaimedMandate) -> str:
        """See Followed."""
        return claimed.mandate.connection

    def facts(self, claimed: ClaimedMandate) -> Mapping[str, Fact]:
        """See Followed."""
        return {"mandate": claimed.mandate.id, "attempt": claimed.looks + 1}

    def looking(self, claimed: ClaimedMandate) -> str:
        """See Followed."""
        return "look at mandate"

    async def ask(self, claimed: ClaimedMandate, told: list[MandateSnapshot | None]) -> None:
        """See Followed."""
        mandate = claimed.mandate
        mandates = self._network.connections[mandate.connection].sockets.mandates
        assert mandates is not None and mandate.provider_ref is not None
        self._fail("before look at mandate")
        told.append(await mandates.fetch(MandateKey(mandate.provider_ref, claimed.code)))
        self._fail("after look at mandate")

    async def record(self, tx: Transaction, asked: _Asked, now: datetime) -> Changes | None:
        """See Followed."""
        claimed = asked.claimed
        # Before the row: whoever changes it takes this first, too.
        await tx.lock([mandate_lock(claimed.mandate.id)])
        mandate = await tx.mandates.held(claimed)
        if mandate is None:
            return None
        changes = Changes(mandate_looks=[MandateLooked(mandate, now, _answer(asked))])
        for told in asked.told:
            changes.add(self._moves.told(mandate, told))
        if asked.error is not None:
            next_at = asked.retry_at(claimed.looks, now, self._clock.timings)
            changes.add(self._moves.unanswered(mandate, next_at))
        if isinstance(asked.error, ContractBroken):
            changes.breaks.append(contract_broken(mandate.id, mandate.connection, asked.error.message))
        return changes


def _answer(asked: _Asked) -> str:
    if not asked.told:
        return asked.in_words()
    [told] = asked.told
    return "not known there" if told is None else told.state.value
