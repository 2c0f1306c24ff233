"""What a bus does, as spans: an event that is published, and each delivery while its consumer reacts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace

from coopwire.domain.events import Event
from coopwire.ports.stores import Delivery, Published
from coopwire.ports.tracing import SpanKind, Traces, behind, here


def published(traces: Traces, events: Iterable[Event | Published]) -> None:
    """What is published shows in the trace in which it happened."""
    if not traces.on:
        return
    for one in events:
        if one.traceparent is not None:
            name, parent = f"publish {one.type}", one.traceparent
            with traces.span(name, parent=parent, side=SpanKind.PRODUCER, event=one.id, type=one.type):
                pass


@contextmanager
def consuming(traces: Traces, consumer: str, deliveries: Sequence[Delivery]) -> Iterator[list[Event]]:
    """The events as they reach the consumer: what follows from each goes on from the span of its delivery."""
    with ExitStack() as spans:
        events = [_entered(spans, traces, consumer, delivery) for delivery in deliveries]
        # Several events are at work: who reacts to one goes on from that one, not from the last.
        spans.enter_context(behind(None))
        yield events


def _entered(spans: ExitStack, traces: Traces, consumer: str, delivery: Delivery) -> Event:
    event = delivery.event
    if not traces.on:
        return event
    span = traces.span(
        f"consume {consumer}",
        parent=event.traceparent,
        side=SpanKind.CONSUMER,
        consumer=consumer,
        event=event.id,
        type=event.type,
        attempt=delivery.tries + 1,
    )
    spans.enter_context(span)
    return replace(event, traceparent=here())
