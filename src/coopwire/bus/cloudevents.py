"""Events as CloudEvents 1.0 in structured mode: the whole event is one JSON body, and no header carries any of it."""

from __future__ import annotations

import json
from datetime import datetime

from coopwire.domain.events import SOURCE, Event

CONTENT_TYPE = "application/cloudevents+json; charset=utf-8"
_rendered = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), default=str).encode


class Unreadable(ValueError):
    """A body that is no event of ours; the message says what is wrong with it, without quoting it."""


def dump(event: Event) -> bytes:
    """The body of a message; `partitionkey` is the key within which events keep their order."""
    said = {
        "specversion": "1.0",
        "id": event.id,
        "source": SOURCE,
        "type": event.type,
        "subject": event.subject,
        "time": event.occurred_at.isoformat(),
        "datacontenttype": "application/json",
        "partitionkey": event.key,
        "data": event.data,
    }
    return _rendered(said).encode()


def load(body: bytes) -> Event:
    """The event of a body. Unreadable when it is none."""
    try:
        said = json.loads(body)
        event = Event(
            id=said["id"],
            type=said["type"],
            subject=said["subject"],
            key=said["partitionkey"],
            data=said["data"],
            occurred_at=datetime.fromisoformat(said["time"]),
        )
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise Unreadable(f"not a CloudEvent of ours: {type(error).__name__}") from None
    texts = (event.id, event.type, event.subject, event.key)
    if not all(isinstance(text, str) and "\0" not in text for text in texts) or not isinstance(
        event.data, dict
    ):
        raise Unreadable("not a CloudEvent of ours: a member has another type")
    return event
