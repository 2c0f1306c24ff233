"""Around every API request: an id, a limit of its body, its metrics, and the last answer when all else fails."""

from __future__ import annotations

import secrets
import time
import traceback
from collections.abc import Mapping
from pathlib import Path

import structlog
from starlette.requests import ClientDisconnect

from coopwire.ports.meters import Meter
from coopwire.web.asgi import ASGI, Message, Receive, Scope, Send
from coopwire.web.problems import INTERNAL, MALFORMED, MEDIA, REQUEST_ID, TOO_LARGE, Kind, Problem, document

MAX_BODY = 1 << 20
"""Bytes, unless the path has a limit of its own."""
_NO_STORE = (b"cache-control", b"no-store")

_log = structlog.get_logger()


class Front:
    """An ASGI middleware. It answers by itself what must not get further in."""

    def __init__(self, app: ASGI, meter: Meter, limits: Mapping[str, int]) -> None:
        self._app = app
        self._meter = meter
        self._limits = limits

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request; other kinds of scope pass."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        visit = _Visit(scope, receive, send, self._limits.get(scope["path"], MAX_BODY))
        started = time.perf_counter()
        try:
            await self._enter(visit)
        except ClientDisconnect:
            visit.status = 499  # nobody hears an answer; the number is the usual one in logs
        except Exception as error:
            _log.error("request_failed", request_id=visit.id, error=type(error).__name__, at=_where(error))
            await visit.answer(INTERNAL)
        self._meter.request(scope["method"], _template(scope), visit.status, time.perf_counter() - started)

    async def _enter(self, visit: _Visit) -> None:
        scope = visit.scope
        if "\x00" in scope["path"] or b"%00" in scope["query_string"]:
            await visit.answer(MALFORMED, "the address holds a NUL")
        elif visit.announced > visit.limit:
            await visit.answer(TOO_LARGE, f"at most {visit.limit} bytes")
        else:
            await self._app(scope, visit.receive, visit.send)


class _Visit:
    """One request on its way: counts what is read, notes what is answered."""

    def __init__(self, scope: Scope, receive: Receive, send: Send, limit: int) -> None:
        self.scope = scope
        self.limit = limit
        self.status = 0
        self.id = secrets.token_hex(8)
        scope[REQUEST_ID] = self.id
        self._receive = receive
        self._send = send
        self._read = 0

    @property
    def announced(self) -> int:
        """The length that the client announces; 0 when it says nothing that can be believed."""
        values = [v for name, v in self.scope["headers"] if name == b"content-length"]
        return max((int(v) for v in values if v.isdigit() and len(v) < 20), default=0)

    async def receive(self) -> Message:
        """The next part of the body. Problem when it is more than the limit."""
        message = await self._receive()
        self._read += len(message.get("body", b""))
        if self._read > self.limit:
            raise Problem(TOO_LARGE, f"at most {self.limit} bytes")
        return message

    async def send(self, message: Message) -> None:
        """Pass an answer on, with the headers that every answer has."""
        if message["type"] == "http.response.start":
            self.status = message["status"]
            own = [(b"x-request-id", self.id.encode()), _NO_STORE]
            message = {**message, "headers": [*message.get("headers", ()), *own]}
        await self._send(message)

    async def answer(self, kind: Kind, detail: str | None = None) -> None:
        """A problem from here; nothing if an answer has begun."""
        if self.status:
            return
        body = document(Problem(kind, detail), self.id)
        headers = [
            (b"content-type", MEDIA.encode()),
            (b"content-length", str(len(body)).encode()),
        ]
        await self.send({"type": "http.response.start", "status": kind.status, "headers": headers})
        await self.send({"type": "http.response.body", "body": body})


def _template(scope: Scope) -> str:
    """The path as the route writes it; empty for a path that no route knows."""
    return str(getattr(scope.get("route"), "path", ""))


def _where(error: BaseException) -> list[str]:
    """The innermost places of a failure: file and line, none of the values."""
    frames = traceback.extract_tb(error.__traceback__)[-3:]
    return [f"{Path(frame.filename).name}:{frame.lineno}" for frame in frames]
