"""The AsyncAPI document is what the official schema allows, and describes every event as it is sent."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft7Validator
from rigs.published import FORMATS

from coopwire.bus.cloudevents import CONTENT_TYPE, dump
from coopwire.cli import asyncapi
from coopwire.domain.events import CATALOGUE, Event, EventType

ROOT = Path(__file__).resolve().parents[2]
OFFICIAL = json.loads((ROOT / "tests" / "samples" / "asyncapi" / "3.0.0.json").read_text(encoding="utf-8"))
DOCUMENT: dict[str, Any] = yaml.safe_load((ROOT / "docs" / "asyncapi.yaml").read_text(encoding="utf-8"))


def _mistakes(document: object) -> list[str]:
    return [error.json_path for error in Draft7Validator(OFFICIAL).iter_errors(document)]


def test_the_document_is_what_the_official_schema_allows() -> None:
    assert DOCUMENT["asyncapi"] == "3.0.0"
    assert _mistakes(DOCUMENT) == []


def test_the_yaml_says_what_the_code_says() -> None:
    assert asyncapi.document() == DOCUMENT


_SPOILED: dict[str, Callable[[dict[str, Any]], object]] = {
    "another major version": lambda d: d.update(asyncapi="4.0.0"),
    "no version": lambda d: d["info"].pop("version"),
    "an unknown part": lambda d: d.update(topics={}),
    "an operation that does nothing": lambda d: next(iter(d["operations"].values())).pop("action"),
    "a channel with an unknown member": lambda d: next(iter(d["channels"].values())).update(queue="q"),
    "an exchange of an unknown kind": lambda d: next(iter(d["channels"].values()))["bindings"]["amqp"][
        "exchange"
    ].update(type="ring"),
    "a message that is no object": lambda d: d["components"]["messages"].update(x=[]),
}


@pytest.mark.parametrize("name", _SPOILED)
def test_the_official_schema_bites(name: str) -> None:
    spoiled = copy.deepcopy(DOCUMENT)
    _SPOILED[name](spoiled)
    assert _mistakes(spoiled) != []


def test_every_reference_leads_somewhere() -> None:
    references = list(_references(DOCUMENT))
    assert len(references) > 3 * len(CATALOGUE)
    for reference in references:
        found: Any = DOCUMENT
        for part in reference.removeprefix("#/").split("/"):
            found = found[part]


def _references(value: object) -> Any:
    if isinstance(value, Mapping):
        for name, part in value.items():
            if name == "$ref":
                yield part
            else:
                yield from _references(part)
    elif isinstance(value, list):
        for part in value:
            yield from _references(part)


def test_every_event_has_its_channel_its_operation_and_its_message() -> None:
    addresses = {channel["address"] for channel in DOCUMENT["channels"].values()}
    assert addresses == {event.type for event in CATALOGUE}
    assert {one["action"] for one in DOCUMENT["operations"].values()} == {"send"}
    assert len(DOCUMENT["operations"]) == len(DOCUMENT["components"]["messages"]) == len(CATALOGUE)


def _message(event: EventType) -> Any:
    return DOCUMENT["components"]["messages"][f"{event.name}.v{event.version}"]


def _payload(event: EventType) -> Draft7Validator:
    payload = _message(event)["payload"]
    return Draft7Validator({**payload, "components": DOCUMENT["components"]}, format_checker=FORMATS)


@pytest.mark.parametrize("event", CATALOGUE, ids=lambda event: event.type)
def test_the_example_of_a_message_is_what_its_payload_allows(event: EventType) -> None:
    [example] = _message(event)["examples"]
    assert list(_payload(event).iter_errors(example["payload"])) == []


@pytest.mark.parametrize("event", CATALOGUE, ids=lambda event: event.type)
def test_the_body_that_a_broker_is_given_is_what_the_payload_allows(event: EventType) -> None:
    happened = Event("e1", event.type, "s1", "k1", event.example, datetime(2026, 3, 2, 9, 15, tzinfo=UTC))
    sent = json.loads(dump(happened))
    assert list(_payload(event).iter_errors(sent)) == []
    [example] = _message(event)["examples"]
    assert sent.keys() == example["payload"].keys()
    assert _message(event)["contentType"] == CONTENT_TYPE


@pytest.mark.parametrize("event", CATALOGUE, ids=lambda event: event.type)
def test_a_message_of_another_type_or_without_a_member_is_not_allowed(event: EventType) -> None:
    [example] = _message(event)["examples"]
    whole = example["payload"]
    first = next(iter(event.data))
    for spoiled in (
        {**whole, "type": "coopwire.other.v1"},
        {**whole, "data": {name: value for name, value in whole["data"].items() if name != first}},
        {name: value for name, value in whole.items() if name != "partitionkey"},
        {**whole, "time": "yesterday"},
    ):
        assert list(_payload(event).iter_errors(spoiled)) != []


@pytest.mark.parametrize("event", CATALOGUE, ids=lambda event: event.type)
def test_a_reader_lets_members_pass_that_a_later_addition_brings(event: EventType) -> None:
    [example] = _message(event)["examples"]
    later = {**example["payload"], "data": {**example["payload"]["data"], "another": 1}, "traceparent": "x"}
    assert list(_payload(event).iter_errors(later)) == []
