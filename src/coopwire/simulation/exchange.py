"""One request and its answer as a simulated vendor sees them, free of the web framework."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final
from urllib.parse import parse_qsl

from aiohttp import web

from coopwire.simulation import exact_json

ACCEPTED: Final = "accepted"
REPEATED: Final = "repeated"
REFUSED: Final = "refused"
UNAUTHORISED: Final = "unauthorised"
NOT_DONE: Final = "not_done"
_NO_EFFECT = frozenset({REFUSED, UNAUTHORISED, NOT_DONE})


@dataclass(frozen=True, slots=True)
class Answer:
    """What a vendor answers; `outcome` is a word for the record, not for the wire."""

    status: int
    body: bytes
    content_type: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict)
    outcome: str = ACCEPTED

    @property
    def accepted(self) -> bool:
        """Whether the vendor did (or had done) what it was asked."""
        return is_accepted(self.outcome)


def is_accepted(outcome: str) -> bool:
    """Whether a recorded outcome means that the vendor did (or had done) what it was asked."""
    return outcome not in _NO_EFFECT


class TurnedAway(Exception):
    """Raised inside an operation that goes no further: carries the answer."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(answer.outcome)
        self.answer = answer


def json_answer(payload: object, *, status: int = 200, outcome: str = ACCEPTED) -> Answer:
    """An answer of ordinary JSON (no decimals in it)."""
    return Answer(status, json.dumps(payload, separators=(",", ":")).encode(), outcome=outcome)


def html_answer(text: str, *, status: int = 200, outcome: str = ACCEPTED) -> Answer:
    """An HTML page."""
    return Answer(status, text.encode(), "text/html", outcome=outcome)


def redirect_answer(location: str, *, status: int = 302, outcome: str = ACCEPTED) -> Answer:
    """A redirect with an empty body."""
    return Answer(status, b"", "text/plain", {"Location": location}, outcome)


_NO_HEADERS: Final[Mapping[str, str]] = {}


def to_response(answer: Answer, headers: Mapping[str, str] = _NO_HEADERS) -> web.Response:
    """The answer for the web framework, with `headers` beside its own."""
    return web.Response(
        body=answer.body,
        status=answer.status,
        content_type=answer.content_type,
        headers={**answer.headers, **headers},
    )


class Call:
    """One request to a vendor's operation, with its whole body."""

    def __init__(self, operation: Operation, request: web.Request, body: bytes) -> None:
        self.operation = operation
        self.body = body
        self._request = request

    @property
    def method(self) -> str:
        """GET, POST, …"""
        return self._request.method

    @property
    def path(self) -> str:
        """The path with its query, as sent."""
        return self._request.path_qs

    @property
    def place(self) -> Mapping[str, str]:
        """The variable parts of the path, percent-decoded."""
        return self._request.match_info

    @property
    def query(self) -> Mapping[str, str]:
        """Query parameters (the first of each name)."""
        return self._request.query

    @property
    def headers(self) -> Mapping[str, str]:
        """Header fields; names match in any case."""
        return self._request.headers

    @property
    def base_url(self) -> str:
        """Scheme, host and port under which the caller reached the simulator."""
        return f"{self._request.scheme}://{self._request.host}"

    @cached_property
    def json(self) -> object:
        """The body as JSON with exact numbers. ValueError when it is none."""
        return exact_json.loads(self.body)

    @property
    def members(self) -> Mapping[str, object] | None:
        """The members of a body that is a JSON object; None for any other body."""
        try:
            given = self.json
        except ValueError:
            return None
        return given if isinstance(given, dict) else None

    @cached_property
    def form(self) -> Mapping[str, str]:
        """The body as an HTML form."""
        return dict(parse_qsl(self.body.decode("utf-8", "replace"), keep_blank_values=True))


@dataclass(frozen=True, slots=True)
class Operation:
    """One thing a vendor does; `does` changes its state at once and says what it answers."""

    name: str
    method: str
    path: str
    does: Callable[[Call], Answer]
