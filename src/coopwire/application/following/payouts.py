"""Payouts: those that were asked for are checked, those under way are looked at until they end."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from coopwire.application.bells import PAYOUTS
from coopwire.application.discretion import discretion
from coopwire.application.following.tracker import Asked, contract_broken
from coopwire.application.network import Network
from coopwire.application.payout_moves import PayoutMoves, float_of
from coopwire.application.vetting import Vetted, Vetting
from coopwire.domain.effects import EffectKind
from coopwire.domain.errors import ContractBroken
from coopwire.domain.money import Money
from coopwire.domain.payouts import HoldReason, Payout, PayoutPolicy, missing_minor
from coopwire.domain.states import PayoutState
from coopwire.ports.clock import Clock
from coopwire.ports.failpoints import FailPoints, nothing_fails
from coopwire.ports.gateways import TransferSnapshot
from coopwire.ports.stores import Changes, ClaimedPayout, PayoutLooked, Transaction
from coopwire.ports.tracing import Fact

_Told = Vetted | TransferSnapshot
_Asked = Asked[ClaimedPayout, _Told]


class FollowedPayouts:
    """Payouts, from the wish to a month after their success."""

    name, bell, kind = "payout", PAYOUTS, EffectKind.TRANSFER

    def __init__(
        self, network: Network, clock: Clock, policy: PayoutPolicy, fail: FailPoints = nothing_fails
    ) -> None:
        self._network = network
        self._clock = clock
        self._fail = fail
        self._vetting = Vetting(policy, clock)
        self._moves = PayoutMoves(network, clock)

    async def claim(
        self, tx: Transaction, slots: Mapping[str, int], now: datetime, until: datetime
    ) -> Sequence[ClaimedPayout]:
        """See Followed."""
        return await tx.payouts.claim(slots, now, until)

    def connection(self, claimed: ClaimedPayout) -> str:
        """See Followed."""
        return claimed.payout.connection

    def facts(self, claimed: ClaimedPayout) -> Mapping[str, Fact]:
        """See Followed."""
        payout = claimed.payout
        return {"payout": payout.id, "loan": payout.loan, "attempt": claimed.looks + 1}

    def looking(self, claimed: ClaimedPayout) -> str:
        """See Followed."""
        return "check payout" if _is_checked(claimed) else "look up payout"

    # -- asking -------------------------------------------------------------------------------------------

    async def ask(self, claimed: ClaimedPayout, told: list[_Told]) -> None:
        """See Followed."""
        told.append(await (self._checked(claimed) if _is_checked(claimed) else self._fetched(claimed)))

    async def _checked(self, claimed: ClaimedPayout) -> Vetted:
        if claimed.beneficiary is None:
            raise ContractBroken("the beneficiary's record cannot be opened: is the secret key right?")
        sockets = self._network.connections[claimed.payout.connection].sockets
        self._fail("before check payout")
        vetted = await self._vetting.vet(claimed.payout, claimed.beneficiary, sockets)
        self._fail("after check payout")
        return vetted

    async def _fetched(self, claimed: ClaimedPayout) -> TransferSnapshot:
        transfers = self._network.connections[claimed.payout.connection].sockets.transfers
        assert transfers is not None
        assert claimed.payout.provider_ref is not None
        self._fail("before fetch transfer")
        told = await transfers.fetch(claimed.payout.provider_ref)
        self._fail("after fetch transfer")
        if told.reference != claimed.payout.transfer:
            raise ContractBroken("the gateway's id stands for another transfer by now")
        return told

    # -- recording ----------------------------------------------------------------------------------------

    async def record(self, tx: Transaction, asked: _Asked, now: datetime) -> Changes | None:
        """See Followed."""
        if any(isinstance(told, Vetted) for told in asked.told):
            # What the float bears is decided for one payout after the other.
            await tx.lock([float_of(asked.claimed.payout)])
        held = await tx.payouts.held(asked.claimed)
        if held is None or held.state is not asked.claimed.payout.state:
            return None
        changes = Changes(payout_looks=[PayoutLooked(held, now, _in_words(asked))])
        for told in asked.told:
            changes.add(await self._follow(tx, held, told))
        if asked.error is not None:
            next_at = asked.retry_at(asked.claimed.looks, now, self._clock.timings)
            changes.add(self._moves.unanswered(held, next_at))
        if isinstance(asked.error, ContractBroken):
            said = (await discretion(tx, [], payouts=[held.id])).applied(held.id, asked.error.message)
            broken = contract_broken(held.id, held.connection, said, provider_ref=held.provider_ref)
            changes.breaks.append(replace(broken, effect=held.transfer))
        return changes

    async def _follow(self, tx: Transaction, held: Payout, told: _Told) -> Changes:
        if isinstance(told, Vetted):
            return await self._decide(tx, held, told)
        hidden = await discretion(tx, [], payouts=[held.id])
        return self._moves.told(held, told, looked=True, hidden=hidden)

    async def _decide(self, tx: Transaction, held: Payout, vetted: Vetted) -> Changes:
        """Order it, or hold it for a second person."""
        known = replace(held, name_score=vetted.name_score, fee_minor=vetted.fee_minor)
        if vetted.hold is not None:
            return self._moves.hold(known, vetted.hold, vetted.why, vetted.beneficiary)
        if vetted.available_minor is not None:
            committed = await tx.payouts.committed_minor(held.connection, held.currency, vetted.asked_at)
            missing = missing_minor(vetted.available_minor, committed, known)
            if missing:
                why = f"the float lacks {Money(missing, held.currency)}, beside what is on its way"
                return self._moves.hold(known, HoldReason.FLOAT_SHORT, why, vetted.beneficiary)
        return self._moves.order(known, looked=True, beneficiary=vetted.beneficiary)


def _is_checked(claimed: ClaimedPayout) -> bool:
    """Whether it has still to be checked before anything is sent."""
    return claimed.payout.state is PayoutState.CHECKING


def _in_words(asked: _Asked) -> str:
    if not asked.told:
        return asked.in_words()
    [told] = asked.told
    if isinstance(told, TransferSnapshot):
        return f"{told.state.value} {told.amount_minor} {told.currency}"
    return f"checked: {told.hold.value if told.hold else 'name and number agree'}"
