"""`coopwire bus`: what carries events to their consumers."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated

import typer

from coopwire.cli import hub, show

if TYPE_CHECKING:
    from coopwire.bus.topology import Topology

app = typer.Typer(help="The event bus: topology.")


@app.callback()
def _bus() -> None:
    pass


@app.command("topology")
def topology_(
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False,
) -> None:
    """Show what the hub needs on a broker: the table that it declares, and holds the broker to, at every start."""
    from coopwire import app

    table = app.bus_topology(hub.settings())
    if as_json:
        show.json_lines(_objects(table))
        return
    show.say(f"{table.exchange}: a durable topic exchange; the type of an event is its routing key")
    for queue in table.queues:
        show.say(f"\n{queue.name}: {queue.purpose}; a durable queue")
        for key in queue.binds:
            show.say(f"    filled by {key}")
        for name, value in queue.arguments.items():
            show.say(f"    {name} = {json.dumps(value)}")


def _objects(table: Topology) -> list[dict[str, object]]:
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
