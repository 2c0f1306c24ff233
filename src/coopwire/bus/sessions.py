"""The bus over a broker: one session after another, each with its relay and its consumers."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Sequence
from typing import Any

import structlog

from coopwire.bus.carrying import Broker, Sender
from coopwire.bus.relaying import Relay
from coopwire.bus.taking import Taker
from coopwire.ports.bus import BusBells, BusUnavailable, Consumer
from coopwire.ports.clock import Clock
from coopwire.ports.failpoints import FailPoints, nothing_fails
from coopwire.ports.meters import BusMeter, Uncounted
from coopwire.ports.providers import ConfigurationError
from coopwire.ports.stores import Database
from coopwire.ports.tracing import Traces, untraced

_log = structlog.get_logger()
_LOOK_SECONDS = 0.5


class BrokerBus:
    """Relays and consumes over a broker; while it is away, events wait in the outbox.

    A session that lost its connection is thrown away whole and begun anew: nothing is mended inside of it.
    """

    def __init__(
        self,
        broker: Broker,
        database: Database,
        clock: Clock,
        consumers: Sequence[Consumer],
        bells: BusBells,
        meter: BusMeter | None = None,
        fail: FailPoints = nothing_fails,
        traces: Traces = untraced,
    ) -> None:
        self._broker = broker
        self._database = database
        self._clock = clock
        self._consumers = consumers
        self._bells = bells
        self._meter = meter or Uncounted()
        self._fail = fail
        self._traces = traces
        self._subscribers = {c.name: [t.type for t in c.types] for c in consumers}

    async def verify(self) -> None:
        """Whether the broker lets us in and has, or takes, what the hub needs; see EventBus."""
        await self._broker.verify()

    async def run(self) -> None:
        """Relay and consume until the bells close; a broker that is away is waited for."""
        told = ""
        while not self._bells.closing:
            try:
                await self._session()
                told = ""
            except (BusUnavailable, ConfigurationError) as error:
                if str(error) != told:
                    _log.error("bus_away", error=str(error))
                told = str(error)
            except Exception as error:
                _log.error("bus_session_broke", error=type(error).__name__)
            await self._bells.wait("bus", self._clock.timings.bus_reconnect.total_seconds())

    async def _session(self) -> None:
        """Until the connection is lost or the bells close."""
        ended = asyncio.Event()
        async with self._broker.session(ended) as line:
            takers = [self._taker(consumer, line.sender) for consumer in self._consumers]
            relay = Relay(
                self._database,
                self._clock,
                self._subscribers,
                line.sender,
                self._bells,
                self._meter,
                self._fail,
                self._traces,
            )
            async with line.consuming(takers):
                _log.info("bus_connected", broker=line.host)
                await _together(
                    ended,
                    self._until(ended, takers),
                    relay.run(ended, line.mend),
                    *(taker.run() for taker in takers),
                )

    def _taker(self, consumer: Consumer, sender: Sender) -> Taker:
        return Taker(
            consumer,
            self._database,
            self._clock,
            sender,
            self._bells,
            self._meter,
            self._fail,
            self._traces,
        )

    async def _until(self, ended: asyncio.Event, takers: Sequence[Taker]) -> None:
        while not (ended.is_set() or self._bells.closing):
            await self._bells.wait("bus", _LOOK_SECONDS)
        ended.set()
        for taker in takers:
            taker.end()


async def _together(ended: asyncio.Event, *loops: Coroutine[Any, Any, None]) -> None:
    """All loops until the last has ended in good order; one that fails ends them all, and its error is raised."""

    async def loop(one: Coroutine[Any, Any, None]) -> None:
        try:
            await one
        finally:
            ended.set()

    results = await asyncio.gather(*(loop(one) for one in loops), return_exceptions=True)
    for result in results:
        if isinstance(result, BaseException):
            raise result
