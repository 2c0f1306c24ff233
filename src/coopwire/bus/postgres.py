"""The bus on PostgreSQL: the outbox plus per-consumer delivery rows is the bus, nothing is copied."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence

import structlog

from coopwire.bus import spans
from coopwire.bus.failing import cause_of
from coopwire.ports.bus import BusBells, Consumer
from coopwire.ports.clock import Clock
from coopwire.ports.meters import BusMeter, Uncounted
from coopwire.ports.stores import Database, Delivery, StorageUnavailable, Transaction
from coopwire.ports.tracing import Traces, behind, untraced

_log = structlog.get_logger()
_BATCH = 200
_POLL_SECONDS = 0.5


class PostgresBus:
    """Relays and consumes. A delivery and what its handler writes commit together: effect once."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        consumers: Sequence[Consumer],
        bells: BusBells,
        meter: BusMeter | None = None,
        traces: Traces = untraced,
    ) -> None:
        self._database = database
        self._clock = clock
        self._consumers = consumers
        self._bells = bells
        self._meter = meter or Uncounted()
        self._traces = traces
        self._subscribers = {c.name: [t.type for t in c.types] for c in consumers}

    async def verify(self) -> None:
        """Nothing is needed besides the database."""

    async def run(self) -> None:
        """Relay and consume until the bells close."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._loop("outbox", self.relay))
            for consumer in self._consumers:
                group.create_task(self._loop(f"deliveries:{consumer.name}", self._consume_of(consumer)))

    def _consume_of(self, consumer: Consumer) -> Callable[[], Awaitable[int]]:
        async def consume() -> int:
            return await self.consume(consumer)

        return consume

    async def _loop(self, topic: str, step: Callable[[], Awaitable[int]]) -> None:
        while not self._bells.closing:
            try:
                done = await step()
            except StorageUnavailable as error:
                _log.warning("bus_step_failed", topic=topic, error=str(error))
                done = 0
            except Exception as error:
                # A consumer's failure is on the ladder already; this is the bus itself, and it must go on.
                _log.error("bus_step_broke", topic=topic, error=type(error).__name__)
                done = 0
            if done < _BATCH:
                await self._bells.wait(topic, _POLL_SECONDS)

    async def relay(self) -> int:
        """Publish one batch; the number of events published."""
        async with self._database.begin("relay events") as tx:
            published = await tx.outbox.publish(self._subscribers, _BATCH, self._clock.now())
        if published:
            self._meter.published(len(published))
            self._bells.ring(*(f"deliveries:{c.name}" for c in self._consumers))
            spans.published(self._traces, published)
        return len(published)

    async def consume(self, consumer: Consumer) -> int:
        """Handle one batch of due deliveries; together first, one by one when that fails."""
        try:
            return await self._together(consumer, _BATCH)
        except StorageUnavailable:
            raise
        except Exception as error:
            _log.warning("deliveries_failed", consumer=consumer.name, error=type(error).__name__)
        return await self._one_by_one(consumer)

    async def _together(self, consumer: Consumer, limit: int) -> int:
        async with self._database.begin(f"consume {consumer.name}") as tx:
            deliveries = await tx.outbox.claim(consumer.name, limit, self._clock.now())
            if deliveries:
                await self._handle(tx, consumer, deliveries)
        if deliveries:
            self._meter.consumed(consumer.name, len(deliveries))
            self._bells.ring("effects", "outbox")
        return len(deliveries)

    async def _handle(self, tx: Transaction, consumer: Consumer, deliveries: Sequence[Delivery]) -> None:
        with spans.consuming(self._traces, consumer.name, deliveries) as events:
            await consumer.handle(tx, events)
        await tx.outbox.done(consumer.name, deliveries, self._clock.now())

    async def _one_by_one(self, consumer: Consumer) -> int:
        for handled in range(_BATCH):
            if not await self._alone(consumer):
                return handled
        return _BATCH

    async def _alone(self, consumer: Consumer) -> int:
        claimed: list[Delivery] = []
        try:
            async with self._database.begin(f"consume {consumer.name}") as tx:
                claimed = await tx.outbox.claim(consumer.name, 1, self._clock.now())
                if claimed:
                    await self._handle(tx, consumer, claimed)
        except StorageUnavailable:
            raise
        except Exception as error:
            await self._put_back(consumer, claimed[0], error)
        else:
            self._meter.consumed(consumer.name, len(claimed))
        return len(claimed)

    async def _put_back(self, consumer: Consumer, delivery: Delivery, error: Exception) -> None:
        """The ladder, then the dead letters with the cause."""
        now, ladder = self._clock.now(), self._clock.timings.bus_ladder
        retry_at = now + ladder[delivery.tries] if delivery.tries < len(ladder) else None
        cause = cause_of(error)
        async with self._database.begin(f"put back {consumer.name}") as tx:
            await tx.outbox.failed(consumer.name, delivery, cause, now, retry_at)
        told = {"consumer": consumer.name, "event_id": delivery.event.id, "attempt": delivery.tries + 1}
        with behind(delivery.event.traceparent):
            if retry_at is None:
                self._meter.dead(consumer.name)
                _log.error("dead_letter", cause=cause, **told)
            else:
                self._meter.retried(consumer.name)
                _log.warning("delivery_failed", error=type(error).__name__, **told)
