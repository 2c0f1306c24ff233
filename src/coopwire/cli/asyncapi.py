"""The AsyncAPI 3.0 document: every event that the hub publishes, as its readers' tools want it described."""

from __future__ import annotations

from collections.abc import Iterable
from importlib.metadata import version

from coopwire.bus.cloudevents import CONTENT_TYPE
from coopwire.bus.topology import EVENTS
from coopwire.domain.events import CATALOGUE, SOURCE, EventType

_DESCRIPTION = """\
What happens to money between a co-operative lender's members, gateways, books and core bank.

Every message is a CloudEvent 1.0 in structured mode. `type` carries the version; a published version changes by
additions alone, so let members and words pass that you do not know. Amounts are integers of minor units (kobo, cent).
An event is delivered at least once, its `id` is the same each time. Events of one `partitionkey` (the loan, else the
member) come in their order while nothing fails.

Where the hub uses RabbitMQ, every event goes to one topic exchange with its type as the routing key: bind a queue of
your own to it. `coopwire.#` is all of them. Where it uses Kafka, all events are in one topic, under their
`partitionkey`: read it with a group of your own, and pass over the types that you do not want. Without a broker, events
are for the hub's own consumers alone.
"""
_AMQP = {
    "is": "routingKey",
    "exchange": {"name": EVENTS, "type": "topic", "durable": True, "autoDelete": False},
    "bindingVersion": "0.3.0",
}
_KAFKA = {"topic": EVENTS, "bindingVersion": "0.5.0"}
_KAFKA_MESSAGE = {
    "key": {"type": "string", "minLength": 1, "description": "the partitionkey"},
    "bindingVersion": "0.5.0",
}
_SUBJECTS = (
    *("payout", "settlement", "effect", "refund", "virtual_account", "authorization", "mandate"),
    *("subject", "run", "receipt", "payment"),
)
"""The member that an event is about: the first of these that it has."""
_ENVELOPE: dict[str, object] = {
    "type": "object",
    "required": [
        "specversion",
        "id",
        "source",
        "type",
        "subject",
        "time",
        "datacontenttype",
        "partitionkey",
        "data",
    ],
    "properties": {
        "specversion": {"const": "1.0"},
        "id": {
            "type": "string",
            "minLength": 1,
            "description": "the same each time that the event is delivered",
        },
        "source": {"const": SOURCE},
        "type": {"type": "string", "description": "name and version of the event"},
        "subject": {"type": "string", "minLength": 1, "description": "our reference of what it is about"},
        "time": {"type": "string", "format": "date-time", "description": "when it happened"},
        "datacontenttype": {"const": "application/json"},
        "partitionkey": {
            "type": "string",
            "minLength": 1,
            "description": "within it events keep their order",
        },
        "data": {"type": "object"},
    },
}


def document(catalogue: Iterable[EventType] = CATALOGUE) -> dict[str, object]:
    """The document as plain values."""
    events = list(catalogue)
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "coopwire events",
            "version": version("coopwire"),
            "description": _DESCRIPTION,
            "license": {"name": "Apache-2.0"},
        },
        "defaultContentType": CONTENT_TYPE,
        "channels": {_id(event): _channel(event) for event in events},
        "operations": {f"publish.{_id(event)}": _operation(event) for event in events},
        "components": {
            "messages": {_id(event): _message(event) for event in events},
            "schemas": {"envelope": _ENVELOPE, **{_id(event): event.schema for event in events}},
        },
    }


def text() -> str:
    """The document as YAML."""
    import yaml

    class Writer(yaml.SafeDumper):
        """Writes every part where it stands, and prose in lines."""

        def ignore_aliases(self, data: object) -> bool:
            return True

    def write(writer: yaml.SafeDumper, value: str) -> yaml.ScalarNode:
        return writer.represent_scalar("tag:yaml.org,2002:str", value, style="|" if "\n" in value else None)

    Writer.add_representer(str, write)
    made: str = yaml.dump(document(), Dumper=Writer, sort_keys=False, allow_unicode=True, width=110)
    return made


def cloud_event(event: EventType) -> dict[str, object]:
    """An example of the whole message."""
    data = event.example
    subject = next(data[name] for name in _SUBJECTS if name in data)
    return {
        "specversion": "1.0",
        "id": "3f1d2c9e-6a0b-4c55-9d1a-7be2f4a8c610",
        "source": SOURCE,
        "type": event.type,
        "subject": subject,
        "time": "2026-03-02T09:17:42+00:00",
        "datacontenttype": "application/json",
        "partitionkey": "LN-00457",
        "data": data,
    }


def _id(event: EventType) -> str:
    return f"{event.name}.v{event.version}"


def _channel(event: EventType) -> dict[str, object]:
    return {
        "address": event.type,
        "title": event.title,
        "messages": {"event": {"$ref": f"#/components/messages/{_id(event)}"}},
        "bindings": {"amqp": _AMQP, "kafka": _KAFKA},
    }


def _operation(event: EventType) -> dict[str, object]:
    channel = f"#/channels/{_id(event)}"
    return {
        "action": "send",
        "channel": {"$ref": channel},
        "summary": event.title,
        "messages": [{"$ref": f"{channel}/messages/event"}],
    }


def _message(event: EventType) -> dict[str, object]:
    return {
        "name": event.type,
        "title": event.title,
        "contentType": CONTENT_TYPE,
        "payload": {
            "allOf": [
                {"$ref": "#/components/schemas/envelope"},
                {
                    "type": "object",
                    "properties": {
                        "type": {"const": event.type},
                        "data": {"$ref": f"#/components/schemas/{_id(event)}"},
                    },
                },
            ]
        },
        "bindings": {"kafka": _KAFKA_MESSAGE},
        "examples": [{"name": _id(event), "payload": cloud_event(event)}],
    }
