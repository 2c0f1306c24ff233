"""Parses Stripe's JSON, and the members that only they write so: unix seconds, and objects told as their id."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from functools import partial

from coopwire.domain.payments import Mode
from coopwire.transport import strict_json
from coopwire.transport.reading import at, label

parse = partial(strict_json.parse, whose="Stripe")
"""The document of a body. ContractBroken when it is not strict JSON."""

_ID = re.compile(r"[A-Za-z0-9_]{1,255}\Z")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MOST_SECONDS = 2**33


def is_id(text: str, *prefixes: str) -> bool:
    """Whether it is an id of theirs, of one of these kinds (`pi_`, `cs_`…)."""
    return _ID.match(text) is not None and text.startswith(prefixes)


def linked(value: object) -> str | None:
    """The id of an object that is told by its id or, expanded, in full."""
    told = at(value, "id") if isinstance(value, dict) else value
    return told if isinstance(told, str) and _ID.match(told) else None


def moment(value: object) -> datetime | None:
    """A time in whole unix seconds, UTC."""
    if isinstance(value, bool) or not isinstance(value, int) or not 0 < value < _MOST_SECONDS:
        return None
    return _EPOCH + timedelta(seconds=value)


def seconds(instant: datetime) -> int:
    """Whole unix seconds, rounded down."""
    return (instant - _EPOCH) // timedelta(seconds=1)


def mode_of(document: object) -> Mode | None:
    """Live or test money; None when the object does not say."""
    told = at(document, "livemode")
    return None if not isinstance(told, bool) else Mode.LIVE if told else Mode.TEST


def word(document: object, path: str) -> str | None:
    """A word of theirs: a status, a reason."""
    return label(at(document, path))
