"""What becomes of a settlement when the gateway tells of it: tied, its entry ordered once, or one break a cause."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from coopwire.application import announce, casework
from coopwire.application.fees import agreed, fee_doubt
from coopwire.application.network import Network
from coopwire.application.planning import settlement_effect
from coopwire.domain.breaks import Break, BreakType
from coopwire.domain.effects import Effect
from coopwire.domain.events import SETTLEMENT_BOOKED, SETTLEMENT_RECORDED, Event
from coopwire.domain.settlements import Difference, Line, Settlement, Tied, settlement_id, tie
from coopwire.domain.states import (
    ORDERED_SETTLEMENT,
    SETTLEMENT_MOVES,
    STAND_MOVES,
    BreakState,
    SettlementStand,
    SettlementState,
    may_move,
    move,
)
from coopwire.ports.clock import Clock
from coopwire.ports.gateways import SettlementLine, SettlementSnapshot
from coopwire.ports.stores import Changes, LookupRequest, Transaction

_ACTOR = "coopwire"
_STAND_OF = {SettlementState.FAILED: SettlementStand.FAILED}


@dataclass(frozen=True, slots=True)
class Told:
    """What the gateway tells of a settlement; `lines` is None where they were not read."""

    settlement: SettlementSnapshot
    lines: tuple[SettlementLine, ...] | None = None


def settlements_lock(connection: str) -> str:
    """The name under which the settlements of a connection are held: one is tied after the other."""
    return f"settlements:{connection}"


class SettlementMoves:
    """Moves settlements by what the gateway tells. Whoever calls holds the connection's lock."""

    def __init__(self, network: Network, clock: Clock) -> None:
        self._network = network
        self._clock = clock

    async def told(self, tx: Transaction, connection: str, told: Told) -> tuple[Settlement | None, Changes]:
        """How the settlement stands here now, with all that follows.

        None for one of the other mode, which concerns nobody here.
        """
        changes, snapshot = Changes(), told.settlement
        if snapshot.mode is not self._network.connections[connection].connection.mode:
            changes.breaks.append(_wrong_mode(connection, snapshot))
            return None, changes
        was = (await tx.settlements.known(connection, [snapshot.provider_ref])).get(snapshot.provider_ref)
        now = self._clock.now()
        stands = _as_told(connection, snapshot, was, now)
        if was is not None and was.stand in ORDERED_SETTLEMENT:
            if stands.facts != was.facts:
                changes.breaks.append(_changed(was, stands))
            return was, changes
        if was is not None and not may_move(SETTLEMENT_MOVES, was.state, stands.state):
            changes.breaks.append(_forbidden(was, stands))
            return was, changes
        if was is None:
            changes.events.append(_recorded(stands, now))
        lines = None if told.lines is None else [_line(n, one) for n, one in enumerate(told.lines)]
        if stands.state is not SettlementState.PAID or lines is None:
            stand = _STAND_OF.get(stands.state, SettlementStand.WAITING)
            stands = replace(stands, stand=stand)
            await tx.settlements.save(stands, now, lines)
            if stand is SettlementStand.FAILED:
                await self.close_breaks(tx, stands, (), "the gateway says that the payout failed")
            return stands, changes
        return await self._tie(tx, stands, lines, changes), changes

    async def judged(self, tx: Transaction, settlement: Settlement) -> Tied:
        """How the lines that were read last tie, by what the hub has now."""
        lines = [line for line in await tx.settlements.lines(settlement.id) if line.told]
        return tie(settlement, lines, await tx.settlements.ours(settlement, lines))

    async def order(
        self, tx: Transaction, settlement: Settlement, tied: Tied, changes: Changes
    ) -> Settlement:
        """Book what ties, and what does not to suspense; the settlement from now on."""
        now = self._clock.now()
        suspense = tied.missing_minor if tied.differences else 0
        parts = tied.with_suspense if tied.differences else dict(tied.parts)
        effect = self._entry(settlement, parts, now)
        ordered = replace(
            settlement,
            stand=SettlementStand.TIED if effect is not None else SettlementStand.BOOKED,
            effect=effect.id if effect is not None else None,
            suspense_minor=suspense,
        )
        await tx.settlements.save(ordered, now, tied.lines)
        for receipt, fee in await tx.settlements.late_fees(settlement.id):
            agreed_to = agreed(self._network, settlement.connection)
            changes.breaks += fee_doubt(receipt, replace(fee, agreed=agreed_to))
        if effect is not None:
            changes.effects.append(effect)
        elif self._network.routes.books is not None:
            changes.events.append(booked(ordered, now))
        return ordered

    def _entry(self, settlement: Settlement, parts: dict[str, int], now: datetime) -> Effect | None:
        books = self._network.routes.books
        if books is None:
            return None
        return settlement_effect(settlement, parts, books, now, self._network.routes.business_day(now))

    async def _tie(
        self, tx: Transaction, settlement: Settlement, lines: Sequence[Line], changes: Changes
    ) -> Settlement:
        tied = tie(settlement, lines, await tx.settlements.ours(settlement, lines))
        found = [_break(settlement, one) for one in tied.differences]
        text = "not so any more when the settlement was read again"
        await self.close_breaks(tx, settlement, {one.once for one in found}, text)
        if not found:
            return await self.order(tx, settlement, tied, changes)
        changes.breaks += found
        since = await tx.settlements.read_since(settlement.connection)
        changes.lookups += _unknown_charges(settlement, lines, tied.differences, since, self._clock.now())
        differs = replace(settlement, stand=SettlementStand.DIFFERS)
        await tx.settlements.save(differs, self._clock.now(), lines)
        return differs

    async def close_breaks(
        self, tx: Transaction, settlement: Settlement, still: Collection[str], text: str
    ) -> None:
        """End the breaks about it, but `still`; what a person has proposed about one is that person's to end."""
        for id in await tx.settlements.breaks(settlement.id):
            row = await tx.breaks.get(id, lock=True)
            if row is not None and row.state is BreakState.OPEN and row.found.once not in still:
                await casework.close(tx, row, BreakState.RESOLVED, _ACTOR, text, self._clock.now())


class SettlementBooks:
    """Hears of entries that stand in the books: a settlement whose entry it is, is booked."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    async def handle(self, tx: Transaction, events: Sequence[Event]) -> None:
        """Look at the settlements of these effects."""
        # Most entries are of receipts: only one without can be a settlement's.
        effects = [str(e.data["effect"]) for e in events if e.data.get("receipt") is None]
        if not effects:
            return
        now, changes = self._clock.now(), Changes()
        for id in await tx.settlements.of_effects(effects):
            settlement = await tx.settlements.get(id, lock=True)
            if settlement is None or settlement.stand is not SettlementStand.TIED:
                continue
            stand = move("settlement", STAND_MOVES, settlement.stand, SettlementStand.BOOKED)
            await tx.settlements.save(replace(settlement, stand=stand), now)
            changes.events.append(booked(settlement, now))
        await tx.apply(changes, now)


# -- rows --------------------------------------------------------------------------------------------------


def _as_told(connection: str, told: SettlementSnapshot, was: Settlement | None, now: datetime) -> Settlement:
    return Settlement(
        id=settlement_id(connection, told.provider_ref),
        connection=connection,
        provider_ref=told.provider_ref,
        state=told.state,
        stand=was.stand if was is not None else SettlementStand.WAITING,
        currency=told.currency,
        gross_minor=told.gross_minor,
        fee_minor=told.fee_minor,
        fee_exact=told.fee_exact,
        deductions_minor=told.deductions_minor,
        refunds_minor=told.refunds_minor,
        disputes_minor=told.disputes_minor,
        duty_minor=told.duty_minor,
        net_minor=told.net_minor,
        gap_minor=told.gap_minor,
        settled_on=told.settled_on,
        reason=told.reason,
        recorded_at=was.recorded_at if was is not None else now,
    )


def _line(n: int, told: SettlementLine) -> Line:
    return Line(
        n=n,
        kind=told.kind,
        charge=told.charge,
        reference=told.reference,
        subject=told.subject,
        currency=told.currency,
        gross_minor=told.gross_minor,
        fee_minor=told.fee_minor,
        fee_exact=told.fee_exact,
        fee_known=told.fee_known,
        paid_at=told.paid_at,
    )


def _unknown_charges(
    settlement: Settlement,
    lines: Sequence[Line],
    differences: Sequence[Difference],
    since: datetime | None,
    now: datetime,
) -> list[LookupRequest]:
    """Charges that the hub does not know are looked up: a webhook may have been lost.

    Not those that were paid before the hub began: whoever had them before has booked them.
    """
    unknown = {one.facts["charge"] for one in differences if one.type is BreakType.SETTLEMENT_CHARGE_UNKNOWN}
    return [
        LookupRequest(settlement.connection, line.reference, now, line.charge)
        for line in lines
        if line.charge in unknown and line.reference and not _before(since, line)
    ]


def _before(since: datetime | None, line: Line) -> bool:
    return since is not None and line.paid_at is not None and line.paid_at < since


# -- what is told ------------------------------------------------------------------------------------------


def _facts(settlement: Settlement) -> dict[str, object]:
    return {
        "settlement": settlement.id,
        "connection": settlement.connection,
        "provider_ref": settlement.provider_ref,
        "gross_minor": settlement.gross_minor,
        "fee_minor": settlement.fee_minor,
        "deductions_minor": settlement.deductions_minor,
        "net_minor": settlement.net_minor,
        "currency": settlement.currency,
        "settled_on": settlement.settled_on.isoformat() if settlement.settled_on is not None else None,
    }


def _recorded(settlement: Settlement, now: datetime) -> Event:
    data = {**_facts(settlement), "state": settlement.state.value}
    return announce.event(SETTLEMENT_RECORDED, settlement.id, settlement.id, data, now)


def booked(settlement: Settlement, now: datetime) -> Event:
    """The entry of a settlement stands in the books."""
    data = {
        **_facts(settlement),
        "effect": settlement.effect,
        "suspense_minor": settlement.suspense_minor,
    }
    return announce.event(SETTLEMENT_BOOKED, settlement.id, settlement.id, data, now)


def _break(settlement: Settlement, difference: Difference) -> Break:
    return Break(
        difference.type,
        settlement.id,
        once=f"{difference.type.value}:{settlement.id}:{difference.cause}",
        evidence={
            "connection": settlement.connection,
            "settlement": settlement.provider_ref,
            "cause": difference.cause,
            **difference.facts,
        },
        amount_minor=difference.amount_minor,
        currency=settlement.currency,
    )


def _changed(was: Settlement, told: Settlement) -> Break:
    return Break(
        BreakType.SETTLEMENT_CHANGED,
        was.id,
        once=f"{BreakType.SETTLEMENT_CHANGED.value}:{was.id}",
        effect=was.effect,
        evidence={
            "connection": was.connection,
            "settlement": was.provider_ref,
            "ours": {**_facts(was), "state": was.state.value},
            "theirs": {**_facts(told), "state": told.state.value},
        },
        amount_minor=told.net_minor - was.net_minor,
        currency=was.currency,
    )


def _forbidden(was: Settlement, told: Settlement) -> Break:
    return Break(
        BreakType.FORBIDDEN_MOVE,
        was.id,
        once=f"forbidden:{was.id}:{told.state.value}",
        evidence={
            "connection": was.connection,
            "settlement": was.provider_ref,
            "ours": was.state.value,
            "theirs": told.state.value,
        },
        amount_minor=was.net_minor,
        currency=was.currency,
    )


def _wrong_mode(connection: str, told: SettlementSnapshot) -> Break:
    subject = settlement_id(connection, told.provider_ref)
    return Break(
        BreakType.WRONG_MODE,
        subject,
        once=f"wrong_mode:{subject}",
        evidence={
            "connection": connection,
            "settlement": told.provider_ref,
            "mode": told.mode.value,
        },
        amount_minor=told.net_minor,
        currency=told.currency,
    )
