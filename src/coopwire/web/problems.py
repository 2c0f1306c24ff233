"""Every answer that is not a success is a problem document (RFC 9457), free of what the client sent."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from coopwire.application.paying import KeyReused, Rejected, StillWorking
from coopwire.ports.stores import StorageUnavailable

FoundT = TypeVar("FoundT")
MEDIA = "application/problem+json"
REQUEST_ID = "coopwire.request_id"
"""Where the scope of a request keeps its id."""
_MOST_ERRORS = 50
_LONGEST_FIELD = 120
_FIELD = re.compile(r"(?!.*[0-9](?:[._-]*[0-9]){5})[A-Za-z0-9_.-]+\Z")
"""Words with dots between; six digits may be part of the number of an account, a phone or a card."""


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of problem: `name` is stable for machines."""

    name: str
    status: int
    title: str

    @property
    def type(self) -> str:
        """The URI that names this kind."""
        return f"urn:coopwire:problem:{self.name}"


MALFORMED = Kind("malformed", 400, "The request cannot be read")
UNAUTHENTICATED = Kind("unauthenticated", 401, "A valid API key is needed")
FORBIDDEN = Kind("forbidden", 403, "The API key does not allow this")
NOT_FOUND = Kind("not-found", 404, "There is no such thing")
METHOD_NOT_ALLOWED = Kind("method-not-allowed", 405, "This path does not know the method")
STILL_WORKING = Kind("still-working", 409, "The first request under this key is still being worked on")
CONFLICT = Kind("conflict", 409, "The present state does not allow this")
TOO_LARGE = Kind("too-large", 413, "The body is too large")
UNSUPPORTED_MEDIA = Kind("unsupported-media-type", 415, "The body has another media type than is needed")
INVALID = Kind("invalid", 422, "A field must be mended")
KEY_REUSED = Kind("key-reused", 422, "The idempotency key was used before, with another body or too long ago")
GATEWAY_REFUSED = Kind("gateway-refused", 422, "The gateway refused to open a page")
GATEWAY_AWAY = Kind("gateway-away", 502, "The gateway gave no answer that can be used")
INTERNAL = Kind("internal", 500, "Something went wrong in the hub")
UNAVAILABLE = Kind("unavailable", 503, "The hub cannot work at the moment")

KINDS = (
    MALFORMED,
    UNAUTHENTICATED,
    FORBIDDEN,
    NOT_FOUND,
    METHOD_NOT_ALLOWED,
    STILL_WORKING,
    CONFLICT,
    TOO_LARGE,
    UNSUPPORTED_MEDIA,
    INVALID,
    KEY_REUSED,
    GATEWAY_REFUSED,
    GATEWAY_AWAY,
    INTERNAL,
    UNAVAILABLE,
)


@dataclass(frozen=True, slots=True)
class FieldError:
    """One field to mend; `line` where the body is a list of lines."""

    field: str
    message: str
    line: int | None = None


@dataclass(frozen=True, slots=True)
class ProblemDocument:
    """A problem as it is answered. Source: RFC 9457, with our own `request_id`, `errors` and `payment`."""

    type: str
    title: str
    status: int
    request_id: str
    detail: str | None = None
    errors: Sequence[FieldError] | None = None
    payment: str | None = None


class Problem(HTTPException):
    """Ends a request with a problem document."""

    def __init__(
        self,
        kind: Kind,
        detail: str | None = None,
        *,
        errors: Sequence[FieldError] = (),
        headers: Mapping[str, str] | None = None,
        payment: str | None = None,
    ) -> None:
        super().__init__(kind.status, kind.title, headers)
        self.kind = kind
        self.words = detail
        self.errors = tuple(errors)[:_MOST_ERRORS]
        self.payment = payment


def there(found: FoundT | None, what: str) -> FoundT:
    """What was asked for; Problem when there is no such thing."""
    if found is None:
        raise Problem(NOT_FOUND, f"there is no such {what}")
    return found


def document(problem: Problem, request_id: str) -> bytes:
    """The body of a problem's answer; members without a value are left out."""
    members: dict[str, object] = {
        "type": problem.kind.type,
        "title": problem.kind.title,
        "status": problem.kind.status,
        "request_id": request_id,
        "detail": problem.words,
        "errors": [_member(error) for error in problem.errors] or None,
        "payment": problem.payment,
    }
    return json.dumps({name: value for name, value in members.items() if value is not None}).encode()


def _member(error: FieldError) -> dict[str, object]:
    members = {"field": _shown(error.field), "message": error.message, "line": error.line}
    return {name: value for name, value in members.items() if value is not None}


def _shown(name: str) -> str:
    """A field's name; an unknown one was written by the client and may hold anything, even a member's e-mail."""
    return name[:_LONGEST_FIELD] if _FIELD.match(name) else "(not shown)"


def answer(request: Request, problem: Problem) -> Response:
    """The response of a problem."""
    body = document(problem, request.scope.get(REQUEST_ID, ""))
    return Response(body, problem.kind.status, dict(problem.headers or {}), MEDIA)


# -- from what is raised to a problem ----------------------------------------------------------------------

_OF_STATUS = {kind.status: kind for kind in reversed(KINDS)}


async def on_http(request: Request, error: Exception) -> Response:
    """A problem, or what the framework raises for unknown paths and methods."""
    assert isinstance(error, HTTPException)
    if isinstance(error, Problem):
        return answer(request, error)
    kind = _OF_STATUS.get(error.status_code, MALFORMED if error.status_code < 500 else INTERNAL)
    return answer(request, Problem(kind, headers=error.headers))


async def on_validation(request: Request, error: Exception) -> Response:
    """The framework's findings, without the values that it found."""
    assert isinstance(error, RequestValidationError)
    return answer(request, Problem(INVALID, errors=[_finding(one) for one in error.errors()]))


def _finding(found: Mapping[str, Any]) -> FieldError:
    place, *path = found["loc"]
    field = ".".join(str(part) for part in path) or str(place)
    return FieldError(field, str(found["msg"]).removeprefix("Value error, "))


_OF_REJECTION = {
    "not_found": NOT_FOUND,
    "conflict": CONFLICT,
    "gateway_refused": GATEWAY_REFUSED,
    "gateway_away": GATEWAY_AWAY,
}


async def on_rejected(request: Request, error: Exception) -> Response:
    """What the application says of a request that it cannot accept."""
    assert isinstance(error, Rejected)
    kind = _OF_REJECTION.get(error.code, INVALID)
    if kind is INVALID:
        return answer(request, Problem(kind, errors=[FieldError(error.field, error.message)]))
    return answer(request, Problem(kind, error.message, payment=error.payment))


async def on_key_reused(request: Request, error: Exception) -> Response:
    """The same idempotency key with another body, or after its body was forgotten."""
    return answer(request, Problem(KEY_REUSED, "use a new Idempotency-Key for a new request"))


async def on_still_working(request: Request, error: Exception) -> Response:
    """The same request again while the first is under way."""
    return answer(
        request, Problem(STILL_WORKING, "ask again with the same key", headers={"Retry-After": "1"})
    )


async def on_unavailable(request: Request, error: Exception) -> Response:
    """The database is away."""
    return answer(request, Problem(UNAVAILABLE, "the database is away", headers={"Retry-After": "5"}))


HANDLERS: dict[int | type[Exception], Any] = {
    HTTPException: on_http,
    RequestValidationError: on_validation,
    Rejected: on_rejected,
    KeyReused: on_key_reused,
    StillWorking: on_still_working,
    StorageUnavailable: on_unavailable,
}
