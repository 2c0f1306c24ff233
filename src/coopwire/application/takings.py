"""Records money from elsewhere, as looks are recorded: under the locks of its payments, loans and lanes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from coopwire.application.booking import NOBODY, Ledger, Owner, arrived, book, paid
from coopwire.application.network import Network
from coopwire.application.planning import posting_lane
from coopwire.application.writing import write
from coopwire.domain.arrivals import (
    Arrival,
    LineState,
    arrival_payment,
    arrival_receipt,
    differing_field,
)
from coopwire.domain.payments import Payment
from coopwire.domain.receipts import Source, receipt_id
from coopwire.ports.clock import Clock
from coopwire.ports.stores import ArrivalContext, Changes, Earlier, NewPayment, Transaction


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of an arrival: its receipt, or the field that keeps it from being one and why.

    `conflict` when something else stands under its id.
    """

    state: LineState
    receipt: str | None = None
    field: str = ""
    message: str = ""
    conflict: bool = False


@dataclass(frozen=True, slots=True)
class _Due:
    """An arrival that is to be booked, its place in the answer, and whose money it is."""

    place: int
    arrival: Arrival
    payment: Payment | None
    core_account: int | None
    paid_before: bool


class Takings:
    """Judges and records arrivals of one source; many of them share a transaction."""

    def __init__(self, network: Network, clock: Clock) -> None:
        self._network = network
        self._clock = clock

    async def judge(self, tx: Transaction, source: Source, arrivals: Sequence[Arrival]) -> list[Taken | None]:
        """What stands against booking each of them, or that it is booked already; None when nothing does.

        A look only, without locks: what is judged here is judged again when it is booked.
        """
        bank = self._network.routes.core_bank
        contexts = await tx.arrivals.contexts(source.name, arrivals, bank=bank, lock=False)
        waiting = await tx.arrivals.waiting(source.name, [one.external_id for one in arrivals])
        found = [self._judged(one, context) for one, context in zip(arrivals, contexts, strict=True)]
        return [
            _against(one, waiting.get(one.external_id)) if taken is None else taken
            for one, taken in zip(arrivals, found, strict=True)
        ]

    async def record(self, tx: Transaction, source: Source, arrivals: Sequence[Arrival]) -> list[Taken]:
        """Book every arrival that is new and can be booked; their external ids are distinct.

        Locks are taken in one order everywhere: the ids at the source, payments, then loans and lanes.
        """
        await tx.lock([f"arrival:{source.name}:{one.external_id}" for one in arrivals])
        bank = self._network.routes.core_bank
        contexts = await tx.arrivals.contexts(source.name, arrivals, bank=bank, lock=True)
        taken = [self._judged(one, context) for one, context in zip(arrivals, contexts, strict=True)]
        due = [
            self._due(source, place, one, context)
            for place, (one, context) in enumerate(zip(arrivals, contexts, strict=True))
            if taken[place] is None
        ]
        await tx.lock([*_accounts(due), *self._lanes(due)])
        received: dict[str, Payment] = {}
        for wave in self._waves(due):
            await self._book(tx, source, wave, received)
        return [
            one or Taken(LineState.BOOKED, receipt_id(source.name, arrival.external_id))
            for one, arrival in zip(taken, arrivals, strict=True)
        ]

    def _judged(self, arrival: Arrival, context: ArrivalContext) -> Taken | None:
        if context.earlier is not None:
            refused = _against(arrival, context.earlier)
            return refused or Taken(LineState.KNOWN, context.earlier.receipt)
        if arrival.payment is not None and context.payment is None:
            return Taken(LineState.REFUSED, field="payment", message="there is no such payment")
        banked = self._network.routes.core_bank is not None
        if banked and arrival.purpose is not None and context.core_account is None:
            message = "no core account is linked to this member: import it with `coopwire accounts`"
            return Taken(LineState.REFUSED, field="member", message=message)
        return None

    def _due(self, source: Source, place: int, arrival: Arrival, context: ArrivalContext) -> _Due:
        payment = context.payment
        if arrival.purpose is not None:
            allocation = self._network.routes.allocation
            payment = arrival_payment(source, arrival, allocation, self._clock.now())
        return _Due(place, arrival, payment, context.core_account, context.paid_before)

    def _lanes(self, due: Iterable[_Due]) -> list[str]:
        bank = self._network.routes.core_bank
        accounts = {one.core_account for one in due if one.core_account is not None}
        return [posting_lane(bank, account) for account in sorted(accounts)] if bank is not None else []

    def _waves(self, due: Sequence[_Due]) -> Iterator[list[_Due]]:
        """In parts in which no loan comes twice: each must see what the ones before it allocated."""
        left = list(due)
        while left:
            seen: set[str] = set()
            wave: list[_Due] = []
            later: list[_Due] = []
            for one in left:
                key = one.payment.account_key if one.payment is not None else f"nobody:{one.place}"
                (later if key in seen else wave).append(one)
                seen.add(key)
            yield wave
            left = later

    async def _book(
        self, tx: Transaction, source: Source, wave: Sequence[_Due], received: dict[str, Payment]
    ) -> None:
        """Book arrivals of different loans; `received` are payments that this transaction gave receipts, as they
        stand now."""
        ledger = await self._ledger(tx, wave)
        now = self._clock.now()
        changes = Changes()
        for one in wave:
            if one.payment is not None and one.arrival.purpose is not None:
                changes.add(arrived(NewPayment(one.payment, one.core_account)))
            receipt = arrival_receipt(source, one.arrival, one.payment, now)
            owner = _owner(one, received)
            booked = book(receipt, owner, ledger, self._network, now)
            changes.add(booked.changes)
            if owner.payment is not None:
                move = paid(owner.payment, ours=booked.ours or owner.paid_before, now=now)
                changes.add(move)
                stands = [replace(owner.payment, state=to.state) for to in move.payments]
                received[owner.payment.reference] = stands[0] if stands else owner.payment
        await write(tx, changes, now)

    async def _ledger(self, tx: Transaction, wave: Sequence[_Due]) -> Ledger:
        asked = {
            one.payment.reference: (one.payment.account_key, one.payment.dues.as_of, one.payment.dues.version)
            for one in wave
            if one.payment is not None and one.payment.dues is not None
        }
        rows = await tx.lookups.allocated(list(asked.values()))
        tails = await tx.effects.lane_tails(self._lanes(wave))
        return Ledger(dict(zip(asked, rows, strict=True)), tails)


def _against(arrival: Arrival, earlier: Earlier | None) -> Taken | None:
    """A conflict with what stands under the same id; None when that says the same, or there is nothing."""
    different = differing_field(arrival, earlier.arrival) if earlier is not None else None
    if earlier is None or different is None:
        return None
    where = (
        f"receipt {earlier.receipt}" if earlier.receipt else f"line {earlier.line} of batch {earlier.batch}"
    )
    message = f"differs from what was told under this external_id before, see {where}"
    return Taken(LineState.REFUSED, None, different, message, conflict=True)


def _owner(one: _Due, received: Mapping[str, Payment]) -> Owner:
    if one.payment is None:
        return NOBODY
    now = received.get(one.payment.reference)
    payment = now or one.payment
    return Owner(payment, payment.money, one.core_account, one.paid_before or now is not None)


def _accounts(due: Iterable[_Due]) -> set[str]:
    return {one.payment.account_key for one in due if one.payment is not None}
