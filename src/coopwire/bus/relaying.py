"""Brings the outbox to the broker, in batches: laid down, published and confirmed, marked."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import TypeVar

import structlog

from coopwire.bus import spans
from coopwire.bus.carrying import Sender, Unroutable
from coopwire.ports.bus import BusBells
from coopwire.ports.clock import Clock
from coopwire.ports.failpoints import FailPoints
from coopwire.ports.meters import BusMeter
from coopwire.ports.stores import Database, StorageUnavailable, Unpublished
from coopwire.ports.tracing import Traces, untraced

_log = structlog.get_logger()
_BATCH = 200
_MOST = 10_000
"""Events after which the relay looks at other things too: whether it is still the only one, and what is overdue."""
_POLL_SECONDS = 0.5
_One = TypeVar("_One")
_Other = TypeVar("_Other")


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
        traces: Traces = untraced,
    ) -> None:
        self._database = database
        self._clock = clock
        self._subscribers = subscribers
        self._sender = sender
        self._bells = bells
        self._meter = meter
        self._fail = fail
        self._traces = traces
        self._declare_at = clock.now() + clock.timings.bus_declared_every

    async def run(self, ended: asyncio.Event, mend: Callable[[], Awaitable[None]]) -> None:
        """Until `ended`. BusUnavailable when the broker went away; `mend` puts what is missing there in its place.

        It is called now and then in any case: where one of two bindings is gone, a queue still takes the event,
        and no broker says that another one should have.
        """
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
        if lost or missed or self._clock.now() >= self._declare_at:
            await mend()
            self._declare_at = self._clock.now() + self._clock.timings.bus_declared_every
        if max(found, again) < _BATCH or lost or missed:
            await self._bells.wait("outbox", _POLL_SECONDS)

    async def relay(self) -> tuple[int, int]:
        """Publish what waits, up to a bound; how many events there were, and how many of them no queue took.

        While the broker confirms a batch, the one before is marked and the next one is laid down. What is not
        confirmed stays unpublished and comes again; consumers absorb what they had already.
        """
        found = lost = 0
        failure: BaseException | None = None
        sent: list[Unpublished] = []
        events = await self._prepare(0)
        while events:
            goes_on = len(events) == _BATCH and found < _MOST
            results, following = await _both(
                self._publish(events), self._turn(sent, events[-1].seq if goes_on else None)
            )
            sent = [one for one, result in zip(events, results, strict=True) if result is None]
            found, lost, failure = found + len(events), _unroutable(results), _failure(results)
            events = [] if lost or failure else following
        await self._mark(sent)
        if failure is not None:
            raise failure
        return found, lost

    async def _publish(self, events: Sequence[Unpublished]) -> list[BaseException | None]:
        results = await _all(self._sender.publish(one.event) for one in events)
        self._fail("after publish events")
        return results

    async def _turn(self, sent: Sequence[Unpublished], after: int | None) -> list[Unpublished]:
        """Mark one batch, lay down another: the events behind `after`, none without it."""
        await self._mark(sent)
        return [] if after is None else await self._prepare(after)

    async def _prepare(self, after: int) -> list[Unpublished]:
        due_at = self._clock.now() + self._clock.timings.bus_sent_again_after
        async with self._database.begin("prepare events") as tx:
            return await tx.outbox.prepare(self._subscribers, _BATCH, due_at, after)

    async def _mark(self, sent: Sequence[Unpublished]) -> None:
        if sent:
            async with self._database.begin("mark events published") as tx:
                await tx.outbox.published([one.seq for one in sent], self._clock.now())
            self._meter.published(len(sent))
            spans.published(self._traces, (one.event for one in sent))

    async def send_again(self) -> tuple[int, int]:
        """Hand over one batch of deliveries that are due; how many there were, and how many no queue took."""
        now = self._clock.now()
        async with self._database.begin("find overdue deliveries") as tx:
            overdue = await tx.outbox.overdue(tuple(self._subscribers), _BATCH, now)
        untaken = sum(not one.tries for _, one in overdue)
        if untaken:
            # Lost on the broker, never routed there, or waiting for a consumer that is slower than that.
            _log.warning("deliveries_not_taken", count=untaken)
        results = await _all(self._sender.deliver(consumer, one.event) for consumer, one in overdue)
        sent = [one for one, result in zip(overdue, results, strict=True) if result is None]
        if sent:
            async with self._database.begin("hand over deliveries") as tx:
                await tx.outbox.handed_over(sent, now + self._clock.timings.bus_sent_again_after)
        failure = _failure(results)
        if failure is not None:
            raise failure
        return len(overdue), _unroutable(results)


async def _both(one: Awaitable[_One], other: Awaitable[_Other]) -> tuple[_One, _Other]:
    """Both results; when one fails, the other has ended too before the error is raised."""
    first, second = await asyncio.gather(one, other, return_exceptions=True)
    if isinstance(first, BaseException):
        raise first
    if isinstance(second, BaseException):
        raise second
    return first, second


async def _all(sending: Iterable[Awaitable[None]]) -> list[BaseException | None]:
    """What became of each; everything is under way at the same time, in this order."""
    return await asyncio.gather(*sending, return_exceptions=True)


def _unroutable(results: Sequence[BaseException | None]) -> int:
    """How many had no queue."""
    return sum(isinstance(result, Unroutable) for result in results)


def _failure(results: Sequence[BaseException | None]) -> BaseException | None:
    """The first thing that went wrong otherwise."""
    others = (result for result in results if result is not None and not isinstance(result, Unroutable))
    return next(others, None)
