"""Idempotency keys: the first answer under a key comes again, and other parameters under it are refused.

Source: payments contract 3.4: the answer is kept whatever it says, 500 included, but not that of a request that did
not pass its validation.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from coopwire.providers.stripe.simulator.objects import problem
from coopwire.simulation.exchange import REFUSED, REPEATED, Answer, Call, TurnedAway, json_answer

_HEADER: Final = "Idempotency-Key"
_LONGEST: Final = 255
_REPLAYED: Final = {"Idempotent-Replayed": "true"}
_NOT_KEPT: Final = frozenset({400, 401, 403, 404, 409, 429})
_OTHER: Final = (
    "Keys for idempotent requests can only be used with the same parameters they were first used with."
)


@dataclass(frozen=True, slots=True)
class _Kept:
    request: tuple[str, bytes]
    answer: Answer
    until: datetime


class Keys:
    """What was answered under each key, for as long as it is kept."""

    def __init__(self) -> None:
        self._kept: dict[str, _Kept] = {}

    def answer(self, call: Call, now: datetime, kept_for: timedelta, does: Callable[[], Answer]) -> Answer:
        """The answer under the call's key, done once; without a key it is done each time."""
        key = call.headers.get(_HEADER, "")[:_LONGEST]
        kept = self._kept.get(key)
        if not key:
            return does()
        if kept is not None and kept.until > now:
            return _again(kept, call)
        try:
            answer = does()
        except TurnedAway as turned:
            answer = turned.answer
        self.keep(call, answer, now + kept_for)
        return answer

    def keep(self, call: Call, answer: Answer, until: datetime) -> None:
        """Keep an answer under the call's key."""
        key = call.headers.get(_HEADER, "")[:_LONGEST]
        if key and answer.status not in _NOT_KEPT:
            self._kept[key] = _Kept(_request(call), answer, until)


def _again(kept: _Kept, call: Call) -> Answer:
    if kept.request != _request(call):
        return json_answer(problem("idempotency_error", _OTHER), status=400, outcome=REFUSED)
    headers = {**kept.answer.headers, **_REPLAYED}
    outcome = REPEATED if kept.answer.accepted else kept.answer.outcome
    return replace(kept.answer, headers=headers, outcome=outcome)


def _request(call: Call) -> tuple[str, bytes]:
    return call.path, call.body
