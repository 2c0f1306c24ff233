"""Books settlements that were paid and do not tie."""

from __future__ import annotations

from coopwire.application.paying import Rejected
from coopwire.application.remedies.cases import Case, Remedy
from coopwire.application.remedies.judging import conflict
from coopwire.application.settlement_moves import SettlementMoves, settlements_lock
from coopwire.domain.corrections import BookSettlement
from coopwire.domain.states import SettlementStand


async def book_settlement(case: Case, wanted: BookSettlement) -> Remedy:
    """What ties of a settlement is booked, with the difference in suspense."""
    if case.row.found.subject != wanted.settlement:
        raise Rejected("settlement", "there is no such settlement in this break", "not_found")
    found = await case.tx.settlements.get(wanted.settlement)
    if found is None:
        raise Rejected("settlement", "there is no such settlement", "not_found")
    await case.tx.lock([settlements_lock(found.connection)])
    settlement = await case.tx.settlements.get(wanted.settlement, lock=True)
    if settlement is None or settlement.stand is not SettlementStand.DIFFERS:
        raise conflict("settlement", "nothing of it waits for a person any more")
    moves = SettlementMoves(case.network, case.clock)
    tied = await moves.judged(case.tx, settlement)
    remedy = Remedy()
    parts = tied.with_suspense if tied.differences else dict(tied.parts)
    told = {key: minor for key, minor in sorted(parts.items()) if minor}
    remedy.plan.append({"settlement": settlement.id, "currency": settlement.currency, "parts": told})
    if case.approval is not None:
        await moves.order(case.tx, settlement, tied, remedy.changes)
        remedy.corrects |= {effect.id: settlement.id for effect in remedy.changes.effects}
        text = f"booked with what differs in suspense, break {case.row.id}"
        await moves.close_breaks(case.tx, settlement, {case.row.found.once}, text)
    return remedy
