"""Looks at a data folder from outside without changing it: for commands beside the hub and for the doctor."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from coopwire.storage.embedded import cluster
from coopwire.storage.embedded import folder as layout
from coopwire.storage.embedded.account import choose
from coopwire.storage.embedded.binaries import installed
from coopwire.storage.embedded.errors import EmbeddedError
from coopwire.storage.embedded.locks import HubRecord, is_held, read_record
from coopwire.storage.embedded.server import dsn

T = TypeVar("T")

SCARCE_BYTES = 1 << 30
"""Free disk space below which the doctor warns: PostgreSQL's write-ahead log alone may take as much."""


@dataclass(frozen=True)
class Description:
    """What can be seen of a data folder; `problems` say what is wrong and how to mend it."""

    folder: Path
    initialised: bool
    hub_pid: int | None
    """The hub that works on the folder now."""
    dsn: str | None
    """Where its server answers; None while it starts or when there is none."""
    server_lingers: bool
    """A server is still shutting down after its hub ended."""
    data_version: str | None
    server_version: str | None
    free_bytes: int
    problems: tuple[str, ...]

    @property
    def running(self) -> bool:
        """Whether a hub works on the folder and its server answers."""
        return self.dsn is not None


def attach(folder: Path) -> str | None:
    """The DSN of the server that a hub runs on this folder now, None if there is none or it still starts.

    Raises EmbeddedError if the folder belongs to somebody else.
    """
    path = layout.absolute(folder)
    record = _seen(path, lambda: read_record(path / layout.HUB_LOCK))
    return _dsn(record)


def describe(folder: Path, *, run_as: str | None = None) -> Description:
    """The facts about a data folder; a folder that does not exist yet is no problem.

    Raises EmbeddedError if the folder belongs to somebody else.
    """
    path = layout.absolute(folder)
    data = path / layout.DATA
    problems: list[str] = []
    _noted(problems, lambda: layout.check_way(path, choose(data, run_as)))
    binaries = _noted(problems, installed)
    version = _noted(problems, lambda: _seen(path, lambda: cluster.data_version(data)))
    if version and binaries:
        _noted(problems, lambda: cluster.check_version(data, version, binaries))
    record = _seen(path, lambda: read_record(path / layout.HUB_LOCK))
    lingers = record is None and _seen(path, lambda: is_held(path / layout.SERVER_LOCK))
    free = _free_bytes(path)
    if free < SCARCE_BYTES:
        problems.append(f"only {free >> 20} MiB are free on the disk of {path}: make room before it is full")
    return Description(
        folder=path,
        initialised=version is not None,
        hub_pid=record.pid if record else None,
        dsn=_dsn(record),
        server_lingers=lingers,
        data_version=version,
        server_version=binaries.version if binaries else None,
        free_bytes=free,
        problems=tuple(problems),
    )


def _dsn(record: HubRecord | None) -> str | None:
    return dsn(Path(record.socket_folder)) if record and record.ready and record.socket_folder else None


def _noted(problems: list[str], look: Callable[[], T]) -> T | None:
    """The answer of `look`, or None and one more problem."""
    try:
        return look()
    except EmbeddedError as error:
        problems.append(str(error))
        return None


def _seen(path: Path, look: Callable[[], T]) -> T:
    try:
        return look()
    except OSError as error:
        raise EmbeddedError(layout.not_ours(path, error)) from error


def _free_bytes(path: Path) -> int:
    """Free space where the folder is, or will be made."""
    for place in (path, *path.parents):
        with suppress(FileNotFoundError, NotADirectoryError, PermissionError):
            return shutil.disk_usage(place).free
    raise EmbeddedError(f"cannot see the disk of {path}")
