"""Approves refunds: never more than was received, after the core debit where the member was credited."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from coopwire.application.banked import at_the_bank
from coopwire.application.bells import EFFECTS
from coopwire.application.booked import first_entry, is_reversed
from coopwire.application.network import Network
from coopwire.application.paying import Rejected
from coopwire.application.people import check_actor, given_text
from coopwire.application.planning import posting_effect, posting_lane, refund_effect, refund_lane
from coopwire.domain.books import Side
from coopwire.domain.disputes import Claim, taken_minor
from coopwire.domain.effects import Effect, EffectKind
from coopwire.domain.money import Money
from coopwire.domain.receipts import AllocationState, Receipt, ReceiptSource
from coopwire.domain.references import new_reference
from coopwire.domain.refunds import Refund, live_minor, refundable_minor
from coopwire.domain.states import ENDED_DISPUTE, RefundState
from coopwire.ports.clock import Clock
from coopwire.ports.providers import Capability
from coopwire.ports.stores import Changes, Database, NewReceipt, NewRefund, Transaction


@dataclass(frozen=True, slots=True)
class RefundPlan:
    """What a refund would do now.

    `debit_minor` minor units are taken out of the core first: out of the account that `credit` filled. `open_claims`:
    disputes of the charge that have not ended.
    """

    receipt: Receipt
    debit_minor: int = 0
    credit: Effect | None = None
    open_claims: tuple[Claim, ...] = ()


class Refunding:
    """The desk of refunds. What reaches it was asked for by one person and approved by another."""

    def __init__(self, network: Network, database: Database, clock: Clock) -> None:
        self._network = network
        self._database = database
        self._clock = clock

    async def refund(
        self, receipt: str, amount_minor: int, *, asked_by: str, approved_by: str, reason: str
    ) -> Refund:
        """As `approve`, in a transaction of its own."""
        async with self._database.begin("approve refund") as tx:
            approved = await self.approve(
                tx, receipt, amount_minor, asked_by=asked_by, approved_by=approved_by, reason=reason
            )
        await self._database.ring(EFFECTS)
        return approved

    async def approve(
        self,
        tx: Transaction,
        receipt: str,
        amount_minor: int,
        *,
        asked_by: str,
        approved_by: str,
        reason: str,
    ) -> Refund:
        """Store a refund of `amount_minor` minor units with its first effect: the core debit, else the refund.

        Holds the receipt, and with it everything that may still be refunded, until the end of the transaction.
        Rejected: `not_found`, `conflict` (what stands now does not allow it) or `invalid` with a field.
        """
        reason = _said(asked_by, approved_by, reason)
        plan = await self.judge(tx, receipt, amount_minor)
        now = self._clock.now()
        refund = Refund(
            id=new_reference(),
            receipt=receipt,
            connection=plan.receipt.connection,
            amount_minor=amount_minor,
            currency=plan.receipt.currency,
            state=RefundState.INTENDED,
            created_at=now,
            reason=reason,
        )
        first = await self._first_effect(tx, refund, plan)
        if first.kind is EffectKind.POSTING:
            refund = replace(refund, debit=first.id)
        else:
            refund = replace(refund, effect=first.id)
        new = NewRefund(refund, asked_by, approved_by)
        await tx.apply(Changes(refunds=[new], effects=[first]), now)
        return refund

    async def judge(self, tx: Transaction, receipt: str, amount_minor: int) -> RefundPlan:
        """What a refund of `amount_minor` minor units would do now; nothing is written. Rejected as by `approve`.

        Holds the receipt, and with it everything that may still be refunded, until the end of the transaction.
        """
        held = await tx.receipts.get(receipt, lock=True)
        if held is None:
            raise Rejected("receipt", "there is no such receipt", "not_found")
        self._check(held)
        refunds = await tx.refunds.of_receipt(receipt)
        claims = await tx.disputes.claims(held.receipt.connection, held.receipt.charge)
        _refuse_contested(claims)
        await _refuse_beside_unordered(tx, held.receipt)
        _check_amount(held.receipt, refunds, claims, amount_minor)
        effects = (await tx.effects.of_receipts([receipt])).get(receipt, [])
        _refuse_reversed(effects)
        return self._plan(held.receipt, amount_minor, refunds, claims, effects)

    def _check(self, held: NewReceipt) -> None:
        receipt = held.receipt
        connected = self._network.connections.get(receipt.connection)
        if receipt.source is not ReceiptSource.GATEWAY or connected is None:
            raise Rejected("receipt", "no gateway of ours has this money: pay it back by hand", "conflict")
        if not connected.sockets.has(Capability.REFUNDS):
            raise Rejected("receipt", f"{receipt.connection} cannot give money back", "conflict")
        if held.allocation_state is not AllocationState.ALLOCATED:
            raise Rejected("receipt", "the loan system has not said yet where the money goes", "conflict")

    def _plan(
        self,
        receipt: Receipt,
        amount_minor: int,
        refunds: Sequence[Refund],
        claims: Sequence[Claim],
        effects: Sequence[Effect],
    ) -> RefundPlan:
        bank = at_the_bank(effects)
        if bank.open is not None:
            told = f"effect {bank.open.id} is {bank.open.state.value}: resolve the credit first"
            raise Rejected("receipt", told, "conflict")
        left = receipt.value_minor - live_minor(refunds) - amount_minor
        # What an earlier, failed refund has already taken out of the account is not taken out again.
        debit_minor = min(amount_minor, bank.there_minor - left)
        open_claims = tuple(claim for claim in claims if claim.dispute.state not in ENDED_DISPUTE)
        if bank.credit is None or debit_minor <= 0:
            return RefundPlan(receipt, open_claims=open_claims)
        return RefundPlan(receipt, debit_minor, bank.credit, open_claims)

    async def _first_effect(self, tx: Transaction, refund: Refund, plan: RefundPlan) -> Effect:
        if plan.credit is not None:
            return await self._debit(tx, plan.receipt, refund, plan.credit, plan.debit_minor)
        return await refund_behind_the_last(tx, refund, plan.receipt, self._clock)

    async def _debit(
        self, tx: Transaction, receipt: Receipt, refund: Refund, credit: Effect, amount_minor: int
    ) -> Effect:
        bank = self._network.connections.get(credit.connection)
        if bank is None:
            raise Rejected(
                "receipt", f"the connection {credit.connection} is not configured any more", "conflict"
            )
        account, gl = credit.order["core_account"], credit.order["gl"]
        assert isinstance(account, int)
        lane = posting_lane(credit.connection, account)
        await tx.lock([lane])
        now = self._clock.now()
        return posting_effect(
            bank,
            core_account=account,
            gl=str(gl),
            amount_minor=amount_minor,
            currency=refund.currency,
            value_on=self._network.value_day(now),
            narration=f"refund {refund.id}",
            now=now,
            after=(await tx.effects.lane_tails([lane])).get(lane),
            about=("refund", refund.id),
            receipt=receipt.id,
            payment=receipt.payment,
            side=Side.DEBIT,
        )


async def refund_behind_the_last(tx: Transaction, refund: Refund, receipt: Receipt, clock: Clock) -> Effect:
    """The effect that asks the gateway, behind the last one of its charge."""
    lane = refund_lane(refund.connection, receipt.charge)
    await tx.lock([lane])
    after = (await tx.effects.lane_tails([lane])).get(lane)
    return refund_effect(refund, receipt, clock.now(), after=after)


async def _refuse_beside_unordered(tx: Transaction, receipt: Receipt) -> None:
    """Rejected while the gateway shows a refund of the charge that nobody ordered here: it may be the one that is
    wanted, ordered by a hub whose last hours are lost."""
    found = await tx.refunds.unordered(receipt.connection, receipt.charge)
    if found is not None:
        told = f"the gateway has given some of it back already, see break {found}: resolve that first"
        raise Rejected("receipt", told, "conflict")


def _check_amount(
    receipt: Receipt, refunds: Sequence[Refund], claims: Sequence[Claim], amount_minor: int
) -> None:
    if isinstance(amount_minor, bool) or not isinstance(amount_minor, int) or amount_minor <= 0:
        raise Rejected("amount_minor", "must be more than 0")
    taken = taken_minor(claims)
    left = max(refundable_minor(receipt, refunds, taken), 0)
    if amount_minor > left:
        told = f"{Money(left, receipt.currency)} of this receipt can still be refunded"
        disputed = f", disputes take {Money(taken, receipt.currency)} of it" if taken else ""
        raise Rejected("amount_minor", told + disputed, "conflict")


def _refuse_contested(claims: Sequence[Claim]) -> None:
    """Who has told the bank that nothing is to go back does not give it back: the verdict may take it again."""
    for claim in claims:
        if claim.contested:
            told = f"dispute {claim.dispute.id} of it is contested: wait for its end"
            raise Rejected("receipt", told, "conflict")


def _refuse_reversed(effects: Sequence[Effect]) -> None:
    """A refund takes out of the books what its receipt brought in."""
    entry = first_entry(effects)
    if entry is not None and is_reversed(entry, effects):
        raise Rejected("receipt", "its entry in the books is reversed: post it again first", "conflict")


def _said(asked_by: str, approved_by: str, reason: str) -> str:
    check_actor("asked_by", asked_by)
    check_actor("approved_by", approved_by)
    if asked_by == approved_by:
        raise Rejected("approved_by", "who asked for a refund cannot approve it", "conflict")
    return given_text("reason", reason)
