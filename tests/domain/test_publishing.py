"""A published version of an event changes by additions alone."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft7Validator
from rigs.published import wrong

from coopwire.domain.events import CATALOGUE, PAYMENT_FAILED, RECEIPT_RECORDED, EventType
from coopwire.domain.members import flag, maybe, open_word, text, whole, word
from coopwire.domain.publishing import breaking_changes

LOCK = Path(__file__).resolve().parents[2] / "docs" / "events.lock.json"
Published = dict[str, Any]


def _published(*events: EventType) -> Published:
    return json.loads(json.dumps({event.type: event.schema for event in events}))  # type: ignore[no-any-return]


def _of(**data: Any) -> EventType:
    return EventType("thing.done", 1, "A thing was done", data)


def test_the_catalogue_keeps_every_version_that_is_published() -> None:
    assert breaking_changes(json.loads(LOCK.read_text(encoding="utf-8")), CATALOGUE) == []


def test_every_version_of_the_catalogue_is_published() -> None:
    published = json.loads(LOCK.read_text(encoding="utf-8"))
    assert published == _published(*CATALOGUE), "run `coopwire events publish`"


def test_no_version_is_in_the_catalogue_twice() -> None:
    types = [event.type for event in CATALOGUE]
    assert sorted(types) == sorted(set(types))


def test_the_events_of_the_plan_are_published() -> None:
    assert {"coopwire.payment.initialized.v1", "coopwire.payment.failed.v1"} <= {e.type for e in CATALOGUE}


OLD = _of(
    name=text("a name", "x"),
    count=whole("a count", 1, minimum=1),
    kind=word("a kind", "a", ["a", "b"]),
    sort=open_word("a sort", "a", ["a", "b"]),
    sure=flag("sure", True),
    note=maybe(text("a note", "x")),
)


def _changed(**members: Any) -> EventType:
    return _of(**{**OLD.data, **members})


@pytest.mark.parametrize(
    "new",
    [
        OLD,
        _changed(more=text("more", "x")),
        _changed(sort=open_word("a sort", "a", ["a", "b", "c"])),
        _changed(name=text("told in other words", "another example")),
        replace(OLD, title="Told in other words"),
    ],
    ids=["the same", "another member", "another open word", "other words", "another title"],
)
def test_an_addition_passes(new: EventType) -> None:
    assert breaking_changes(_published(OLD), [new]) == []


@pytest.mark.parametrize(
    ("new", "said"),
    [
        (_of(**{k: v for k, v in OLD.data.items() if k != "name"}), "coopwire.thing.done.v1.name is gone"),
        (_changed(count=text("a count", "1")), "type was integer and is string"),
        (_changed(count=whole("a count", 1, minimum=2)), "minimum was 1 and is 2"),
        (_changed(count=whole("a count", 1)), "minimum was 1 and is not given"),
        (_changed(name=maybe(text("a name", "x"))), "type was string and is ['string', 'null']"),
        (_changed(note=text("a note", "x")), "type was ['string', 'null'] and is string"),
        (_changed(name=text("a name", "x", empty=True)), "minLength was 1 and is not given"),
        (_changed(name=text("a day", "2026-03-02", format="date")), "format was not given and is date"),
        (_changed(kind=word("a kind", "a", ["a"])), "enum was ['a', 'b'] and is ['a']"),
        (
            _changed(kind=word("a kind", "a", ["a", "b", "c"])),
            "enum was ['a', 'b'] and is ['a', 'b', 'c']",
        ),
        (_changed(kind=open_word("a kind", "a", ["a", "b"])), "enum was ['a', 'b'] and is not given"),
        (_changed(sort=open_word("a sort", "a", ["a"])), "the word b is gone"),
        (_changed(sort=word("a sort", "a", ["a", "b"])), "x-extensible-enum was ['a', 'b'] and is not given"),
        (replace(OLD, version=2), "was published and is not in the catalogue"),
        (replace(OLD, name="other.done"), "was published and is not in the catalogue"),
    ],
)
def test_what_is_no_addition_is_refused(new: EventType, said: str) -> None:
    assert any(said in change for change in breaking_changes(_published(OLD), [new]))


def _spoil(schema: dict[str, Any]) -> dict[str, Callable[[], object]]:
    """Every way in which the schema of receipt.recorded is other than published, by name."""
    inner = schema["properties"]["allocation"]["items"]
    return {
        "a member that is not always there": lambda: schema["required"].remove("fee_minor"),
        "a member of a list's objects": lambda: inner["properties"].update(amount_kobo={"type": "integer"}),
        "the type within a list": lambda: inner["properties"]["amount_minor"].update(type="string"),
        "what a list's objects always have": lambda: inner["required"].remove("due"),
        "the items of a list": lambda: schema["properties"]["allocation"].pop("items"),
        "a pattern": lambda: schema["properties"]["currency"].update(pattern="^[A-Z]{2}$"),
        "a closed object": lambda: schema.update(additionalProperties=False),
    }


@pytest.mark.parametrize("name", _spoil(copy.deepcopy(RECEIPT_RECORDED.schema)))
def test_a_difference_anywhere_in_a_schema_is_seen(name: str) -> None:
    published = _published(RECEIPT_RECORDED)
    _spoil(published[RECEIPT_RECORDED.type])[name]()
    assert breaking_changes(published, CATALOGUE) != []


def test_a_further_version_stands_beside_the_first() -> None:
    second = _changed(count=text("a count in words", "one"))
    assert breaking_changes(_published(OLD), [OLD, replace(second, version=2)]) == []


@pytest.mark.parametrize("event", CATALOGUE, ids=lambda event: event.type)
def test_every_schema_is_one_and_its_example_is_what_it_allows(event: EventType) -> None:
    Draft7Validator.check_schema(event.schema)
    assert list(wrong(event.type, event.example)) == []


@pytest.mark.parametrize(
    "spoiled",
    [
        {"reason": ""},
        {"payment": "p", "reason": "", "more": 1},
        {"payment": 1, "reason": ""},
        {"payment": "", "reason": ""},
        {"payment": None, "reason": ""},
    ],
)
def test_the_check_of_emitted_events_bites(spoiled: dict[str, object]) -> None:
    assert list(wrong(PAYMENT_FAILED.type, spoiled)) != []


@pytest.mark.parametrize(
    "change",
    [
        {"allocation": [{"component": "principal", "amount_minor": 1}]},
        {"allocation": [{"component": "principal", "amount_minor": 1, "due": None, "more": 1}]},
        {"allocation": [{"component": "prize", "amount_minor": 1, "due": None}]},
        {"paid_at": "yesterday"},
        {"paid_at": "2026-03-02T09:17:40"},
        {"value_minor": 1.5},
        {"currency": "naira"},
    ],
)
def test_the_check_of_emitted_events_bites_within_lists_and_formats_too(change: dict[str, object]) -> None:
    data = {**RECEIPT_RECORDED.example, **change}
    assert list(wrong(RECEIPT_RECORDED.type, data)) != []


def test_an_event_that_is_not_in_the_catalogue_is_wrong() -> None:
    assert list(wrong("coopwire.nothing.v1", {})) == ["coopwire.nothing.v1 is not in the catalogue"]
