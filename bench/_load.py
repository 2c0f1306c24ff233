"""Loads an HTTP server over raw sockets with requests that are built beforehand, so that the load costs little."""

from __future__ import annotations

import asyncio
import math
import re
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from urllib.parse import urlsplit

_LENGTH = re.compile(rb"(?i)\r\ncontent-length: *(\d+)")
_END_OF_HEAD = b"\r\n\r\n"


@dataclass
class Answers:
    """How a server answered: seconds per request, in the order of the answers, and statuses that were not 200."""

    seconds: list[float] = field(default_factory=list)
    refused: list[bytes] = field(default_factory=list)
    elapsed: float = 0.0

    @property
    def rate(self) -> float:
        """Requests per second that were answered 200."""
        return len(self.seconds) / self.elapsed

    def percentile_ms(self, percent: float) -> float:
        """Milliseconds within which so many per cent of the requests were answered."""
        return percentile(self.seconds, percent) * 1000


def percentile(values: Sequence[float], percent: float) -> float:
    """The smallest value that so many per cent of the values do not exceed."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(len(ordered) * percent / 100) - 1)]


def request(path: str, body: bytes, headers: Mapping[str, str]) -> bytes:
    """A whole POST request of a JSON body."""
    lines = [f"POST {path} HTTP/1.1", "host: bench", "content-type: application/json"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    lines.append(f"content-length: {len(body)}")
    return "\r\n".join(lines).encode() + _END_OF_HEAD + body


async def load(url: str, requests: Sequence[bytes], connections: int, seconds: float) -> Answers:
    """Send the requests over so many connections, each waiting for its answer before the next, for that long.

    It ends early when the requests run out, so that none is ever sent twice.
    """
    host, port = urlsplit(url).netloc.split(":")
    loop = asyncio.get_running_loop()
    answers, left, begun = Answers(), iter(requests), time.perf_counter()
    clients = [_Client(left, begun + seconds, answers) for _ in range(connections)]
    for client in clients:
        await loop.create_connection(lambda one=client: one, host, int(port))  # type: ignore[misc]
    await asyncio.gather(*(client.done for client in clients))
    answers.elapsed = time.perf_counter() - begun
    return answers


class _Client(asyncio.Protocol):
    """One connection."""

    def __init__(self, left: Iterator[bytes], until: float, answers: Answers) -> None:
        self._left = left
        self._until = until
        self._answers = answers
        self._got = b""
        self._sent_at = 0.0
        self._transport: asyncio.Transport | None = None
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._send()

    def data_received(self, data: bytes) -> None:
        self._got += data
        if not _is_whole(self._got):
            return
        if self._got.startswith(b"HTTP/1.1 200 "):
            self._answers.seconds.append(time.perf_counter() - self._sent_at)
        else:
            self._answers.refused.append(self._got[9:12])
        self._got = b""
        self._send()

    def connection_lost(self, error: Exception | None) -> None:
        if not self.done.done():
            self.done.set_exception(error or ConnectionResetError("the server closed the connection"))

    def _send(self) -> None:
        assert self._transport is not None
        now = time.perf_counter()
        following = next(self._left, None) if now < self._until else None
        if following is None:
            if not self.done.done():
                self.done.set_result(None)
            self._transport.close()
            return
        self._sent_at = now
        self._transport.write(following)


def _is_whole(answer: bytes) -> bool:
    head, _, body = answer.partition(_END_OF_HEAD)
    length = _LENGTH.search(head)
    return _END_OF_HEAD in answer and length is not None and len(body) >= int(length[1])
