"""Counts what happens in this process and shows how the hub stands, in the Prometheus text format."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TypeVar

import structlog
from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from prometheus_client.registry import Collector

from coopwire.domain.gates import GateKind, Traffic
from coopwire.monitoring import catalogue
from coopwire.monitoring.catalogue import Metric
from coopwire.ports.gauges import GaugeReader, Gauges, MoneyPile, Pile
from coopwire.ports.meters import DoorWord
from coopwire.ports.stores import StorageUnavailable

_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_FRESH_SECONDS = 2.0
"""Scrapes that come together share one reading of the database."""
_PATIENCE_SECONDS = 3.0
"""Less than the ten seconds after which Prometheus gives a scrape up."""
_log = structlog.get_logger()
_T = TypeVar("_T")
_Samples = Mapping[tuple[str, ...], float]


class Metrics:
    """The Meter and BusMeter sockets over a registry of its own, so that two hubs in one process do not mix."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._webhooks = _counter(catalogue.WEBHOOKS, self.registry)
        self._webhook: dict[tuple[str, DoorWord], Counter] = {}
        self._seconds = _histogram(catalogue.API_SECONDS, self.registry)
        self._calls = _histogram(catalogue.CALL_SECONDS, self.registry)
        self._call: dict[tuple[str, str, str], Histogram] = {}
        self._published = _counter(catalogue.PUBLISHED, self.registry)
        self._consumed = _counter(catalogue.CONSUMED, self.registry)
        self._retried = _counter(catalogue.RETRIED, self.registry)
        self._dead = _counter(catalogue.DEAD, self.registry)
        self._hub: _Standing | None = None

    def watch(self, reader: GaugeReader, consumers: Sequence[str], connections: Sequence[str]) -> None:
        """From now on tell also how the hub stands. Those named here are told of before anything happened."""
        for consumer in consumers:
            for counter in (self._consumed, self._retried, self._dead):
                counter.labels(consumer)
        self._hub = _Standing(reader, connections)
        self.registry.register(self._hub)

    def webhook(self, connection: str, word: DoorWord) -> None:
        """One request at the webhook door."""
        child = self._webhook.get((connection, word))
        if child is None:
            child = self._webhook[connection, word] = self._webhooks.labels(connection, word.value)
        child.inc()

    def request(self, method: str, route: str, status: int, seconds: float) -> None:
        """One request of the API; a method that nobody knows counts as `other`."""
        known = method if method in _METHODS else "other"
        self._seconds.labels(known, route, str(status)).observe(seconds)

    def call(self, connection: str, operation: str, outcome: str, seconds: float) -> None:
        """One call to a provider; `operation` and `outcome` are words of our own."""
        child = self._call.get((connection, operation, outcome))
        if child is None:
            child = self._calls.labels(connection, operation, outcome)
            self._call[connection, operation, outcome] = child
        child.observe(seconds)

    def published(self, events: int) -> None:
        """So many events were given to the bus."""
        self._published.inc(events)

    def consumed(self, consumer: str, deliveries: int) -> None:
        """So many took effect."""
        self._consumed.labels(consumer).inc(deliveries)

    def retried(self, consumer: str) -> None:
        """One failed, and comes again."""
        self._retried.labels(consumer).inc()

    def dead(self, consumer: str) -> None:
        """One was given up."""
        self._dead.labels(consumer).inc()

    async def exposition(self) -> tuple[bytes, str]:
        """The text format of Prometheus."""
        if self._hub is not None:
            await self._hub.refresh()
        return generate_latest(self.registry), CONTENT_TYPE_LATEST


class _Standing(Collector):
    """How the hub stands, as it was read last; nothing but `coopwire_database_up 0` when it could not be read."""

    def __init__(self, reader: GaugeReader, connections: Sequence[str]) -> None:
        self._reader = reader
        self._connections = connections
        self._gauges: Gauges | None = None
        self._read_at = -_FRESH_SECONDS
        self._reading: asyncio.Task[None] | None = None

    async def refresh(self) -> None:
        """Read anew unless that was just done. Nobody waits long for a database that does not answer."""
        if self._reading is None:
            if time.monotonic() - self._read_at < _FRESH_SECONDS:
                return
            self._reading = asyncio.create_task(self._read())
        done, _ = await asyncio.wait({self._reading}, timeout=_PATIENCE_SECONDS)
        if not done:
            # It is left alone until the database answers: one question at a time is enough.
            _log.warning("gauges_not_read", error="no answer in time")
            self._gauges = None

    async def _read(self) -> None:
        try:
            self._gauges = await self._reader.read()
        except StorageUnavailable as error:
            _log.warning("gauges_not_read", error=str(error))
            self._gauges = None
        finally:
            self._read_at, self._reading = time.monotonic(), None

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Every family of the last reading."""
        yield _family(catalogue.DATABASE_UP, {(): float(self._gauges is not None)})
        if self._gauges is not None:
            for metric, samples in _shown(self._gauges, self._connections):
                yield _family(metric, samples)


def _shown(of: Gauges, connections: Sequence[str]) -> Iterable[tuple[Metric, _Samples]]:
    effects: dict[tuple[str, ...], Pile] = {
        (kind.value, connection, state.value): pile for (kind, connection, state), pile in of.effects.items()
    }
    yield from _piles(catalogue.EFFECTS, catalogue.EFFECTS_OLDEST, effects, of)
    yield catalogue.EFFECTS_WAITING, {(c, gate.value): n for (c, gate), n in of.waiting.items()}
    yield catalogue.GATE_CLOSED, {(c, gate.value, t.value): 1.0 for c, gate, t in of.closed_gates}
    yield catalogue.BREAKER_OPEN, _breakers(of, connections)
    yield catalogue.BUDGET_LEFT, {(c, period.value): left for (c, period), left in of.budgets_left.items()}
    yield from _piles(catalogue.OUTBOX, catalogue.OUTBOX_OLDEST, {(): of.outbox}, of)
    yield from _piles(catalogue.DELIVERIES, catalogue.DELIVERIES_OLDEST, _by_word(of.deliveries), of)
    yield catalogue.DEAD_LETTERS, _by_word(of.dead_letters)
    yield from _piles(catalogue.UNREAD, catalogue.UNREAD_OLDEST, {(): of.webhooks}, of)
    yield from _piles(catalogue.LOOKUPS, catalogue.LOOKUPS_OLDEST, _by_word(of.lookups), of)
    yield from _piles(catalogue.BREAKS, catalogue.BREAKS_OLDEST, _by_word(of.breaks), of)
    yield catalogue.DISPUTES, {(connection,): one.count for connection, one in of.disputes.items()}
    yield catalogue.DISPUTES_DEADLINE, _deadlines(of)
    yield catalogue.UNBOOKED, _amounts(of.unbooked)
    yield from _piles(catalogue.UNBOOKED_RECEIPTS, catalogue.UNBOOKED_OLDEST, _receipts(of.unbooked), of)
    yield catalogue.UNBANKED, _amounts(of.unbanked)
    yield from _piles(catalogue.UNBANKED_RECEIPTS, catalogue.UNBANKED_OLDEST, _receipts(of.unbanked), of)
    yield from _piles(catalogue.UNCHAINED, catalogue.UNCHAINED_OLDEST, {(): of.entries}, of)
    yield catalogue.WORKERS, {(): of.workers}
    yield catalogue.WORKERS_LOST, {(): of.workers_lost}


def _piles(
    count: Metric, oldest: Metric, piles: Mapping[tuple[str, ...], Pile], of: Gauges
) -> Iterable[tuple[Metric, _Samples]]:
    yield count, {labels: pile.count for labels, pile in piles.items()}
    yield oldest, {labels: _age(pile, of) for labels, pile in piles.items()}


def _age(pile: Pile, of: Gauges) -> float:
    """Seconds; 0 when nothing waits. A row from a clock that is ahead has waited for no time."""
    return max((of.at - pile.oldest_at).total_seconds(), 0.0) if pile.oldest_at is not None else 0.0


def _deadlines(of: Gauges) -> dict[tuple[str, ...], float]:
    return {
        (connection,): (one.nearest_at - of.at).total_seconds()
        for connection, one in of.disputes.items()
        if one.nearest_at is not None
    }


def _breakers(of: Gauges, connections: Sequence[str]) -> dict[tuple[str, ...], float]:
    return {
        (connection, traffic.value): float((connection, GateKind.BREAKER, traffic) in of.closed_gates)
        for connection in connections
        for traffic in Traffic
    }


def _by_word(of: Mapping[str, _T]) -> dict[tuple[str, ...], _T]:
    return {(word,): value for word, value in of.items()}


def _amounts(of: Mapping[str, MoneyPile]) -> dict[tuple[str, ...], float]:
    return {(currency,): money.amount_minor for currency, money in of.items()}


def _receipts(of: Mapping[str, MoneyPile]) -> dict[tuple[str, ...], Pile]:
    return {(currency,): money.receipts for currency, money in of.items()}


def _family(metric: Metric, samples: _Samples) -> GaugeMetricFamily:
    family = GaugeMetricFamily(metric.name, metric.meaning, labels=metric.labels)
    for labels, value in samples.items():
        family.add_metric(labels, value)
    return family


def _counter(metric: Metric, registry: CollectorRegistry) -> Counter:
    return Counter(metric.name, metric.meaning, metric.labels, registry=registry)


def _histogram(metric: Metric, registry: CollectorRegistry) -> Histogram:
    return Histogram(metric.name, metric.meaning, metric.labels, registry=registry)
