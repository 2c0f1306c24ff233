"""Brings the outbox to the broker, in batches: laid down, published and confirmed, marked."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence

import structlog

from coopwire.bus.rabbitmq.sending import Sender, Unroutable
from coopwire.ports.bus import BusBells
from coopwire.ports.clock import Clock
from coopwire.ports.failpoints import FailPoints
from coopwire.ports.meters import BusMeter
from coopwire.ports.stores import Database, StorageUnavailable

_log = structlog.get_logger()
_BATCH = 200
_POLL_SECONDS = 0.5


class Relay:
    """One of its kind is active among all processes, so that events leave in the order in which they happened."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        subscribers: Mapping[str, Sequence[str]],
        sender: Sender,
        bells: BusBells,
        meter: BusMeter,
        fail: FailPoints,
    ) -> None:
        self._database = database
        self._clock = clock
        self._subscribers = subscribers
        self._sender = sender
        self._bells = bells
        self._meter = meter
        self._fail = fail

    async def run(self, ended: asyncio.Event, mend: Callable[[], Awaitable[None]]) -> None:
        """Until `ended`. BusUnavailable when the broker went away; `mend` puts missing queues in their place."""
        while not ended.is_set():
            try:
                async with self._database.alone("relay") as held:
                    while held() and not ended.is_set():
                        await self._round(mend)
            except StorageUnavailable as error:
                _log.warning("relay_failed", error=str(error))
            await self._bells.wait("relay", self._clock.timings.bus_reconnect.total_seconds())

    async def _round(self, mend: Callable[[], Awaitable[None]]) -> None:
        found, lost = await self.relay()
        again, missed = await self.send_again()
        if lost or missed:
            _log.error("events_unroutable", count=lost + missed)
            await mend()
        if max(found, again) < _BATCH or lost or missed:
            await self._bells.wait("outbox", _POLL_SECONDS)

    async def relay(self) -> tuple[int, int]:
        """Publish one batch of events; how many there were, and how many of them no queue took.

        What is not confirmed stays unpublished and comes again; consumers absorb what they had already.
        """
        due_at = self._clock.now() + self._clock.timings.bus_sent_again_after
        async with self._database.begin("prepare events") as tx:
            events = await tx.outbox.prepare(self._subscribers, _BATCH, due_at)
        results = await _all(self._sender.publish(one.event) for one in events)
        self._fail("after publish events")
        sent = [one.seq for one, result in zip(events, results, strict=True) if result is None]
        if sent:
            async with self._database.begin("mark events published") as tx:
                await tx.outbox.published(sent, self._clock.now())
            self._meter.published(len(sent))
        return len(events), _unroutable(results)

    async def send_again(self) -> tuple[int, int]:
        """Hand over one batch of deliveries that are due; how many there were, and how many no queue took."""
        now = self._clock.now()
        async with self._database.begin("find overdue deliveries") as tx:
            overdue = await tx.outbox.overdue(tuple(self._subscribers), _BATCH, now)
        results = await _all(self._sender.deliver(consumer, one.event) for consumer, one in overdue)
        sent = [one for one, result in zip(overdue, results, strict=True) if result is None]
        if sent:
            async with self._database.begin("hand over deliveries") as tx:
                await tx.outbox.handed_over(sent, now + self._clock.timings.bus_sent_again_after)
        return len(overdue), _unroutable(results)


async def _all(sending: Iterable[Awaitable[None]]) -> list[BaseException | None]:
    """What became of each; everything is under way at the same time, in this order."""
    return await asyncio.gather(*sending, return_exceptions=True)


def _unroutable(results: Sequence[BaseException | None]) -> int:
    """How many had no queue; any other failure is raised."""
    for result in results:
        if result is not None and not isinstance(result, Unroutable):
            raise result
    return sum(result is not None for result in results)
