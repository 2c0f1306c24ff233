"""The HTTP client: every request leaves at most once, and every failure is sorted by whether anything left.

What aiohttp does by default and this client does not (read in aiohttp 3.14): follow redirects; send GET, PUT
and DELETE again when a kept connection dies; take bytes that lay in a kept connection for the answer to the
next request; go on delivering a request after its deadline; keep cookies, so that one connection's reach
another's calls; print URLs and headers in error texts; read answers of any size.
"""

from __future__ import annotations

import asyncio
import re
import socket
import ssl
import struct
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from enum import StrEnum
from http import HTTPStatus

import aiohttp
from aiohttp.client_middlewares import ClientHandlerType
from aiohttp.connector import Connection
from yarl import URL

from coopwire.domain.errors import (
    ContractBroken,
    GateClosed,
    HubError,
    InvalidOrder,
    NotSent,
    OutcomeUnknown,
    TryLater,
)
from coopwire.domain.gates import Traffic
from coopwire.ports.clock import Clock
from coopwire.ports.http import HttpAnswer, HttpRequest
from coopwire.ports.tracing import SpanKind, Traces, untraced
from coopwire.transport.addresses import is_loopback
from coopwire.transport.budgets import Budgets, Unlimited
from coopwire.transport.guard import BreakerBoard, tell

BODY_LIMIT = 4 * 1024 * 1024
"""Bytes of an answer's body, after decompression."""

_HEADER_LIMIT = 32 * 1024
_DAY_SECONDS = 86_400
_TOO_MANY = 429
_ANY_TIME = datetime(1970, 1, 1, tzinfo=UTC)
_SPOILT_AT_MOST = 3
_RESET_ON_CLOSE = struct.pack("ii", 1, 0)
_METHOD = re.compile(r"[A-Z]+\Z")
_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+\Z")
_HEADER_VALUE = re.compile(r"[\t\x20-\x7e]*\Z")
_FRAMING = frozenset({"host", "connection", "content-length", "transfer-encoding", "expect", "upgrade"})


class Fate(StrEnum):
    """What became of a request that got no usable answer."""

    UNSENDABLE = "unsendable"
    NEVER_LEFT = "never_left"
    LOST = "lost"
    TOO_LARGE = "too_large"


@dataclass(frozen=True, slots=True)
class Failure:
    """No answer: `reason` names the kind of fault and holds nothing of URL, headers or body."""

    fate: Fate
    reason: str


class HttpTransport:
    """The one aiohttp session of a process, shared by all connections; opened at the first call.

    `limit` and `limit_per_host` bound open connections (0: no bound). A connection idle longer than
    `kept_for` is not used again; that is less than the five seconds after which common servers close, because
    a request that meets a closing connection has an unknown outcome.
    """

    def __init__(
        self, *, limit: int = 100, limit_per_host: int = 0, kept_for: timedelta = timedelta(seconds=4)
    ) -> None:
        self._limit = limit
        self._limit_per_host = limit_per_host
        self._kept_for = kept_for
        self._session: aiohttp.ClientSession | None = None
        self._closed = False

    async def __aenter__(self) -> HttpTransport:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Close every connection; calls under way lose their answer, later ones are not sent."""
        self._closed = True
        if self._session is not None:
            await self._session.close()

    async def exchange(
        self,
        request: HttpRequest,
        *,
        deadline: timedelta,
        body_limit: int = BODY_LIMIT,
        tls: ssl.SSLContext | None = None,
    ) -> HttpAnswer | Failure:
        """Send once and read the whole answer, all within `deadline`. Raises nothing but cancellation.

        Without an answer the connection is torn down, so that nothing of the request is delivered later. An
        answer that states no length counts as whole when they close: its reader must notice a torn one.
        """
        if self._closed:
            return Failure(Fate.NEVER_LEFT, "the transport is closed")
        flight = _Flight()
        result: HttpAnswer | Failure | None = None
        try:
            async with asyncio.timeout(deadline.total_seconds()):
                result = await self._round_trip(flight, request, body_limit, tls)
        except _TooLarge:
            result = Failure(Fate.TOO_LARGE, f"the answer is larger than {body_limit} bytes")
        except Exception as error:
            result = flight.failure(error)
        finally:
            if not isinstance(result, HttpAnswer):
                flight.cut()
        return result

    async def _round_trip(
        self, flight: _Flight, request: HttpRequest, body_limit: int, tls: ssl.SSLContext | None
    ) -> HttpAnswer:
        async with self._open_session().request(
            request.method,
            URL(request.url),
            headers=request.headers,
            data=request.body,
            allow_redirects=False,
            ssl=True if tls is None else tls,
            middlewares=(flight,),
        ) as response:
            body = await _read_within(response.content, body_limit)
            return HttpAnswer(response.status, _plain_headers(response), body)

    def _open_session(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(
                    limit=self._limit,
                    limit_per_host=self._limit_per_host,
                    keepalive_timeout=self._kept_for.total_seconds(),
                ),
                cookie_jar=aiohttp.DummyCookieJar(),
                request_class=_WatchedRequest,
                # The total deadline is ours: aiohttp rounds its own up to whole seconds.
                timeout=aiohttp.ClientTimeout(total=None),
                trust_env=False,
                headers={"User-Agent": "coopwire"},
                max_line_size=_HEADER_LIMIT,
                max_field_size=_HEADER_LIMIT,
            )
        return self._session


@dataclass(frozen=True, slots=True)
class CallReport:
    """One call for metrics and spans; `outcome` is "answered" or the name of the error class."""

    connection: str
    operation: str
    traffic: Traffic
    outcome: str
    status: int | None
    took: timedelta


def _unheard(_: CallReport) -> None:
    """The listener of a client whose calls nobody counts."""


class GuardedHttp:
    """The Http socket of one connection: address rules, breaker, deadline, errors of the tree.

    `tls` is for a private authority or a client certificate; ValueError when it would accept any certificate.
    """

    def __init__(
        self,
        connection: str,
        transport: HttpTransport,
        board: BreakerBoard,
        clock: Clock,
        *,
        body_limit: int = BODY_LIMIT,
        tls: ssl.SSLContext | None = None,
        report: Callable[[CallReport], None] = _unheard,
        traces: Traces = untraced,
        budgets: Budgets | None = None,
    ) -> None:
        if tls is not None and (tls.verify_mode is not ssl.CERT_REQUIRED or not tls.check_hostname):
            raise ValueError(
                f"connection {connection}: a TLS context must verify the certificate and the host"
            )
        self._connection = connection
        self._transport = transport
        self._board = board
        self._clock = clock
        self._body_limit = body_limit
        self._tls = tls
        self._report = report
        self._traces = traces
        self._budgets = budgets or Unlimited()

    async def call(self, request: HttpRequest) -> HttpAnswer:
        """See ports.http.Http. InvalidOrder for an address or a header that must not be used."""
        self._check(request)
        facts = {"connection": self._connection, "operation": request.operation}
        with self._traces.span(self._named(request), side=SpanKind.CLIENT, **facts) as span:
            answer = await self._call(request)
            span.tell(status=answer.status)
        return answer

    async def _call(self, request: HttpRequest) -> HttpAnswer:
        result, started = await self._within_budget(request)
        self._note(request.traffic, result)
        if isinstance(result, HttpAnswer):
            self._be_patient(result)
            self._tell(request, "answered", result.status, started)
            return result
        error = _sorted(result, request.traffic, self._named(request))
        self._tell(request, type(error).__name__, None, started)
        raise error

    async def _within_budget(self, request: HttpRequest) -> tuple[HttpAnswer | Failure, datetime]:
        """What came of the call, and when it was sent; GateClosed when it may not be."""
        try:
            await self._budgets.enter(self._connection)
        except GateClosed:
            self._tell(request, "GateClosed", None, self._clock.now())
            raise
        started = self._clock.now()
        try:
            if not self._board.may_pass(self._connection, request.traffic, started):
                self._tell(request, "GateClosed", None, started)
                raise GateClosed(f"{self._named(request)}: the breaker is open for {request.traffic}s")
            result = await self._transport.exchange(
                request,
                deadline=self._clock.timings.call_deadline,
                body_limit=self._body_limit,
                tls=self._tls,
            )
        finally:
            self._budgets.leave(self._connection)
        return result, started

    def _be_patient(self, answer: HttpAnswer) -> None:
        """They say that we call too often, and for how long we must not."""
        if answer.status != _TOO_MANY:
            return
        seconds = retry_after(answer, self._clock.now())
        if seconds:
            length = self._clock.timings.of_provider(timedelta(seconds=seconds))
            self._budgets.pause(self._connection, length, "they asked for patience (HTTP 429)")

    def _check(self, request: HttpRequest) -> None:
        fault = _fault_of_address(request.url) or _fault_of_head(request)
        if fault is not None:
            field, text = fault
            raise InvalidOrder(f"{self._named(request)}: {text}", field=field)

    def _note(self, traffic: Traffic, result: HttpAnswer | Failure) -> None:
        if isinstance(result, HttpAnswer):
            ok = result.status < 500
        elif result.fate is Fate.UNSENDABLE:
            return
        else:
            ok = result.fate is Fate.TOO_LARGE
        self._board.note(self._connection, traffic, ok, self._clock.now())

    def _tell(self, request: HttpRequest, outcome: str, status: int | None, started: datetime) -> None:
        took = self._clock.now() - started
        report = CallReport(self._connection, request.operation, request.traffic, outcome, status, took)
        tell(self._report, report)

    def _named(self, request: HttpRequest) -> str:
        return f"{self._connection} {request.operation}"


def retry_after(answer: HttpAnswer, now: datetime) -> float | None:
    """Seconds that they ask us to wait, at most a day; None when absent or unreadable.

    Source: RFC 9110, section 10.2.3 (a number of seconds or a date).
    """
    text = answer.headers.get("retry-after", "").strip()
    if re.fullmatch(r"[0-9]{1,9}", text):
        return float(min(int(text), _DAY_SECONDS))
    try:
        seconds = (parsedate_to_datetime(text) - now).total_seconds()
    except (ValueError, TypeError, OverflowError):
        return None
    return min(max(seconds, 0.0), float(_DAY_SECONDS))


def untrusted(answer: HttpAnswer, traffic: Traffic, wait: float | None) -> HubError:
    """What an answer means that nobody can believe: unknown to a write, no answer or a broken one to a read."""
    what = f"HTTP {answer.status} without a trustworthy answer"
    if traffic is Traffic.WRITE:
        return OutcomeUnknown(what, http_status=answer.status)
    if answer.status >= HTTPStatus.INTERNAL_SERVER_ERROR or answer.status == HTTPStatus.REQUEST_TIMEOUT:
        return TryLater(what, retry_after=wait, http_status=answer.status)
    return ContractBroken(what, http_status=answer.status)


def stated_wait(answer: HttpAnswer) -> float | None:
    """Retry-After in seconds where no clock is read: a date counts from the answer's own Date."""
    sent_at = _http_date(answer.headers.get("date", ""))
    if sent_at is None and _http_date(answer.headers.get("retry-after", "")) is not None:
        return None
    return retry_after(answer, sent_at or _ANY_TIME)


def _http_date(text: str) -> datetime | None:
    try:
        told = parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return None
    return told if told.tzinfo else told.replace(tzinfo=UTC)


def _sorted(failure: Failure, traffic: Traffic, name: str) -> HubError:
    text = f"{name}: {failure.reason}"
    if failure.fate is Fate.UNSENDABLE:
        return InvalidOrder(text)
    if failure.fate is Fate.NEVER_LEFT:
        return NotSent(text)
    return OutcomeUnknown(text) if traffic is Traffic.WRITE else TryLater(text)


def _fault_of_address(text: str) -> tuple[str, str] | None:
    try:
        url = URL(text)
        host = url.host
    except (ValueError, TypeError):
        return "url", "the address cannot be read"
    if not host or url.scheme not in ("http", "https"):
        return "url", "the address is not an http address with a host"
    if url.user is not None or url.password is not None:
        return "url", "the address must not carry a user or a password"
    if url.scheme == "http" and not is_loopback(host):
        return "url", "only https may leave this machine"
    return None


def _fault_of_head(request: HttpRequest) -> tuple[str, str] | None:
    if not _METHOD.match(request.method):
        return "method", "the method is not a word in capitals"
    for name, value in request.headers.items():
        if not _HEADER_NAME.match(name) or not _HEADER_VALUE.match(value):
            return "headers", "a header holds a character that may not be sent"
        if name.lower() in _FRAMING:
            return "headers", f"the header {name.lower()} is set by the client alone"
    return None


class _TooLarge(Exception):
    """The answer passed the limit."""


class _SpoiltConnection(Exception):
    """A kept connection that is closing, or holds bytes that no request of ours asked for."""


class _NotAgain(Exception):
    """Hides from aiohttp the errors at which it would send the request again; the cause is attached."""


class _WatchedRequest(aiohttp.ClientRequest):
    """A request that goes out on a clean connection only and remembers it from the first byte on."""

    line: asyncio.Transport | None = None

    async def send(self, conn: Connection) -> aiohttp.ClientResponse:
        await _let_arrive()
        if conn.closed or conn.protocol is None or conn.protocol.should_close:
            raise _SpoiltConnection
        self.line = conn.transport
        return await super().send(conn)


async def _let_arrive() -> None:
    """Let the loop read what lies in the sockets: the first turn finds it, the second has handled it."""
    await asyncio.sleep(0)
    await asyncio.sleep(0)


class _Flight:
    """One request on its way, seen as aiohttp's middleware: whether it left, and the means to stop it."""

    def __init__(self) -> None:
        self._request: _WatchedRequest | None = None

    async def __call__(
        self, request: aiohttp.ClientRequest, handler: ClientHandlerType
    ) -> aiohttp.ClientResponse:
        assert isinstance(request, _WatchedRequest)
        self._request = request
        for _ in range(_SPOILT_AT_MOST):
            try:
                return await handler(request)
            except _SpoiltConnection:
                # Nothing was sent and aiohttp has closed it: the next one may be clean.
                continue
            except (aiohttp.ClientOSError, aiohttp.ServerDisconnectedError) as error:
                raise _NotAgain from error
        raise _SpoiltConnection

    def failure(self, error: Exception) -> Failure:
        """How an exchange that ended with `error` is to be seen."""
        cause = error.__cause__ if isinstance(error, _NotAgain) else error
        kind = type(cause).__name__
        if self._line is not None:
            return Failure(Fate.LOST, f"sent, and no whole answer came ({kind})")
        if isinstance(cause, ValueError | TypeError) and not isinstance(cause, OSError):
            return Failure(Fate.UNSENDABLE, f"the request cannot be sent ({kind})")
        return Failure(Fate.NEVER_LEFT, f"nothing was sent ({kind})")

    def cut(self) -> None:
        """Drop the connection and what waits in it: neither we nor the kernel deliver the rest later."""
        if self._line is None:
            return
        raw = self._line.get_extra_info("socket")
        if raw is not None:
            # Already closed, or a loop whose sockets take no options: then abort alone must do.
            with suppress(OSError, TypeError):
                raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
        self._line.abort()

    @property
    def _line(self) -> asyncio.Transport | None:
        return None if self._request is None else self._request.line


async def _read_within(content: aiohttp.StreamReader, limit: int) -> bytes:
    parts: list[bytes] = []
    size = 0
    async for part in content.iter_any():
        size += len(part)
        if size > limit:
            raise _TooLarge
        parts.append(part)
    return b"".join(parts)


def _plain_headers(response: aiohttp.ClientResponse) -> dict[str, str]:
    plain: dict[str, str] = {}
    for name, value in response.headers.items():
        key, text = name.lower(), value if value.isascii() else _without_surrogates(value)
        plain[key] = f"{plain[key]}, {text}" if key in plain else text
    return plain


def _without_surrogates(text: str) -> str:
    """aiohttp keeps undecodable bytes as surrogates, which no database and no log would take."""
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
