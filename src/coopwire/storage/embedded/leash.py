"""Starts the server's processes so that they end with the hub, even when the hub is killed with SIGKILL.

On Linux the child asks the kernel for SIGINT (a fast shutdown) at its parent's death. The request is lost
when a process changes its user, so it is made after the rights are dropped; it is bound to the thread that
forked, so only the main thread may start a server. Elsewhere a watcher process stands between the hub and
the server. Only our own children are ever signalled.
"""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Protocol

from coopwire.storage.embedded.account import Account
from coopwire.storage.embedded.errors import EmbeddedError

KERNEL_TELLS = sys.platform.startswith("linux")
"""Whether the kernel tells a child that its parent died."""

_PR_SET_PDEATHSIG = 1
_WATCHER = Path(__file__).with_name("watcher.py")


class Child(Protocol):
    """A process that ends with us."""

    @property
    def pid(self) -> int:
        """The pid of the command itself."""

    def poll(self) -> int | None:
        """The exit code, None while it runs."""

    def wait(self, patience: float) -> int | None:
        """The exit code, None if it still runs after `patience` seconds."""

    def signal(self, number: signal.Signals) -> None:
        """Send it a signal; nothing happens once it has ended."""


@dataclass(frozen=True)
class Leash:
    """How processes of the server are started: as whom, holding which lock, tied or watched.

    `kept_fd` (the server's lock) is the only descriptor they inherit.
    """

    account: Account
    kept_fd: int
    watched: bool

    def run(
        self,
        command: Sequence[str],
        *,
        env: Mapping[str, str],
        output: IO[bytes],
        stdin: IO[bytes] | None = None,
    ) -> Child:
        """Start a command in a session of its own, so that Ctrl-C in a terminal reaches only the hub.

        `env` is its whole environment: the hub's secrets do not stand in a process of another user.
        """
        kind = _Watched if self.watched else _Tied
        try:
            return kind(self, command, env, output, subprocess.DEVNULL if stdin is None else stdin)
        except (OSError, subprocess.SubprocessError) as error:
            raise EmbeddedError(f"cannot start {command[0]} as user {self.account.name}: {error}") from error


def require_main_thread() -> None:
    """Raise EmbeddedError unless this is the main thread, with which the whole process ends."""
    if threading.current_thread() is not threading.main_thread():
        raise EmbeddedError("the embedded database can be started only from the main thread of the hub")


class _Tied:
    """A direct child that gets SIGINT from the kernel when the hub dies."""

    def __init__(
        self,
        leash: Leash,
        command: Sequence[str],
        env: Mapping[str, str],
        output: IO[bytes],
        stdin: IO[bytes] | int,
    ) -> None:
        self._process = subprocess.Popen(
            command,
            user=leash.account.user,
            group=leash.account.group,
            extra_groups=leash.account.extra_groups,
            preexec_fn=_tie_to(os.getpid()),
            stdin=stdin,
            stdout=output,
            stderr=output,
            env=env,
            cwd="/",
            umask=0o077,
            pass_fds=[leash.kept_fd],
            start_new_session=True,
        )
        self.pid = self._process.pid

    def poll(self) -> int | None:
        return self._process.poll()

    def wait(self, patience: float) -> int | None:
        return _wait(self._process, patience)

    def signal(self, number: signal.Signals) -> None:
        self._process.send_signal(number)


class _Watched:
    """The child of a watcher process, which passes signals on and sends SIGINT when the hub dies."""

    def __init__(
        self,
        leash: Leash,
        command: Sequence[str],
        env: Mapping[str, str],
        output: IO[bytes],
        stdin: IO[bytes] | int,
    ) -> None:
        account = leash.account
        ids = (account.uid, account.gid) if account.dropped else (-1, -1)
        orders, self._orders = os.pipe()
        try:
            self._watcher = subprocess.Popen(
                [sys.executable, "-I", str(_WATCHER), *map(str, (orders, leash.kept_fd, *ids)), *command],
                stdin=stdin,
                stdout=subprocess.PIPE,
                stderr=output,
                env=env,
                cwd="/",
                pass_fds=[orders, leash.kept_fd],
                start_new_session=True,
            )
            self.pid = self._told_pid()
        except BaseException:
            os.close(self._orders)
            raise
        finally:
            os.close(orders)

    def poll(self) -> int | None:
        return self._ended(self._watcher.poll())

    def wait(self, patience: float) -> int | None:
        return self._ended(_wait(self._watcher, patience))

    def signal(self, number: signal.Signals) -> None:
        if self.poll() is not None:
            return
        with suppress(BrokenPipeError):
            os.write(self._orders, bytes([number]))

    def _told_pid(self) -> int:
        assert self._watcher.stdout is not None
        with self._watcher.stdout as told:
            line = told.readline()
        if not line:
            self._watcher.wait()
            raise OSError("the process that was to watch over it ended at once")
        return int(line)

    def _ended(self, code: int | None) -> int | None:
        if code is not None and self._orders >= 0:
            os.close(self._orders)
            self._orders = -1
        return code


def _tie_to(hub: int) -> Callable[[], None]:
    """What the child runs between dropping its rights and exec; it gives up if the hub is dead already."""
    prctl = ctypes.CDLL(None, use_errno=True).prctl

    def tie() -> None:
        if prctl(_PR_SET_PDEATHSIG, ctypes.c_ulong(signal.SIGINT), 0, 0, 0) != 0 or os.getppid() != hub:
            os._exit(1)

    return tie


def _wait(process: subprocess.Popen[bytes], patience: float) -> int | None:
    try:
        return process.wait(patience)
    except subprocess.TimeoutExpired:
        return None
