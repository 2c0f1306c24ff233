"""`coopwire bus`: what carries events to their consumers."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import typer

from coopwire.cli import hub, show
from coopwire.cli.options import Json

if TYPE_CHECKING:
    from coopwire.bus.topology import Topics, Topology

app = typer.Typer(help="The event bus: topology.")


@app.callback()
def _bus() -> None:
    pass


@app.command("topology")
def topology_(as_json: Json = False) -> None:
    """Show what the hub needs on a broker: the table that it declares, and holds the broker to, at every start."""
    from coopwire import app
    from coopwire.bus.topology import Topics

    table = app.bus_topology(hub.settings())
    if as_json:
        show.json_lines(_topics(table) if isinstance(table, Topics) else _queues(table))
    elif isinstance(table, Topics):
        _say_topics(table)
    else:
        _say_queues(table)


def _say_queues(table: Topology) -> None:
    show.say(f"{table.exchange}: a durable topic exchange; the type of an event is its routing key")
    for queue in table.queues:
        show.say(f"\n{queue.name}: {queue.purpose}; a durable queue")
        for key in queue.binds:
            show.say(f"    filled by {key}")
        for name, value in queue.arguments.items():
            show.say(f"    {name} = {json.dumps(value)}")


def _say_topics(table: Topics) -> None:
    show.say("replicas: 3, or as many as there are nodes; with 3, min.insync.replicas = 2")
    for topic in table.all:
        show.say(f"\n{topic.name}: {topic.purpose}; {topic.partitions} partitions where the hub makes it")
        for name, value in topic.settings.items():
            show.say(f"    {name} = {value}")
    for group in table.groups.values():
        names = " and ".join(topic.name for topic in table.taken_by(group))
        show.say(f"\n{group.name}: a consumer group that reads {names}, for")
        for type_ in group.types:
            show.say(f"    {type_}")


def _topics(table: Topics) -> list[dict[str, object]]:
    made: list[dict[str, object]] = [
        {
            "topic": topic.name,
            "purpose": topic.purpose,
            "partitions": topic.partitions,
            "settings": dict(topic.settings),
        }
        for topic in table.all
    ]
    reading: list[dict[str, object]] = [
        {
            "group": group.name,
            "reads": [topic.name for topic in table.taken_by(group)],
            "types": list(group.types),
            "dead": group.dead.name,
        }
        for group in table.groups.values()
    ]
    return [*made, *reading]


def _queues(table: Topology) -> list[dict[str, object]]:
    exchange: dict[str, object] = {"exchange": table.exchange, "type": "topic", "durable": True}
    return [
        exchange,
        *(
            {
                "queue": queue.name,
                "purpose": queue.purpose,
                "binds": list(queue.binds),
                "arguments": dict(queue.arguments),
                "durable": True,
            }
            for queue in table.queues
        ),
    ]
