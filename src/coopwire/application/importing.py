"""Books the lines of released batches, in groups; every line in the transaction that marks it."""

from __future__ import annotations

from collections.abc import Sequence

import structlog

from coopwire.application.bells import EFFECTS, OUTBOX, RECEIPTS, Bells
from coopwire.application.network import Network
from coopwire.application.rounds import repeat
from coopwire.application.takings import Taken, Takings
from coopwire.application.writing import write
from coopwire.domain.arrivals import LineState
from coopwire.domain.breaks import Break, BreakType
from coopwire.ports.clock import Clock
from coopwire.ports.stores import ArrivalLine, Changes, Database, LineDone, Transaction

GROUP = 100
"""Lines of one transaction; the loans among them are locked for as long."""
_log = structlog.get_logger()


class Importing:
    """Goes over released batches. Any number of processes may: a line is locked by the one that books it."""

    def __init__(self, network: Network, database: Database, clock: Clock, bells: Bells) -> None:
        self._network = network
        self._database = database
        self._clock = clock
        self._bells = bells
        self._takings = Takings(network, clock)

    async def run(self) -> None:
        """Book until the bells close."""
        await repeat("import", self._round, self._bells, RECEIPTS)

    async def _round(self) -> bool:
        return await self.step() > 0

    async def step(self, batch: str | None = None) -> int:
        """Book a group of one batch, of this one or of the oldest; how many lines it was. 0: nothing waits that
        nobody else holds, and batches without a waiting line are done."""
        claimed: list[ArrivalLine] = []
        try:
            await self._book(claimed, batch)
        except OSError:
            raise
        except Exception as error:
            _log.error("group_failed", group="receipts", size=len(claimed), error=type(error).__name__)
            await self._book_alone(claimed, error)
        if claimed:
            self._bells.ring(EFFECTS, OUTBOX)
        return len(claimed)

    async def _book(self, claimed: list[ArrivalLine], batch: str | None, line: int | None = None) -> None:
        """One transaction; `claimed` is filled with its lines, so that a failure can be followed up."""
        sources = self._network.routes.sources
        async with self._database.begin("book receipts") as tx:
            claimed += await tx.arrivals.claim(list(sources), GROUP, batch=batch, line=line)
            if claimed:
                source = sources[claimed[0].source]
                taken = await self._takings.record(tx, source, [one.arrival for one in claimed])
                await self._mark(tx, claimed, taken)
            if len(claimed) < GROUP:
                await tx.arrivals.finish(self._clock.now())

    async def _book_alone(self, lines: Sequence[ArrivalLine], error: Exception) -> None:
        """One bad line fails alone: a fault of ours must not keep the others from being booked."""
        if len(lines) == 1:
            await self._give_up(lines[0], error)
            return
        for one in lines:
            alone: list[ArrivalLine] = []
            try:
                await self._book(alone, one.batch, one.line)
            except OSError:
                raise
            except Exception as own:
                await self._give_up(one, own)

    async def _give_up(self, line: ArrivalLine, error: Exception) -> None:
        async with self._database.begin("refuse receipt line") as tx:
            claimed = await tx.arrivals.claim([line.source], 1, batch=line.batch, line=line.line)
            if claimed:
                told = f"a fault of coopwire ({type(error).__name__})"
                await self._mark(tx, claimed, [Taken(LineState.REFUSED, field="line", message=told)])

    async def _mark(self, tx: Transaction, lines: Sequence[ArrivalLine], taken: Sequence[Taken]) -> None:
        done = [
            LineDone(line, one.state, one.receipt, f"{one.field}: {one.message}" if one.field else "")
            for line, one in zip(lines, taken, strict=True)
        ]
        await tx.arrivals.done(done)
        refused = [_break(one) for one in done if one.state is LineState.REFUSED]
        if refused:
            await write(tx, Changes(breaks=refused), self._clock.now())


def _break(done: LineDone) -> Break:
    line = done.line
    return Break(
        BreakType.LINE_NOT_BOOKED,
        line.batch,
        once=f"{BreakType.LINE_NOT_BOOKED.value}:{line.batch}:{line.line}",
        evidence={
            "connection": line.source,
            "external_id": line.arrival.external_id,
            "line": line.line,
            "reason": done.problem,
        },
        amount_minor=line.arrival.money.minor,
        currency=line.arrival.money.currency,
    )
