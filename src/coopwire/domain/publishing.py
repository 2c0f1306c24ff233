"""What a published event may still become: compares its schema with the one that was published."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import cast

from coopwire.domain.events import EventType
from coopwire.domain.members import OPEN_WORDS

Schema = Mapping[str, object]
_NO_CONTRACT = frozenset({"description", "title", "examples"})
"""Words for people: they may change."""
_COMPARED_BY_PART = frozenset({"properties", "required", "items", OPEN_WORDS})


def breaking_changes(published: Mapping[str, Schema], catalogue: Iterable[EventType]) -> list[str]:
    """Every change of a published version that its readers have not agreed to, in words; additions pass."""
    current = {event.type: event.schema for event in catalogue}
    return [
        change for type_, was in published.items() for change in _of_event(type_, was, current.get(type_))
    ]


def _of_event(type_: str, was: Schema, now: Schema | None) -> Iterator[str]:
    if now is None:
        yield f"{type_} was published and is not in the catalogue"
    else:
        yield from _changes(type_, was, now)


def _changes(at: str, was: Schema, now: Schema) -> Iterator[str]:
    for keyword in sorted((was.keys() | now.keys()) - _NO_CONTRACT - _COMPARED_BY_PART):
        if was.get(keyword) != now.get(keyword):
            yield f"{at}: {keyword} was {_told(was, keyword)} and is {_told(now, keyword)}"
    yield from _words(at, was, now)
    yield from _members(at, was, now)
    if "items" in was or "items" in now:
        yield from _changes(f"{at}[]", _part(was, "items"), _part(now, "items"))


def _words(at: str, was: Schema, now: Schema) -> Iterator[str]:
    """More words may come, none may go, and a list that was closed stays closed."""
    if (OPEN_WORDS in was) != (OPEN_WORDS in now):
        yield f"{at}: {OPEN_WORDS} was {_told(was, OPEN_WORDS)} and is {_told(now, OPEN_WORDS)}"
        return
    for gone in sorted(set(_texts(was, OPEN_WORDS)) - set(_texts(now, OPEN_WORDS))):
        yield f"{at}: the word {gone} is gone"


def _members(at: str, was: Schema, now: Schema) -> Iterator[str]:
    before, after = _part(was, "properties"), _part(now, "properties")
    needed, needs = set(_texts(was, "required")), set(_texts(now, "required"))
    for name, schema in before.items():
        if name not in after:
            yield f"{at}.{name} is gone"
            continue
        if (name in needed) != (name in needs):
            yield f"{at}.{name} is {'always' if name in needs else 'not always'} there now"
        yield from _changes(f"{at}.{name}", cast("Schema", schema), cast("Schema", after[name]))


def _part(schema: Schema, keyword: str) -> Schema:
    return cast("Schema", schema.get(keyword, {}))


def _texts(schema: Schema, keyword: str) -> Sequence[str]:
    return cast("Sequence[str]", schema.get(keyword, ()))


def _told(schema: Schema, keyword: str) -> str:
    return str(schema[keyword]) if keyword in schema else "not given"
