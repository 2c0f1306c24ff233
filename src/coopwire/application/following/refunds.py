"""Refunds that the gateways have accepted: looked at until they end."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from coopwire.application.bells import REFUNDS
from coopwire.application.following.tracker import Asked, contract_broken
from coopwire.application.network import Network
from coopwire.application.refund_moves import HeldRefund, RefundMoves
from coopwire.domain.breaks import Break
from coopwire.domain.effects import EffectKind
from coopwire.domain.errors import ContractBroken
from coopwire.ports.clock import Clock
from coopwire.ports.failpoints import FailPoints, nothing_fails
from coopwire.ports.gateways import RefundSnapshot
from coopwire.ports.stores import Changes, ClaimedRefund, RefundLooked, Transaction
from coopwire.ports.tracing import Fact

_Asked = Asked[ClaimedRefund, RefundSnapshot]


class FollowedRefunds:
    """Accepted refunds, by their ids at the gateways."""

    name, bell, kind = "refund", REFUNDS, EffectKind.REFUND

    def __init__(self, network: Network, clock: Clock, fail: FailPoints = nothing_fails) -> None:
        self._network = network
        self._clock = clock
        self._fail = fail
        self._moves = RefundMoves(network, clock)

    async def claim(
        self, tx: Transaction, slots: Mapping[str, int], now: datetime, until: datetime
    ) -> Sequence[ClaimedRefund]:
        """See Followed."""
        return await tx.refunds.claim(slots, now, until)

    def connection(self, claimed: ClaimedRefund) -> str:
        """See Followed."""
        return claimed.refund.connection

    def facts(self, claimed: ClaimedRefund) -> Mapping[str, Fact]:
        """See Followed."""
        refund = claimed.refund
        return {"refund": refund.id, "receipt": refund.receipt, "attempt": claimed.looks + 1}

    def looking(self, claimed: ClaimedRefund) -> str:
        """See Followed."""
        return "look up refund"

    async def ask(self, claimed: ClaimedRefund, told: list[RefundSnapshot]) -> None:
        """See Followed."""
        refunds = self._network.connections[claimed.refund.connection].sockets.refunds
        assert refunds is not None
        assert claimed.refund.provider_ref is not None
        self._fail("before fetch refund")
        told.append(await refunds.fetch(claimed.refund.provider_ref))
        self._fail("after fetch refund")

    async def record(self, tx: Transaction, asked: _Asked, now: datetime) -> Changes | None:
        """See Followed."""
        held = await self._held(tx, asked.claimed)
        if held is None:
            return None
        changes = Changes(refund_looks=[RefundLooked(held.refund, now, _answer(asked))])
        for told in asked.told:
            changes.add(await self._moves.told(tx, held, told, looked=True))
        if asked.error is not None:
            next_at = asked.retry_at(asked.claimed.looks, now, self._clock.timings)
            changes.add(self._moves.unanswered(held, next_at))
        if isinstance(asked.error, ContractBroken):
            changes.breaks.append(_broken(held, asked.error.message))
        return changes

    async def _held(self, tx: Transaction, claimed: ClaimedRefund) -> HeldRefund | None:
        """The refund under its lease; None when another look has it by now."""
        held = await self._moves.hold(tx, claimed.refund)
        return held if held is not None and await tx.refunds.held(claimed) is not None else None


def _broken(held: HeldRefund, reason: str) -> Break:
    refund = held.refund
    told = contract_broken(refund.id, refund.connection, reason, provider_ref=refund.provider_ref)
    return replace(told, payment=held.receipt.receipt.payment, receipt=refund.receipt, effect=refund.effect)


def _answer(asked: _Asked) -> str:
    if not asked.told:
        return asked.in_words()
    [told] = asked.told
    attention = ", needs attention" if told.needs_attention else ""
    return f"{told.state.value} {told.amount_minor} {told.currency}{attention}"
