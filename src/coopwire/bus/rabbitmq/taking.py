"""Takes the messages of one consumer: several in one transaction, one by one when that fails."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

import structlog
from aio_pika.abc import AbstractIncomingMessage

from coopwire.bus import spans
from coopwire.bus.cloudevents import Unreadable, load
from coopwire.bus.failing import cause_of, trace_of
from coopwire.bus.rabbitmq.address import Address
from coopwire.bus.rabbitmq.sending import Sender
from coopwire.bus.rabbitmq.troubles import explained
from coopwire.ports.bus import BusBells, Consumer
from coopwire.ports.clock import Clock
from coopwire.ports.failpoints import FailPoints
from coopwire.ports.meters import BusMeter
from coopwire.ports.stores import Database, Delivery, StorageUnavailable, Transaction
from coopwire.ports.tracing import Traces, behind, untraced

_log = structlog.get_logger()
BATCH = 200
"""So many messages share a transaction at most, and so many the broker hands out before one is acknowledged."""


class Taker:
    """What a message says is looked up in the database: who may write to the broker cannot invent an event.

    The delivery's row, locked and marked in the handler's own transaction, makes the effect once however often
    the message comes. A message is acknowledged when that is committed, or when its copy on the ladder or among
    the dead letters is confirmed.
    """

    def __init__(
        self,
        consumer: Consumer,
        database: Database,
        clock: Clock,
        sender: Sender,
        bells: BusBells,
        address: Address,
        meter: BusMeter,
        fail: FailPoints,
        traces: Traces = untraced,
    ) -> None:
        self.consumer = consumer
        self._database = database
        self._clock = clock
        self._sender = sender
        self._bells = bells
        self._address = address
        self._meter = meter
        self._fail = fail
        self._traces = traces
        self._arrived: asyncio.Queue[AbstractIncomingMessage | None] = asyncio.Queue()
        self._ended = False

    def put(self, message: AbstractIncomingMessage) -> None:
        """A message has arrived."""
        self._arrived.put_nowait(message)

    def end(self) -> None:
        """Finish the batch at hand and return; what is not acknowledged the broker gives to somebody else."""
        self._ended = True
        self._arrived.put_nowait(None)

    async def run(self) -> None:
        """Until `end`. BusUnavailable when the broker went away."""
        while batch := await self._next():
            await self._take(batch)

    async def _next(self) -> list[AbstractIncomingMessage]:
        batch = [await self._arrived.get()]
        while len(batch) < BATCH and not self._arrived.empty():
            batch.append(self._arrived.get_nowait())
        return [] if self._ended else [message for message in batch if message is not None]

    async def _take(self, batch: Sequence[AbstractIncomingMessage]) -> None:
        waiting = deque([[event for message in batch if (event := await self._read(message)) is not None]])
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
            await self._acknowledge(batch)

    async def _read(self, message: AbstractIncomingMessage) -> str | None:
        """The id of the event; None, and the message with the dead letters, when it is none of ours."""
        try:
            return load(message.body).id
        except Unreadable as error:
            now = self._clock.now()
            _log.error("message_unreadable", consumer=self.consumer.name)
            await self._sender.bury_unread(self.consumer.name, message.body, _told(error, 1, now))
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
        retry_at = None if dead else now + timings.bus_ladder[delivery.tries] + timings.bus_sent_again_after
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

    async def _acknowledge(self, batch: Iterable[AbstractIncomingMessage]) -> None:
        async with explained(self._address):
            await asyncio.gather(*(message.ack() for message in batch))


def _told(error: BaseException, attempts: int, first: datetime) -> Mapping[str, str | int | datetime]:
    """What a dead letter says on the broker: the error's kind, not its text, which may quote a member's data."""
    return {
        "coopwire-cause": type(error).__name__,
        "coopwire-attempts": attempts,
        "coopwire-first-failed": first,
        "coopwire-trace": trace_of(error),
    }
