"""The two locks of a data folder: who is its hub, and does a server of it still live.

Both are `flock` locks, which the kernel drops with the last process that holds them: no pid is ever trusted,
so a pid that was given to a stranger after a crash cannot mislead anybody. The server inherits the descriptor
of its lock, and so do all its processes: the lock is free when the last of them is gone.
"""

from __future__ import annotations

import errno
import fcntl
import json
import os
import random
import time
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from coopwire.storage.embedded.errors import EmbeddedError

_RECORD_BYTES = 512
_PROBERS_GONE_WITHIN = 5.0
_POLL = 0.02


@dataclass(frozen=True)
class HubRecord:
    """What a hub writes into its lock file: its pid, its socket folder, and whether the server answers."""

    pid: int | None = None
    socket_folder: str | None = None
    ready: bool = False


def take_hub_lock(fd: int, folder: Path) -> HubRecord:
    """Become the hub of the folder; the answer is what the hub before us left in the file.

    Raises EmbeddedError with the holder's pid if there is one. A command that only looks takes the lock
    shared for a moment; that is told apart from a hub and waited for.
    """
    deadline = time.monotonic() + _PROBERS_GONE_WITHIN
    while not _lock(fd, fcntl.LOCK_EX):
        if not _lock(fd, fcntl.LOCK_SH):
            raise EmbeddedError(
                f"another hub (pid {_read(fd).pid or 'not known yet'}) works on the data folder {folder}: "
                "stop it first, or give this hub a data folder of its own"
            )
        fcntl.flock(fd, fcntl.LOCK_UN)
        if time.monotonic() > deadline:
            raise EmbeddedError(f"the data folder {folder} is being looked at without end: try again")
        time.sleep(_POLL * random.random())
    left = _read(fd)
    write_record(fd, HubRecord(pid=os.getpid()))
    return left


def write_record(fd: int, record: HubRecord) -> None:
    """Replace the record in one write, so that a reader never sees half of it."""
    os.pwrite(fd, json.dumps(asdict(record)).encode().ljust(_RECORD_BYTES), 0)


def read_record(lock_file: Path) -> HubRecord | None:
    """The record of the hub that lives now, None if none does. Raises PermissionError if we may not look."""
    fd = _open_to_look(lock_file)
    if fd is None:
        return None
    try:
        return None if _lock(fd, fcntl.LOCK_SH) else _read(fd)
    finally:
        os.close(fd)


def is_held(lock_file: Path) -> bool:
    """Whether a process holds the lock. Raises PermissionError if we may not look."""
    fd = _open_to_look(lock_file)
    if fd is None:
        return False
    try:
        return not _lock(fd, fcntl.LOCK_SH)
    finally:
        os.close(fd)


def wait_for_lock(fd: int, patience: float) -> bool:
    """Take the lock within `patience` seconds; False if somebody still holds it then."""
    deadline = time.monotonic() + patience
    while not _lock(fd, fcntl.LOCK_EX):
        if time.monotonic() > deadline:
            return False
        time.sleep(_POLL)
    return True


def wait_until_free(lock_file: Path, patience: float) -> bool:
    """Wait until nobody holds the lock; False if somebody still does after `patience` seconds."""
    deadline = time.monotonic() + patience
    while is_held(lock_file):
        if time.monotonic() > deadline:
            return False
        time.sleep(_POLL)
    return True


def _open_to_look(lock_file: Path) -> int | None:
    with suppress(FileNotFoundError, NotADirectoryError):
        return os.open(lock_file, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    return None


def _lock(fd: int, kind: int) -> bool:
    try:
        fcntl.flock(fd, kind | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno in (errno.EWOULDBLOCK, errno.EACCES):
            return False
        raise EmbeddedError(
            f"the file system of the data folder cannot lock files ({error.strerror}): "
            "put the data on a local disk"
        ) from error
    return True


def _read(fd: int) -> HubRecord:
    """The record, or an empty one where the file is fresh or was not written by us."""
    try:
        found = json.loads(os.pread(fd, _RECORD_BYTES, 0))
        return HubRecord(int(found["pid"]), str(found["socket_folder"] or "") or None, bool(found["ready"]))
    except (ValueError, TypeError, KeyError):
        return HubRecord()
