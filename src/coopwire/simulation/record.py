"""The record of every request that reached a simulator, with secrets taken out when it is shown."""

from __future__ import annotations

import json
from collections import Counter, deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import parse_qsl, urlsplit

from coopwire.simulation.exchange import Call, is_accepted

_HIDDEN = "***"


@dataclass(frozen=True, slots=True)
class Entry:
    """One request; `status` is what the vendor answered or would have answered (0: nothing at all)."""

    n: int
    at: datetime
    operation: str
    method: str
    path: str
    place: Mapping[str, str]
    body: bytes
    status: int
    outcome: str
    fault: str

    def shown(self, secrets: frozenset[str]) -> dict[str, object]:
        """The entry as plain JSON; the values of `secrets` (names in any case) are hidden."""
        split = urlsplit(self.path)
        return {
            "n": self.n,
            "at": self.at.isoformat(),
            "operation": self.operation,
            "method": self.method,
            "path": _path(split.path, self.place, secrets),
            "query": _without(dict(parse_qsl(split.query)), secrets),
            "body": _body(self.body, secrets),
            "status": self.status,
            "outcome": self.outcome,
            "accepted": is_accepted(self.outcome),
            "fault": self.fault or None,
        }


class Record:
    """The newest `limit` requests, and counts per operation and outcome of all of them."""

    def __init__(self, limit: int = 100_000) -> None:
        self._entries: deque[Entry] = deque(maxlen=limit)
        self._counts: Counter[tuple[str, str]] = Counter()
        self._written = 0

    def write(self, at: datetime, call: Call, status: int, outcome: str, fault: str) -> None:
        """Note one request."""
        self._written += 1
        name = call.operation.name
        self._counts[name, outcome] += 1
        entry = Entry(
            self._written, at, name, call.method, call.path, call.place, call.body, status, outcome, fault
        )
        self._entries.append(entry)

    def entries(self, operation: str | None = None, *, accepted: bool = False) -> Iterator[Entry]:
        """Oldest first; of one operation, or only the accepted ones, if wanted."""
        for entry in self._entries:
            if operation in (None, entry.operation) and (not accepted or is_accepted(entry.outcome)):
                yield entry

    def counts(self) -> dict[str, dict[str, int]]:
        """Requests since the start or the last reset: operation → outcome → number."""
        told: dict[str, dict[str, int]] = {}
        for (operation, outcome), number in self._counts.items():
            told.setdefault(operation, {})[outcome] = number
        return told

    def clear(self) -> None:
        """Forget everything."""
        self._entries.clear()
        self._counts.clear()


def _path(path: str, place: Mapping[str, str], secrets: frozenset[str]) -> str:
    for name, value in place.items():
        if name in secrets:
            path = path.replace(value, _HIDDEN)
    return path


def _body(body: bytes, secrets: frozenset[str]) -> object:
    if not body:
        return None
    try:
        return _without(json.loads(body, parse_float=str), secrets)
    except (ValueError, RecursionError):
        return _form_or_size(body, secrets)


def _form_or_size(body: bytes, secrets: frozenset[str]) -> object:
    form = dict(parse_qsl(body.decode("utf-8", "replace")))
    return _without(form, secrets) if form else f"{len(body)} bytes that are neither JSON nor a form"


def _without(value: object, secrets: frozenset[str]) -> object:
    if isinstance(value, dict):
        return {k: _HIDDEN if k.lower() in secrets else _without(v, secrets) for k, v in value.items()}
    if isinstance(value, list):
        return [_without(one, secrets) for one in value]
    return value
