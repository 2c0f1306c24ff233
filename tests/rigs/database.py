"""Looks into a database beside the hub, from tests without an event loop of their own, and kills its server."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from pathlib import Path
from typing import Any

import asyncpg
import psutil


def fetch(dsn: str, statement: str, *values: object) -> list[dict[str, Any]]:
    """The rows of one statement."""

    async def ask() -> list[dict[str, Any]]:
        connection = await asyncpg.connect(dsn)
        try:
            return [dict(row) for row in await connection.fetch(statement, *values)]
        finally:
            await connection.close()

    return asyncio.run(ask())


def kill_server(folder: Path) -> None:
    """SIGKILL to every process of the embedded server of this data folder at once: nothing is written down.

    What a process has handed to the kernel survives it, so fsync has no part in this; only a machine that
    loses power asks for that.
    """
    postmaster = psutil.Process(int((folder / "data" / "postmaster.pid").read_text().split("\n")[0]))
    # Held still first, so that it starts nothing anew while its children go.
    postmaster.suspend()
    family = [postmaster, *postmaster.children(recursive=True)]
    for process in family:
        with suppress(psutil.NoSuchProcess):
            process.kill()
    psutil.wait_procs(family, timeout=30)
