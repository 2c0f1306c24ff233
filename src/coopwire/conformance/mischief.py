"""What a check can make the other side do to its next call, in words that every simulator understands."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Any

from coopwire.simulation.kernel import Simulator


class Mischief(StrEnum):
    """How one call goes wrong."""

    ANSWER_LOST = "done, and the connection drops before the answer"
    DONE_BEHIND_A_PAGE = "done, and a page of HTML comes as the answer"
    FAILED = "not done, HTTP 500"
    THROTTLED = "not done, HTTP 429"


Spoil = Callable[[Mischief], None]
"""Spoils the next call of one operation."""

_FAULTS: Mapping[Mischief, tuple[str, Mapping[str, object]]] = {
    Mischief.ANSWER_LOST: ("drop_after", {}),
    Mischief.DONE_BEHIND_A_PAGE: ("html", {"done": True, "status": 200}),
    Mischief.FAILED: ("http_500", {}),
    Mischief.THROTTLED: ("http_429", {"retry_after": 7}),
}


def spoiler(simulator: Simulator[Any], operation: str) -> Spoil:
    """A Spoil for the simulator's operation of this name."""

    def spoil(mischief: Mischief) -> None:
        kind, params = _FAULTS[mischief]
        simulator.faults.add(operation, kind, params=params)

    return spoil
