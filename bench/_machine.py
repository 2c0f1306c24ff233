"""What a benchmark stands on: a database of its own, processes of its own, and what they use of the machine."""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractAsyncContextManager, AbstractContextManager, contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import aiohttp
import asyncpg
import psutil

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))

from rigs.river import Outside, simulators

from coopwire.storage import embedded, migrate

_MIB = 1 << 20
Told = Any
"""What a process tells its parent when it is ready: an address, or several by name."""


@contextmanager
def database() -> Iterator[str]:
    """A fresh embedded server with the hub's tables; its address."""
    folder = Path(tempfile.mkdtemp(prefix="coopwire-bench-", dir="/tmp"))
    folder.chmod(0o755)
    try:
        with embedded.start(folder / "data") as server:
            asyncio.run(migrate.upgrade(server.dsn))
            yield server.dsn
    finally:
        shutil.rmtree(folder, ignore_errors=True)


async def execute(dsn: str, *statements: str) -> None:
    """Statements on a connection of their own."""
    connection = await asyncpg.connect(dsn)
    try:
        for statement in statements:
            await connection.execute(statement)
    finally:
        await connection.close()


# -- processes --------------------------------------------------------------------------------------------

Serve = Callable[..., AbstractAsyncContextManager[Told]]


@dataclass(frozen=True)
class Apart:
    """A process that serves; `told` is what it said when it was ready."""

    told: Told
    pid: int


@contextmanager
def apart(serve: Serve, *given: object) -> Iterator[Apart]:
    """Enter `serve(*given)` in a process of its own, which is killed at the end of the block."""
    spawning = multiprocessing.get_context("spawn")
    ours, theirs = spawning.Pipe(duplex=False)
    process = spawning.Process(target=_serve, args=(serve, given, theirs))
    process.start()
    theirs.close()
    try:
        assert process.pid is not None
        yield Apart(ours.recv(), process.pid)
    finally:
        process.kill()
        process.join()


def _serve(serve: Serve, given: tuple[object, ...], pipe: Connection) -> None:
    async def forever() -> None:
        parent = multiprocessing.parent_process()
        assert parent is not None
        # A benchmark that is killed ends nothing: what serves it has to see that it is gone.
        asyncio.get_running_loop().add_reader(parent.sentinel, os._exit, 1)
        async with serve(*given) as told:
            pipe.send(told)
            await asyncio.Event().wait()

    asyncio.run(forever())


def simulators_apart() -> AbstractContextManager[Apart]:
    """All simulators in one process; their addresses by provider."""
    return apart(_Simulators)


class _Simulators:
    """The simulators of a journey, as addresses."""

    def __init__(self) -> None:
        self._running = simulators()

    async def __aenter__(self) -> dict[str, str]:
        outside = await self._running.__aenter__()
        return {name: running.url for name, running in outside.running.items()}

    async def __aexit__(self, *error: Any) -> None:
        await self._running.__aexit__(*error)


@dataclass(frozen=True)
class _At:
    """A simulator that another process runs."""

    url: str


def outside_at(urls: Mapping[str, str], web: aiohttp.ClientSession) -> Outside:
    """The simulators of another process, as rigs use them."""
    return Outside({name: _At(url) for name, url in urls.items()}, web)  # type: ignore[misc]


# -- what is used -----------------------------------------------------------------------------------------


def this_process() -> int:
    """The process id of the benchmark itself."""
    return psutil.Process().pid


def database_process() -> int:
    """The process id of the embedded server of this benchmark."""
    [found] = [p.pid for p in psutil.Process().children() if "postgres" in p.name()]
    return int(found)


def memory(pid: int) -> float:
    """Resident memory of a process in MiB."""
    return float(psutil.Process(pid).memory_info().rss) / _MIB


OTHERS = "others"
"""What the rest of the machine did meanwhile; much of it, and the figures are not worth much."""


class Cores:
    """How much of a core each of some processes (with their children) uses from now on, and the others."""

    def __init__(self, processes: Mapping[str, int]) -> None:
        self._processes = processes
        self._begun = time.perf_counter()
        self._before = self._used()

    def seconds(self) -> dict[str, float]:
        """CPU seconds by process."""
        return {name: used - self._before[name] for name, used in self._used().items()}

    def percent(self) -> dict[str, float]:
        """Per cent of one core by process."""
        elapsed = time.perf_counter() - self._begun
        return {name: 100 * used / elapsed for name, used in self.seconds().items()}

    def told(self) -> str:
        """The same for people."""
        return ", ".join(f"{name} {share:.0f} %" for name, share in self.percent().items())

    def _used(self) -> dict[str, float]:
        ours = {name: _cpu_seconds(pid) for name, pid in self._processes.items()}
        times = psutil.cpu_times()
        busy = sum(times) - times.idle - times.iowait
        return {**ours, OTHERS: busy - sum(ours.values())}


def _cpu_seconds(pid: int) -> float:
    process = psutil.Process(pid)
    used = _own_seconds(process)
    if process.name() == "postgres":
        # Its work is done by children, which come and go; those that are gone are counted with the parent.
        gone = process.cpu_times()
        used += float(gone.children_user + gone.children_system)
        used += sum(_own_seconds(child) for child in process.children())
    return used


def _own_seconds(process: psutil.Process) -> float:
    try:
        times = process.cpu_times()
    except psutil.NoSuchProcess:
        return 0.0
    return float(times.user + times.system)
