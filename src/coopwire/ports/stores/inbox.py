"""Webhooks as they came, and what was read in them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from coopwire.domain.notices import Notice
from coopwire.ports.tracing import here


@dataclass(frozen=True, slots=True)
class Delivered:
    """A webhook as it came in, already verified; `digest` is the SHA-256 of the raw bytes."""

    connection: str
    digest: bytes
    body: bytes = field(repr=False)
    received_at: datetime
    traceparent: str | None = field(default_factory=here)


@dataclass(frozen=True, slots=True)
class StoredWebhook:
    """A webhook that waits to be read; `body` is None when no configured key opens it."""

    id: int
    connection: str
    body: bytes | None = field(repr=False)
    traceparent: str | None = None


@dataclass(frozen=True, slots=True)
class NoticeRow:
    """A notice with the webhook that carried it; `open` until a look-up agrees or the schedule ends."""

    webhook: int
    connection: str
    notice: Notice
    open: bool
    seen_at: datetime


class Inbox(Protocol):
    """Webhooks as they came."""

    async def undrained(self, limit: int) -> list[StoredWebhook]:
        """Lock up to `limit` webhooks that nobody has read; skip those another worker holds."""
        ...

    async def drained(self, ids: Sequence[int], at: datetime) -> None:
        """They are read."""
        ...
