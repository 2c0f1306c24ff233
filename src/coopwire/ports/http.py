"""How adapters talk out: one HTTP exchange whose failures are already sorted into the error tree."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from coopwire.domain.gates import Traffic


@dataclass(frozen=True, slots=True)
class HttpRequest:
    """One request. `operation` names it in metrics and errors; url, headers and body never reach a log.

    `traffic` WRITE means that it may have an effect: a lost answer is then OutcomeUnknown, else TryLater.
    """

    operation: str
    method: str
    url: str = field(repr=False)
    traffic: Traffic
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    body: bytes | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class HttpAnswer:
    """A complete answer, of any status; header names are lower case."""

    status: int
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)


class Http(Protocol):
    """A guarded HTTP client of one connection.

    Raises NotSent when no byte left (refused, DNS, connect time-out), GateClosed when the breaker is open,
    OutcomeUnknown for a write and TryLater for a read when the answer did not arrive whole within the
    total deadline or is larger than the limit. Never follows redirects, never sends twice, never raises
    on a status.
    """

    async def call(self, request: HttpRequest) -> HttpAnswer:
        """Send once and return the answer."""
        ...
