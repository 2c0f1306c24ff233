"""A simulator as a process of its own."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator

import aiohttp
import pytest

SERVE = """
from coopwire.providers.{0}.simulator import build
from coopwire.simulation.kernel import run
run(build({{}}))
"""


@pytest.fixture(params=["paystack", "flutterwave", "stripe", "quickbooks", "bankone", "lms"])
def process(request: pytest.FixtureRequest) -> Iterator[subprocess.Popen[str]]:
    with subprocess.Popen(
        [sys.executable, "-c", SERVE.format(request.param)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as started:
        yield started
        started.kill()


async def test_it_prints_its_address_serves_and_ends_when_told(process: subprocess.Popen[str]) -> None:
    assert process.stdout is not None
    assert process.stderr is not None
    url = process.stdout.readline().strip()
    async with aiohttp.ClientSession() as http, http.get(f"{url}/_sim/state") as answer:
        assert answer.status == 200
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=30) == 0
    assert process.stderr.read() == ""
