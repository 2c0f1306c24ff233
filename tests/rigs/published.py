"""Holds every event in a database against the schema of its type, by a validator that is not ours."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from functools import cache
from typing import Any

from jsonschema import Draft7Validator, FormatChecker

from coopwire.domain.events import CATALOGUE
from coopwire.domain.members import OPEN_WORDS

FORMATS = FormatChecker(formats=["date"])


@FORMATS.checks("date-time", raises=ValueError)
def _instant(value: object) -> bool:
    return not isinstance(value, str) or datetime.fromisoformat(value).tzinfo is not None


def strict(schema: Any) -> Any:
    """What our own code may write: no member that the schema does not name, no word that it does not list."""
    if isinstance(schema, list):
        return [strict(one) for one in schema]
    if not isinstance(schema, Mapping):
        return schema
    made = {name: strict(value) for name, value in schema.items()}
    if OPEN_WORDS in schema:
        made["enum"] = list(schema[OPEN_WORDS])
    if isinstance(schema.get("properties"), Mapping) and "type" in schema:
        made["additionalProperties"] = False
    return made


@cache
def _validators() -> dict[str, Draft7Validator]:
    return {one.type: Draft7Validator(strict(one.schema), format_checker=FORMATS) for one in CATALOGUE}


def wrong(type_: str, data: object) -> Iterator[str]:
    """What the catalogue does not allow in the data of an event."""
    validator = _validators().get(type_)
    if validator is None:
        yield f"{type_} is not in the catalogue"
        return
    for error in validator.iter_errors(data):
        yield f"{type_} {error.json_path}: {error.message}"


def all_wrong(rows: Iterable[Mapping[str, Any]]) -> list[str]:
    """What is wrong with these rows of the outbox."""
    found = []
    for row in rows:
        found += wrong(row["type"], row["data"])
        if not row["subject"] or not row["key"]:
            found.append(f"{row['type']} has no subject or no key")
    return sorted(set(found))


async def hold_to_the_catalogue(pool: Any) -> None:
    """Every event that a journey left in the outbox is one of the catalogue."""
    assert all_wrong(await pool.fetch("SELECT type, subject, key, data FROM outbox")) == []
