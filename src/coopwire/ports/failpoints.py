"""Named places where a test can kill the process: before and after every commit and every provider call."""

from __future__ import annotations

from collections.abc import Callable

FailPoints = Callable[[str], None]
"""Called with the name of the place that is reached; in production it does nothing."""


def nothing_fails(place: str) -> None:
    """The fail points of production."""
