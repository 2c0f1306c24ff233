"""The OpenAPI document: what every route may answer, with an example for each."""

from __future__ import annotations

import re
from importlib.metadata import version
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic import TypeAdapter

from coopwire.web.problems import (
    FORBIDDEN,
    GATEWAY_REFUSED,
    INTERNAL,
    INVALID,
    MALFORMED,
    MEDIA,
    NOT_FOUND,
    TOO_LARGE,
    UNAUTHENTICATED,
    UNAVAILABLE,
    UNSUPPORTED_MEDIA,
    Kind,
    ProblemDocument,
)

_EVERYWHERE = (MALFORMED, INTERNAL, UNAVAILABLE)
_WITH_KEY = (UNAUTHENTICATED, FORBIDDEN)
_WITH_BODY = (TOO_LARGE, UNSUPPORTED_MEDIA, INVALID)
_REFS = "#/components/schemas/{model}"
_NULL = "\x00null"
"""Stands for null in examples until the document is made: the framework drops every null on its way."""
_DESCRIPTION = """\
Ask members to pay, and read what became of it: payments, receipts, entries in the books, credits in the core bank.

Amounts are whole minor units (kobo, cent). Every answer that is not a success is a problem document (RFC 9457).
Lists show the newest first, in pages: pass `next` as `cursor`, with the same filters.
"""


def answers(
    example: object, *problems: Kind, status: int = 200, key: bool = True, body: bool = False
) -> dict[int | str, dict[str, Any]]:
    """The `responses` of a route: its success with an example, and every problem that it may answer."""
    kinds = [*_EVERYWHERE, *(_WITH_KEY if key else ()), *(_WITH_BODY if body else ()), *problems]
    found: dict[int | str, dict[str, Any]] = {}
    for code in sorted({kind.status for kind in kinds}):
        found[code] = _problem_answer([kind for kind in kinds if kind.status == code])
    return {status: success(example), **found}


def file_answers(*media_types: str, problems: tuple[Kind, ...]) -> dict[int | str, dict[str, Any]]:
    """The `responses` of a route that answers with a file of one of these media types."""
    file = {"type": "string", "format": "binary"}
    content = {media_type: {"schema": file, "example": "(a file)"} for media_type in media_types}
    return {**answers(None, INVALID, *problems), 200: {"description": "The file", "content": content}}


def success(example: object) -> dict[str, Any]:
    """A success; without a body when there is no example of one."""
    if example is None:
        return {"description": "Done"}
    return {"description": "Done", "content": {"application/json": {"example": _swap(example, None, _NULL)}}}


def _problem_answer(kinds: list[Kind]) -> dict[str, Any]:
    examples = {kind.name: {"value": _example(kind)} for kind in kinds}
    content = {"schema": {"$ref": _REFS.format(model="ProblemDocument")}, "examples": examples}
    return {
        "description": "; ".join(dict.fromkeys(kind.title for kind in kinds)),
        "content": {MEDIA: content},
    }


def _example(kind: Kind) -> dict[str, Any]:
    members: dict[str, Any] = {
        "type": kind.type,
        "title": kind.title,
        "status": kind.status,
        "request_id": "5f2c9a7be01d4386",
    }
    if kind is INVALID:
        members["errors"] = [{"field": "amount_minor", "message": "must be more than 0"}]
    if kind is GATEWAY_REFUSED:
        members |= {"detail": "the gateway refused: invalid email", "payment": "p7k2m9x4q1w8e5r3t6y0"}
    if kind is NOT_FOUND:
        members["detail"] = "there is no such payment"
    return members


def document(app: FastAPI) -> dict[str, Any]:
    """The OpenAPI document of the API, built once."""
    if app.openapi_schema is None:
        made = get_openapi(
            title="coopwire", version=version("coopwire"), description=_DESCRIPTION, routes=app.routes
        )
        problem = TypeAdapter(ProblemDocument).json_schema(ref_template=_REFS)
        schemas = made.setdefault("components", {}).setdefault("schemas", {})
        schemas |= {**problem.pop("$defs", {}), "ProblemDocument": problem}
        app.openapi_schema = _swap(made, _NULL, None)
    return app.openapi_schema


def allowed_methods(app: FastAPI, path: str) -> str:
    """Every method that the document knows for a path, as an Allow header has it; empty for an unknown path."""
    methods = {
        method.upper()
        for template, operations in document(app)["paths"].items()
        if re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", template), path)
        for method in operations
    }
    return ", ".join(sorted(methods))


def _swap(value: Any, old: object, new: object) -> Any:
    """The value with `new` wherever `old` stood."""
    if isinstance(value, dict):
        return {name: _swap(member, old, new) for name, member in value.items()}
    if isinstance(value, list):
        return [_swap(item, old, new) for item in value]
    return new if value == old else value
