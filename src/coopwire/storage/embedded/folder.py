"""The data folder: its layout, and how it is made and written so that root is never led astray.

    data/        the PostgreSQL data directory: appears complete, by rename from data.new/
    conf/        who may connect; the server can read it and not change it
    log/         the server's log, one file per weekday
    run/         the Unix socket
    hub.lock     held by the hub while it lives; says its pid and where the socket is
    server.lock  held by the server's processes while one of them lives

A folder we make gets its mode at birth; the mode of a folder that exists is never touched. Everything inside
is reached through the folder's descriptor and without following links, because root may be asked to keep its
data below a folder that somebody else can rename.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from coopwire.storage.embedded.account import PLACE_FOR_ROOT, Account, first_blocked, system_name
from coopwire.storage.embedded.errors import EmbeddedError

DATA = "data"
FRESH_DATA = "data.new"
CONF = "conf"
LOG = "log"
RUN = "run"
HUB_LOCK = "hub.lock"
SERVER_LOCK = "server.lock"

_INNOCENT = frozenset({"lost+found"})
_OPEN_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


@dataclass(frozen=True)
class DataFolder:
    """An open data folder; `keeper` owns what the hub writes in it, `account` what the server writes."""

    path: Path
    fd: int
    keeper: int
    account: Account


def absolute(folder: Path) -> Path:
    """The folder's real path. Raises EmbeddedError for a path that PostgreSQL's own files cannot hold."""
    path = folder.expanduser().resolve()
    if not str(path).isprintable():
        raise EmbeddedError(f"the data folder {str(path)!r} has unprintable characters: choose another name")
    return path


def check_way(path: Path, account: Account) -> None:
    """Raise EmbeddedError, naming the first folder in the way, if the account cannot reach `path`."""
    existing = [place for place in (*reversed(path.parents), path) if _exists(place)]
    if not existing[-1].is_dir():
        raise EmbeddedError(f"{existing[-1]} is not a folder: choose another place for the data")
    blocked = first_blocked(account, existing)
    if blocked is None:
        return
    mode = stat.S_IMODE(blocked.stat().st_mode)
    advice = (
        f"choose a new folder below a place that it may enter, such as {PLACE_FOR_ROOT}"
        if account.dropped
        else "choose a folder of your own"
    )
    raise EmbeddedError(
        f"the database server runs as user {account.name}, who may not enter {blocked} (mode {mode:04o}) "
        f"and so cannot reach {path}: {advice}"
    )


@contextmanager
def opened(path: Path, account: Account) -> Iterator[DataFolder]:
    """Make the data folder if it is missing, and keep it open."""
    _make(path, account)
    try:
        fd = os.open(path, _OPEN_FOLDER)
    except OSError as error:
        raise EmbeddedError(not_ours(path, error)) from error
    try:
        _check_contents(path, fd)
        yield DataFolder(path, fd, os.fstat(fd).st_uid, account)
    finally:
        os.close(fd)


def server_folder(folder: DataFolder, name: str) -> None:
    """Make sure that `name` is a folder of the server's account, mode 0700."""
    os.close(_subfolder(folder, name, 0o700, folder.account.uid))


def remove_files(folder: DataFolder, name: str, files: tuple[str, ...]) -> None:
    """Remove files of a server folder; those missing are passed over."""
    fd = _subfolder(folder, name, 0o700, folder.account.uid)
    try:
        for file in files:
            remove(file, fd)
    finally:
        os.close(fd)


def write_conf(folder: DataFolder, texts: dict[str, str]) -> None:
    """Write files of `conf/`: readable to the server, changeable only by the folder's keeper."""
    fd = _subfolder(folder, CONF, 0o750, folder.keeper)
    try:
        for name, text in texts.items():
            remove(name, fd)
            with exact_modes():
                file = os.open(name, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o640, dir_fd=fd)
            with os.fdopen(file, "w", encoding="utf-8") as out:
                _give(file, folder.keeper, folder.account)
                out.write(text)
    finally:
        os.close(fd)


def open_file(folder: DataFolder, name: str) -> int:
    """Open, or make, one of the lock files for reading and writing, and refuse what is not a plain file."""
    flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    try:
        fd = os.open(name, flags, 0o600, dir_fd=folder.fd)
    except OSError as error:
        raise EmbeddedError(not_ours(folder.path / name, error)) from error
    facts = os.fstat(fd)
    if not stat.S_ISREG(facts.st_mode) or facts.st_nlink != 1:
        os.close(fd)
        raise EmbeddedError(f"{folder.path / name} is not a plain file: remove it and start again")
    _give(fd, folder.keeper, folder.account)
    return fd


def remove(name: str, dir_fd: int) -> None:
    """Remove a file if it is there."""
    try:
        os.unlink(name, dir_fd=dir_fd)
    except FileNotFoundError:
        return


def not_ours(path: Path, error: OSError) -> str:
    """What to tell the person who may not use a file of the data folder, or the folder itself."""
    return f"cannot use {path}: {error.strerror}; be the user to whom the data folder belongs, or root"


@contextmanager
def exact_modes(mask: int = 0) -> Iterator[None]:
    """Make files and folders with `mask` instead of the umask we were started with."""
    before = os.umask(mask)
    try:
        yield
    finally:
        os.umask(before)


def _make(path: Path, account: Account) -> None:
    """Make the folder: 0700, or as root 0710 with the server's group, so that it alone may pass through."""
    if path.exists():
        return
    try:
        with exact_modes(0o022 if account.dropped else 0o077):
            path.parent.mkdir(parents=True, exist_ok=True)
        with exact_modes():
            path.mkdir(0o710 if account.dropped else 0o700)
        fd = os.open(path, _OPEN_FOLDER)
    except FileExistsError:
        return
    except OSError as error:
        raise EmbeddedError(f"cannot make the data folder {path}: {error.strerror}") from error
    try:
        if os.fstat(fd).st_uid == os.geteuid():
            _give(fd, os.geteuid(), account)
    finally:
        os.close(fd)


def _check_contents(path: Path, fd: int) -> None:
    """Refuse a folder that is used for something else."""
    names = set(os.listdir(fd)) - _INNOCENT
    if names and HUB_LOCK not in names:
        raise EmbeddedError(
            f"{path} is not empty and holds no database of coopwire: choose a new or an empty folder"
        )


def _subfolder(folder: DataFolder, name: str, mode: int, owner: int) -> int:
    try:
        with exact_modes():
            os.mkdir(name, mode, dir_fd=folder.fd)
        made = True
    except FileExistsError:
        made = False
    except OSError as error:
        raise EmbeddedError(not_ours(folder.path / name, error)) from error
    try:
        fd = os.open(name, _OPEN_FOLDER, dir_fd=folder.fd)
    except OSError as error:
        raise EmbeddedError(not_ours(folder.path / name, error)) from error
    found = os.fstat(fd).st_uid
    if found != (os.geteuid() if made else owner):
        os.close(fd)
        raise EmbeddedError(
            f"{folder.path / name} belongs to user {system_name(found) or found}, and should to "
            f"{system_name(owner) or owner}: give it back with chown -R, or choose another data folder"
        )
    if made:
        _give(fd, owner, folder.account)
    return fd


def _give(fd: int, owner: int, account: Account) -> None:
    """As root, hand what we made to its owner and to the server's group."""
    if account.dropped:
        os.fchown(fd, owner, account.gid)


def _exists(place: Path) -> bool:
    """Whether we can see the place; behind a folder that we may not enter we cannot."""
    try:
        return place.exists()
    except PermissionError:
        return False
