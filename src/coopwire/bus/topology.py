"""The one table of what stands on a broker: where events go, and per consumer what it takes and what was given up."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from coopwire.domain.timings import Timings
from coopwire.ports.bus import Consumer

EVENTS = "coopwire.events"
"""The topic exchange of RabbitMQ on which every event is published, its type being the routing key; and the topic of
Kafka, where its key is that of the message."""
DELIVERY_LIMIT = 100
"""So often the broker itself hands out a message whose consumer goes away; then it lies with the dead letters."""
DEAD_KEPT = 100_000
"""So many dead letters RabbitMQ keeps for one consumer; which there are is known from the database."""
PARTITIONS = 6
"""Of a topic that the hub makes: so many processes can take for one consumer beside each other, each the whole of a
key. A topic that was made with more or fewer serves as well."""
REPLICAS = 3
"""Of a topic that the hub makes; fewer where the cluster has fewer nodes."""
_KEPT = timedelta(days=7)
"""Longer than a consumer is away; what it misses all the same is sent again from the database."""
_DEAD_KEPT = timedelta(days=30)
_QUORUM = {"x-queue-type": "quorum"}
_NEVER_DROPS = {"x-dead-letter-strategy": "at-least-once", "x-overflow": "reject-publish"}
"""What leaves a queue for another one is confirmed there first; the broker takes that together only."""

Argument = str | int | bool


@dataclass(frozen=True, slots=True)
class Queue:
    """A durable quorum queue; `binds` are the routing keys under which the exchange fills it."""

    name: str
    purpose: str
    arguments: Mapping[str, Argument]
    binds: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Lane:
    """The queues of one consumer: what comes, what waits on each rung of the ladder, what was given up."""

    consumer: str
    taking: Queue
    rungs: tuple[Queue, ...]
    dead: Queue

    @property
    def queues(self) -> tuple[Queue, ...]:
        """All of them; each queue stands behind those it hands its messages to."""
        return (self.dead, self.taking, *self.rungs)


@dataclass(frozen=True, slots=True)
class Topology:
    """Everything that the hub needs on RabbitMQ."""

    lanes: Mapping[str, Lane]
    exchange: str = field(default=EVENTS)

    @property
    def queues(self) -> tuple[Queue, ...]:
        """Every queue, in the order in which they can be declared."""
        return tuple(queue for lane in self.lanes.values() for queue in lane.queues)


@dataclass(frozen=True, slots=True)
class Topic:
    """A topic of Kafka; `settings` are those with which the hub makes it."""

    name: str
    purpose: str
    partitions: int
    settings: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Group:
    """One consumer on Kafka: its consumer group, what comes to it alone, what was given up."""

    consumer: str
    name: str
    types: tuple[str, ...]
    again: Topic
    dead: Topic


@dataclass(frozen=True, slots=True)
class Topics:
    """Everything that the hub needs on Kafka."""

    events: Topic
    groups: Mapping[str, Group]

    @property
    def all(self) -> tuple[Topic, ...]:
        """Every topic."""
        return (
            self.events,
            *(topic for group in self.groups.values() for topic in (group.again, group.dead)),
        )

    def taken_by(self, group: Group) -> tuple[Topic, Topic]:
        """What a group reads."""
        return (self.events, group.again)


def topics(consumers: Sequence[Consumer]) -> Topics:
    """What these consumers need. The ladder is not here: Kafka keeps nothing back, the database does."""
    return Topics(
        Topic(EVENTS, "every event, its key being the loan, else the member", PARTITIONS, _keeps(_KEPT)),
        {consumer.name: _group(consumer) for consumer in consumers},
    )


def _group(consumer: Consumer) -> Group:
    name = f"coopwire.{consumer.name}"
    return Group(
        consumer.name,
        name,
        tuple(event.type for event in consumer.types),
        Topic(f"{name}.again", "to be taken once more, by this consumer alone", PARTITIONS, _keeps(_KEPT)),
        Topic(f"{name}.dead", "given up", 1, _keeps(_DEAD_KEPT)),
    )


def _keeps(length: timedelta) -> Mapping[str, str]:
    # A topic that is compacted would forget every event of a loan but the last.
    return {"cleanup.policy": "delete", "retention.ms": str(length // timedelta(milliseconds=1))}


def topology(consumers: Sequence[Consumer], timings: Timings) -> Topology:
    """What these consumers need. A rung's length is part of its name: another table makes other queues."""
    return Topology({consumer.name: _lane(consumer, timings.bus_ladder) for consumer in consumers})


def _lane(consumer: Consumer, ladder: Sequence[timedelta]) -> Lane:
    name = f"coopwire.{consumer.name}"
    dead = Queue(
        f"{name}.dead",
        "given up",
        {**_QUORUM, "x-max-length": DEAD_KEPT, "x-overflow": "drop-head"},
    )
    taking = Queue(
        name,
        "to be taken",
        {
            **_QUORUM,
            **_hands_over_to(dead.name),
            # One process takes at a time, so the order of a key holds; another takes over when it goes away.
            "x-single-active-consumer": True,
            "x-delivery-limit": DELIVERY_LIMIT,
        },
        tuple(event.type for event in consumer.types),
    )
    return Lane(consumer.name, taking, tuple(_rung(taking, length) for length in ladder), dead)


def _rung(taking: Queue, length: timedelta) -> Queue:
    milliseconds = round(length / timedelta(milliseconds=1))
    return Queue(
        f"{taking.name}.again-after-{milliseconds}ms",
        "waits to be taken again",
        {**_QUORUM, **_hands_over_to(taking.name), "x-message-ttl": milliseconds},
    )


def _hands_over_to(queue: str) -> dict[str, Argument]:
    return {"x-dead-letter-exchange": "", "x-dead-letter-routing-key": queue, **_NEVER_DROPS}
