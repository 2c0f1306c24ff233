"""Runs the command line as its users do: in a process of its own, with its own environment."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

COMMAND = (sys.executable, "-m", "coopwire.cli")
_PATIENCE_S = 120


@dataclass(frozen=True)
class Ran:
    """How a command ended and what it said."""

    code: int
    out: str
    err: str

    @property
    def rows(self) -> list[dict[str, Any]]:
        """The JSON objects on its lines."""
        return [json.loads(line) for line in self.out.splitlines()]


Run = Callable[..., Ran]


def run(*words: str, stdin: bytes = b"", env: Mapping[str, str] | None = None) -> Ran:
    """`run("inspect", …, stdin=b"", env={…})`; the environment is ours with `env` laid over it."""
    done = subprocess.run(
        [*COMMAND, *words],
        input=stdin,
        env={**os.environ, **(env or {})},
        capture_output=True,
        timeout=_PATIENCE_S,
        check=False,
    )
    return Ran(done.returncode, done.stdout.decode(), done.stderr.decode())
