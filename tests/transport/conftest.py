"""Servers on loopback that misbehave on purpose, and clients wired as the hub wires them."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field, replace
from datetime import timedelta

import pytest

from coopwire.conformance.clock import ManualClock
from coopwire.domain.gates import Gate, Traffic
from coopwire.domain.timings import DEFAULT
from coopwire.transport.guard import LocalBoard
from coopwire.transport.http import CallReport, GuardedHttp, HttpTransport

CANARY = "c4n4ry-s3cr3t"


@dataclass
class Call:
    """One request as it arrived: its connection (from 1), head and body, and the writer to answer with."""

    connection: int
    head: bytes
    body: bytes
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def say(self, raw: bytes) -> None:
        self.writer.write(raw)
        await self.writer.drain()

    async def answer(self, body: bytes = b"{}", status: str = "200 OK", headers: str = "") -> None:
        head = f"HTTP/1.1 {status}\r\ncontent-length: {len(body)}\r\n{headers}\r\n"
        await self.say(head.encode() + body)

    def hang_up(self) -> None:
        self.writer.close()


Behaviour = Callable[[Call], Awaitable[None]]


@dataclass
class Peer:
    """A raw HTTP/1.1 server: it reads whole requests and leaves the answers to the behaviour."""

    behaviour: Behaviour
    calls: list[Call] = field(default_factory=list)
    connections: int = 0
    port: int = 0
    scheme: str = "http"
    gone: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when a client's connection ended, with `end` for how: a reset throws away what was under way."""
    end: Exception | None = None
    _news: asyncio.Condition = field(default_factory=asyncio.Condition)

    def url(self, rest: str = "/") -> str:
        return f"{self.scheme}://127.0.0.1:{self.port}{rest}"

    async def reached(self, number: int) -> None:
        """Wait until so many requests have arrived."""
        async with self._news:
            await self._news.wait_for(lambda: len(self.calls) >= number)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        number = self.connections
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                call = Call(number, head, await _body(head, reader), reader, writer)
                self.calls.append(call)
                async with self._news:
                    self._news.notify_all()
                await self.behaviour(call)
        except (asyncio.IncompleteReadError, ConnectionError) as end:
            self.end = end
            self.gone.set()
        finally:
            writer.close()


async def _body(head: bytes, reader: asyncio.StreamReader) -> bytes:
    for line in head.lower().split(b"\r\n"):
        if line.startswith(b"content-length:"):
            return await reader.readexactly(int(line.partition(b":")[2]))
    return b""


StartPeer = Callable[..., Awaitable[Peer]]


@pytest.fixture
async def start_peer() -> AsyncIterator[StartPeer]:
    servers: list[asyncio.Server] = []
    tasks: set[asyncio.Task[None]] = set()

    async def start(behaviour: Behaviour, tls: ssl.SSLContext | None = None) -> Peer:
        peer = Peer(behaviour, scheme="http" if tls is None else "https")

        async def tracked(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            task = asyncio.current_task()
            assert task is not None
            tasks.add(task)
            await peer.serve(reader, writer)

        server = await asyncio.start_server(tracked, "127.0.0.1", 0, ssl=tls, limit=1 << 20)
        peer.port = server.sockets[0].getsockname()[1]
        servers.append(server)
        return peer

    yield start
    for server in servers:
        server.close()
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


@dataclass
class House:
    """The transport of one test with its clock, breaker board and what they told."""

    transport: HttpTransport
    clock: ManualClock
    board: LocalBoard
    gates: list[tuple[str, Traffic, Gate | None]]
    reports: list[CallReport]

    def http(self, connection: str = "gateway", **options: object) -> GuardedHttp:
        return GuardedHttp(
            connection,
            self.transport,
            self.board,
            self.clock,
            report=self.reports.append,
            **options,  # type: ignore[arg-type]
        )


HouseOf = Callable[..., House]


@pytest.fixture
async def house_of() -> AsyncIterator[HouseOf]:
    transports: list[HttpTransport] = []

    def build(deadline: timedelta = timedelta(seconds=20), **options: object) -> House:
        transport = HttpTransport(**options)  # type: ignore[arg-type]
        transports.append(transport)
        clock = ManualClock(timings=replace(DEFAULT, call_deadline=deadline))
        gates: list[tuple[str, Traffic, Gate | None]] = []
        board = LocalBoard(clock.timings, lambda *change: gates.append(change))
        return House(transport, clock, board, gates, [])

    yield build
    for transport in transports:
        await transport.close()


@pytest.fixture
async def house(house_of: HouseOf) -> House:
    return house_of()


@pytest.fixture
def canary() -> str:
    return CANARY
