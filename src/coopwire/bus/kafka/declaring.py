"""Puts the table of the topology on a Kafka cluster; what stands there already must be able to serve."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from aiokafka import TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import TopicAlreadyExistsError, for_code

from coopwire.bus.topology import REPLICAS, Topic, Topics
from coopwire.ports.providers import ConfigurationError

_POLICY = "cleanup.policy"


async def declare(admin: AIOKafkaAdminClient, table: Topics) -> None:
    """Make what is missing. ConfigurationError names every topic that would forget events, and what to do."""
    there = await partitions(admin)
    absent = [topic for topic in table.all if topic.name not in there]
    if absent:
        await _make(admin, absent)
    await compare(admin, [topic for topic in table.all if topic.name in there])
    for group in table.groups.values():
        # Whether we may read as this group: FastStream would wait for it in silence.
        await admin.list_consumer_group_offsets(group.name, partitions=[TopicPartition(table.events.name, 0)])


async def partitions(admin: AIOKafkaAdminClient) -> Mapping[str, int]:
    """How many partitions each topic has that we may see. Asked for all: a name might be made by asking for it."""
    told = await admin.describe_topics()
    return {topic["topic"]: len(topic["partitions"]) for topic in told if not topic["error_code"]}


async def compare(admin: AIOKafkaAdminClient, there: Sequence[Topic]) -> None:
    """ConfigurationError names each of these that forgets all events of a key but the last."""
    asked = [ConfigResource(ConfigResourceType.TOPIC, topic.name) for topic in there]
    unlike: list[str] = []
    for answer in await admin.describe_configs(asked) if asked else ():
        for _, _, _, name, entries in (resource[:5] for resource in answer.resources):
            found = {entry[0]: entry[1] for entry in entries}
            if "compact" in (found.get(_POLICY) or ""):
                unlike.append(f"{name}: {_POLICY} is {found[_POLICY]} there, the table says delete")
    if unlike:
        raise ConfigurationError(
            "the broker has topics that are not as the hub needs them:\n"
            + "\n".join(f"  {line}" for line in sorted(unlike))
            + f"\nset {_POLICY}=delete for them (kafka-configs.sh --alter); `coopwire bus topology` shows the table"
        )


async def _make(admin: AIOKafkaAdminClient, absent: Sequence[Topic]) -> None:
    nodes = len((await admin.describe_cluster())["brokers"])
    answer = await admin.create_topics([_new(topic, min(REPLICAS, nodes)) for topic in absent])
    for told in answer.to_object()["topic_errors"]:
        error = for_code(told["error_code"])
        # Another process of the hub may have been quicker.
        if told["error_code"] and not issubclass(error, TopicAlreadyExistsError):
            raise error(told["topic"])


def _new(topic: Topic, replicas: int) -> NewTopic:
    # With three replicas a message is safe when two have it, and one node may be away.
    safe = {"min.insync.replicas": "2"} if replicas >= REPLICAS else {}
    return NewTopic(topic.name, topic.partitions, replicas, topic_configs={**topic.settings, **safe})
