"""The socket of the loan management system: tell it something, and hear its allocation."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from coopwire.domain.receipts import AllocationLine
from coopwire.ports.writes import Finding


@dataclass(frozen=True, slots=True)
class CallbackOrder:
    """One message to the loan system; `reference` is its Standard Webhooks id, `payload` plain JSON."""

    reference: str
    url: str | None = field(repr=False)
    payload: Mapping[str, object]
    wants_allocation: bool = False


@dataclass(frozen=True, slots=True)
class CallbackSnapshot:
    """They took it; `allocation` is their signed answer where one was asked for and given."""

    reference: str
    allocation: tuple[AllocationLine, ...] | None = None
    rejected: str = ""
    """Why an answer was not believed (unsigned, wrong sum); empty when fine."""


class Callbacks(Protocol):
    """Messages to the loan system: the same id may be sent again for ever."""

    def say(self, order: CallbackOrder) -> bytes:
        """The JSON body as it will be sent."""
        ...

    async def send(self, order: CallbackOrder, said: bytes) -> CallbackSnapshot:
        """Send once, signed. Refused (410 Gone), TryLater (any other answer than 2xx), OutcomeUnknown."""
        ...

    async def find(self, order: CallbackOrder, sent_at: datetime) -> Finding[CallbackSnapshot]:
        """Unsupported: the receiver dedupes by id, so the message is sent again instead."""
        ...
