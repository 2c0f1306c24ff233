"""What is kept of a consumer's failure: a cause for the database, and a shorter one that may leave the house."""

from __future__ import annotations

import traceback
from pathlib import Path

_PLACES = 8
_LONGEST = 500


def cause_of(error: BaseException) -> str:
    """One line for the operator; only the first, since further ones of a database error hold the row's values."""
    return f"{type(error).__name__}: {error}".partition("\n")[0][:_LONGEST]


def trace_of(error: BaseException) -> str:
    """Where in the code it came from, the innermost place last; names of files and functions, no values."""
    frames = traceback.extract_tb(error.__traceback__)[-_PLACES:]
    return " > ".join(f"{Path(frame.filename).name}:{frame.lineno} {frame.name}" for frame in frames)
