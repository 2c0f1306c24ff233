"""The webhook door: verify, commit the raw bytes with those of other requests, then answer.

No framework stands on this path, since it is the busiest of the hub. Law 1: store first, answer second.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import itertools
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

import structlog

from coopwire.application.bells import WEBHOOKS as WEBHOOKS_BELL
from coopwire.application.bells import Bells
from coopwire.application.groups import GroupCommit
from coopwire.application.network import Network
from coopwire.domain.errors import Forged
from coopwire.domain.networks import Networks, holds, networks
from coopwire.ports.clock import Clock
from coopwire.ports.meters import DoorWord, Meter
from coopwire.ports.stores import Database, Delivered, StorageUnavailable
from coopwire.ports.tracing import SpanKind, Traces, untraced
from coopwire.ports.webhooks import Webhooks
from coopwire.web.asgi import WEBHOOKS, Message, Receive, Scope, Send

MAX_BODY = 1 << 20
"""Bytes. Source: payments contract 4.1."""
MAX_WAITING = 64 << 20
"""Bytes of all bodies that wait for their commit; beyond it the gateways are asked to come back."""
GROUP = 200
COMMIT_SECONDS = 10.0
BODY_SECONDS = 30.0
LINGER = 8 << 20
"""Bytes that are thrown away behind a body that is too large, so that its sender hears the answer."""
LINGER_SECONDS = 2.0

_ADDRESSES = "webhook_addresses"
_log = structlog.get_logger()
_Header = tuple[bytes, bytes]
_BytesT = TypeVar("_BytesT", bytes, bytearray)


@dataclass(frozen=True, slots=True)
class _Answer:
    """What is told, and how it is counted."""

    status: int
    body: bytes
    headers: tuple[_Header, ...]
    word: DoorWord


def _problem(status: int, title: str, word: DoorWord, *more: _Header) -> _Answer:
    body = b'{"type":"about:blank","title":"%s","status":%d}' % (title.encode(), status)
    return _Answer(status, body, _headers(b"application/problem+json", body, *more), word)


def _headers(media: bytes, body: bytes, *more: _Header) -> tuple[_Header, ...]:
    return ((b"content-type", media), (b"content-length", b"%d" % len(body)), *more)


_CLOSE = (b"connection", b"close")
_LATER = (b"retry-after", b"5")
_ACCEPTED = _Answer(200, b"{}", _headers(b"application/json", b"{}"), DoorWord.ACCEPTED)
_FORGED = _problem(401, "Unauthorized", DoorWord.FORGED)
_FOREIGN = _problem(403, "Forbidden", DoorWord.FOREIGN_ADDRESS)
_UNKNOWN = _problem(404, "Not Found", DoorWord.UNKNOWN_CONNECTION)
_NOT_A_POST = _problem(405, "Method Not Allowed", DoorWord.NOT_A_POST, (b"allow", b"POST"))
_TOO_SLOW = _problem(408, "Request Timeout", DoorWord.CUT_OFF, _CLOSE)
# The rest of the body is not read, so the connection cannot be used again.
_TOO_LARGE = _problem(413, "Content Too Large", DoorWord.TOO_LARGE, _CLOSE)
_FAILED = _problem(500, "Internal Server Error", DoorWord.FAILED)
_UNAVAILABLE = _problem(503, "Service Unavailable", DoorWord.FAILED, _LATER)


class _Refusal(Exception):
    """The request ends here. `answer` is None when nobody is there to hear it; `sending` while more comes."""

    def __init__(self, answer: _Answer | None, *, sending: bool = False) -> None:
        super().__init__()
        self.answer = answer
        self.sending = sending


class Door:
    """An ASGI application for `/webhooks/{connection}`. `run` must be running: it is what commits."""

    def __init__(
        self,
        network: Network,
        database: Database,
        clock: Clock,
        bells: Bells,
        meter: Meter,
        traces: Traces = untraced,
    ) -> None:
        self._webhooks: dict[str, Webhooks] = {
            name: c.webhooks for name, c in network.connections.items() if c.webhooks is not None
        }
        self._allowed: dict[str, Networks] = {
            name: networks(c.connection.settings.get(_ADDRESSES, ""))
            for name, c in network.connections.items()
        }
        self._database = database
        self._clock = clock
        self._bells = bells
        self._meter = meter
        self._traces = traces
        self._commits: GroupCommit[Delivered, StorageUnavailable | None] = GroupCommit(
            "webhooks", self._commit, limit=GROUP
        )
        self._open = False
        self._waiting = 0
        self._id_prefix = secrets.token_hex(6)
        self._numbers = itertools.count(1)

    async def run(self) -> None:
        """Commit what comes in until cancelled; afterwards every webhook is answered 503."""
        self._open = True
        try:
            await self._commits.run()
        finally:
            self._open = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request. Nothing that a client sends makes it raise or answer 5xx."""
        name = scope["path"][len(WEBHOOKS) :]
        request_id = f"{self._id_prefix}-{next(self._numbers):x}"
        sending = False
        try:
            answer: _Answer | None = await self._take(name, scope, receive)
        except _Refusal as refusal:
            answer, sending = refusal.answer, refusal.sending
        except Exception as error:
            _log.error("webhook_failed", connection=name, request_id=request_id, error=type(error).__name__)
            answer = _FAILED
        self._meter.webhook(
            name if name in self._webhooks else "", answer.word if answer else DoorWord.CUT_OFF
        )
        if answer is not None:
            await _send(answer, request_id, send, receive if sending else None)

    async def _take(self, name: str, scope: Scope, receive: Receive) -> _Answer:
        webhooks = self._webhooks.get(name)
        if webhooks is None:
            return _UNKNOWN
        if scope["method"] != "POST":
            return _NOT_A_POST
        if self._allowed[name] and not holds(self._allowed[name], _peer(scope)):
            return _FOREIGN
        body = await _read(scope, receive)
        if not _is_theirs(webhooks, name, _named(scope["headers"]), body):
            return _FORGED
        # A trace begins with what is believed: nobody else can make us record anything.
        with self._traces.span("webhook", side=SpanKind.SERVER, connection=name) as span:
            answer = await self._store(
                Delivered(name, hashlib.sha256(body).digest(), body, self._clock.now())
            )
            if answer.status != 200:
                span.failed(answer.word.value)
        return answer

    async def _store(self, delivered: Delivered) -> _Answer:
        size = len(delivered.body)
        if not self._open or self._waiting + size > MAX_WAITING:
            return _UNAVAILABLE
        self._waiting += size
        try:
            failed = await self._commits.submit(delivered)
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if task is not None and task.cancelling():
                raise
            # Not we were cancelled but the commit: the hub is going down.
            return _UNAVAILABLE
        finally:
            self._waiting -= size
        return _ACCEPTED if failed is None else _UNAVAILABLE

    async def _commit(self, group: Sequence[Delivered]) -> Sequence[StorageUnavailable | None]:
        """One commit for the group. A database that does not answer is a result, not an error: otherwise
        each message of the group would wait for it again, alone."""
        try:
            async with asyncio.timeout(COMMIT_SECONDS):
                await self._database.accept(group)
        except (StorageUnavailable, TimeoutError) as error:
            _log.warning("webhooks_not_stored", count=len(group), error=type(error).__name__)
            return [StorageUnavailable("not stored")] * len(group)
        self._bells.ring(WEBHOOKS_BELL)
        return [None] * len(group)


def _peer(scope: Scope) -> str:
    """Who sent it, as the server knows it: behind a proxy that is trusted, whom the proxy names."""
    client = scope.get("client")
    return client[0] if client else ""


async def _read(scope: Scope, receive: Receive) -> bytes:
    """The raw body; a body that is too large is not read to its end."""
    headers = scope["headers"]
    if _announced(headers) > MAX_BODY:
        # Who waits for a "100 Continue" has not begun to send.
        raise _Refusal(_TOO_LARGE, sending=not any(name == b"expect" for name, _ in headers))
    message = await receive()
    if message["type"] == "http.request" and not message.get("more_body", False):
        body: bytes = message.get("body", b"")
        return _small(body, more=False)
    try:
        async with asyncio.timeout(BODY_SECONDS):
            return await _read_on(message, receive)
    except TimeoutError:
        raise _Refusal(_TOO_SLOW) from None


async def _read_on(message: Message, receive: Receive) -> bytes:
    body = bytearray()
    while message["type"] == "http.request":
        more = bool(message.get("more_body", False))
        body += message.get("body", b"")
        _small(body, more=more)
        if not more:
            return bytes(body)
        message = await receive()
    raise _Refusal(None)


def _small(body: _BytesT, *, more: bool) -> _BytesT:
    if len(body) > MAX_BODY:
        raise _Refusal(_TOO_LARGE, sending=more)
    return body


def _announced(headers: Sequence[_Header]) -> int:
    """The length that the client announces; 0 when it says nothing that can be believed."""
    for name, value in headers:
        if name == b"content-length" and len(value) < 20 and value.isdigit():
            return int(value)
    return 0


def _named(headers: Sequence[_Header]) -> dict[str, str]:
    """Headers by lower-case name; repeated ones are joined, so a second signature never replaces the first."""
    named = {name.decode("latin-1"): value.decode("latin-1") for name, value in headers}
    if len(named) < len(headers):
        named = {}
        for name, value in headers:
            key, text = name.decode("latin-1"), value.decode("latin-1")
            named[key] = f"{named[key]}, {text}" if key in named else text
    return named


def _is_theirs(webhooks: Webhooks, connection: str, headers: dict[str, str], body: bytes) -> bool:
    try:
        webhooks.verify(headers, body)
    except Forged:
        return False
    except Exception as error:
        _log.error("adapter_broke_its_promise", connection=connection, error=type(error).__name__)
        return False
    return True


async def _send(answer: _Answer, request_id: str, send: Send, rest: Receive | None) -> None:
    """Tell the answer; what the client is still sending (`rest`) is thrown away before the connection closes.

    A connection that is closed on unread bytes is reset, and the answer may be lost with it.
    """
    headers = [*answer.headers, (b"x-request-id", request_id.encode())]
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    await send({"type": "http.response.body", "body": answer.body, "more_body": rest is not None})
    if rest is not None:
        await _throw_away(rest)
        await send({"type": "http.response.body", "body": b""})


async def _throw_away(rest: Receive) -> None:
    left = LINGER
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(LINGER_SECONDS):
            while left > 0:
                message = await rest()
                if message["type"] != "http.request" or not message.get("more_body", False):
                    return
                left -= len(message.get("body", b""))
