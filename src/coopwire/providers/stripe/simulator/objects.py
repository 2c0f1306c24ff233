"""Objects of the API: their ids, what stands in them as an id until it is expanded, and errors.

Source: payments contract 3.1 (expand), 3.3 (errors).
"""

from __future__ import annotations

import secrets
import string
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from coopwire.simulation.exchange import REFUSED, TurnedAway, json_answer

_ALPHABET: Final = string.ascii_letters + string.digits
_DEEPEST: Final = 4

Told = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Link:
    """A member that is told as an id, or in full where the caller wants it expanded."""

    id: str
    tell: Callable[[], Told]


def new_id(prefix: str) -> str:
    """A new id: `pi_` and 24 letters and digits."""
    return prefix + "".join(secrets.choice(_ALPHABET) for _ in range(24))


def unix(at: datetime) -> int:
    """Whole seconds since 1970."""
    return int(at.timestamp())


def rendered(told: Told, paths: Iterable[str]) -> dict[str, object]:
    """The object with the members of these dotted paths expanded. TurnedAway for a path that cannot be."""
    wanted = [path.split(".") for path in paths]
    for path in wanted:
        if len(path) > _DEEPEST or path[0] not in told:
            raise invalid("This property cannot be expanded", param="expand")
    return {
        name: _member(value, [path[1:] for path in wanted if path[0] == name]) for name, value in told.items()
    }


def _member(value: object, tails: Sequence[Sequence[str]]) -> object:
    if isinstance(value, Link):
        return rendered(value.tell(), [".".join(tail) for tail in tails if tail]) if tails else value.id
    if isinstance(value, Mapping):
        return rendered(value, [".".join(tail) for tail in tails if tail])
    if isinstance(value, list | tuple):
        return [_member(one, tails) for one in value]
    return value


def problem(
    kind: str, message: str, *, code: str = "", param: str = "", more: Told | None = None
) -> dict[str, object]:
    """Their error (contract 3.3)."""
    named = {name: word for name, word in (("code", code), ("param", param)) if word}
    return {"error": {"type": kind, "message": message, **named, **(more or {})}}


def invalid(message: str, *, code: str = "", param: str = "", status: int = 400) -> TurnedAway:
    """A request that they do not carry out."""
    told = problem("invalid_request_error", message, code=code, param=param)
    return TurnedAway(json_answer(told, status=status, outcome=REFUSED))


def missing(kind: str, id_: str, *, param: str = "", status: int = 404) -> TurnedAway:
    """There is no such object: 404 for an id in the path, 400 for one in the body (contract 3.3)."""
    return invalid(f"No such {kind}: '{id_}'", code="resource_missing", param=param or "id", status=status)
