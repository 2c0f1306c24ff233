"""Counts what happens at the front door, in the Prometheus text format."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST

from coopwire.ports.meters import DoorWord

_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


class Metrics:
    """The Meter socket over a registry of its own, so that two hubs in one process do not mix."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        webhooks = Counter(
            "coopwire_webhooks",
            "Requests at the webhook door",
            ["connection", "word"],
            registry=self.registry,
        )
        self._webhooks = webhooks
        self._webhook: dict[tuple[str, DoorWord], Counter] = {}
        self._seconds = Histogram(
            "coopwire_api_seconds",
            "Time to answer an API request",
            ["method", "route", "status"],
            registry=self.registry,
        )

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

    def exposition(self) -> tuple[bytes, str]:
        """The text format of Prometheus."""
        return generate_latest(self.registry), CONTENT_TYPE_LATEST
