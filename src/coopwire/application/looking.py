"""Looks up what gateways say: due look-ups are claimed, asked side by side, and recorded in groups."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sequence

import structlog

from coopwire.application.bells import EFFECTS, GATHER_SECONDS, LOOKUPS, OUTBOX, Bells
from coopwire.application.groups import GroupCommit
from coopwire.application.network import Network
from coopwire.application.patience import be_patient, stop_if_locked_out
from coopwire.application.receiving import Look
from coopwire.application.recording import Recorded, Recorder
from coopwire.application.rounds import repeat
from coopwire.domain.errors import ContractBroken, HubError
from coopwire.domain.gates import Traffic
from coopwire.domain.references import ours
from coopwire.ports.clock import Clock
from coopwire.ports.failpoints import FailPoints, nothing_fails
from coopwire.ports.stores import Database, Lookup
from coopwire.ports.tracing import Traces, untraced, working

_log = structlog.get_logger()


class Looker:
    """Asks the gateways; one look is in flight per (connection, reference)."""

    def __init__(
        self,
        network: Network,
        database: Database,
        clock: Clock,
        bells: Bells,
        fail: FailPoints = nothing_fails,
        traces: Traces = untraced,
    ) -> None:
        self._network = network
        self._database = database
        self._clock = clock
        self._bells = bells
        self._fail = fail
        self._traces = traces
        self._recorder = Recorder(network, clock)
        self._looks: GroupCommit[Look, Sequence[Recorded]] = GroupCommit(
            "looks", self._commit, limit=50, gather_seconds=GATHER_SECONDS
        )
        self._busy: Counter[str] = Counter()
        self._tasks: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        """Look until the bells close; then wait for what is under way."""
        async with asyncio.TaskGroup() as group:
            recorder = group.create_task(self._looks.run())
            await repeat("look", self._round, self._bells, LOOKUPS)
            while self._tasks:
                await asyncio.wait(self._tasks)
            recorder.cancel()

    async def _round(self) -> bool:
        now = self._clock.now()
        slots = {
            n: self._network.slots(n, Traffic.READ, self._busy[n], now) for n in self._network.gateways()
        }
        free = {name: number for name, number in slots.items() if number}
        if not free:
            return False
        async with self._database.begin("claim look-ups") as tx:
            lookups = await tx.lookups.claim(free, now, now + self._clock.timings.claim_length)
        for lookup in lookups:
            self._start(lookup)
        return False

    def _start(self, lookup: Lookup) -> None:
        self._busy[lookup.connection] += 1
        task = asyncio.create_task(self._look(lookup))
        self._tasks.add(task)

        def over(finished: asyncio.Task[None]) -> None:
            self._tasks.discard(finished)
            if not finished.cancelled() and (error := finished.exception()) is not None:
                # The lease runs out and the look is done again.
                _log.error("look_not_recorded", reference=lookup.reference, error=type(error).__name__)

        task.add_done_callback(over)

    async def _look(self, lookup: Lookup) -> None:
        with working(
            self._traces,
            "look up",
            parent=lookup.traceparent,
            connection=lookup.connection,
            reference=ours(lookup.reference),
            attempt=lookup.looks + 1,
        ) as span:
            try:
                look = await self._ask(lookup)
            finally:
                # A slot is a call under way; while the answer waits for its commit, the next call is made.
                self._busy[lookup.connection] -= 1
                self._bells.ring(LOOKUPS)
            if look.error is not None:
                span.failed(type(look.error).__name__)
                _log.info("look_failed", outcome=type(look.error).__name__)
            for receipt in await self._looks.submit(look):
                span.tell(receipt=receipt.id)
                _log.info("receipt_recorded", receipt=receipt.id, loan=receipt.loan)

    async def _ask(self, lookup: Lookup) -> Look:
        charges = self._network.connections[lookup.connection].sockets.charges
        assert charges is not None
        self._fail("before look")
        asked_at = self._clock.now()
        try:
            look = Look(lookup, await charges.find(lookup.reference, lookup.charges))
        except HubError as error:
            look = Look(lookup, error=error, asked_at=asked_at)
        except Exception as error:
            _log.error("adapter_broke_its_promise", read=True, error=type(error).__name__)
            look = Look(lookup, error=ContractBroken(f"the adapter raised {type(error).__name__}"))
        self._fail("after look")
        return look

    async def _commit(self, group: Sequence[Look]) -> Sequence[Sequence[Recorded]]:
        async with self._database.begin("record looks") as tx:
            recorded = await self._recorder.record(tx, group)
            now = self._clock.now()
            for look in group:
                await be_patient(tx, look.lookup.connection, look.error, now, self._clock.timings)
                await stop_if_locked_out(
                    tx, look.lookup.connection, [Traffic.READ], look.error, look.asked_at or now, now
                )
        self._bells.ring(EFFECTS, OUTBOX)
        return recorded
