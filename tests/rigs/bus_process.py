"""The bus of one hub process with a Listener, as a process of its own that kills itself at a fail point."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from rigs.buses import on_postgres, over_broker, running

from coopwire.app import dies_at
from coopwire.conformance.bus import Listener

_TESTS = Path(__file__).parent.parent


async def run_into(place: str, dsn: str, broker: str | None, bad: str = "", seconds: float = 60) -> bool:
    """Run such a process until it dies at the place; whether it did in time."""
    given = json.dumps({"dsn": dsn, "broker": broker, "bad": bad, "fail_at": place})
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "rigs.bus_process", given, cwd=_TESTS, stdin=subprocess.PIPE
    )
    try:
        return await asyncio.wait_for(process.wait(), seconds) < 0
    except TimeoutError:
        process.kill()
        await process.wait()
        return False


async def main(given: dict[str, Any]) -> None:
    """Run until killed, or until the input ends."""
    listener = Listener(bad={given["bad"]})
    make = on_postgres if given["broker"] is None else over_broker(given["broker"])
    async with running(given["dsn"], make, [listener.consumer], dies_at(given["fail_at"])):
        await asyncio.to_thread(sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(main(json.loads(sys.argv[1])))
