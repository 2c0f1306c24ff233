"""Prism, a server that others wrote: it holds every request against an OpenAPI file."""

from __future__ import annotations

import shutil
import socket
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

_VERSION = "5.14.2"
_HOME = Path(__file__).resolve().parents[2] / ".tools" / f"prism-{_VERSION}"
_PROGRAM = Path("node_modules", "@stoplight", "prism-cli", "dist", "index.js")
_INSTALL_PATIENCE_S = 200
_START_PATIENCE_S = 120


@contextmanager
def prism(spec: Path) -> Iterator[str]:
    """The address of a Prism over this file; the test is skipped where npm or the registry is not to be had."""
    program = _installed()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = ["node", str(program), "mock", "-h", "127.0.0.1", "-p", str(port), str(spec)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            _wait_for(process, port)
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()
            process.wait(timeout=30)


def _installed() -> Path:
    """Prism's program, installed once beside the other tools (about 90 MB, half a minute)."""
    if not (_HOME / _PROGRAM).exists():
        if shutil.which("npm") is None or shutil.which("node") is None:
            pytest.skip("Prism needs node and npm, and they are not here")
        _install()
    return _HOME / _PROGRAM


def _install() -> None:
    _HOME.parent.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=_HOME.parent) as made:
        wanted = f"@stoplight/prism-cli@{_VERSION}"
        command = ["npm", "install", "--no-audit", "--no-fund", "--ignore-scripts", "--prefix", made, wanted]
        try:
            done = subprocess.run(command, capture_output=True, timeout=_INSTALL_PATIENCE_S, check=False)
        except subprocess.TimeoutExpired:
            pytest.skip("Prism could not be installed: the registry does not answer")
        if done.returncode:
            pytest.skip(f"Prism could not be installed: npm ended with {done.returncode}")
        if not _HOME.exists():
            # Whole or not at all: another process may be at it, too.
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
            assert process.poll() is None, "Prism ended before it listened"
            assert time.monotonic() < deadline, "Prism does not listen"
            time.sleep(0.1)
