"""Runs the server where the kernel sends no parent-death signal, and stops it when the hub is gone.

Started as a file of its own by `leash.py`: `python -I watcher.py ORDERS_FD KEPT_FD UID GID COMMAND…`, with -1
for a user and group that stay. The orders pipe ends when the hub dies, however it dies; each byte on it is a
signal to pass on. The server is this process's child, so its pid cannot have become a stranger's. Standard
library only: it runs isolated from the hub's environment.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from types import FrameType


def main(orders: int, kept: int, uid: int, gid: int, command: list[str]) -> int:
    """Run `command`, tell its pid on standard output, and return its exit code (or signal)."""
    for meant_for_the_hub in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(meant_for_the_hub, _pass_over)
    server = subprocess.Popen(
        command,
        stdout=sys.stderr,
        pass_fds=[kept],
        user=None if uid < 0 else uid,
        group=None if gid < 0 else gid,
        extra_groups=None if uid < 0 else [],
        start_new_session=True,
        umask=0o077,
    )
    os.close(kept)
    os.write(1, f"{server.pid}\n".encode())
    threading.Thread(target=_obey, args=(orders, server), daemon=True).start()
    return abs(server.wait())


def _pass_over(_number: int, _frame: FrameType | None) -> None:
    """A handler rather than SIG_IGN, which the server would inherit."""


def _obey(orders: int, server: subprocess.Popen[bytes]) -> None:
    while order := os.read(orders, 1):
        server.send_signal(order[0])
    server.send_signal(signal.SIGINT)


if __name__ == "__main__":
    orders_fd, kept_fd, user, group = (int(text) for text in sys.argv[1:5])
    sys.exit(main(orders_fd, kept_fd, user, group, sys.argv[5:]))
