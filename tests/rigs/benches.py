"""Runs a benchmark as its users do, at a size that proves only that it works."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

_BENCH = Path(__file__).parent.parent.parent / "bench"
_PATIENCE_S = 200


def run_bench(name: str, *words: str) -> list[str]:
    """The lines that `bench/name.py` prints; AssertionError with what it said if it fails."""
    process = subprocess.Popen(
        [sys.executable, str(_BENCH / f"{name}.py"), *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        out, err = process.communicate(timeout=_PATIENCE_S)
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
    assert process.returncode == 0, f"{out}\n{err}"
    return out.splitlines()
