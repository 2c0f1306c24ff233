"""Runs the checker from outside: another process, isolated, that cannot even import coopwire."""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

from coopwire.demo import simulated
from coopwire.demo.children import DemoFailure
from coopwire.demo.stage import ACCOUNTS, Stage

CHECKER = Path(__file__).with_name("outside.py")
WATCHED = {"suspense": "202", "overpayment": "201"}
"""Accounts whose totals are told too."""
_UNREADABLE = 2
_TRIES = 5
_PAUSE = 1.0


async def prove(stage: Stage) -> Any:
    """The verdict as the checker tells it. DemoFailure when a system could not be read."""
    said = ""
    for _ in range(_TRIES):
        code, out, said = await _check(stage)
        if code != _UNREADABLE:
            return json.loads(out)
        # The hub was at work while the systems were read: a look-up or a message fell due.
        await asyncio.sleep(_PAUSE)
    raise DemoFailure(f"the proof could not be read: {said.strip()}")


def command(stage: Stage) -> list[str]:
    """The checker's command line; `-I -S` leaves it the standard library only."""
    urls = stage.outside.urls
    words = [sys.executable, "-I", "-S", str(CHECKER), "--hub", stage.hub.url]
    words += ["--gateway", urls["paystack"], "--books", urls["quickbooks"]]
    words += ["--bank", urls["bankone"], "--lms", urls["lms"]]
    words += ["--accounts", str(stage.folder / ACCOUNTS), "--clearing", simulated.CLEARING_ACCOUNT]
    for name, account in WATCHED.items():
        words += ["--watch", f"{name}={account}"]
    return words


async def _check(stage: Stage) -> tuple[int | None, str, str]:
    process = await asyncio.create_subprocess_exec(
        *command(stage),
        "--json",
        env={"OUTSIDE_HUB_KEY": stage.hub.key},
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        out, err = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    return process.returncode, out.decode(), err.decode()
