"""Reads request bodies strictly: one meaning per body, nothing that cannot be stored, no card numbers."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Awaitable, Callable, Iterator
from decimal import Decimal
from typing import Any

from fastapi.routing import APIRoute
from starlette.requests import Request
from starlette.responses import Response

from coopwire.domain.cards import holds_card_number
from coopwire.web.access import authorise
from coopwire.web.problems import INVALID, MALFORMED, UNSUPPORTED_MEDIA, FieldError, Problem

_JSON = "application/json"
_DEEPEST = 20


class StrictRequest(Request):
    """A request whose JSON has one meaning, can be stored, and holds no card number."""

    async def json(self) -> Any:
        """The body. Problem when it cannot be read, or names the field to mend."""
        value = strict_json(await self.body())
        refuse_card_numbers(value)
        self.scope["coopwire.body"] = value
        return value


class StrictRoute(APIRoute):
    """A route that asks for the key before it reads the body, and reads it strictly."""

    def get_route_handler(self) -> Callable[[Request], Awaitable[Response]]:  # type: ignore[override]
        """The framework's handler behind our checks."""
        handle = super().get_route_handler()

        async def checked(request: Request) -> Response:
            await authorise(request, self.dependencies)
            strict = StrictRequest(request.scope, request.receive)
            if self.body_field is not None and await strict.body():
                require_media(strict, _JSON)
            return await handle(strict)

        return checked


def require_media(request: Request, *allowed: str) -> str:
    """The media type of the body, one of those allowed; Problem otherwise."""
    media = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media not in allowed:
        raise Problem(UNSUPPORTED_MEDIA, f"send {' or '.join(allowed)}")
    return media


def strict_text(body: bytes) -> str:
    """The body as text. Problem unless it is UTF-8 without NUL."""
    try:
        text = body.decode()
    except UnicodeDecodeError:
        raise Problem(MALFORMED, "the body is not UTF-8") from None
    if "\x00" in text:
        raise Problem(MALFORMED, "the body holds a NUL byte")
    return text


def strict_json(body: bytes) -> Any:
    """The value. Problem for what is not JSON, a repeated member, NaN, too deep, NUL or half a character."""
    text = strict_text(body)
    try:
        value = json.loads(
            text, parse_float=Decimal, parse_constant=_no_constant, object_pairs_hook=_distinct
        )
    except json.JSONDecodeError as error:
        raise Problem(MALFORMED, f"the body is not JSON: line {error.lineno}, column {error.colno}") from None
    except (ValueError, RecursionError):
        raise Problem(MALFORMED, "the body is not JSON that can be taken") from None
    for field, string in _strings(value):
        if any(c == "\x00" or "\ud800" <= c <= "\udfff" for c in string):
            raise Problem(INVALID, errors=[FieldError(field, "holds NUL or half of a character")])
    return value


def _no_constant(_: str) -> None:
    raise ValueError


def _distinct(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) < len(pairs):
        raise Problem(MALFORMED, "a member of an object is there twice")
    return members


def refuse_card_numbers(value: Any) -> None:
    """Problem naming the first field that holds a card number; the hub must never keep one."""
    for field, string in _strings(value):
        if holds_card_number(string):
            raise Problem(INVALID, errors=[FieldError(field, "holds a card number: never send one here")])


def _strings(value: Any) -> Iterator[tuple[str, str]]:
    """Every string with the field that it stands in; names of members count as part of their object."""
    waiting: list[tuple[str, int, Any]] = [("", 0, value)]
    while waiting:
        field, depth, one = waiting.pop()
        if depth > _DEEPEST:
            raise Problem(MALFORMED, f"the body is nested more than {_DEEPEST} deep")
        if isinstance(one, str):
            yield field or "body", one
        elif isinstance(one, dict):
            for name, member in one.items():
                yield field or "body", name
                waiting.append((f"{field}.{name}" if field else name, depth + 1, member))
        elif isinstance(one, list):
            waiting += [(f"{field}.{n}", depth + 1, item) for n, item in enumerate(one)]


def digest(request: Request) -> str:
    """What the request asks for, in one number: the same for bodies that mean the same."""
    text = json.dumps(request.scope.get("coopwire.body"), sort_keys=True, separators=(",", ":"), default=str)
    asked = f"{request.method} {request.scope['path']}\n{text}"
    return hashlib.sha256(asked.encode()).hexdigest()
