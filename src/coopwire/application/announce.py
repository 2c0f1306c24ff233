"""Makes events: a type of the catalogue, its data, and the key that orders them."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from coopwire.domain.breaks import Break
from coopwire.domain.effects import Effect
from coopwire.domain.events import BREAK_CLOSED, BREAK_OPENED, EFFECT_STOPPED, Event, EventType
from coopwire.domain.states import BreakState
from coopwire.ports.tracing import here


def event(type_: EventType, subject: str, key: str, data: Mapping[str, object], now: datetime) -> Event:
    """One event, in the trace where we are; its data must have exactly the members that the catalogue declares."""
    if data.keys() != type_.data.keys():
        raise ValueError(f"{type_.name} needs {sorted(type_.data)}, got {sorted(data)}")
    return Event(str(uuid.uuid4()), type_.type, subject, key, data, now, here())


def effect_facts(effect: Effect) -> dict[str, object]:
    """The members that every event about an effect has."""
    return {
        "effect": effect.id,
        "kind": effect.kind.value,
        "connection": effect.connection,
        "receipt": effect.receipt,
        "payment": effect.payment,
    }


def effect_event(type_: EventType, effect: Effect, now: datetime, **more: object) -> Event:
    """An event about an effect; ordered by its payment, else its receipt."""
    key = effect.payment or effect.receipt or effect.id
    made = event(type_, effect.id, key, {**effect_facts(effect), **more}, now)
    # What is found out about an effect outside of any work on it belongs to the trace in which it was intended.
    return made if made.traceparent else replace(made, traceparent=effect.traceparent)


def stopped(effect: Effect, now: datetime) -> Event:
    """An effect was refused, held or skipped, or its outcome is unknown."""
    return effect_event(EFFECT_STOPPED, effect, now, state=effect.state.value, reason=effect.reason)


def break_event(opened: Break, now: datetime) -> Event:
    """A break was opened."""
    data = {"break": opened.type.value, "subject": opened.subject, "evidence": opened.evidence}
    return event(BREAK_OPENED, opened.subject, opened.payment or opened.subject, data, now)


def closed_event(closed: Break, state: BreakState, resolution: str, now: datetime) -> Event:
    """A break was resolved or written off."""
    data = {
        "break": closed.type.value,
        "subject": closed.subject,
        "state": state.value,
        "resolution": resolution,
    }
    return event(BREAK_CLOSED, closed.subject, closed.payment or closed.subject, data, now)
