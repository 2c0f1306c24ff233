"""The one error of the embedded database: a sentence that says what is wrong and what to do."""

from __future__ import annotations

import re

_GRAVE = re.compile(r"\b(FATAL|PANIC|HINT)\b|\berror:")


class EmbeddedError(Exception):
    """The embedded server cannot be started or reached; the text is meant for the person who started it."""


def gravest(output: bytes) -> str:
    """The last grave lines of what a program of PostgreSQL said; without any, its last lines."""
    lines = [line.strip() for line in output.decode(errors="replace").splitlines() if line.strip()]
    grave = [line for line in lines if _GRAVE.search(line)] or lines
    return " · ".join(grave[-3:])
