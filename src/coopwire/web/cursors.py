"""Cursors: where the next page of a list begins, opaque to clients and checked when they come back."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from dataclasses import astuple
from datetime import datetime

from coopwire.ports.queries import Filter, Position
from coopwire.web.models import YEARS
from coopwire.web.problems import INVALID, FieldError, Problem

NUMBERED = frozenset({"effects", "journals", "postings", "breaks", "core-accounts", "batch-lines"})
"""Lists in the order of their rows' numbers; the others are in the order of time."""
_LONGEST = 400
_NUMBER = re.compile(r"[0-9]{1,18}\Z")
_KEY = re.compile(r"[a-z0-9][a-z0-9:_-]{0,119}\Z")


def encode(noun: str, which: Filter, position: Position) -> str:
    """A cursor for this list with these filters."""
    at = position.at.isoformat() if position.at else None
    text = json.dumps([_list_mark(noun, which), at, position.key], separators=(",", ":"))
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def decode(noun: str, which: Filter, cursor: str) -> Position:
    """The position behind a cursor. Problem when it is broken, or of another list or other filters."""
    if len(cursor) > _LONGEST:
        raise _broken()
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        mark, at, key = json.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
        if mark != _list_mark(noun, which):
            raise ValueError
        return _numbered(at, key) if noun in NUMBERED else _timed(at, key)
    except (ValueError, TypeError, RecursionError):
        raise _broken() from None


def _broken() -> Problem:
    message = "is not a cursor of this list with these filters: begin without one"
    return Problem(INVALID, errors=[FieldError("cursor", message)])


def _numbered(at: object, key: object) -> Position:
    if at is not None or not isinstance(key, str) or not _NUMBER.match(key):
        raise ValueError
    return Position(None, key)


def _timed(at: object, key: object) -> Position:
    moment = datetime.fromisoformat(str(at))
    if moment.tzinfo is None or moment.year not in YEARS or not isinstance(key, str) or not _KEY.match(key):
        raise ValueError
    return Position(moment, key)


def _list_mark(noun: str, which: Filter) -> str:
    """Tells this list with these filters from every other."""
    text = json.dumps([noun, *astuple(which)], default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:16]
