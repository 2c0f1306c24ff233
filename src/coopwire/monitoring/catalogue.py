"""Every metric that a hub exports: name, labels, meaning. Dashboards, alerts and docs/metrics.md are held to it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """How a metric behaves. A counter's name gets `_total` behind it, a histogram's `_bucket`, `_sum`, `_count`."""

    COUNTER = "counter"
    GAUGE = "gauge"
    HISTOGRAM = "histogram"


class Scope(StrEnum):
    """Whose figure it is: this process's, to be summed, or the whole hub's, which every process tells alike."""

    PROCESS = "process"
    HUB = "hub"


@dataclass(frozen=True, slots=True)
class Metric:
    """One metric. Labels hold our own words and names of connections, never what somebody sent."""

    name: str
    kind: Kind
    scope: Scope
    labels: tuple[str, ...]
    meaning: str

    @property
    def series(self) -> tuple[str, ...]:
        """The names under which a query finds it."""
        if self.kind is Kind.COUNTER:
            return (f"{self.name}_total",)
        if self.kind is Kind.HISTOGRAM:
            return (f"{self.name}_bucket", f"{self.name}_sum", f"{self.name}_count")
        return (self.name,)


def _counted(name: str, labels: tuple[str, ...], meaning: str) -> Metric:
    return Metric(name, Kind.COUNTER, Scope.PROCESS, labels, meaning)


def _timed(name: str, labels: tuple[str, ...], meaning: str) -> Metric:
    return Metric(name, Kind.HISTOGRAM, Scope.PROCESS, labels, meaning)


def _stands(name: str, labels: tuple[str, ...], meaning: str) -> Metric:
    return Metric(name, Kind.GAUGE, Scope.HUB, labels, meaning)


WEBHOOKS = _counted("coopwire_webhooks", ("connection", "word"), "Requests at the webhook door")
API_SECONDS = _timed("coopwire_api_seconds", ("method", "route", "status"), "Time to answer an API request")
CALL_SECONDS = _timed(
    "coopwire_call_seconds",
    ("connection", "operation", "outcome"),
    "Time of a call to a provider; the outcome is `answered` or the name of an error",
)
PUBLISHED = _counted("coopwire_bus_published", (), "Events that the relay gave to the bus")
CONSUMED = _counted("coopwire_bus_consumed", ("consumer",), "Deliveries that took effect")
RETRIED = _counted(
    "coopwire_bus_retried", ("consumer",), "Deliveries that failed and come again on the ladder"
)
DEAD = _counted("coopwire_bus_dead", ("consumer",), "Deliveries that were given up")

DATABASE_UP = Metric(
    "coopwire_database_up",
    Kind.GAUGE,
    Scope.PROCESS,
    (),
    "1 when the database told this process how the hub stands; while it is 0 no figure of the hub is exported",
)
EFFECTS = _stands("coopwire_effects", ("kind", "connection", "state"), "Effects that are not finished")
EFFECTS_OLDEST = _stands(
    "coopwire_effects_oldest_seconds",
    ("kind", "connection", "state"),
    "Age of the oldest of them; of the unknown, since it is unknown",
)
EFFECTS_WAITING = _stands(
    "coopwire_effects_waiting",
    ("connection", "gate"),
    "Effects that are due and wait for a closed gate; behind two gates they count under each",
)
GATE_CLOSED = _stands("coopwire_gate_closed", ("connection", "gate", "traffic"), "1 for every closed gate")
BREAKER_OPEN = _stands(
    "coopwire_breaker_open",
    ("connection", "traffic"),
    "1 while the breaker lets nothing pass, as its gate tells; 0 for every other connection",
)
BUDGET_LEFT = _stands(
    "coopwire_budget_left",
    ("connection", "period"),
    "Calls of the `minute` or the `day` that no worker has leased; only for connections whose budget limits them",
)
OUTBOX = _stands("coopwire_outbox_events", (), "Events that no relay has published")
OUTBOX_OLDEST = _stands("coopwire_outbox_oldest_seconds", (), "Age of the oldest of them")
DELIVERIES = _stands(
    "coopwire_deliveries_waiting",
    ("consumer",),
    "Events that wait for a consumer, those on its ladder included",
)
DELIVERIES_OLDEST = _stands(
    "coopwire_deliveries_oldest_seconds", ("consumer",), "Age of the oldest event that waits for a consumer"
)
DEAD_LETTERS = _stands("coopwire_dead_letters", ("consumer",), "Dead letters that wait for a person")
UNREAD = _stands("coopwire_webhooks_unread", (), "Webhooks that are stored and not read")
UNREAD_OLDEST = _stands("coopwire_webhooks_unread_oldest_seconds", (), "Age of the oldest of them")
LOOKUPS = _stands("coopwire_lookups_due", ("connection",), "Look-ups that are due and not done")
LOOKUPS_OLDEST = _stands(
    "coopwire_lookups_overdue_seconds", ("connection",), "How long the longest of them is due"
)
BREAKS = _stands("coopwire_breaks_open", ("type",), "Breaks that are not closed")
BREAKS_OLDEST = _stands("coopwire_breaks_oldest_seconds", ("type",), "Age of the oldest of them")
DISPUTES = _stands(
    "coopwire_disputes_unanswered", ("connection",), "Disputes that wait for the lender's answer"
)
DISPUTES_DEADLINE = _stands(
    "coopwire_disputes_deadline_seconds",
    ("connection",),
    "Time until the first of their deadlines, below 0 when it has passed: silence counts as a yes",
)
UNBOOKED = _stands(
    "coopwire_unbooked_minor",
    ("currency",),
    "Value of receipts whose entry is not in the books, in minor units",
)
UNBOOKED_RECEIPTS = _stands("coopwire_unbooked_receipts", ("currency",), "Number of these receipts")
UNBOOKED_OLDEST = _stands("coopwire_unbooked_oldest_seconds", ("currency",), "Age of the oldest of them")
UNBANKED = _stands(
    "coopwire_unbanked_minor",
    ("currency",),
    "Value of receipts whose credit is not in the core bank, in minor units",
)
UNBANKED_RECEIPTS = _stands("coopwire_unbanked_receipts", ("currency",), "Number of these receipts")
UNBANKED_OLDEST = _stands("coopwire_unbanked_oldest_seconds", ("currency",), "Age of the oldest of them")
UNCHAINED = _stands("coopwire_audit_unchained", (), "Entries of the audit trail that have no place yet")
UNCHAINED_OLDEST = _stands("coopwire_audit_unchained_oldest_seconds", (), "Age of the oldest of them")
WORKERS = _stands("coopwire_workers", (), "Workers whose heart beats")
WORKERS_LOST = _stands(
    "coopwire_workers_lost", (), "Workers that went without a goodbye within the last hour"
)

CATALOGUE: tuple[Metric, ...] = tuple(one for one in tuple(globals().values()) if isinstance(one, Metric))
"""All of them, in the order above."""
