"""localstripe, a server that others wrote: a stateful Stripe as a process of its own, which nothing here imports."""

from __future__ import annotations

import fcntl
import os
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

_PACKAGES = ("localstripe==1.15.10", "python-dateutil==2.9.0.post0", "six==1.17.0")
_TOOLS = Path(__file__).resolve().parents[2] / ".tools"
_HOME = _TOOLS / _PACKAGES[0].replace("==", "-")
_UV = _TOOLS / "venv" / "bin" / "uv"
_INSTALL_PATIENCE_S = 200
_START_PATIENCE_S = 60
_SERVE = """
import sys
from aiohttp import web
from localstripe.resources import store
from localstripe.server import app
type(store).dump_to_disk = lambda self: None
web.run_app(app, host="127.0.0.1", port=int(sys.argv[1]), print=None)
"""
"""On loopback alone, and keeping nothing in a file."""


@contextmanager
def localstripe() -> Iterator[str]:
    """The address of a localstripe; the test is skipped where the registry is not to be had."""
    _install()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-c", _SERVE, str(port)]
    env = {**os.environ, "PYTHONPATH": str(_HOME)}
    with subprocess.Popen(command, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            _wait_for(process, port)
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()
            process.wait(timeout=30)


def _install() -> None:
    """Beside the other tools, out of the project's own environment: it is another licence's."""
    if not _UV.exists():
        pytest.skip("localstripe is installed by uv, and it is not here")
    with (_TOOLS / "localstripe.lock").open("w") as lock:
        # Several test processes may want it at the same time.
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not _HOME.exists():
            _download()


def _download() -> None:
    with tempfile.TemporaryDirectory(dir=_TOOLS) as made:
        command = [str(_UV), "pip", "install", "--python", sys.executable, "--target", made, "--no-deps"]
        try:
            done = subprocess.run(
                [*command, *_PACKAGES], capture_output=True, timeout=_INSTALL_PATIENCE_S, check=False
            )
        except subprocess.TimeoutExpired:
            pytest.skip("localstripe could not be installed: the registry does not answer")
        if done.returncode:
            pytest.skip(f"localstripe could not be installed: uv ended with {done.returncode}")
        # Whole or not at all; the folder that is cleared away is an empty one.
        Path(made).rename(_HOME)
        Path(made).mkdir()


def _wait_for(process: subprocess.Popen[bytes], port: int) -> None:
    deadline = time.monotonic() + _START_PATIENCE_S
    while True:
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=5).close()
            return
        except urllib.error.HTTPError:
            return
        except OSError:
            assert process.poll() is None, "localstripe ended before it listened"
            assert time.monotonic() < deadline, "localstripe does not listen"
            time.sleep(0.1)
