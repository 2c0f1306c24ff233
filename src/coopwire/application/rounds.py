"""The loop that every worker task is: a round, then a wait; a round that fails is told and tried again."""

from __future__ import annotations

import traceback
from collections.abc import Awaitable, Callable
from pathlib import Path

import structlog

from coopwire.application.bells import Bells

POLL_SECONDS = 0.5
"""How often an idle loop looks by itself; a bell wakes it at once."""
_log = structlog.get_logger()


async def repeat(
    name: str,
    round_: Callable[[], Awaitable[bool]],
    bells: Bells,
    topic: str,
    most_seconds: float = POLL_SECONDS,
) -> None:
    """Rounds until the bells close. A round says whether more is due at once.

    After each round that found nothing the wait is twice as long, up to `most_seconds`: for what is seldom due.

    Whatever a round raises has rolled its transaction back; one failing round must not end the other loops of
    the worker, so it is logged (never with values) and done again after a wait.
    """
    seconds = POLL_SECONDS
    while not bells.closing:
        more = False
        try:
            more = await round_()
        except OSError as error:
            _log.warning("round_failed", loop=name, error=type(error).__name__)
        except Exception as error:
            _log.error("round_broke", loop=name, error=type(error).__name__, at=_where(error))
        if more:
            seconds = POLL_SECONDS
        else:
            await bells.wait(topic, seconds)
            seconds = min(2 * seconds, most_seconds)


def _where(error: Exception) -> list[str]:
    """The innermost places of a failure: file and line."""
    frames = traceback.extract_tb(error.__traceback__)[-3:]
    return [f"{Path(frame.filename).name}:{frame.lineno}" for frame in frames]
