"""The API's document: every body and every problem has an example, and every example is what it claims."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from fastapi import FastAPI

from coopwire.web.api import build_api
from coopwire.web.problems import KINDS, MEDIA

_TYPES: Mapping[str, type | tuple[type, ...]] = {
    "object": dict,
    "array": list,
    "string": str,
    "integer": int,
    "number": (int, float),
    "boolean": bool,
    "null": type(None),
}


class _NoOffice:
    """The document is about the routes alone."""

    meter = None


@pytest.fixture(scope="module")
def app() -> FastAPI:
    return build_api(_NoOffice())  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def document(app: FastAPI) -> dict[str, Any]:
    made: dict[str, Any] = app.openapi()
    return made


def wrong(schema: Mapping[str, Any], value: Any, root: Mapping[str, Any], at: str = "") -> Iterator[str]:
    """What is wrong with a value, by the parts of JSON Schema that the document uses."""
    if "$ref" in schema:
        schema = root["components"]["schemas"][schema["$ref"].rsplit("/", 1)[1]]
    unknown = schema.keys() - _KNOWN
    assert not unknown, f"this check does not know {unknown}"
    for options in (schema.get("anyOf"), schema.get("oneOf")):
        if options and all(list(wrong(one, value, root, at)) for one in options):
            yield f"{at}: fits none of the alternatives"
    if "enum" in schema and value not in schema["enum"]:
        yield f"{at}: {value!r} is not one of {schema['enum']}"
    if "const" in schema and value != schema["const"]:
        yield f"{at}: {value!r} is not {schema['const']!r}"
    types = schema.get("type", [])
    names = [types] if isinstance(types, str) else types
    if names and not any(_is(value, name) for name in names):
        yield f"{at}: {value!r} is not {names}"
        return
    yield from _bounds(schema, value, at)
    if isinstance(value, dict):
        yield from _members(schema, value, root, at)
    if isinstance(value, list):
        for n, item in enumerate(value):
            yield from wrong(schema.get("items", {}), item, root, f"{at}/{n}")


_KNOWN = {
    "$ref", "anyOf", "oneOf", "enum", "const", "type", "properties", "required", "additionalProperties", "items",
    "minItems", "maxItems", "minLength", "maxLength", "pattern", "format", "exclusiveMinimum", "minimum", "maximum",
    "title", "description", "default", "examples",
    "discriminator",
}  # fmt: skip


def _is(value: Any, name: str) -> bool:
    if isinstance(value, bool):
        return name == "boolean"
    return isinstance(value, _TYPES[name])


def _bounds(schema: Mapping[str, Any], value: Any, at: str) -> Iterator[str]:
    if isinstance(value, str):
        if not schema.get("minLength", 0) <= len(value) <= schema.get("maxLength", 10**9):
            yield f"{at}: has a wrong length"
        if "pattern" in schema and not re.search(schema["pattern"], value):
            yield f"{at}: does not match {schema['pattern']}"
    if isinstance(value, int) and not isinstance(value, bool):
        above = schema.get("exclusiveMinimum", value - 1) < value
        if not above or not schema.get("minimum", value) <= value <= schema.get("maximum", value):
            yield f"{at}: is out of bounds"
    if isinstance(value, list) and not schema.get("minItems", 0) <= len(value) <= schema.get(
        "maxItems", 10**9
    ):
        yield f"{at}: has a wrong number of items"


def _members(
    schema: Mapping[str, Any], value: dict[str, Any], root: Mapping[str, Any], at: str
) -> Iterator[str]:
    properties = schema.get("properties", {})
    for name in schema.get("required", ()):
        if name not in value:
            yield f"{at}: {name} is missing"
    for name, member in value.items():
        more = schema.get("additionalProperties", not properties)
        if name in properties:
            yield from wrong(properties[name], member, root, f"{at}/{name}")
        elif more is False:
            yield f"{at}: {name} is unknown"
        elif isinstance(more, dict):
            yield from wrong(more, member, root, f"{at}/{name}")


def _operations(document: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield f"{method.upper()} {path}", operation


def _contents(document: Mapping[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Every body that the document describes: where, its media type, and its content object."""
    for name, operation in _operations(document):
        for media, content in operation.get("requestBody", {}).get("content", {}).items():
            yield f"{name} request", media, content
        for status, answer in operation["responses"].items():
            for media, content in answer.get("content", {}).items():
                yield f"{name} {status}", media, content


def _examples(content: Mapping[str, Any], root: Mapping[str, Any]) -> list[Any]:
    schema = content["schema"]
    if "$ref" in schema:
        schema = root["components"]["schemas"][schema["$ref"].rsplit("/", 1)[1]]
    named = [one["value"] for one in content.get("examples", {}).values()]
    single = [content["example"]] if "example" in content else []
    return [*named, *single, *schema.get("examples", []), *content["schema"].get("examples", [])]


def test_every_body_has_an_example_and_every_example_fits_its_schema(document: dict[str, Any]) -> None:
    mistakes = []
    for where, media, content in _contents(document):
        examples = _examples(content, document)
        if not examples:
            mistakes.append(f"{where} {media}: no example")
        for example in examples:
            mistakes += [f"{where} {media}{one}" for one in wrong(content["schema"], example, document)]
    assert mistakes == []


def test_every_problem_that_can_be_answered_is_described_with_its_example(document: dict[str, Any]) -> None:
    told: set[str] = set()
    for _, media, content in _contents(document):
        if media == MEDIA:
            for name, example in content["examples"].items():
                assert example["value"]["type"] == f"urn:coopwire:problem:{name}"
                told.add(name)
    # The two that no single route answers: an unknown path's method, and what comes before every route.
    assert told == {kind.name for kind in KINDS} - {"method-not-allowed"}


def test_every_answer_that_is_no_success_is_a_problem(document: dict[str, Any]) -> None:
    for name, operation in _operations(document):
        for status, answer in operation["responses"].items():
            if int(status) >= 400:
                assert list(answer["content"]) == [MEDIA], f"{name} {status}"


def test_every_route_says_what_it_does_and_what_it_needs(document: dict[str, Any]) -> None:
    for name, operation in _operations(document):
        assert operation["description"], name
        open_ = name in ("GET /healthz", "GET /readyz")
        assert ("security" in operation) is not open_, name
        assert ("401" in operation["responses"]) is not open_, name


def test_routes_that_move_money_need_an_idempotency_key(document: dict[str, Any]) -> None:
    moving = ("/v1/payments", "/v1/payments/{reference}/attempts", "/v1/payouts", "/v1/virtual-accounts")
    for path in moving:
        parameters = document["paths"][path]["post"]["parameters"]
        [key] = [p for p in parameters if p["in"] == "header"]
        assert (key["name"].lower(), key["required"]) == ("idempotency-key", True)


def test_the_check_of_examples_bites() -> None:
    schema = {"type": "object", "properties": {"a": {"type": "integer", "minimum": 1}}, "required": ["a"]}
    assert list(wrong(schema, {"a": 1}, {})) == []
    for bad in ({}, {"a": 0}, {"a": "1"}, {"a": True}, []):
        assert list(wrong(schema, bad, {}))
