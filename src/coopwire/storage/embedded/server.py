"""Starts, watches and stops the PostgreSQL server of one data folder."""

from __future__ import annotations

import logging
import os
import re
import signal
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import IO, Self
from urllib.parse import quote

from coopwire.storage.embedded import cluster
from coopwire.storage.embedded import folder as layout
from coopwire.storage.embedded.account import Account, choose, system_name
from coopwire.storage.embedded.binaries import CACHE, Binaries, readable_by
from coopwire.storage.embedded.errors import EmbeddedError, gravest
from coopwire.storage.embedded.folder import DataFolder
from coopwire.storage.embedded.leash import KERNEL_TELLS, Child, Leash, require_main_thread
from coopwire.storage.embedded.locks import (
    HubRecord,
    take_hub_lock,
    wait_for_lock,
    wait_until_free,
    write_record,
)

_READY_PATIENCE = 600.0
_FAST_SHUTDOWN_PATIENCE = 60.0
_IMMEDIATE_SHUTDOWN_PATIENCE = 10.0
_LAST_PROCESS_PATIENCE = 10.0
_POLL = 0.01

_LONGEST_SOCKET_FOLDER = 103 - len(f"/{cluster.SOCKET_FILES[0]}")
"""Bytes; a socket address holds 107 on Linux and 103 on macOS."""

_PLAIN_PATH = re.compile(r"[\w/.\-]+", re.ASCII)
"""Paths that mean the same in PostgreSQL's settings (comma, quote) and in a DSN (percent, plus)."""

_SHORT_PLACE = Path("/tmp")  # noqa: S108  (mkdtemp makes a private folder in it)
_SHORT_PREFIX = "coopwire-"

_log = logging.getLogger(__name__)


class EmbeddedServer:
    """A running server; it ends with `stop()`, with the `with` block, or with this process."""

    def __init__(self, folder: Path, dsn: str, child: Child, ending: ExitStack) -> None:
        self.folder = folder
        self.dsn = dsn
        self._child = child
        self._ending = ending

    @property
    def alive(self) -> bool:
        """Whether the server still runs."""
        return self._child.poll() is None

    def stop(self) -> None:
        """Shut down: fast (connections are closed, all data are written), with force only if that hangs."""
        self._ending.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


def start(
    folder: Path,
    *,
    run_as: str | None = None,
    binaries_cache: Path = CACHE,
    watched: bool = not KERNEL_TELLS,
    patience: float = 60.0,
) -> EmbeddedServer:
    """Run the database of `folder`, making it at the first start, and return when it accepts connections.

    As root the server runs as `run_as` (default: the owner of the data, else `postgres`, else `nobody`), and
    `binaries_cache` takes a copy of the programs if that user cannot read the installed ones. `watched` puts
    a watcher process between us and the server; without it, call this from the main thread. `patience`:
    seconds to wait for the server of a killed hub to finish its shutdown. Raises EmbeddedError, also when
    another hub works on the folder.
    """
    if not watched:
        require_main_thread()
    path = layout.absolute(folder)
    account = choose(path / layout.DATA, run_as)
    layout.check_way(path, account)
    binaries = readable_by(account, binaries_cache)
    try:
        return _begin(path, account, binaries, watched, patience)
    except OSError as error:
        raise EmbeddedError(f"cannot work in the data folder {path}: {error}") from error


def dsn(socket_folder: Path) -> str:
    """The address of the hub's database over a Unix socket."""
    return f"postgresql://{cluster.ROLE}@/{cluster.DATABASE}?host={quote(str(socket_folder))}"


def _begin(
    path: Path, account: Account, binaries: Binaries, watched: bool, patience: float
) -> EmbeddedServer:
    with ExitStack() as ending:
        place = ending.enter_context(layout.opened(path, account))
        hub_lock, left = ending.enter_context(_hub_lock(place))
        with _server_lock(place, patience) as server_lock:
            leash = Leash(account, server_lock, watched)
            _prepare_data(place, binaries, leash)
            socket_folder = ending.enter_context(_socket_folder(place, left))
            write_record(hub_lock, HubRecord(os.getpid(), str(socket_folder)))
            output = ending.enter_context(tempfile.TemporaryFile())
            logged = _log_sizes(place)
            child = _launch(place, binaries, socket_folder, leash, output)
        ending.callback(_end, child, place)
        _await_ready(child, place, output, logged)
        write_record(hub_lock, HubRecord(os.getpid(), str(socket_folder), ready=True))
        return EmbeddedServer(path, dsn(socket_folder), child, ending.pop_all())


@contextmanager
def _hub_lock(place: DataFolder) -> Iterator[tuple[int, HubRecord]]:
    fd = layout.open_file(place, layout.HUB_LOCK)
    try:
        left = take_hub_lock(fd, place.path)
        yield fd, left
        write_record(fd, HubRecord())
    finally:
        os.close(fd)


@contextmanager
def _server_lock(place: DataFolder, patience: float) -> Iterator[int]:
    """The lock that the server inherits; after the launch ours is closed, and only the server holds it."""
    fd = layout.open_file(place, layout.SERVER_LOCK)
    try:
        if not wait_for_lock(fd, patience):
            raise EmbeddedError(
                f"the database server of a hub that ended still works on {place.path}, "
                f"{patience:.0f} s after it was to stop: look into {place.path / layout.LOG}, and "
                f"start again when it is gone (its pid stands in {place.path / layout.DATA}/postmaster.pid)"
            )
        yield fd
    finally:
        os.close(fd)


def _prepare_data(place: DataFolder, binaries: Binaries, leash: Leash) -> None:
    data = place.path / layout.DATA
    version = cluster.data_version(data)
    if version is None:
        cluster.make_data(place, binaries, leash)
    else:
        cluster.check_version(data, version, binaries)
    layout.server_folder(place, layout.DATA)
    layout.server_folder(place, layout.LOG)
    cluster.remove_empty_pid_file(place)
    cluster.write_access(place, system_name(os.geteuid()) or place.account.name)


@contextmanager
def _socket_folder(place: DataFolder, left: HubRecord) -> Iterator[Path]:
    """`run/` in the data folder, or a private folder in /tmp if that path is too long or too odd."""
    if left.socket_folder:
        _remove_short_folder(Path(left.socket_folder), place.account)
    run = place.path / layout.RUN
    if len(os.fsencode(run)) <= _LONGEST_SOCKET_FOLDER and _PLAIN_PATH.fullmatch(str(run)):
        layout.server_folder(place, layout.RUN)
        layout.remove_files(place, layout.RUN, cluster.SOCKET_FILES)
        yield run
        return
    short = Path(tempfile.mkdtemp(prefix=_SHORT_PREFIX, dir=_SHORT_PLACE))
    try:
        if place.account.dropped:
            os.chown(short, place.account.uid, place.account.gid, follow_symlinks=False)
        yield short
    finally:
        _remove_short_folder(short, place.account)


def _remove_short_folder(folder: Path, account: Account) -> None:
    """Remove a socket folder in /tmp, if it is still the server's own; anything else there is left alone."""
    if folder.parent != _SHORT_PLACE or not folder.name.startswith(_SHORT_PREFIX):
        return
    with suppress(FileNotFoundError, NotADirectoryError):
        fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
        try:
            if os.fstat(fd).st_uid != account.uid:
                return
            for name in cluster.SOCKET_FILES:
                layout.remove(name, fd)
        finally:
            os.close(fd)
        folder.rmdir()


def _launch(
    place: DataFolder, binaries: Binaries, socket_folder: Path, leash: Leash, output: IO[bytes]
) -> Child:
    command = cluster.server_command(place, binaries, socket_folder)
    return leash.run(command, env=cluster.environment(place.path / layout.DATA), output=output)


def _await_ready(child: Child, place: DataFolder, output: IO[bytes], logged: dict[str, int]) -> None:
    deadline = time.monotonic() + _READY_PATIENCE
    while not cluster.is_ready(place.path / layout.DATA, child.pid):
        if child.poll() is not None:
            said = _said(place, output, logged)
            raise EmbeddedError(f"the database server of {place.path} ended while it started: {said}")
        if time.monotonic() > deadline:
            raise EmbeddedError(
                f"the database server of {place.path} is not ready after {_READY_PATIENCE:.0f} s: "
                f"look into {place.path / layout.LOG}, and start again"
            )
        time.sleep(_POLL)


def _end(child: Child, place: DataFolder) -> None:
    """Stop our own child, ever more firmly, and wait until its last process has let go of the server lock."""
    for number, patience in (
        (signal.SIGINT, _FAST_SHUTDOWN_PATIENCE),
        (signal.SIGQUIT, _IMMEDIATE_SHUTDOWN_PATIENCE),
        (signal.SIGKILL, _IMMEDIATE_SHUTDOWN_PATIENCE),
    ):
        child.signal(number)
        if child.wait(patience) is not None:
            break
        _log.warning("the database server did not end within %.0f s of %s", patience, number.name)
    if not wait_until_free(place.path / layout.SERVER_LOCK, _LAST_PROCESS_PATIENCE):
        _log.warning("processes of the database server of %s outlive it", place.path)


def _log_sizes(place: DataFolder) -> dict[str, int]:
    return {file.name: file.stat().st_size for file in (place.path / layout.LOG).iterdir()}


def _said(place: DataFolder, output: IO[bytes], logged: dict[str, int]) -> str:
    """Why the server ended: the grave lines of its output and of what it logged since this start."""
    output.seek(0)
    text = output.read()
    for file in sorted((place.path / layout.LOG).iterdir()):
        fd = os.open(file, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        with os.fdopen(fd, "rb") as log:
            log.seek(logged.get(file.name, 0))
            text += log.read()
    return gravest(text) or f"it said nothing; look into {place.path / layout.LOG}"
