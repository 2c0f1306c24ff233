"""Says which stage of the hub the processor worked for, by looking at the stack every few milliseconds of CPU."""

from __future__ import annotations

import inspect
import signal
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from types import CodeType, FrameType
from typing import Any

from coopwire.application.executor import Executor
from coopwire.application.inbox import Drain
from coopwire.application.looking import Looker
from coopwire.application.sweeping import Sweeper
from coopwire.bus.postgres import PostgresBus

EVERY = 0.005
"""Seconds of CPU between two looks."""
ELSEWHERE = "event loop and sockets"
"""Answers that arrive and the loop itself: no stage's own code is on the stack then."""


def hub_stages() -> dict[CodeType, str]:
    """The stages of the river by the functions that do them; the innermost one on the stack counts."""
    stages: dict[str, list[Callable[..., Any]]] = {
        "claim": [Executor._claim, Executor._claim_unknown, Executor._send_round, Executor._look_round],
        "say": [Executor.make_ready],
        "send": [Executor._send],
        "record": [Executor._commit_results],
        "look": [Looker._round, Looker._ask],
        "receive": [Looker._commit],
        "drain": _functions(Drain),
        "bus": _functions(PostgresBus),
        "sweep": _functions(Sweeper),
    }
    return {function.__code__: name for name, functions in stages.items() for function in functions}


def _functions(of: type) -> list[Callable[..., Any]]:
    return [function for _, function in inspect.getmembers(of, inspect.isfunction)]


@contextmanager
def sampling(stages: Mapping[CodeType, str]) -> Iterator[Counter[str]]:
    """Count looks by stage while the block runs; from the main thread only."""
    counts: Counter[str] = Counter()

    def look(_number: int, frame: FrameType | None) -> None:
        while frame is not None:
            stage = stages.get(frame.f_code)
            if stage is not None:
                counts[stage] += 1
                return
            frame = frame.f_back
        counts[ELSEWHERE] += 1

    before = signal.signal(signal.SIGPROF, look)
    signal.setitimer(signal.ITIMER_PROF, EVERY, EVERY)
    try:
        yield counts
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)
