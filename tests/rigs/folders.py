"""Where tests keep databases: short paths, since a socket's may not be long, and in memory where there is room."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

_MEMORY = Path("/dev/shm")
_ROOM = 8 << 30
"""Bytes that must be free for us to be there: several servers with their logs at once, and everything else."""


@contextmanager
def open_folder() -> Iterator[Path]:
    """A new folder that everybody may enter, outside pytest's own, which may be private to root."""
    folder = Path(tempfile.mkdtemp(prefix="coopwire-test-", dir=_MEMORY if _has_room() else "/tmp"))
    folder.chmod(0o755)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _has_room() -> bool:
    """Making a database costs a fifth of what it costs on a disk, and dropping one a tenth."""
    if not os.access(_MEMORY, os.W_OK):
        return False
    return min(psutil.virtual_memory().available, shutil.disk_usage(_MEMORY).free) >= _ROOM
