"""Takes the messages of one consumer: several in one transaction, one by one when that fails."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Sequence
from datetime import datetime, timedelta

import structlog

from coopwire.bus import spans
from coopwire.bus.carrying import BATCH, Failure, Parcel, Sender
from coopwire.bus.cloudevents import Unreadable, load
from coopwire.bus.failing import cause_of, trace_of
from coopwire.ports.bus import BusBells, Consumer
from coopwire.ports.clock import Clock
from coopwire.ports.failpoints import FailPoints
from coopwire.ports.meters import BusMeter
from coopwire.ports.stores import Database, Delivery, StorageUnavailable, Transaction
from coopwire.ports.tracing import Traces, behind, untraced

_log = structlog.get_logger()


class Taker:
    """What a message says is looked up in the database: who may write to the broker cannot invent an event.

    The delivery's row, locked and marked in the handler's own transaction, makes the effect once however often
    the message comes. A message is acknowledged when that is committed, or when it is on the ladder or its copy
    among the dead letters is confirmed.
    """

    def __init__(
        self,
        consumer: Consumer,
        database: Database,
        clock: Clock,
        sender: Sender,
        bells: BusBells,
        meter: BusMeter,
        fail: FailPoints,
        traces: Traces = untraced,
    ) -> None:
        self.consumer = consumer
        self._database = database
        self._clock = clock
        self._sender = sender
        self._bells = bells
        self._meter = meter
        self._fail = fail
        self._traces = traces
        self._arrived: asyncio.Queue[Parcel | None] = asyncio.Queue()
        self._ended = False

    def put(self, parcel: Parcel) -> None:
        """A parcel has arrived."""
        self._arrived.put_nowait(parcel)

    def end(self) -> None:
        """Finish the batch at hand and return; what is not acknowledged the broker gives to somebody else."""
        self._ended = True
        self._arrived.put_nowait(None)

    async def run(self) -> None:
        """Until `end`. BusUnavailable when the broker went away."""
        while batch := await self._next():
            await self._take(batch)

    async def _next(self) -> list[Parcel]:
        batch = [await self._arrived.get()]
        while len(batch) < BATCH and not self._arrived.empty():
            batch.append(self._arrived.get_nowait())
        return [] if self._ended else [parcel for parcel in batch if parcel is not None]

    async def _take(self, batch: Sequence[Parcel]) -> None:
        bodies = [body for parcel in batch for body in parcel.bodies]
        waiting = deque([[event for body in bodies if (event := await self._read(body)) is not None]])
        while waiting and not self._ended:
            try:
                await self._handle(waiting[0])
                waiting.popleft()
            except StorageUnavailable as error:
                # The messages stay ours: given back, the broker would hand them out again at once.
                _log.warning("consumer_waits_for_database", consumer=self.consumer.name, error=str(error))
                await self._clock.sleep(self._clock.timings.bus_reconnect)
            except Exception as error:
                if len(waiting[0]) == 1:
                    raise
                _log.warning("deliveries_failed", consumer=self.consumer.name, error=type(error).__name__)
                waiting = deque([event] for event in waiting.popleft())
        if not waiting:
            self._fail("before acknowledge")
            await asyncio.gather(*(parcel.acknowledge() for parcel in batch))

    async def _read(self, body: bytes) -> str | None:
        """The id of the event; None, and the message with the dead letters, when it is none of ours."""
        try:
            return load(body).id
        except Unreadable as error:
            now = self._clock.now()
            _log.error("message_unreadable", consumer=self.consumer.name)
            await self._sender.bury_unread(self.consumer.name, body, _told(error, 1, now))
            return None

    async def _handle(self, events: Sequence[str]) -> None:
        """One transaction; a single event that fails goes to the ladder or to the dead letters."""
        taken: list[Delivery] = []
        try:
            async with self._database.begin(f"consume {self.consumer.name}") as tx:
                taken = await tx.outbox.take(self.consumer.name, events)
                if taken:
                    await self._have_effect(tx, taken)
        except StorageUnavailable:
            raise
        except Exception as error:
            if len(events) > 1 or not taken:
                raise
            await self._put_back(taken[0], error)
            return
        if taken:
            self._meter.consumed(self.consumer.name, len(taken))
            self._bells.ring("effects", "outbox")

    async def _have_effect(self, tx: Transaction, taken: Sequence[Delivery]) -> None:
        with spans.consuming(self._traces, self.consumer.name, taken) as events:
            await self.consumer.handle(tx, events)
        await tx.outbox.done(self.consumer.name, taken, self._clock.now())

    async def _put_back(self, delivery: Delivery, error: Exception) -> None:
        """The ladder, then the dead letters with the cause: the row first, which is what counts."""
        name, event, timings = self.consumer.name, delivery.event, self._clock.timings
        now, cause = self._clock.now(), cause_of(error)
        dead = delivery.tries >= len(timings.bus_ladder)
        # Where the broker keeps the message back, the row is due only when that copy was lost.
        grace = timings.bus_sent_again_after if self._sender.keeps_back else timedelta()
        retry_at = None if dead else now + timings.bus_ladder[delivery.tries] + grace
        async with self._database.begin(f"put back {self.consumer.name}") as tx:
            first = await tx.outbox.failed(name, delivery, cause, now, retry_at)
        told = {"consumer": name, "event_id": event.id, "attempt": delivery.tries + 1}
        with behind(event.traceparent):
            if dead:
                _log.error("dead_letter", cause=cause, **told)
            else:
                _log.warning("delivery_failed", error=type(error).__name__, **told)
        if not dead:
            self._meter.retried(name)
            await self._sender.retry(name, event, delivery.tries)
            return
        self._meter.dead(name)
        await self._sender.bury(name, event, _told(error, delivery.tries + 1, first))


def _told(error: BaseException, attempts: int, first: datetime) -> Failure:
    """What a dead letter says on the broker: the error's kind, not its text, which may quote a member's data."""
    return {
        "coopwire-cause": type(error).__name__,
        "coopwire-attempts": attempts,
        "coopwire-first-failed": first,
        "coopwire-trace": trace_of(error),
    }
