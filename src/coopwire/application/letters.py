"""What a person may do about dead letters: look ahead, redrive at a rate, discard; with a reason, audited."""

from __future__ import annotations

from datetime import datetime, timedelta

import structlog

from coopwire.application.bells import DELIVERIES
from coopwire.application.paying import Rejected
from coopwire.application.people import given_reason
from coopwire.domain.letters import Letters
from coopwire.ports.clock import Clock
from coopwire.ports.stores import Database, Lot, Transaction

FASTEST = 1000
"""Letters per second; whoever wants more gives no rate."""
MOST_IDS = 200
_log = structlog.get_logger()


class LetterDesk:
    """Judges and does what a person asks for; asked twice it does it once, since a letter that goes is dead no more.

    Every verb raises Rejected: `not_found` for an id that no letter has, `invalid` with a field.
    """

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def plan(self, which: Letters, per_second: float | None = None) -> list[Lot]:
        """What a redrive would do now: how many of what, from when to when."""
        every = _every(per_second)
        async with self._database.begin("plan redrive of letters") as tx:
            await _known(tx, which)
            return await tx.letters.plan(which, self._clock.now(), every)

    async def redrive(
        self, which: Letters, actor: str, reason: str, per_second: float | None = None
    ) -> list[Lot]:
        """Deliver dead letters again, at most `per_second` to each consumer; what went, from when to when."""
        reason, every = given_reason(actor, reason), _every(per_second)
        async with self._database.begin("redrive dead letters") as tx:
            await _known(tx, which)
            now = self._clock.now()
            lots = await tx.letters.redrive(which, now, every, actor, reason)
            rate = f" at {per_second:g}/s" if per_second else ""
            await _audit(tx, "redrive", sum(lot.letters for lot in lots), rate, which, actor, reason, now)
        await self._ring({lot.consumer for lot in lots})
        return lots

    async def discard(self, which: Letters, actor: str, reason: str) -> int:
        """Never deliver these dead letters; they are kept, and a redrive by id brings one back. How many."""
        reason = given_reason(actor, reason)
        async with self._database.begin("discard dead letters") as tx:
            await _known(tx, which)
            now = self._clock.now()
            discarded = await tx.letters.discard(which, now, actor, reason)
            await _audit(tx, "discard", discarded, "", which, actor, reason, now)
        return discarded

    async def _ring(self, consumers: set[str]) -> None:
        if not consumers:
            return
        try:
            await self._database.ring(*(f"{DELIVERIES}:{name}" for name in sorted(consumers)))
        except OSError as error:
            # It is committed; the bus looks by itself, so a lost ring only delays.
            _log.warning("ring_failed", error=type(error).__name__)


def _every(per_second: float | None) -> timedelta:
    """The distance of two letters; none without a rate."""
    if per_second is None:
        return timedelta(0)
    if not 0 < per_second <= FASTEST:
        raise Rejected("per_second", f"must be more than 0 and at most {FASTEST}")
    return timedelta(seconds=1 / per_second)


async def _known(tx: Transaction, which: Letters) -> None:
    if len(which.ids) > MOST_IDS:
        raise Rejected("ids", f"name at most {MOST_IDS}, or their group")
    unknown = await tx.letters.unknown(which.ids) if which.ids else []
    if unknown:
        raise Rejected("ids", f"there is no dead letter {unknown[0]}", "not_found")


async def _audit(
    tx: Transaction, verb: str, count: int, how: str, which: Letters, actor: str, reason: str, now: datetime
) -> None:
    """Nothing is written where nothing was done: asked again is not done again."""
    if count:
        await tx.audit(actor, f"{verb} {count} dead letters{how}", str(which), reason, now)
