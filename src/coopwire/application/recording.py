"""Records looks under the locks of their loans and lanes; several looks share a transaction."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

from coopwire.application.booking import Ledger
from coopwire.application.deposits import Deposit, Where, credits, deposits
from coopwire.application.discretion import Discretion, discretion
from coopwire.application.keeping import kept
from coopwire.application.network import Network
from coopwire.application.planning import posting_lane
from coopwire.application.receiving import Look, Receiving
from coopwire.application.writing import write
from coopwire.domain.states import PaymentState
from coopwire.ports.clock import Clock
from coopwire.ports.stores import Changes, LookContext, NewReceipt, Transaction
from coopwire.ports.tracing import behind


class SharedLoan(Exception):
    """Two looks of one group concern one payment or loan; each must see what the other wrote."""


@dataclass(frozen=True, slots=True)
class Recorded:
    """A receipt that was recorded, and the loan that it is for."""

    id: str
    loan: str | None


class Recorder:
    """Records looks; several of them share a transaction unless they concern the same loan."""

    def __init__(self, network: Network, clock: Clock) -> None:
        self._network = network
        self._clock = clock

    async def record(self, tx: Transaction, looks: Sequence[Look]) -> list[Sequence[Recorded]]:
        """Write what these looks change; the receipts that each of them brought. A look whose lease was lost
        changes nothing: another has it.

        SharedLoan when two of them concern one loan: record them one by one.
        """
        contexts = await tx.lookups.contexts([look.lookup for look in looks])
        looks = await _discreet(tx, looks, contexts)
        into_accounts = await self._deposits(tx, looks, contexts)
        _refuse_shared_loans(looks, contexts, into_accounts)
        ledger = await self._lock_and_read(tx, looks, contexts, into_accounts.values())
        changes = await kept(tx, looks, contexts, self._network, self._clock)
        recorded: list[Sequence[Recorded]] = []
        for look in looks:
            context = contexts.get(look.lookup.token)
            mine = {charge: d for (at, charge), d in into_accounts.items() if at == look.lookup.connection}
            one = Changes() if context is None else await self._changes(tx, look, context, ledger, mine)
            recorded.append([_recorded(new, context, mine) for new in one.receipts])
            changes.add(one)
        await write(tx, changes, self._clock.now())
        return recorded

    async def _deposits(
        self, tx: Transaction, looks: Sequence[Look], contexts: Mapping[str, LookContext]
    ) -> dict[Where, Deposit]:
        """Whose the transfers to virtual accounts are that these looks tell of."""
        told = [
            credit
            for look in looks
            for credit in credits(look.lookup.connection, look.charges, contexts.get(look.lookup.token))
        ]
        return await deposits(tx, told, self._network, self._clock.now())

    async def _changes(
        self,
        tx: Transaction,
        look: Look,
        context: LookContext,
        ledger: Ledger,
        into_accounts: Mapping[str, Deposit],
    ) -> Changes:
        if context.unknown_checkout is not None and look.charges:
            reason = "the gateway knows the reference"
            await tx.effects.reopen(context.unknown_checkout, self._clock.now(), reason)
        with behind(look.traceparent):
            return Receiving(self._network, self._clock, ledger, look, context, into_accounts).changes()

    async def _lock_and_read(
        self,
        tx: Transaction,
        looks: Sequence[Look],
        contexts: Mapping[str, LookContext],
        into_accounts: Collection[Deposit],
    ) -> Ledger:
        paid = [
            contexts[look.lookup.token]
            for look in looks
            if look.lookup.token in contexts and any(c.state is PaymentState.SUCCEEDED for c in look.charges)
        ]
        payments = {c.payment.reference: c.payment for c in paid if c.payment is not None}
        payments |= {d.payment.reference: d.payment for d in into_accounts if d.payment is not None}
        accounts = {c.core_account for c in paid} | {
            d.account.core_account for d in into_accounts if d.payment
        }
        lanes = {lane for account in accounts if (lane := self._lane(account)) is not None}
        await tx.lock([p.account_key for p in payments.values()] + sorted(lanes))
        dues = {
            p.reference: (p.account_key, p.dues.as_of, p.dues.version)
            for p in payments.values()
            if p.dues is not None
        }
        asked = list(dict.fromkeys(dues.values()))
        rows = dict(zip(asked, await tx.lookups.allocated(asked), strict=True))
        return Ledger(
            {reference: rows[under] for reference, under in dues.items()},
            await tx.effects.lane_tails(sorted(lanes)),
        )

    def _lane(self, core_account: int | None) -> str | None:
        bank = self._network.routes.core_bank
        if bank is None or core_account is None:
            return None
        return posting_lane(bank, core_account)


def _recorded(new: NewReceipt, context: LookContext | None, into_accounts: Mapping[str, Deposit]) -> Recorded:
    deposit = into_accounts.get(new.receipt.charge)
    payment = deposit.payment if deposit is not None else context.payment if context is not None else None
    return Recorded(new.receipt.id, payment.loan if payment is not None else None)


async def _discreet(
    tx: Transaction, looks: Sequence[Look], contexts: Mapping[str, LookContext]
) -> list[Look]:
    """The same looks; nothing that the gateway says of a failure names the payer."""
    said: dict[str, str] = {}
    for look in looks:
        payment = context.payment if (context := contexts.get(look.lookup.token)) is not None else None
        if payment is not None and any(charge.failure_reason for charge in look.charges):
            said[look.lookup.token] = payment.reference
    hidden = await discretion(tx, said.values())
    return [_without_payer(look, said.get(look.lookup.token), hidden) for look in looks]


def _without_payer(look: Look, payment: str | None, hidden: Discretion) -> Look:
    if payment is None:
        return look
    charges = (
        replace(charge, failure_reason=hidden.applied(payment, charge.failure_reason))
        for charge in look.charges
    )
    return replace(look, charges=tuple(charges))


def _refuse_shared_loans(
    looks: Sequence[Look], contexts: Mapping[str, LookContext], into_accounts: Mapping[Where, Deposit]
) -> None:
    """What one look tells is booked one after the other; two looks would not see each other."""
    keys: list[str] = []
    for look in looks:
        context = contexts.get(look.lookup.token)
        told = [into_accounts.get((look.lookup.connection, charge.charge)) for charge in look.charges]
        payments = [deposit.payment for deposit in told if deposit is not None]
        payments += [context.payment] if context is not None else []
        keys += {payment.account_key for payment in payments if payment is not None}
    if len(keys) != len(set(keys)):
        raise SharedLoan
